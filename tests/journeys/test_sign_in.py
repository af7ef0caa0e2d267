"""Somebody guesses a member's password over HTTP, from one address and from many; members stay signed in in many tabs.

Figures are printed.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from deploy.local import private
from tests.rig.processes import PASSWORD, Platform, Processes

GUESSES = 100
HOME, CAFE = "198.51.100.7", "198.51.100.8"


class Hub(Platform):
    """A platform behind a proxy, whose members service is counted."""

    def __init__(self, processes: Processes) -> None:
        super().__init__(processes)
        (self._metrics,) = private.free_ports(1)

    def serve(self, name: str) -> None:
        more = {"METRICS_PORT": str(self._metrics)} if name == "members" else {}
        self.processes.start(name, "-m", f"services.{name}", **more)

    def checked(self) -> int:
        """The number of passwords that the platform has compared with a hash."""
        text = requests.get(f"http://127.0.0.1:{self._metrics}/metrics", timeout=5).text
        (count,) = re.findall(r"^hearth_passwords_checked_total ([\d.]+)$", text, re.MULTILINE)
        return int(float(count))

    def attempt(self, email: str, password: str, address: str, device: str | None = None) -> requests.Response:
        """Sign in, as the proxy in front passes it on."""
        body = {"email": email, "password": password, "device_token": device}
        headers = {"X-Forwarded-For": f"203.0.113.9, {address}"}
        return requests.post(f"{self.url}/v1/sessions", json=body, headers=headers, timeout=10)

    def refresh(self, token: str, after: float = 0) -> requests.Response:
        """Exchange a refresh token, after so many seconds."""
        time.sleep(after)
        return requests.post(f"{self.url}/v1/sessions/refresh", json={"refresh_token": token}, timeout=10)

    def guess(self, email: str, addresses: list[str]) -> tuple[Counter[int], int]:
        """The statuses of wrong passwords from these addresses, a few at once, and how many were checked."""
        before = self.checked()
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda address: self.attempt(email, "a wrong password", address), addresses))
        refused = [answer for answer in found if answer.status_code == 429]
        assert {answer.json()["code"] for answer in refused} == {"too_many_attempts"}
        assert all(0 < int(answer.headers["Retry-After"]) <= 3600 for answer in refused)
        return Counter(answer.status_code for answer in found), self.checked() - before


@pytest.fixture(scope="module")
def hub(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub.running(environment | {"TRUSTED_PROXIES": "1"}, tmp_path_factory.mktemp("hub")) as running:
        yield running


def test_guesses_from_one_address(hub: Hub) -> None:
    member = hub.join("Amara").profile["email"]
    assert hub.attempt(member, PASSWORD, HOME).status_code == 201
    for email in (member, f"no.{member}"):
        statuses, checked = hub.guess(email, ["192.0.2.1"] * GUESSES)
        print(f"{GUESSES} guesses from one address: {dict(statuses)}, {checked} passwords checked")
        assert (statuses, checked) == ({401: 5, 429: 95}, 5)
    assert hub.attempt(member, PASSWORD, "192.0.2.1").status_code == 429, "the right one comes too late"
    assert hub.attempt(member, PASSWORD, HOME).status_code == 201
    assert hub.attempt(member, PASSWORD, CAFE).status_code == 201


def test_guesses_from_many_addresses(hub: Hub) -> None:
    member = hub.join("Amara").profile["email"]
    assert hub.attempt(member, PASSWORD, HOME).status_code == 201
    for email in (member, f"no.{member}"):
        statuses, checked = hub.guess(email, [f"192.0.2.{number}" for number in range(GUESSES)])
        print(f"{GUESSES} guesses from as many addresses: {dict(statuses)}, {checked} passwords checked")
        assert (statuses, checked) == ({401: 50, 429: 50}, 50)
    assert hub.attempt(member, PASSWORD, HOME).status_code == 201, "where they always come from"
    assert hub.attempt(member, PASSWORD, CAFE).status_code == 429
    in_turn = [
        [hub.attempt(email, f"guess {number}", "192.0.2.250").status_code for number in range(8)]
        for email in (hub.join("Bea").profile["email"], f"no.{member}.again")
    ]
    assert in_turn == [[401] * 5 + [429] * 3] * 2


def test_guesses_from_the_address_that_a_whole_hub_shares(hub: Hub) -> None:
    member, here = hub.join("Amara").profile["email"], "192.0.2.77"
    device = hub.attempt(member, PASSWORD, here).json()["device_token"]
    statuses, checked = hub.guess(member, [here] * GUESSES)
    assert (statuses, checked) == ({401: 5, 429: 95}, 5)
    shown = [hub.attempt(member, PASSWORD, here, each).status_code for each in (None, "forged", device, device)]
    print(f"after {GUESSES} guesses from there: {shown} without a device token, with a forged one, with its own twice")
    assert shown == [429, 429, 201, 201]
    own = [hub.attempt(member, "a wrong password", here, device).status_code for _ in range(7)]
    assert own == [401] * 5 + [429] * 2


@pytest.mark.parametrize("apart", [0, 2])
def test_tabs_that_share_a_session(hub: Hub, apart: int) -> None:
    member = hub.join("Amara")
    token = member.tokens["refresh_token"]
    for number in range(5):
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda tab, shared=token: hub.refresh(shared, apart * tab), range(3)))
        print(f"round {number + 1}, 3 tabs {apart} s apart: {[each.status_code for each in answers]}")
        assert [each.status_code for each in answers] == [201] * 3
        (token,) = {each.json()["refresh_token"] for each in answers}
        for each in answers:
            headers = {"Authorization": f"Bearer {each.json()['access_token']}"}
            assert requests.get(f"{hub.url}/v1/me", headers=headers, timeout=10).status_code == 200
    assert hub.refresh(f"{token}x").status_code == 401
    assert hub.refresh(token).status_code == 401, "an invalid token has ended the session"
