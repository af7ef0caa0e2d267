"""The grammar of tellings: `tell(...)` declares who hears of a message, `follows(...)` whom it makes a follower.

A declaration names fields of its message. A field that the message lacks raises at import.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter
from typing import NamedTuple

from services.contracts.catalogue import Message, UndeclaredMessage

TELLINGS: list["Telling"] = []
FOLLOWINGS: list["Following"] = []


class Audience(NamedTuple):
    """Everyone, or those who have one of the roles or tags that a field names."""

    field: str

    @property
    def fields(self) -> tuple[str, ...]:
        """Which fields of the message this needs."""
        return (self.field,)

    def __str__(self) -> str:
        return f"those whom `{self.field}` names"


class One(NamedTuple):
    """The member whose id is in a field; nobody where that is null."""

    field: str

    @property
    def fields(self) -> tuple[str, ...]:
        """Which fields of the message this needs."""
        return (self.field,)

    def __str__(self) -> str:
        return f"the member in `{self.field}`"


class Role(NamedTuple):
    """Those who have a role now. The telling waits until somebody is known to have it."""

    name: str

    @property
    def fields(self) -> tuple[str, ...]:
        """Which fields of the message this needs."""
        return ()

    def __str__(self) -> str:
        return f"those who have the role `{self.name}`"


class Followers(NamedTuple):
    """Those who follow what a field names, in one of these states.

    `awaited`: there is always one, so the telling waits until one is known.
    """

    field: str
    states: tuple[str, ...]
    awaited: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Which fields of the message this needs."""
        return (self.field,)

    def __str__(self) -> str:
        return f"those who follow `{self.field}` ({', '.join(self.states)})"


class ThoseTold(NamedTuple):
    """Those who were told of another message about the same subject, and `besides` them some followers.

    Where it was told before such records were kept, or they are gone by now, the audience is told.
    """

    of: Message
    besides: Followers
    or_else: Audience

    @property
    def fields(self) -> tuple[str, ...]:
        """Which fields of the message this needs."""
        return (*self.besides.fields, *self.or_else.fields)

    def __str__(self) -> str:
        return f"those who were told of `{self.of.key}`, and {self.besides}"


Whom = Audience | One | Role | Followers | ThoseTold


@dataclass(frozen=True, kw_only=True)
class Telling:
    """Who hears of a message, and what a line keeps of it. Made by `tell`, which says what the fields mean."""

    message: Message
    queue: str
    says: str
    to: Whom
    category: str
    mandatory: bool
    facts: tuple[str, ...]
    about: str
    link: str
    expires: str | None
    by: str
    withdrawn_by: Message | None
    soon: bool
    folded: str | None

    @property
    def wants(self) -> tuple[str, ...]:
        """The fields of the message that the telling needs."""
        named = (*self.to.fields, *self.facts, self.about, *_named(self.link), self.by, self.expires)
        return tuple(dict.fromkeys(name for name in named if name))

    def link_about(self, subject: str) -> str:
        """Where a line about this subject leads."""
        return self.link.format(**{self.about: subject})


@dataclass(frozen=True, kw_only=True)
class Following:
    """Whom a message makes a follower of what. Made by `follows`."""

    message: Message
    queue: str
    says: str
    subject: str
    member: str
    state: str

    @property
    def wants(self) -> tuple[str, ...]:
        """The fields of the message that it needs."""
        return (self.subject, self.member)


def tell(
    message: Message,
    *,
    queue: str,
    says: str,
    to: Whom,
    category: str,
    mandatory: bool = False,
    facts: tuple[str, ...],
    about: str,
    link: str,
    expires: str | None = None,
    by: str = "actor_id",
    withdrawn_by: Message | None = None,
    soon: bool = False,
    folded: str | None = None,
) -> None:
    """Declare a telling.

    queue: the name of its handler, and for ever the end of the name of its queue.
    says: one sentence about it.
    to: who is told.
    category, mandatory: how members choose what they want to be told; what is mandatory they can't refuse.
    facts: the fields that the line keeps, of which its sentence is made.
    about: the field with the id of what it is about. `link` leads there and names no other field.
    expires: the field with the moment after which nobody needs the line any more.
    by: the field with the member whose deed it was; nobody is told of their own deed.
    withdrawn_by: the message with which the words in the facts are withdrawn.
    soon: people wait for it.
    folded: where the one line leads that stands for all beyond the number of lines an hour; only for a role.
    """
    made = Telling(
        message=message,
        queue=queue,
        says=says,
        to=to,
        category=category,
        mandatory=mandatory,
        facts=facts,
        about=about,
        link=link,
        expires=expires,
        by=by,
        withdrawn_by=withdrawn_by,
        soon=soon,
        folded=folded,
    )
    if _named(link) - {about}:
        raise UndeclaredMessage(f"{queue} must lead to what it is about, {about}")
    if folded and not isinstance(to, Role):
        raise UndeclaredMessage(f"{queue} folds, but is not for a role")
    _check(made, TELLINGS)
    TELLINGS.append(made)


def follows(message: Message, *, queue: str, says: str, subject: str, member: str, state: str) -> None:
    """Declare that a message makes the member in one field a follower, in this state, of what another field names.

    queue: the name of its handler, and for ever the end of the name of its queue.
    A later message about both may change the state.
    """
    made = Following(message=message, queue=queue, says=says, subject=subject, member=member, state=state)
    _check(made, FOLLOWINGS)
    FOLLOWINGS.append(made)


def _check(made: Telling | Following, others: Sequence[Telling | Following]) -> None:
    if unknown := sorted(set(made.wants) - made.message.fields):
        raise UndeclaredMessage(f"{made.queue} wants {unknown}, which {made.message.key} does not have")
    if any(made.queue == each.queue for each in others):
        raise UndeclaredMessage(f"{made.queue} is declared twice")


def _named(link: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(link) if name}
