"""Passwords: hashed with argon2id, in a thread outside the loop that serves all other requests."""

import secrets
from functools import partial

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from eventlet import tpool
from nameko.extensions import DependencyProvider
from prometheus_client import Counter

CHECKED = Counter("hearth_passwords_checked_total", "Passwords that were compared with a hash, which is costly.")


class Passwords(DependencyProvider):
    """Hashes and checks passwords: argon2id with the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane).

    `memory_cost` is in KiB. After a change of parameters, each hash is renewed at its owner's next sign-in.
    """

    def __init__(self, *, time_cost: int = 2, memory_cost: int = 19 * 1024, parallelism: int = 1) -> None:
        super().__init__()
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=parallelism)
        self._nobodys = self._hasher.hash(secrets.token_urlsafe(16))

    def get_dependency(self, worker_ctx: object) -> "Passwords":
        return self

    def hash(self, password: str) -> str:
        """The hash to store."""
        return str(tpool.execute(self._hasher.hash, password))

    def match(self, stored: str | None, password: str) -> bool:
        """True if the password belongs to the stored hash. Takes the same time when there is no account (None)."""
        CHECKED.inc()
        return bool(tpool.execute(partial(self._match, stored or self._nobodys, password))) and stored is not None

    def outdated(self, stored: str) -> bool:
        """True if the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _match(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
