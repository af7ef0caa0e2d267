"""A believable hub, and a story that is told on the terminal while it happens.

It uses only public ways in: the gateway's HTTP, the bus, and the command line for the first administrator.
`make demo` runs it on the running platform. It can be run again on the same data.
"""

PATIENCE = 15.0  # seconds that anything in the story may take to arrive


class StoryBroken(Exception):
    """Something expected did not happen. The text is a sentence about it."""
