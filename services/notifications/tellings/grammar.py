"""The grammar of tellings: `tell(...)` declares who hears of a message, `follows(...)` who becomes a follower by it.

A declaration names fields of its message. A field that the message lacks raises at import.
"""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from string import Formatter
from typing import NamedTuple, ParamSpec, TypeVar

from services.contracts.catalogue import Message, UndeclaredMessage

How = ParamSpec("How")
Declared = TypeVar("Declared", "Telling", "Following")
TELLINGS: list["Telling"] = []
FOLLOWINGS: list["Following"] = []


class Audience(NamedTuple):
    """Everyone, or the members who have one of the roles or tags that a field names."""

    field: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the message that this needs."""
        return (self.field,)

    def __str__(self) -> str:
        return f"those whom `{self.field}` names"


class One(NamedTuple):
    """The member whose id is in a field. If the field is null, no member is told."""

    field: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the message that this needs."""
        return (self.field,)

    def __str__(self) -> str:
        return f"the member in `{self.field}`"


class Role(NamedTuple):
    """The members who have a role now. The telling waits until at least one is known."""

    name: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the message that this needs."""
        return ()

    def __str__(self) -> str:
        return f"those who have the role `{self.name}`"


class Followers(NamedTuple):
    """The members who follow the subject in a field, in one of these states.

    `awaited`: there is always a follower, so the telling waits until one is known.
    """

    field: str
    states: tuple[str, ...]
    awaited: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the message that this needs."""
        return (self.field,)

    def __str__(self) -> str:
        return f"those who follow `{self.field}` ({', '.join(self.states)})"


class ThoseTold(NamedTuple):
    """The members who were told of another message about the same subject, and some followers `besides`.

    If that telling has no records, because it is too old, the audience in `or_else` is told.
    """

    of: Message
    besides: Followers
    or_else: Audience

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the message that this needs."""
        return (*self.besides.fields, *self.or_else.fields)

    def __str__(self) -> str:
        return f"those who were told of `{self.of.key}`, and {self.besides}"


Whom = Audience | One | Role | Followers | ThoseTold


@dataclass(frozen=True)
class Telling:
    """The recipients of a message, and the facts that a line keeps.

    queue: the name of its handler, and for ever the end of the name of its queue.
    says: one sentence about it.
    to: the recipients.
    category: by this members choose what they want to be told. They can't refuse a `mandatory` telling.
    facts: the fields that the line keeps. Its sentence is made of them.
    about: the field with the id of its subject. `link` leads there and names no other field.
    expires: the field with the moment after which the line is no longer needed.
    by: the field with the member whose deed it was. They are not told of it.
    withdrawn_by: the message with which the words in the facts are withdrawn.
    soon: true if people wait for the line.
    folded: the link of the one line that stands for all beyond the hourly number of lines; only for a role.
    """

    message: Message
    _: KW_ONLY
    queue: str
    says: str
    to: Whom
    category: str
    mandatory: bool = False
    facts: tuple[str, ...]
    about: str
    link: str
    expires: str | None = None
    by: str = "actor_id"
    withdrawn_by: Message | None = None
    soon: bool = False
    folded: str | None = None

    def __post_init__(self) -> None:
        if _named(self.link) - {self.about}:
            raise UndeclaredMessage(f"{self.queue} must lead to what it is about, {self.about}")
        if self.folded and not isinstance(self.to, Role):
            raise UndeclaredMessage(f"{self.queue} folds, but is not for a role")

    @property
    def wants(self) -> tuple[str, ...]:
        """The fields of the message that the telling needs."""
        named = (*self.to.fields, *self.facts, self.about, *_named(self.link), self.by, self.expires)
        return tuple(dict.fromkeys(name for name in named if name))

    def link_about(self, subject: str) -> str:
        """The link of a line about this subject."""
        return self.link.format(**{self.about: subject})


@dataclass(frozen=True)
class Following:
    """The member in one field of a message, whom it makes a follower, in this state, of the subject in another.

    queue: the name of its handler, and for ever the end of the name of its queue.
    A later message about both may change the state.
    """

    message: Message
    _: KW_ONLY
    queue: str
    says: str
    subject: str
    member: str
    state: str

    @property
    def wants(self) -> tuple[str, ...]:
        """The fields of the message that the following needs."""
        return (self.subject, self.member)


def _declaring(kind: Callable[How, Declared], declared: list[Declared]) -> Callable[How, None]:
    """The function that makes a declaration of this kind and adds it to the others."""

    def declare(*args: How.args, **kwargs: How.kwargs) -> None:
        made = kind(*args, **kwargs)
        _check(made, declared)
        declared.append(made)

    return declare


def _check(made: Telling | Following, others: Sequence[Telling | Following]) -> None:
    if unknown := sorted(set(made.wants) - made.message.fields):
        raise UndeclaredMessage(f"{made.queue} wants {unknown}, which {made.message.key} does not have")
    if any(made.queue == each.queue for each in others):
        raise UndeclaredMessage(f"{made.queue} is declared twice")


def _named(link: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(link) if name}


tell = _declaring(Telling, TELLINGS)
follows = _declaring(Following, FOLLOWINGS)
