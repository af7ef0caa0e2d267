"""Feedback: the wishes, expectations and needs of the community, and their outcomes.

It owns the voices, from raising to the outcome that the author hears of. It announces `feedback.*`.
It keeps its own copy of the members' names.
"""
