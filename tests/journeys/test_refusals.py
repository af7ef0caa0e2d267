"""Each operation sends the codes that the OpenAPI document lists for it: all of them, provoked one by one.

Codes that are not listed are looked for after every test (`nothing_unlisted` in tests/conftest.py).
"""

import re
import secrets
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
import requests

from services.contracts.calls import CALLS
from services.ground import clock
from tests.rig.forged import forgeries, signed
from tests.rig.processes import PASSWORD, Member, Platform, until
from tests.rig.recipes import OUR_PAGE, Ask, Recipes
from tests.rig.refusals import REFUSALS, Refusals

RACE = "two must meet in the same moment: tests/services/chassis/test_store.py"
UNPROVOKED = {
    (409, "changed_meanwhile"): RACE,
    (409, "already_exists"): RACE,
    (409, "last_administrator"): "two must meet: tests/services/members/accounts/test_service.py, make faults (34)",
    (409, "still_running"): "the first request must still run: tests/services/chassis/test_answers.py",
    (409, "outcome_unknown"): "the first request must be interrupted: tests/services/chassis/test_answers.py",
    (429, "too_many_requests"): "nothing limits this platform: tests/gateway/test_limits.py",
    (429, "too_many_at_once"): "it must be asked at the same time: tests/gateway/test_limits.py",
    (429, "too_many_voices"): "nothing limits this platform: tests/journeys/test_quota.py",
    (503, "streams_full"): "the gateway must be full: tests/gateway/test_stream.py",
}
SERVED_BY = {each.operation: each.capability.partition(".")[0] for each in CALLS.values() if each.operation}


class Provoking:
    """Asks operations for what they refuse."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.root = platform, platform.administrator
        self.host, self.coworker = platform.join("A host", ("host",)), platform.join("A coworker")
        self.recipes = Recipes(platform, [self.host, self.coworker], {})
        self.operations: dict[str, tuple[str, str, dict[str, Any]]] = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, item in REFUSALS.document["paths"].items()
            for method, operation in item.items()
            if method != "parameters" and path.startswith("/v1/")
        }

    def recipe(self, name: str, owner: Member | None = None) -> Ask:
        """A request that would succeed."""
        made: Ask = getattr(self.recipes, name)(owner or self.host)
        return made

    def send(self, name: str, ask: Ask, by: Member | str | None = None, **more: Any) -> int:
        """Send a request; return its status. `more` replaces what it has."""
        method, path, _ = self.operations[name]
        token = by if isinstance(by, str) else (by or self.root).tokens["access_token"]
        headers = ask.headers | ({"Authorization": f"Bearer {token}"} if token else {})
        known = {"json": ask.body, "headers": headers | more.pop("headers", {}), "timeout": 10, "stream": True}
        with requests.request(method, self.platform.url + path.format(**ask.ids), **known | more) as answer:
            return answer.status_code

    def without_rights(self) -> None:
        """Without a token that counts, and as somebody who may not."""
        left = self.platform.join("Left")
        self.root.ask("DELETE", f"/v1/members/{left.id}", 204)
        until(lambda: self.send("show_me", Ask(), left) == 401)
        environment = self.platform.processes.environment
        forged = forgeries(environment, self.root.id)
        nobody = signed(environment, str(uuid.uuid4()))
        tokens = ("", forged["expired"], forged["no signature"], left.tokens["access_token"])
        for name, (_, path, operation) in self.operations.items():
            ask = Ask(dict.fromkeys(re.findall(r"{(\w+)}", path), str(uuid.uuid4())))
            if "security" not in operation:
                for token in tokens:
                    assert self.send(name, ask, token) == 401, name
            if "404" in operation["responses"]:
                by = self.root if "{" in path else nobody
                body = {"claim_code": "unknown"} if name == "claim_outcome" else self.recipe(name).body
                assert self.send(name, Ask(ask.ids, body), by) == 404, name
            if "403" in operation["responses"]:
                headers = {"Accept": "text/csv"} if name == "list_members" else {"Sec-Fetch-Site": "cross-site"}
                owner = self.coworker if "voice" in name else self.host
                self.send(name, self.recipe(name, owner), self.coworker, headers=headers)

    def with_wrong_words(self) -> None:
        """With bodies and queries that no shape takes, and versions that are not there."""
        for name, (method, path, operation) in self.operations.items():
            ask = Ask(dict.fromkeys(re.findall(r"{(\w+)}", path), str(uuid.uuid4())))
            if "requestBody" in operation:
                assert self.send(name, ask, json={"nothing": 1}) == 422, name
                assert self.send(name, ask, json=None, data="{}") == 415, name
                for data in ("{", "x" * 70_000):
                    self.send(name, ask, json=None, data=data, headers={"Content-Type": "application/json"})
            elif method == "POST":
                assert self.send(name, ask, headers={"Idempotency-Key": "a b"}) == 422, name
            elif "422" in operation["responses"]:
                assert self.send(name, ask, params={"nothing": 1}) == 422, name
            if "412" in operation["responses"]:
                assert self.send(name, self.recipe(name), headers={"If-Match": '"999"'}) == 412, name

    def with_a_used_key(self) -> None:
        """With an `Idempotency-Key` that came with another operation of the same service."""
        posts = [name for name, each in self.operations.items() if each[0] == "POST" and "security" not in each[2]]
        for service in {SERVED_BY[name] for name in posts}:
            first, second, *others = (name for name in posts if SERVED_BY[name] == service)
            by = self.host if service == "notifications" else self.root  # keys are a member's own, as lines are
            for used, names in ((first, (second, *others)), (second, (first,))):
                key = {"Idempotency-Key": str(uuid.uuid4())}
                assert self.send(used, self.recipe(used), by, headers=key) < 300, used
                for name in names:
                    assert self.send(name, self.recipe(name), by, headers=key) == 422, name

    def again(self) -> None:
        """What was done already, and what comes too late."""
        done = "cancel_event publish_event close_offering reopen_offering suspend_member reinstate_member"
        for name in f"{done} withdraw_invitation move_voice take_down_voice".split():
            ask = self.recipe(name)
            assert (self.send(name, ask) < 300, self.send(name, ask)) == (True, 409), name
        for before, name in (
            ("cancel_event", "change_event"),
            ("withdraw_invitation", "resend_invitation"),
            ("close_offering", "change_offering"),
            ("take_down_voice", "answer_voice"),
            ("take_down_voice", "move_voice"),
            ("suspend_member", "issue_password_reset"),
        ):
            ask = self.recipe(before)
            assert self.send(before, ask) < 300
            assert self.send(name, Ask(ask.ids, self.recipe(name).body)) == 409, name
        told = self.recipe("publish_event")
        assert self.send("publish_event", told) == 200
        assert self.send("change_event", Ask(told.ids, {"audience": {"everyone": True}})) == 409
        voice = self.recipe("answer_voice")
        assert [self.send("answer_voice", voice) for _ in range(101)][-2:] == [201, 409]

    def by_administrators(self) -> None:
        """What administrators can't do to themselves, and to whom else."""
        own = {"member_id": self.root.id}
        assert self.send("set_member_roles", Ask(own, {"roles": ["coworker"]})) == 409
        assert self.send("suspend_member", Ask(own, {"reason": "By mistake."})) == 409
        assert self.send("remove_member", Ask(own)) == 409
        assert self.send("invite_member", Ask(body={"email": self.host.profile["email"]})) == 409

    def by_organisers(self) -> None:
        """Other people's events, and events of somebody who organises no more; one that is over."""
        once = self.platform.join("Once a host", ("host",))
        own = self.recipe("publish_event", once)
        assert self.send("publish_event", own) == 200
        self.root.ask("PUT", f"/v1/members/{once.id}/roles", json={"roles": ["coworker"]})
        once = self.platform.sign_in(once.profile["email"])
        ours = self.recipe("show_event")
        for name, by, ask in (("publish", once, own), ("publish", self.coworker, ours)):
            for each in (f"{name}_event", "change_event", "cancel_event"):
                assert self.send(each, Ask(ask.ids, self.recipe(each).body), by) == 403, each
        begins = clock.now() + timedelta(seconds=2)
        soon = {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(milliseconds=100)).isoformat()}
        event = self.host.post("/v1/events", {"title": "A short one", "audience": {"tags": ["nobody"]}, **soon})
        assert self.send("publish_event", Ask({"event_id": event["id"]})) == 200
        time.sleep(3)
        assert self.send("cancel_event", Ask({"event_id": event["id"]}, {"reason": "It is over."})) == 409
        assert self.send("change_event", Ask({"event_id": event["id"]}, {"title": "A short one, corrected"})) == 409

    def with_wrong_passwords(self) -> None:
        """Until there were too many; a suspended member; an unknown refresh token; a sixth stream."""
        guessed, shut_out = self.platform.join("Guessed"), self.platform.join("Shut out")
        change = Ask(body={"present": "a wrong password", "password": PASSWORD})
        assert [self.send("change_password", change, guessed) for _ in range(6)] == [401] * 5 + [429]
        self.root.ask("PUT", f"/v1/members/{shut_out.id}/suspension", json={"reason": "For this test."})
        for name in ("sign_in", "sign_in_with_browser"):
            assert self.send(name, self.recipe(name, shut_out), "") == 403
            ask = self.recipe(name, self.platform.join("Guessed"))
            wrong = {**ask.body, "password": "a wrong password"}
            assert [self.send(name, ask, "", json=wrong) for _ in range(6)] == [401] * 5 + [429]
        unknown = Ask(body={"refresh_token": f"{uuid.uuid4()}.{secrets.token_hex()}"})
        assert self.send("refresh_session", unknown, "") == 401
        for cookies in ({}, {"__Host-hearth": "unknown"}):
            assert self.send("refresh_browser_session", Ask(headers=OUR_PAGE), "", cookies=cookies) == 401
        url, token = f"{guessed.url}/v1/notifications/stream", guessed.tokens["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        streams = [requests.get(url, headers=headers, stream=True, timeout=10) for _ in range(6)]
        assert [stream.status_code for stream in streams] == [200] * 5 + [429]
        for stream in streams:
            stream.close()
        assert self.send("stream_notifications", Ask(), "", params={"ticket": "none of ours"}) == 401


@pytest.fixture(scope="module")
def provoked(platform: Platform) -> Provoking:
    """All that can be provoked was sent."""
    made = Provoking(platform)
    made.without_rights()
    made.with_wrong_words()
    made.with_a_used_key()
    made.again()
    made.by_administrators()
    made.by_organisers()
    made.with_wrong_passwords()
    return made


def test_each_listed_code_is_sent(provoked: Provoking) -> None:
    """Takes some seconds: it provokes them all."""
    operations = provoked.operations.keys()
    missing = {each for each in REFUSALS.listed - REFUSALS.sent if each[0] in operations and each[1:] not in UNPROVOKED}
    assert sorted(missing) == []


def test_what_is_not_provoked_is_listed() -> None:
    assert UNPROVOKED.keys() <= {each[1:] for each in REFUSALS.listed}


def test_a_code_that_is_not_listed_is_noticed() -> None:
    made = Refusals()
    made.sent = {("show_me", 401, "token_missing"), ("show_me", 503, "resting"), ("show_me", 409, "final")}
    assert list(made.unlisted()) == ["show_me sends 409 final, which gateway/openapi.json does not list"]
