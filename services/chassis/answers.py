"""Answers that are given again: a call repeated under its idempotency key runs once.

An answer is kept for a day under a hash of caller and key, and sealed with the key itself, which only the caller has:
it may hold what nobody else should read, such as the claim code of an anonymous voice.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from services.chassis import identifiers
from services.chassis.store import Rows
from services.contracts.errors import Conflict, Invalid

RUNS_AT_MOST = timedelta(seconds=30)
_ONCE = bytes(12)  # a nonce: each sealing key seals one answer


@dataclass(frozen=True)
class Claim:
    """The right to give the one answer to a call."""

    id: str
    seal: bytes


class Answers(Rows):
    """Answers of one service, by caller and key."""

    collection = "answers"
    indexes = (IndexModel([("at", 1)], expireAfterSeconds=86_400),)
    _prepared = False

    def claim(self, principal: str, key: str, method: str, kwargs: dict[str, Any]) -> Claim | bytes:
        """The right to answer this call, or the answer that was given to it before.

        Raises Invalid when the key was used for another call, Conflict while the first one runs, and also when it was
        interrupted: nobody knows then whether it took effect, so it is not run again.
        """
        claim = Claim(_hash("caller", principal, key), hashlib.sha256(f"seal\n{principal}\n{key}".encode()).digest())
        asked = _hash("call", method, orjson.dumps(kwargs, option=orjson.OPT_SORT_KEYS).decode(), key)
        now = identifiers.now()
        self._prepare_once()
        try:
            self.rows.insert_one({"_id": claim.id, "asked": asked, "answer": None, "at": now})
        except DuplicateKeyError:
            found = self.rows.find_one({"_id": claim.id})
            if found is None:
                raise Conflict("still_running", "The first call with this key has just failed; try again.") from None
            if found["asked"] != asked:
                says = "This Idempotency-Key was used for another request."
                raise Invalid("idempotency_key_reused", says, [{"field": "Idempotency-Key", "says": says}]) from None
            if found["answer"] is not None:
                return _open(claim, found["answer"])
            if now - found["at"] < RUNS_AT_MOST:
                raise Conflict("still_running", "The first request with this Idempotency-Key still runs.") from None
            raise Conflict(
                "outcome_unknown", "The first request with this key was interrupted: look whether it took effect."
            ) from None
        return claim

    def _prepare_once(self) -> None:
        if not self._prepared:
            self.prepare()
            self._prepared = True

    def keep(self, claim: Claim, answer: bytes) -> None:
        """Give this answer from now on."""
        sealed = ChaCha20Poly1305(claim.seal).encrypt(_ONCE, answer, None)
        self.rows.update_one({"_id": claim.id}, {"$set": {"answer": sealed}})

    def forget(self, claim: Claim) -> None:
        """Let the call be tried again: it failed by a fault of ours."""
        self.rows.delete_one({"_id": claim.id, "answer": None})


def _open(claim: Claim, sealed: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(claim.seal).decrypt(_ONCE, sealed, None)
    except InvalidTag:
        raise Conflict("outcome_unknown", "The answer that was kept can't be read any more.") from None


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
