"""A hub never has fewer than one administrator, whatever two of them do to each other at once."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import pymongo
import pytest

from services.contracts.errors import Conflict, Forbidden, Refusal
from services.contracts.roles import ADMINISTRATOR
from services.ground import clock, identifiers
from services.members.accounts import domain
from services.members.accounts.store import AccountStore
from tests.rig.processes import Processes
from tests.rig.wire import Caller
from tests.services.members.tokens import Sign, signer

ROUNDS = 15
WAYS: list[tuple[str, dict[str, Any]]] = [
    ("members.accounts.set_roles", {"change": {"roles": ["coworker"]}}),
    ("members.accounts.suspend", {"suspension": {"reason": "They do the same to me."}}),
    ("members.accounts.remove", {}),
]


class Hub:
    """Two processes of the members service, and its accounts."""

    def __init__(self, processes: Processes, accounts: AccountStore, sign: Sign) -> None:
        self._processes, self._accounts, self._sign = processes, accounts, sign

    def administrators(self, count: int) -> list[str]:
        """Make this number of administrators, and no others."""
        self._accounts.rows.delete_many({})
        now, ids = clock.now(), []
        for _ in range(count):
            ids.append(identifiers.new_id(now))
            person = {"name": "Root", "email": f"{ids[-1]}@hub.example"}
            self._accounts.add(domain.found(person, "hash", id=ids[-1], now=now))
        return ids

    def left(self) -> set[str]:
        return {each["_id"] for each in self._accounts.rows.find() if ADMINISTRATOR in domain.roles(each)}

    def account(self, id: str) -> dict[str, Any]:
        return self._accounts.get(id)

    def save(self, account: dict[str, Any]) -> None:
        self._accounts.save(account)

    def at_once(self, acts: list[Callable[[Caller], Any]]) -> list[Any]:
        """Begin these acts together; return their results or refusals."""

        def one(act: Callable[[Caller], Any]) -> Any:
            with closing(Caller(self._processes.environment["AMQP_URI"])) as caller:
                try:
                    return act(caller)
                except Refusal as refusal:
                    return refusal

        with ThreadPoolExecutor(len(acts)) as pool:
            return list(pool.map(one, acts))

    def dismissal(self, by: str, whom: str, method: str, how: dict[str, Any]) -> Callable[[Caller], Any]:
        token = self._sign(by, ["administrator"])
        return lambda caller: caller.call(method, token, member_id=whom, **how)


@pytest.fixture(scope="module")
def hub(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    own = environment | {"MONGO_DATABASE_PREFIX": f"test_{secrets.token_hex(4)}_"}
    processes = Processes(own, tmp_path_factory.mktemp("members"))
    for name in ("one", "other"):
        processes.start(name, "-m", "services.members", "accounts", "audit")
    for name in ("one", "other"):
        processes.until(name, "serving")
    with pymongo.MongoClient[dict[str, Any]](own["MONGO_URI"], tz_aware=True) as client:
        accounts = AccountStore(client[own["MONGO_DATABASE_PREFIX"] + "members"], "members")
        yield Hub(processes, accounts, signer(own))
    processes.stop()


@pytest.mark.parametrize(("method", "how"), WAYS)
def test_two_who_dismiss_each_other_leave_one(hub: Hub, method: str, how: dict[str, Any]) -> None:
    for _ in range(ROUNDS):
        one, other = hub.administrators(2)
        found = hub.at_once([hub.dismissal(one, other, method, how), hub.dismissal(other, one, method, how)])
        done = [each for each in found if not isinstance(each, Refusal)]
        assert all(isinstance(each, Conflict | Forbidden) for each in found if isinstance(each, Refusal)), found
        assert len(hub.left()) == 2 - len(done) >= 1


def test_five_in_a_ring_leave_one(hub: Hub) -> None:
    for _ in range(ROUNDS):
        ids = hub.administrators(5)
        pairs = zip(ids, ids[1:] + ids[:1], strict=True)
        hub.at_once([hub.dismissal(one, other, *WAYS[0]) for one, other in pairs])
        assert hub.left()


def test_one_at_a_time_works_until_one_is_left(hub: Hub) -> None:
    first, *others = hub.administrators(4)
    for each in others:
        (found,) = hub.at_once([hub.dismissal(first, each, *WAYS[0])])
        assert found["roles"] == ["coworker"]
    assert hub.left() == {first}
    assert all(hub.account(each)["leaving_at"] is None for each in others)


def test_an_act_that_was_interrupted_is_in_nobodys_way_for_long(hub: Hub) -> None:
    one, other = hub.administrators(2)
    marked = hub.account(one)
    hub.save(domain.leaving(marked, clock.now()))
    (refused,) = hub.at_once([hub.dismissal(one, other, *WAYS[0])])
    assert isinstance(refused, Conflict)
    assert refused.code == "last_administrator"
    long_ago = clock.now() - domain.LEAVING_LASTS - timedelta(seconds=1)
    hub.save(domain.leaving(hub.account(one), long_ago))
    (done,) = hub.at_once([hub.dismissal(one, other, *WAYS[0])])
    assert done["roles"] == ["coworker"]
    assert hub.left() == {one}
