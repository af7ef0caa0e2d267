"""Events: what happens at the hub and who may come.

It owns the events that members attend, from draft to cancellation, and announces `events.*`.
"""
