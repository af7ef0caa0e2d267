"""The page that says who hears what, made from the declarations."""

from collections.abc import Iterable

from services.notifications.tellings import FOLLOWINGS, TELLINGS
from services.notifications.tellings.grammar import Telling

_HEAD = """# Who hears what

This page is made from the declarations beside it: `python -m deploy.documents` writes it anew. To tell of one more
message, declare it in the file of its publisher, and give it a sentence in `services/contracts/wording`.

Nobody is told of their own deed. A line keeps facts; its sentence is made when it is read. Members can't refuse what is
mandatory.
"""


def page() -> str:
    """The page in Markdown."""
    tellings = sorted(TELLINGS, key=lambda each: (each.message.key, each.queue))
    told = _table(
        ("message", "who hears of it", "category", "the line keeps", "it leads to", "needed until"),
        ((_code(each.message.key), *_row(each)) for each in tellings),
    )
    followings = _table(
        ("message", "follower", "follows", "state"),
        ((_code(each.message.key), *map(_code, (each.member, each.subject)), each.state) for each in FOLLOWINGS),
    )
    notes = "".join(f"- {_code(each.queue)}: {each.says}{_more(each)}\n" for each in tellings)
    parts = (_HEAD, told, "Each has a handler and a queue `notifications.fanout.<name>`:\n", notes)
    return "\n".join((*parts, "## Who follows what\n", followings))


def _row(telling: Telling) -> tuple[str, ...]:
    return (
        str(telling.to),
        f"{telling.category}, mandatory" if telling.mandatory else telling.category,
        ", ".join(map(_code, telling.facts)),
        _code(telling.link),
        _code(telling.expires) if telling.expires else "",
    )


def _more(telling: Telling) -> str:
    withdrawn = telling.withdrawn_by
    return f" Its words are taken out of all lines with {_code(withdrawn.key)}." if withdrawn else ""


def _code(text: str) -> str:
    return f"`{text}`"


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (names, ("---",) * len(names), *rows)
    return "".join(f"| {' | '.join(each)} |\n" for each in lines)
