"""Cursors: opaque words for the position at which the next page of a list begins."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

import orjson
from marshmallow import Schema

from services.contracts.errors import Invalid


def write(position: Any) -> str | None:
    """The cursor for a position (text, a number, or a list of them). None, for no next page, stays None."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def read(cursor: str | None, *kinds: type) -> Any:
    """The position that a cursor stands for: a value of the one kind, or a list with one of each.

    Raises Invalid for a cursor that we did not write.
    """
    if cursor is None:
        return None
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise not_ours() from None
    parts = position if isinstance(position, list) else [position]
    if len(parts) != len(kinds) or any(type(part) is not kind for part, kind in zip(parts, kinds, strict=True)):
        raise not_ours()
    return position


def not_ours() -> Invalid:
    """The refusal of a cursor that we did not write."""
    return Invalid.field("cursor", "Must be the `next` of an earlier page. Leave it out for the first page.")


def page(shape: Schema, found: Iterable[Any], following: Any) -> dict[str, Any]:
    """The answer of a list: a page of what was found, shaped, and the cursor of the next page."""
    return {"items": shape.dump(found, many=True), "next": write(following)}
