"""Signing in while others guess, and staying signed in while answers get lost: the members service by itself."""

import hashlib
import itertools
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pymongo
import pytest
import requests

from deploy.local import private
from services.contracts.errors import Forbidden, Refusal, TooMany, Unauthenticated
from services.ground import clock
from services.members.passwords import Passwords
from services.members.sessions.domain import day, digest
from tests.rig.processes import PASSWORD, Processes
from tests.rig.wire import Caller

WRONG = "not the password at all"


class Members:
    """The members service."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        (self.port,) = private.free_ports(1)
        processes.start("members", "-m", "services.members", METRICS_PORT=str(self.port))
        processes.until("members", "serving")

    def calls(self, arguments: list[dict[str, Any]], method: str = "open") -> list[Any]:
        """Make these calls all at once; return their results or refusals."""

        def one(kwargs: dict[str, Any]) -> Any:
            with closing(Caller(self.processes.environment["AMQP_URI"])) as caller:
                try:
                    return caller.call(f"members.sessions.{method}", **kwargs)
                except Refusal as refusal:
                    return refusal

        with ThreadPoolExecutor(len(arguments)) as pool:
            return list(pool.map(one, arguments))

    def sign_in(
        self, email: str, password: str = PASSWORD, origin: str = "192.0.2.1", device: str | None = None
    ) -> Any:
        """Tokens, or a refusal."""
        return self.calls([attempt(email, password, origin, device)])[0]

    def refresh(self, token: str, times: int = 1) -> list[Any]:
        """Tokens or refusals for one token, used so often at once."""
        return self.calls([{"request": {"refresh_token": token}}] * times, "refresh")

    def refresh_apart(self, token: str, times: int, seconds: int) -> list[Any]:
        """The same, one after the other, so many seconds apart."""
        found = self.refresh(token)
        for _ in range(times - 1):
            self.later(token, seconds)
            found += self.refresh(token)
        return found

    def sign_out_everywhere(self, tokens: dict[str, Any]) -> None:
        with closing(Caller(self.processes.environment["AMQP_URI"])) as caller:
            caller.call("members.sessions.close_all", tokens["access_token"])

    def later(self, token: str, seconds: int) -> None:
        """Move the past of a token's session back by so many seconds."""
        session, by = self.session(token), timedelta(seconds=seconds)
        recent = [each | {"at": each["at"] - by} for each in session["recent"]]
        earlier = {"changed_at": session["changed_at"] - by, "recent": recent}
        with self.database() as database:
            database.sessions.update_one({"_id": session["_id"]}, {"$set": earlier})

    def session(self, token: str) -> dict[str, Any]:
        """The stored session of a refresh token; empty if there is none."""
        with self.database() as database:
            return database.sessions.find_one({"_id": token.partition(".")[0]}) or {}

    def tried(self) -> dict[str, int]:
        """The number of remembered attempts, by the key that they share."""
        with self.database() as database:
            return {each["_id"]: each["tries"] for each in database.attempts.find()}

    @contextmanager
    def database(self) -> Iterator[Any]:
        environment = self.processes.environment
        with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
            yield client[f"{environment['MONGO_DATABASE_PREFIX']}members"]

    def checked(self) -> int:
        """The number of passwords that were compared with a hash."""
        text = requests.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5).text
        (count,) = re.findall(r"^hearth_passwords_checked_total ([\d.]+)$", text, re.MULTILINE)
        return int(float(count))


def attempt(email: str, password: str = WRONG, origin: str = "192.0.2.1", device: str | None = None) -> dict[str, Any]:
    shown = {} if device is None else {"device_token": device}
    return {"credentials": {"email": email, "password": password} | shown, "origin": origin}


def kinds(found: list[Any]) -> Counter[str]:
    return Counter(type(each).__name__ for each in found)


@pytest.fixture(scope="module")
def members(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    """The service."""
    own = environment | {"MONGO_DATABASE_PREFIX": f"test_{secrets.token_hex(4)}_"}
    processes = Processes(own, tmp_path_factory.mktemp("members"))
    yield Members(processes)
    processes.stop()


@pytest.fixture
def email(members: Members) -> str:
    """The address of a new account."""
    return make_account(members)


def make_account(members: Members) -> str:
    made = f"{secrets.token_hex(6)}@hub.example"
    create = ("-m", "services.members", "add-administrator", "--email", made, "--name", "Amara")
    assert members.processes.start("administrator", *create, HEARTH_ADMIN_PASSWORD=PASSWORD).wait(60) == 0
    return made


def test_of_thirty_attempts_at_once_five_are_checked(members: Members, email: str) -> None:
    for each in (email, f"no.{email}"):
        before = members.checked()
        found = members.calls([attempt(each)] * 30)
        assert kinds(found) == {"Unauthenticated": 5, "TooMany": 25}
        assert members.checked() - before == 5
    refused = members.sign_in(email)
    assert isinstance(refused, TooMany), "the right password, too"
    assert refused.code == "too_many_attempts"
    assert 0 < (refused.after or 0) <= 15 * 60
    assert members.sign_in(f" {email.upper()}").code == "too_many_attempts"
    assert members.sign_in(email, origin="192.0.2.2")["access_token"]


def test_who_signs_in_begins_anew(members: Members, email: str) -> None:
    for _ in range(3):
        found = [members.sign_in(email, WRONG) for _ in range(4)]
        assert kinds(found) == {"Unauthenticated": 4}
        assert members.sign_in(email)["access_token"]
    assert kinds([members.sign_in(email) for _ in range(8)]) == {"dict": 8}, "those who are right don't count"


def test_one_password_tried_on_many_accounts_is_stopped_too(members: Members, email: str) -> None:
    assert members.sign_in(email, origin="203.0.113.9")["access_token"]
    sprayed = [attempt(f"{number}.{email}", origin="203.0.113.9") for number in range(120)]
    found = [each for start in range(0, 120, 30) for each in members.calls(sprayed[start : start + 30])]
    assert kinds(found) == {"Unauthenticated": 100, "TooMany": 20}
    assert members.sign_in(email, origin="203.0.113.9")["access_token"], "who is known there is not shut out"
    assert isinstance(members.sign_in(f"new.{email}", origin="203.0.113.9"), TooMany)


def test_many_places_together_lock_out_none_that_is_familiar(members: Members, email: str) -> None:
    assert members.sign_in(email, origin="home")["access_token"]
    for each in (email, f"no.{email}"):
        before = members.checked()
        guesses = [attempt(each, origin=f"192.0.2.{number}") for number in range(60)]
        assert kinds(members.calls(guesses)) == {"Unauthenticated": 50, "TooMany": 10}
        assert members.checked() - before == 50
    refused = members.sign_in(email, origin="abroad")
    assert isinstance(refused, TooMany)
    assert 0 < (refused.after or 0) <= 60 * 60
    assert members.sign_in(email, origin="home")["access_token"]
    assert isinstance(members.sign_in(email, WRONG, origin="home"), Unauthenticated)


HUB = "198.51.100.9"  # the address that all in a hub share


def test_a_device_that_signed_in_before_is_not_shut_out_by_guesses_from_its_own_address(
    members: Members, email: str
) -> None:
    device = members.sign_in(email, origin=HUB)["device_token"]
    assert kinds(members.calls([attempt(email, origin=HUB)] * 30)) == {"Unauthenticated": 5, "TooMany": 25}
    assert isinstance(members.sign_in(email, origin=HUB), TooMany), "one that shows no token"
    for _ in range(6):
        again = members.sign_in(email, origin=HUB, device=device)
        assert again["access_token"]
        assert again["device_token"] == device
    assert isinstance(members.sign_in(email, origin=HUB), TooMany), "the window of others is left as it was"


def test_nor_by_guesses_from_everywhere_and_at_everybody(members: Members, email: str) -> None:
    device, place = members.sign_in(email)["device_token"], "203.0.113.50"
    everywhere = [attempt(email, origin=f"198.18.0.{number}") for number in range(60)]
    assert kinds(members.calls(everywhere)) == {"Unauthenticated": 50, "TooMany": 10}
    everybody = [attempt(f"{number}.{email}", origin=place) for number in range(110)]
    found = [each for start in range(0, 110, 22) for each in members.calls(everybody[start : start + 22])]
    assert kinds(found) == {"Unauthenticated": 100, "TooMany": 10}
    assert isinstance(members.sign_in(email, origin=place), TooMany)
    assert members.sign_in(email, origin=place, device=device)["access_token"]


def test_a_device_is_counted_for_itself_and_for_nothing_else(members: Members, email: str) -> None:
    device = members.sign_in(email, origin=HUB)["device_token"]
    for _ in range(2):
        assert kinds([members.sign_in(email, WRONG, HUB, device) for _ in range(4)]) == {"Unauthenticated": 4}
        assert members.sign_in(email, origin=HUB, device=device)["access_token"], "who is right begins anew"
    before, checked = members.tried(), members.checked()
    found = members.calls([attempt(email, WRONG, HUB, device)] * 30)
    assert kinds(found) == {"Unauthenticated": 5, "TooMany": 25}
    assert members.checked() - checked == 5
    new = {name: tries for name, tries in members.tried().items() if before.get(name) != tries}
    assert list(new.values()) == [30], "one window, of the device"
    refused = members.sign_in(email, PASSWORD, "192.0.2.200", device)
    assert (refused.code, 0 < refused.after <= 15 * 60) == ("too_many_attempts", True)
    assert members.sign_in(email, origin=HUB)["access_token"], "without the token it is counted as everybody is"


@pytest.mark.parametrize("kind", ["another account's", "forged", "its hash", "expired", "forgotten"])
def test_a_token_that_is_none_of_the_accounts_is_as_if_there_were_none(members: Members, email: str, kind: str) -> None:
    tokens = members.sign_in(email, origin=HUB)
    shown = own = tokens["device_token"]
    if kind == "another account's":
        shown = members.sign_in(make_account(members), origin=HUB)["device_token"]
    elif kind == "forged":
        shown = secrets.token_urlsafe(32)
    elif kind == "its hash":
        shown = digest(own)
    elif kind == "expired":
        with members.database() as database:
            long_ago = clock.now() - timedelta(days=180, seconds=1)
            database.devices.update_one({"_id": digest(own)}, {"$set": {"seen_on": long_ago}})
    else:
        members.sign_out_everywhere(tokens)
    assert members.sign_in(email, origin=HUB, device=shown)["device_token"] not in (own, shown)
    for each in (email, f"no.{email}"):
        place = f"for {each}"
        found = [members.sign_in(each, WRONG, place, device) for device in (None, shown) * 4]
        assert [type(answer).__name__ for answer in found] == ["Unauthenticated"] * 5 + ["TooMany"] * 3
        assert len({(answer.code, answer.says) for answer in found}) == 2
    assert isinstance(members.sign_in(email, PASSWORD, f"for {email}", shown), TooMany)


def test_what_is_kept_of_a_device(members: Members, email: str) -> None:
    tokens = members.sign_in(email)
    device, id = tokens["device_token"], tokens["member_id"]
    assert members.refresh(tokens["refresh_token"])[0].keys() == tokens.keys() - {"device_token"}
    today = day(clock.now()).replace(tzinfo=None)
    with members.database() as database:
        assert list(database.devices.find({"member_id": id})) == [
            {"_id": digest(device), "member_id": id, "proven": False, "seen_on": today}
        ]
        database.devices.update_one({"_id": digest(device)}, {"$set": {"seen_on": today - timedelta(days=179)}})
        assert members.sign_in(email, device=device)["device_token"] == device
        (kept,) = database.devices.find({"member_id": id})
    assert (kept["seen_on"], kept["proven"]) == (today, True), "its time begins anew"
    assert device not in everything(members)


def test_a_password_hash_of_weaker_parameters_is_renewed_at_sign_in(members: Members, email: str) -> None:
    weak = Passwords(time_cost=1, memory_cost=8 * 1024).hash(PASSWORD)
    with members.database() as database:
        before = database.accounts.find_one_and_update({"email": email}, {"$set": {"password_hash": weak}})
        assert isinstance(members.sign_in(email, WRONG), Unauthenticated)
        assert database.accounts.find_one({"email": email})["password_hash"] == weak, "only by who knows the password"
        assert members.sign_in(email)["access_token"]
        after = database.accounts.find_one({"email": email})
        assert after["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert after | {"password_hash": None} == before | {"password_hash": None}, "nothing else, nor its version"
        assert members.sign_in(email)["access_token"]
        assert database.accounts.find_one({"email": email}) == after, "once"


def test_a_suspended_member_is_not_let_in(members: Members, email: str) -> None:
    token = members.sign_in(email)["refresh_token"]
    with members.database() as database:
        database.accounts.update_one({"email": email}, {"$set": {"status": "suspended"}})
        refused = members.sign_in(email)
        assert (type(refused), refused.code) == (Forbidden, "suspended")
        assert members.sign_in(email, WRONG).code == "sign_in_refused", "nobody else learns of it"
        assert kinds(members.refresh(token)) == {"Unauthenticated": 1}
        assert members.session(token)["ended"] == "account_closed"
        database.accounts.update_one({"email": email}, {"$set": {"status": "active"}})
    assert members.sign_in(email)["access_token"]


def test_a_member_who_is_gone_is_refused(members: Members, email: str) -> None:
    token = members.sign_in(email)["refresh_token"]
    with members.database() as database:
        database.accounts.delete_one({"email": email})
    assert members.sign_in(email).code == "sign_in_refused"
    assert [each.code for each in members.refresh(token)] == ["refresh_refused"]
    assert members.session(token)["ended"] == "account_closed"


ADDRESS = "192.0.2.77"
KNOWN = ["place", "account", "origin", "device", "alias", "sign_in", "hearth", "attempt"]


def hashes(words: list[str]) -> Iterator[str]:
    """The unkeyed hashes that somebody who knows the words would look for: of each word and of combinations."""
    for count in range(1, 4):
        for some in itertools.permutations(words, count):
            for between in ("", "\n", " ", ":", "|", "\0"):
                text = between.join(some).encode()
                for name in ("sha256", "sha1", "md5", "blake2b", "blake2s", "sha512", "sha3_256"):
                    yield hashlib.new(name, text).hexdigest()
                yield hashlib.blake2b(text, digest_size=32).hexdigest()


def everything(members: Members) -> str:
    """All that the service stores, without the members and their addresses."""
    with members.database() as database:
        names = set(database.list_collection_names()) - {"accounts", "invitations"}
        assert names >= {"sessions", "attempts", "devices"}
        return str([list(database[name].find()) for name in sorted(names)])


def test_nobody_finds_an_address_in_the_store_by_trying(members: Members, email: str) -> None:
    device = members.sign_in(email, PASSWORD, ADDRESS)["device_token"]
    for email_tried, shown in ((email, None), (email, device), (f"no.{email}", None)):
        assert isinstance(members.sign_in(email_tried, WRONG, ADDRESS, shown), Unauthenticated)
    kept = everything(members)
    assert "opened_from" in kept
    assert "ends_at" in kept
    assert email not in kept
    assert ADDRESS not in kept
    words = [email, f"no.{email}", ADDRESS, *KNOWN]
    assert not [each for each in hashes(words) if each in kept]


def test_who_was_right_is_not_remembered_as_somebody_who_tried(members: Members, email: str) -> None:
    before = members.tried()
    members.sign_in(email, WRONG, ADDRESS)
    assert sum(members.tried().values()) - sum(before.values()) == 3, "here, at the account, from the address"
    members.sign_in(email, PASSWORD, ADDRESS)
    assert sum(members.tried().values()) - sum(before.values()) == 2, "the one that was wrong, but not here"


@pytest.mark.parametrize("apart", [0, 2])
def test_tabs_that_share_a_token_stay_signed_in(members: Members, email: str, apart: int) -> None:
    youngest = members.sign_in(email)["refresh_token"]
    seen = {youngest}
    for _ in range(5):
        found = members.refresh(youngest, times=3) if apart == 0 else members.refresh_apart(youngest, 3, apart)
        assert kinds(found) == {"dict": 3}
        assert len({each["access_token"] for each in found}) == 3, "each has one of its own"
        (youngest,) = {each["refresh_token"] for each in found}
        assert youngest not in seen
        seen.add(youngest)
    assert members.session(youngest)["ended"] is None


def test_thirty_at_once_get_the_same(members: Members, email: str) -> None:
    found = members.refresh(members.sign_in(email)["refresh_token"], times=30)
    assert kinds(found) == {"dict": 30}
    assert len({each["refresh_token"] for each in found}) == 1
    assert len(members.session(found[0]["refresh_token"])["recent"]) == 1


def test_a_lost_answer_is_given_again_as_often_as_asked_for(members: Members, email: str) -> None:
    first = members.sign_in(email)["refresh_token"]
    found = [members.refresh(first)[0] for _ in range(6)]
    (second,) = {each["refresh_token"] for each in found}
    ((following,), (again,)) = members.refresh(second), members.refresh(first)
    assert again["refresh_token"] == following["refresh_token"], "also when the token in the answer was used"
    members.later(first, 29)
    assert kinds(members.refresh(following["refresh_token"], times=2) + members.refresh(first)) == {"dict": 3}


@pytest.mark.parametrize("stolen", [0, 1, 2])
def test_an_old_token_that_comes_late_ends_the_session(members: Members, email: str, stolen: int) -> None:
    tokens = [members.sign_in(email)["refresh_token"]]
    for _ in range(3):
        (found,) = members.refresh(tokens[-1])
        tokens.append(found["refresh_token"])
    members.later(tokens[0], 31)
    assert kinds(members.refresh(tokens[stolen])) == {"Unauthenticated": 1}, "somebody has it who should not"
    assert members.session(tokens[0])["ended"] == "token_reused"
    assert kinds(members.refresh(tokens[-1])) == {"Unauthenticated": 1}, "so that this ends, too"


def test_a_token_that_never_was_ends_the_session(members: Members, email: str) -> None:
    youngest = members.sign_in(email)["refresh_token"]
    assert kinds(members.refresh(f"{youngest}x")) == {"Unauthenticated": 1}
    assert members.session(youngest)["ended"] == "token_reused"


def test_a_session_of_the_version_before_goes_on(members: Members, email: str) -> None:
    youngest = members.sign_in(email)["refresh_token"]
    id, _, secret = youngest.partition(".")
    with members.database() as database:
        before = {"token_hash": digest("z"), "forgiven_hash": digest(secret), "changed_at": clock.now()}
        database.sessions.update_one({"_id": id}, {"$set": before, "$unset": {"recent": ""}})
    found = members.refresh(youngest, times=3)
    assert kinds(found) == {"dict": 3}
    (again,) = {each["refresh_token"] for each in found}
    assert kinds(members.refresh(again, times=2)) == {"dict": 2}


def test_no_token_can_be_read_in_the_store(members: Members, email: str) -> None:
    tokens = [members.sign_in(email)["refresh_token"]]
    for _ in range(3):
        tokens.append(members.refresh(tokens[-1])[0]["refresh_token"])
    kept = str(members.session(tokens[0]))
    assert "recent" in kept
    assert not [each for each in tokens if each.partition(".")[2] in kept]
