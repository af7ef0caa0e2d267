"""Kept answers: a call that is repeated under its idempotency key runs once, and its answer is given again.

An answer may hold secrets, such as the claim code of an anonymous voice. So it is kept under a hash of the caller's
seal and the key, and encrypted with both. A reader of the store learns neither the caller, nor the time of day, nor the
length of the answer, not even by trying keys that can be guessed.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from services.chassis.rows import Document, Rows
from services.contracts.errors import Conflict, Invalid
from services.ground import clock

RUNS_AT_MOST = timedelta(seconds=30)
WIDEST = 17 * 1024  # bytes: room for 4,000 characters of four bytes, and a kilobyte around them
NARROWEST = WIDEST // 16
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_ONCE = bytes(12)  # a nonce: each sealing key seals one answer


@dataclass(frozen=True)
class Claim:
    """The right to give the one answer to a call."""

    id: str
    seal: bytes


class Answers(Rows[Document]):
    """Answers of one service, by caller and key, deleted a day after `at`.

    `at` is the midnight after the call, the same for all calls of a day. Until a call is answered, its row also tells
    the minute until which it may run.
    """

    collection = "answers"
    keeps = False  # a backup would outlive the day after which they are deleted
    indexes = (IndexModel([("at", 1)], expireAfterSeconds=86_400),)
    _prepared = False

    def claim(self, own: str, key: str, method: str, kwargs: dict[str, Any]) -> Claim | bytes:
        """The right to answer this call, or the answer that it was given before.

        `own` is the caller's seal. Raises Invalid when the key was used for another call. Raises Conflict while the
        first call runs, and when it was interrupted: it may have taken effect, so it is not run again.
        """
        lock = hmac.digest(own.encode(), key.encode(), "sha256")
        claim = Claim(_derived(lock, "caller").hex(), _derived(lock, "seal"))
        asked = _derived(lock, "call", method, orjson.dumps(kwargs, option=orjson.OPT_SORT_KEYS).decode()).hex()
        now = clock.now()
        row = {"_id": claim.id, "asked": asked, "answer": None, "at": _next(_DAY, now)}
        self._prepare_once()
        try:
            self.rows.insert_one(row | {"runs_until": _next(_MINUTE, now + RUNS_AT_MOST)})
        except DuplicateKeyError:
            return self._given(claim, asked, now)
        return claim

    def _given(self, claim: Claim, asked: str, now: datetime) -> bytes:
        found = self.rows.find_one({"_id": claim.id})
        if found is None:
            raise Conflict("still_running", "The first request with this key has just failed. Send it again.")
        if found["asked"] != asked:
            says = "This Idempotency-Key was used for another request. Take a new one."
            raise Invalid("idempotency_key_reused", says, [{"field": "Idempotency-Key", "says": says}])
        if found["answer"] is not None:
            return _open(claim, found["answer"])
        if now < found["runs_until"]:
            raise Conflict("still_running", "The first request with this key still runs. Send it again in a moment.")
        raise Conflict(
            "outcome_unknown", "The first request with this key was interrupted. Look whether it took effect."
        )

    def _prepare_once(self) -> None:
        if not self._prepared:
            self.prepare()
            self._prepared = True

    def keep(self, claim: Claim, answer: bytes, *, unlinked: bool = False) -> None:
        """Give this answer, a JSON text, from now on. If the call was `unlinked`, the kept length tells nothing."""
        sealed = ChaCha20Poly1305(claim.seal).encrypt(_ONCE, _padded(answer, WIDEST if unlinked else NARROWEST), None)
        self.rows.update_one({"_id": claim.id}, {"$set": {"answer": sealed}, "$unset": {"runs_until": ""}})

    def forget(self, claim: Claim) -> None:
        """Let the call be tried again, as it took no effect."""
        self.rows.delete_one({"_id": claim.id, "answer": None})


def _next(step: timedelta, moment: datetime) -> datetime:
    """The beginning of the next whole minute or day."""
    return moment - (moment - datetime.min.replace(tzinfo=moment.tzinfo)) % step + step


def _padded(answer: bytes, least: int) -> bytes:
    """The answer, padded with blanks to `least` bytes, or to twice as many, and so on."""
    size = least
    while size < len(answer):
        size *= 2
    return answer.ljust(size)


def _open(claim: Claim, sealed: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(claim.seal).decrypt(_ONCE, sealed, None).rstrip(b" ")
    except InvalidTag:
        raise Conflict(
            "outcome_unknown",
            "The kept answer can't be read any more. Look whether it took effect.",
        ) from None


def _derived(lock: bytes, *parts: str) -> bytes:
    return hmac.digest(lock, "\n".join(parts).encode(), "sha256")
