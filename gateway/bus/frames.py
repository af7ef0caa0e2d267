"""The form of a call on the wire: the frames of AMQP 0-9-1 for one message, in one piece.

py-amqp can frame any message. Calls are all alike, so most of its work is done here in advance.
"""

import functools
from struct import Struct

METHOD, HEADER, BODY = 1, 2, 3
PUBLISH = b"\x00\x3c\x00\x28\x00\x00"  # basic.publish, and two bytes that AMQP no longer uses
MANDATORY = b"\x01"
# a call's properties in AMQP's order: content type, headers, delivery mode, correlation id, reply-to, expiration
GIVEN = 0b1011_0111_0000_0000
TRANSIENT_JSON = b"\x10application/json", b"\x01"
AROUND = 8  # bytes around the content of a frame

_begin = Struct(">BHI").pack
_about = Struct(">HHQH").pack
_long = Struct(">I").pack
_double = Struct(">d").pack

Headers = dict[str, str | float]


def call(
    channel: int,
    exchange: str,
    key: str,
    body: bytes,
    *,
    headers: Headers,
    correlation_id: str,
    reply_to: str,
    expiration: str,
    frame_max: int,
) -> bytes:
    """A transient, mandatory message with a JSON body. A body longer than a frame is sent in parts."""
    content_type, transient = TRANSIENT_JSON
    known = _short(correlation_id) + _short(reply_to) + _short(expiration)
    about = _about(60, 0, len(body), GIVEN) + content_type + _table(headers) + transient + known
    most = frame_max - AROUND
    parts = [_frame(BODY, channel, body[start : start + most]) for start in range(0, len(body), most)]
    return _publish(channel, exchange, key) + _frame(HEADER, channel, about) + b"".join(parts)


@functools.lru_cache(1024)  # only our own names, each at most 255 bytes
def _publish(channel: int, exchange: str, key: str) -> bytes:
    return _frame(METHOD, channel, PUBLISH + _short(exchange) + _short(key) + MANDATORY)


def _frame(kind: int, channel: int, held: bytes) -> bytes:
    return _begin(kind, channel, len(held)) + held + b"\xce"


def _short(text: str) -> bytes:
    said = text.encode()
    return bytes((len(said),)) + said


def _table(fields: Headers) -> bytes:
    rows = b"".join([_short(name) + _value(value) for name, value in fields.items()])
    return _long(len(rows)) + rows


def _value(value: str | float) -> bytes:
    if isinstance(value, float):
        return b"d" + _double(value)
    said = value.encode()
    return b"S" + _long(len(said)) + said
