"""Replies to calls, in nameko's wire format."""

from typing import Any

import orjson

from services.chassis.rows import is_absent
from services.contracts.errors import Refusal, Unavailable, Unexpected
from services.ground import logs
from services.ground.logs import log

UNEXPECTED = Unexpected("unexpected", "Something went wrong on our side.")
STORE_ABSENT = Unavailable(
    "store_unavailable", "A part of the platform can't be reached just now; try again in a moment."
)


def told(method: str, result: Any, error: BaseException | None) -> bytes:
    """The answer on the wire: the result, or the refusal that the failure means."""
    try:
        return orjson.dumps({"result": result, "error": error_of(error)})
    except TypeError as problem:
        log.error("answer is no JSON", method=method, error=logs.kind(problem))
        return orjson.dumps({"result": None, "error": error_of(UNEXPECTED)})


def refusal_for(error: BaseException) -> Refusal:
    """The refusal that a failure means to the caller."""
    if isinstance(error, Refusal):
        return error
    return STORE_ABSENT if is_absent(error) else UNEXPECTED


def error_of(error: BaseException | None) -> dict[str, Any] | None:
    """The failure in nameko's wire format; None without a failure."""
    if error is None:
        return None
    refusal = refusal_for(error)
    family = type(refusal)
    return {
        "exc_type": family.__name__,
        "exc_path": f"{family.__module__}.{family.__name__}",
        "exc_args": [refusal.code, refusal.says, refusal.fields],
        "value": refusal.says,
        "after": refusal.after,
    }
