"""Texts of people where there is little room."""


def short(text: str, most: int) -> str:
    """The text in one line, cut to so many characters if it is longer. A cut text ends with `…`."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"
