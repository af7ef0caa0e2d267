"""The whole platform on one machine: a private broker and store, keys, services and gateway, supervised.

Everything it writes stays in one folder of the checkout (`.hearth/`); `python -m deploy.local --help`.
"""


class CannotRun(Exception):
    """The platform cannot go on. The text is a sentence that tells a person how to help."""
