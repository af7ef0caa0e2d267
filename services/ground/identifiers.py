"""Identifiers: they are made here, so that the domain need not."""

import secrets
import uuid
from contextlib import suppress
from datetime import UTC, datetime

from services.contracts import moments


def new_id(at: datetime) -> str:
    """A UUID version 7 (RFC 9562, section 5.7): sorts by `at`, to the millisecond; the other 74 bits are random."""
    value = moments.to_ms(at) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def moment(id: str) -> datetime:
    """The time in a UUID version 7, to the millisecond; `datetime.max` in UTC for any other text."""
    with suppress(ValueError, OverflowError):
        if (found := uuid.UUID(id)).version == 7:
            return moments.from_ms(found.int >> 80)
    return datetime.max.replace(tzinfo=UTC)


def derived_id(of: str) -> str:
    """A UUID (version 5) that is the same for the same words."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, of))
