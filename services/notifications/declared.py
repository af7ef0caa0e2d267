"""Handlers made from declarations, so that a new declaration needs no handler written by hand."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from services.chassis.messaging import Envelope, on
from services.contracts.catalogue import Message

Capability = TypeVar("Capability", bound=type)


class Declaration(Protocol):
    """A declaration from which a handler is made."""

    @property
    def message(self) -> Message:
        """The message that it hears."""

    @property
    def queue(self) -> str:
        """The handler's name, which is the end of its queue's name."""

    @property
    def says(self) -> str:
        """One sentence about the handler's purpose."""

    @property
    def wants(self) -> tuple[str, ...]:
        """The fields of the message that the handler is given."""


def hears(declarations: Iterable[Declaration]) -> Callable[[Capability], Capability]:
    """Give a capability a handler for each declaration; it calls `hear(declaration, message, fields)`."""

    def give(capability: Capability) -> Capability:
        for each in declarations:
            assert not hasattr(capability, each.queue), f"{capability.__name__}.{each.queue} is there already"
            setattr(capability, each.queue, _handler(each, capability))
        return capability

    return give


def _handler(declaration: Declaration, capability: type) -> Callable[..., None]:
    def handle(self: Any, message: Envelope, **fields: Any) -> None:
        self.hear(declaration, message, fields)

    handle.__name__, handle.__doc__ = declaration.queue, declaration.says
    handle.__qualname__, handle.__module__ = f"{capability.__qualname__}.{declaration.queue}", capability.__module__
    one = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, one) for name in ("self", "message", *declaration.wants)]
    handle.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    made: Callable[..., None] = on(declaration.message, queue=declaration.queue)(handle)
    return made
