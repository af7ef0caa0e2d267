"""Feedback: what the community wants, expects and needs, and what became of it.

It owns the voices, from the moment somebody speaks up to the outcome that they hear of, and announces `feedback.*`.
"""
