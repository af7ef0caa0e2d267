"""Everybody joins: the first administrator on the command line, all others with an invitation over HTTP."""

import secrets
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from deploy.demo import PATIENCE, StoryBroken
from deploy.demo.bus import Subscriber
from deploy.demo.hub import Refused, Visitor
from deploy.demo.people import Person
from deploy.local import private
from services.contracts.roles import ROLES
from services.ground import clock

HOUSE = {
    "name": "The Grand Harbour Hub",
    "address": "14 Old Mint Street, Valletta",
    "zone": "Europe/Malta",
    "languages": ["en", "de"],
}
AT_A_TIME = 4
ATTEMPTS = 3


def password(base: Path) -> str:
    """The password of everybody here, made once and readable by the owner of the checkout only."""
    path = base / "demo.json"
    known = private.read_json(path).get("password") or secrets.token_urlsafe(12)
    private.write_json(path, {"password": known})
    return str(known)


def found(door: Visitor, founder: Person, password: str) -> tuple[Visitor, bool]:
    """The first administrator, signed in, and whether they had to be made; then they say what the hub is."""
    try:
        return door.sign_in(founder.email, password), False
    except Refused as refused:
        if refused.status != 401:
            raise
    command = [sys.executable, "-m", "services.members", "add-administrator", "--password-stdin"]
    command += ["--email", founder.email, "--name", founder.name]
    made = subprocess.run(command, input=f"{password}\n", capture_output=True, text=True, check=False)
    if "already" in made.stderr:
        raise StoryBroken(
            f"{founder.email} belongs to this hub already, with a password that .hearth/demo.json does not know. "
            "Take an empty store (make reset, or another MONGO_DATABASE_PREFIX)."
        )
    if made.returncode:
        raise StoryBroken(f"The first administrator cannot be made: {(made.stderr or made.stdout).strip()}")
    administrator = door.sign_in(founder.email, password)
    administrator.send("PATCH", "/v1/me", **founder.profile)
    administrator.send("PATCH", "/v1/house", **HOUSE)
    return administrator, True


def join(administrator: Visitor, people: list[Person], password: str, each: Callable[[], None]) -> set[str]:
    """Invites and registers these people, a few at a time, and calls `each` after each. Returns the new ids."""

    def one(person: Person) -> str | None:
        member_id = _join(administrator, person, password)
        each()
        return member_id

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return {member_id for member_id in pool.map(one, people) if member_id}


def _join(administrator: Visitor, person: Person, password: str) -> str | None:
    """The new member's id; None if they belong already (under another name, or since a try that timed out)."""
    door = Visitor(administrator.url)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            invitation = administrator.send("POST", "/v1/invitations", email=person.email, roles=person.roles)
            registration = {"code": invitation["code"], "name": person.name, "password": password, **person.profile}
            return str(door.send("POST", "/v1/members", **registration)["id"])
        except Refused as refused:
            if refused.code == "already_a_member":
                return None
            if refused.status != 503 or attempt == ATTEMPTS:
                raise
    raise AssertionError


def welcome(administrator: Visitor, bus: Subscriber, new: set[str], everybody: set[str]) -> None:
    """Invites everybody to breakfast until the invitation has reached all. Then notifications knows all new members.

    It copies the members from their messages, so for a moment it may know fewer. Raises StoryBroken.
    """
    if not bus.until(lambda: new <= {h.event["subject"] for h in bus.of("members.joined")}):
        raise StoryBroken(f"The bus did not tell of all {len(new)} who joined within {PATIENCE:.0f} s.")
    for _ in range(ATTEMPTS):
        event = administrator.send("POST", "/v1/events", **_breakfast())
        administrator.send("POST", f"/v1/events/{event['id']}/publish")
        guests = everybody - {str(administrator.id)}
        told, _ = bus.told("events.published", f"/v1/events/{event['id']}", guests, within=PATIENCE / ATTEMPTS)
        if told >= guests:
            return
        administrator.send("POST", f"/v1/events/{event['id']}/cancel", reason="Not everybody had heard of it.")
    raise StoryBroken(f"Notifications knows {len(told)} of {len(guests)} members after {PATIENCE:.0f} s.")


def _breakfast() -> dict[str, Any]:
    starts_at = (clock.now() + timedelta(days=7)).replace(hour=7, minute=0, second=0, microsecond=0)
    return {
        "title": "A welcome breakfast for everyone",
        "touchpoint": "kitchenette",
        "place": "The kitchenette",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=2)).isoformat(),
        "audience": {"roles": ROLES},  # all roles: a message for everyone needs no list of members
    }
