"""The benchmark compares the platform with its limits and its peers. A figure and its limit take turns in one run.

`make bench`, with `ONLY=me,fanout` for some of its parts, `SCALE=smoke|full|million` for a short or a long run, and
`KEEP=1` to take the results into the tree. Only ratios are worth comparing between machines or days. Nothing here fails
because something is slow.

A part is a function in one of `families` that fills the rows of its declaration:

    @part("me", Row("GET /v1/me", "per s", "raw find_one, 8 threads", at_least=0.28))
    def me(ground: Ground, row: Row) -> None:
        ground.measure(row, value=lambda: ..., limit=lambda: ...)
"""

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
