"""Five weeks pass on a running platform: due work happens once, old rows are deleted, and tokens expire."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from services.contracts.messages.events import EVENTS_ENDED
from services.members.sessions.domain import PATIENCE
from tests.journeys.stream import follow
from tests.journeys.test_browser_sessions import Browser, kept
from tests.rig.processes import Member, Platform, until
from tests.rig.wire import Listener

DAYS = 30  # for which an inbox keeps a line


@pytest.fixture(scope="module")
def hub(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform.running(environment | {"INBOX_DAYS": str(DAYS)}, tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def ends(hub: Platform) -> Iterator[Listener]:
    """Hears of events that ended."""
    listener = Listener(hub.processes.environment["AMQP_URI"], EVENTS_ENDED.key)
    yield listener
    listener.close()


def planned(host: Member, title: str, at: datetime) -> dict[str, Any]:
    """A draft of an event of two hours."""
    said = {"starts_at": at.isoformat(), "ends_at": (at + timedelta(hours=2)).isoformat()}
    made: dict[str, Any] = host.post("/v1/events", {"title": title, "audience": {"everyone": True}, **said})
    return made


def status(reader: Member, event: dict[str, Any]) -> str:
    return str(reader.get(f"/v1/events/{event['id']}")["status"])


def refreshed(hub: Platform, member: Member) -> requests.Response:
    token = member.tokens["refresh_token"]
    return requests.post(f"{hub.url}/v1/sessions/refresh", json={"refresh_token": token}, timeout=10)


def quiet(listener: Listener, count: int) -> None:
    """Wait for so many messages. No other may come while due work is looked at twice."""
    listener.wait(count)
    deadline = time.monotonic() + 2.5
    while time.monotonic() < deadline:
        listener.drain(0.5)
    assert len(listener.heard) == count


def eventually(condition: Callable[[], object]) -> None:
    until(condition, 30)


def test_five_weeks_pass(hub: Platform, ends: Listener) -> None:
    root, amara = hub.administrator, hub.join("Amara Okafor")
    today = datetime.now(UTC)
    held, cancelled, later, draft = (
        planned(root, title, today + timedelta(days=days))
        for title, days in (("held", 7), ("cancelled", 8), ("later", 60), ("draft", 9))
    )
    for event in (held, cancelled, later):
        root.post(f"/v1/events/{event['id']}/publish", status=200)
    root.post(f"/v1/events/{cancelled['id']}/cancel", {"reason": "The trainer is ill."}, status=200)
    amara.post("/v1/feedback", {"text": "Longer opening hours, please."})
    told = len(amara.inbox(4))  # three events, one of which was cancelled
    root.inbox(1)  # about the voice; members are not told of their own deeds

    with follow(amara) as reader:
        hub.move(minutes=20)
        reader.end()  # as its token has expired
    late = requests.get(
        f"{hub.url}/v1/me", headers={"Authorization": f"Bearer {amara.tokens['access_token']}"}, timeout=10
    )
    assert (late.status_code, late.json()["code"]) == (401, "token_expired")
    exchanged = refreshed(hub, amara)
    assert exchanged.status_code == 201, exchanged.text
    amara = Member(hub.url, amara.profile, exchanged.json())
    assert len(amara.inbox(told)) == told
    assert not ends.drain(2)

    hub.move(weeks=5)
    assert refreshed(hub, amara).status_code == 401, "a session that nobody used for a month is over"
    amara, root = hub.sign_in(amara.profile["email"]), hub.sign_in(root.profile["email"])
    eventually(lambda: status(amara, held) == "ended")
    quiet(ends, 1)
    assert ends.heard[0]["data"]["event_id"] == held["id"]
    assert ends.heard[0]["time"] > (today + timedelta(weeks=5)).isoformat()
    assert [status(root, each) for each in (cancelled, later, draft)] == ["cancelled", "published", "draft"]
    listed = amara.get("/v1/events", params={"status": "ended"})["items"]
    assert [each["id"] for each in listed] == [held["id"]]
    refusal = root.post(f"/v1/events/{held['id']}/cancel", {"reason": "Too late."}, status=409)
    assert refusal["code"] == "already_over"
    eventually(lambda: not amara.get("/v1/notifications")["items"] and not root.get("/v1/notifications")["items"])

    amara.post("/v1/feedback", {"text": "Thank you for the workshop."})
    root.inbox(1)
    hub.move(weeks=4)  # no line is as old as a month; the event of two months ahead is over
    amara, root = hub.sign_in(amara.profile["email"]), hub.sign_in(root.profile["email"])
    eventually(lambda: status(amara, later) == "ended")
    quiet(ends, 2)
    root.inbox(1)


def test_processes_that_start_later_know_the_time(hub: Platform, ends: Listener) -> None:
    """Work that fell due while no process ran is done later, once."""
    root = hub.sign_in(hub.administrator.profile["email"])
    soon = datetime.now(UTC) + hub.clock.ahead + timedelta(days=1)
    event = planned(root, "while it slept", soon)
    root.post(f"/v1/events/{event['id']}/publish", status=200)
    hub.processes.end("events")
    hub.move(weeks=1)
    assert not ends.drain(1)
    hub.serve("events")
    hub.ready()
    root = hub.sign_in(root.profile["email"])
    eventually(lambda: status(root, event) == "ended")
    quiet(ends, 1)
    assert ends.heard[0]["data"]["event_id"] == event["id"]


def test_a_lost_answer_is_forgiven_until_the_next_cookie_is_used(hub: Platform) -> None:
    hub.administrator = hub.sign_in(hub.administrator.profile["email"])  # the token of before has expired
    browser, member = Browser(hub), hub.join()
    first = kept(browser.sign_in(member))
    lost = kept(browser.refresh(first))
    hub.move(hours=20)  # the phone sleeps
    again = browser.refresh(first)
    assert (again.status_code, kept(again)) == (201, lost), "the same cookie as in the lost answer"
    second = kept(browser.refresh(lost))
    hub.move(minutes=1)
    assert browser.refresh(first).status_code == 401, "the next was used since"
    assert browser.refresh(second).status_code == 401, "an old cookie was copied, so the session has ended"

    first = kept(browser.sign_in(member))
    browser.refresh(first)
    hub.move(seconds=PATIENCE.total_seconds() + 1)
    refused = browser.refresh(first)
    assert refused.status_code == 401
    assert "Max-Age=0" in refused.headers["Set-Cookie"], "it will never work again"
