"""A believable hub, and a story that is told on the terminal while it happens.

It enters by the public doors only: the gateway's HTTP, the bus, and the command line for the first administrator.
`make demo` runs it on the platform that runs; it can be run again on the same data.
"""

PATIENCE = 15.0  # seconds that anything in the story may take to arrive


class StoryBroken(Exception):
    """Something did not happen; the text is a sentence that says what."""
