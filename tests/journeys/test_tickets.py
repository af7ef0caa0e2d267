"""Tickets: the live stream for browsers, which can't send an access token with it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.journeys.test_access import stir
from tests.rig.processes import Member, Platform, until

TICKETS = "/v1/notifications/stream/tickets"


def ticket_of(member: Member) -> str:
    made = member.post(TICKETS)
    assert made["expires_in"] == 30
    return str(made["ticket"])


def opened(url: str, ticket: str, path: str = "/v1/notifications/stream", **more: Any) -> tuple[int, str]:
    """The status, and the code of a refusal."""
    with requests.get(url + path, params={"ticket": ticket}, stream=True, timeout=10, **more) as answer:
        return answer.status_code, "" if answer.ok else answer.json()["code"]


def test_a_ticket_opens_one_stream_at_any_gateway(platform: Platform) -> None:
    member = platform.join("Amara")
    ticket = ticket_of(member)
    with platform.other_door() as url:
        assert opened(url, ticket) == (200, "")
        assert opened(url, ticket) == (401, "ticket_refused")
    assert opened(platform.url, ticket) == (401, "ticket_refused")
    assert opened(platform.url, ticket_of(member)) == (200, "")


def test_of_many_with_one_ticket_one_gets_in(platform: Platform) -> None:
    ticket = ticket_of(platform.join("Amara"))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: opened(platform.url, ticket)[0], range(8)))
    assert sorted(found) == [200, *[401] * 7]


@pytest.mark.parametrize("ticket", ["", "a", "a" * 43, "é" * 43, "a" * 2000])
def test_what_is_no_ticket_is_refused(platform: Platform, ticket: str) -> None:
    assert opened(platform.url, ticket) == (401, "ticket_refused")


def test_a_ticket_opens_nothing_else(platform: Platform) -> None:
    member = platform.join("Amara")
    ticket = ticket_of(member)
    for path in ("/v1/me", "/v1/notifications"):
        assert opened(platform.url, ticket, path) == (401, "token_missing")
    assert opened(platform.url, ticket, headers={"Authorization": "Bearer forged"}) == (401, "token_invalid")
    assert requests.head(f"{platform.url}/v1/notifications/stream?ticket={ticket}", timeout=10).status_code == 401
    assert (
        requests.get(f"{platform.url}/v1/me", headers={"Authorization": f"Bearer {ticket}"}, timeout=10).status_code
        == 401
    )
    assert opened(platform.url, ticket) == (200, ""), "it was not used up"


def test_a_ticket_ends_with_its_session(platform: Platform) -> None:
    member = platform.join("Amara")
    other = platform.sign_in(member.profile["email"])
    ticket, left = ticket_of(member), ticket_of(other)
    member.ask("DELETE", "/v1/sessions/current", 204)
    assert opened(platform.url, ticket) == (401, "ticket_refused")
    assert opened(platform.url, left) == (200, "")


def test_a_ticket_ends_with_its_members_access(platform: Platform) -> None:
    suspended, changed = platform.join("Amara"), platform.join("Tariq")
    tickets = [ticket_of(suspended), ticket_of(changed)]
    said = {"reason": "Somebody else uses this account."}
    platform.administrator.ask("PUT", f"/v1/members/{suspended.id}/suspension", json=said)
    platform.administrator.ask("DELETE", f"/v1/members/{changed.id}/sessions", 204)
    assert [opened(platform.url, each) for each in tickets] == [(401, "ticket_refused")] * 2


def test_a_stream_of_a_ticket_ends_with_the_session(platform: Platform) -> None:
    member = platform.join("Amara")
    address = f"{platform.url}/v1/notifications/stream"
    with requests.get(address, params={"ticket": ticket_of(member)}, stream=True, timeout=30) as answer:
        member.ask("DELETE", "/v1/sessions/current", 204)
        stir(platform)
        said = b"".join(answer.iter_content(None))
    assert b"come back" in said


def test_no_log_holds_a_ticket(platform: Platform) -> None:
    ticket = ticket_of(platform.join("Amara"))
    before = platform.processes.log("gateway").count("/v1/notifications/stream")
    assert [opened(platform.url, ticket)[0] for _ in range(2)] == [200, 401]
    until(lambda: platform.processes.log("gateway").count("/v1/notifications/stream") >= before + 2)
    for name in (*platform.SERVICES, "gateway"):
        assert ticket not in platform.processes.log(name), name
