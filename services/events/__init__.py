"""Events: the hub's events and its offerings.

It owns the events that members attend, from draft to cancellation, and announces `events.*`. It keeps its own
copy of the members' names.
"""
