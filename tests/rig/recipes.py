"""A recipe for each operation, named after it. It makes new things for every request."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from tests.rig.days import times
from tests.rig.processes import PASSWORD, Member, Platform

EVENT = {"title": "Café morning", **times()}
TOLD_WITHIN = 20.0  # seconds


OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}  # as a browser says of the hub's own pages


@dataclass
class Ask:
    """A request to send, and a look at the state that a refused request must not change."""

    ids: dict[str, str] = field(default_factory=dict)
    body: Any = None
    look: Callable[[], Any] = lambda: None
    headers: dict[str, str] = field(default_factory=dict)
    token: str | None = None  # of the owner, for a request that ends a session: the others still need theirs


class Recipes:
    """Each recipe is given the owner of what is asked for, who can make it and read it at any time."""

    def __init__(self, platform: Platform, owners: list[Member], drafts: dict[str, list[str]]) -> None:
        """`drafts` are events of owners who organise no more, by the owner's id."""
        self._platform, self._root, self._drafts = platform, platform.administrator, drafts
        self._victim: Member | None = None
        self.said: list[str] = []  # the voices that were raised
        voices = {owner.id: self._voice(owner).ids["voice_id"] for owner in owners}
        for id in voices.values():  # the answer to a voice is told to its author alone
            self._root.post(f"/v1/feedback/{id}/answers", {"text": "We look."})
        self._lines = {
            owner.id: _line(owner, f"/v1/feedback/{voices[owner.id]}", "feedback.answered") for owner in owners
        }

    # Things.

    def _draft(self, owner: Member, body: Any = None) -> Ask:
        id = self._drafts[owner.id].pop() if owner.id in self._drafts else draft(owner)
        return Ask({"event_id": id}, body, lambda: self._root.get(f"/v1/events/{id}"))

    def _voice(self, owner: Member, body: Any = None) -> Ask:
        id = owner.post("/v1/feedback", self._words())["id"]
        return Ask({"voice_id": id}, body, lambda: owner.get(f"/v1/feedback/{id}"))

    def _words(self, **more: Any) -> dict[str, Any]:
        self.said.append(f"a voice {secrets.token_hex(6)}")
        return {"text": self.said[-1], **more}

    def _nothing(self, _owner: Member) -> Ask:
        return Ask()

    # Members.

    def invite_member(self, _owner: Member) -> Ask:
        return Ask(body={"email": f"{secrets.token_hex(6)}@hub.example"})

    def register_member(self, owner: Member) -> Ask:
        code = self._root.post("/v1/invitations", self.invite_member(owner).body)["code"]
        return Ask(body={"code": code, "name": "New", "password": PASSWORD})

    def _invitation(self, _owner: Member) -> Ask:
        made = self._root.post("/v1/invitations", {"email": f"{secrets.token_hex(6)}@hub.example"})
        return Ask({"invitation_id": made["id"]}, look=lambda: self._root.get("/v1/invitations?limit=1")["items"])

    resend_invitation = withdraw_invitation = _invitation

    def _against(self, _owner: Member, body: Any = None) -> Ask:
        """Something that is done to a member, who may then be of no more use."""
        if self._victim is None or not self._is_active(self._victim):
            self._victim = self._platform.join("Somebody")
        id = self._victim.id
        return Ask({"member_id": id}, body, lambda: self._status(id))

    def _is_active(self, member: Member) -> bool:
        return self._status(member.id) == "active"

    def _status(self, member_id: str) -> str:
        """The status of a member, also of a removed one."""
        token = {"Authorization": f"Bearer {self._root.tokens['access_token']}"}
        found = requests.get(f"{self._root.url}/v1/members/{member_id}", headers=token, timeout=10)
        return str(found.json().get("status"))

    remove_member = issue_password_reset = end_member_sessions = _against

    def suspend_member(self, owner: Member) -> Ask:
        return self._against(owner, {"reason": "Somebody else uses this account."})

    def reinstate_member(self, owner: Member) -> Ask:
        ask = self._against(owner)
        path = f"/v1/members/{ask.ids['member_id']}/suspension"
        self._root.ask("PUT", path, json={"reason": "Somebody else uses this account."})
        return ask

    def reset_password(self, owner: Member) -> Ask:
        ids = self._against(owner).ids
        code = self._root.post(f"/v1/members/{ids['member_id']}/password-reset")["code"]
        return Ask(body={"code": code, "password": PASSWORD})

    def change_password(self, owner: Member) -> Ask:
        return Ask(body={"present": PASSWORD, "password": PASSWORD})

    def show_member(self, owner: Member) -> Ask:
        return Ask({"member_id": owner.id})

    def set_member_roles(self, owner: Member) -> Ask:
        card = f"/v1/members/{owner.id}"
        roles = sorted({*owner.profile["roles"], "administrator"})  # no role is lost, with which tokens would end
        return Ask({"member_id": owner.id}, {"roles": roles}, lambda: self._root.get(card))

    def change_me(self, owner: Member) -> Ask:
        return Ask(body={"pronouns": secrets.token_hex(4)}, look=lambda: owner.get("/v1/me"))

    list_members = show_me = issue_stream_ticket = list_audit_entries = list_invitations = _nothing

    # The house.

    def change_house(self, owner: Member) -> Ask:
        return Ask(body={"name": f"Hub {secrets.token_hex(4)}"}, look=lambda: owner.get("/v1/house"))

    show_house = _nothing

    # Sessions: each request ends a session made for it, as the others still need theirs.

    def sign_in(self, owner: Member) -> Ask:
        return Ask(body={"email": owner.profile["email"], "password": PASSWORD})

    def refresh_session(self, owner: Member) -> Ask:
        tokens = self._platform.sign_in(owner.profile["email"]).tokens
        return Ask(body={"refresh_token": tokens["refresh_token"]})

    def sign_in_with_browser(self, owner: Member) -> Ask:
        return replace(self.sign_in(owner), headers=OUR_PAGE)

    def refresh_browser_session(self, owner: Member) -> Ask:
        asked = {"email": owner.profile["email"], "password": PASSWORD}
        url = f"{self._platform.url}/v1/sessions/browser"
        answer = requests.post(url, json=asked, headers=OUR_PAGE, timeout=10)
        token = next(each.value for each in answer.cookies if each.name == "__Host-hearth")
        return Ask(headers=OUR_PAGE | {"Cookie": f"__Host-hearth={token}"})

    def sign_out_of_browser(self, owner: Member) -> Ask:
        return replace(self.sign_out(owner), headers=OUR_PAGE)

    def sign_out(self, owner: Member) -> Ask:
        return Ask(token=self._platform.sign_in(owner.profile["email"]).tokens["access_token"])

    def sign_out_everywhere(self, owner: Member) -> Ask:
        return Ask(token=self._platform.join("Twin", tuple(owner.profile["roles"])).tokens["access_token"])

    # Events.

    def draft_event(self, owner: Member) -> Ask:
        drafts = "/v1/events?status=draft&limit=100"
        return Ask(body=EVENT | {"audience": {"everyone": True}}, look=lambda: owner.get(drafts)["items"][-1:])

    def change_event(self, owner: Member) -> Ask:
        return self._draft(owner, {"title": "Another title"})

    def publish_event(self, owner: Member) -> Ask:
        return self._draft(owner)

    def cancel_event(self, owner: Member) -> Ask:
        return self._draft(owner, {"reason": "Nobody has time."})

    def add_offering(self, _owner: Member) -> Ask:
        return Ask(body=_offering(), look=lambda: self._root.get("/v1/offerings")["items"][-1:])

    def _offered(self, body: Any = None) -> Ask:
        id = self._root.post("/v1/offerings", _offering())["id"]
        return Ask({"offering_id": id}, body, lambda: self._root.get(f"/v1/offerings/{id}"))

    def change_offering(self, _owner: Member) -> Ask:
        return self._offered({"how": "Ask at the counter."})

    def close_offering(self, _owner: Member) -> Ask:
        return self._offered({"reason": "It broke."})

    def reopen_offering(self, _owner: Member) -> Ask:
        ask = self._offered()
        self._root.post(f"/v1/offerings/{ask.ids['offering_id']}/close", {"reason": "It broke."}, status=200)
        return ask

    def show_offering(self, _owner: Member) -> Ask:
        return self._offered()

    list_offerings = _nothing

    def show_event(self, owner: Member) -> Ask:
        ask = self._draft(owner)
        self._root.post(f"/v1/events/{ask.ids['event_id']}/publish", status=200)
        return ask

    list_events = _nothing

    # Feedback.

    def raise_voice(self, owner: Member) -> Ask:
        return Ask(body=self._words(), look=lambda: owner.get("/v1/feedback?mine=true&limit=1"))

    def show_voice(self, owner: Member) -> Ask:
        return self._voice(owner)

    def answer_voice(self, owner: Member) -> Ask:
        return self._voice(owner, {"text": "We look."})

    def move_voice(self, owner: Member) -> Ask:
        return self._voice(owner, {"status": "acknowledged"})

    def take_down_voice(self, owner: Member) -> Ask:
        return self._voice(owner, {"reason": "It names a neighbour."})

    def claim_outcome(self, owner: Member) -> Ask:
        return Ask(body={"claim_code": owner.post("/v1/feedback", self._words(anonymous=True))["claim_code"]})

    list_voices = _nothing

    # Notifications.

    def mark_read(self, owner: Member) -> Ask:
        id = self._lines[owner.id]
        return Ask({"notification_id": id}, look=lambda: [each for each in _lines(owner) if each["id"] == id])

    list_notifications = count_unread = mark_all_read = stream_notifications = _nothing

    # The platform.

    livez = readyz = readyz_gateway = metrics = jwks = openapi = asyncapi = _nothing


def draft(owner: Member) -> str:
    """The id of a new draft."""
    return str(owner.post("/v1/events", EVENT | {"audience": {"roles": ["trainer"]}})["id"])


def _line(member: Member, link: str, kind: str) -> str:
    """The notification about something, once it is there."""
    until = time.monotonic() + TOLD_WITHIN
    while True:
        for line in _lines(member):
            if (line["link"], line["kind"]) == (link, kind):
                return str(line["id"])
        assert time.monotonic() < until, f"{member.profile['name']} was never told of {link}"
        time.sleep(0.1)


def _lines(member: Member) -> list[dict[str, Any]]:
    return list(member.get("/v1/notifications?limit=100")["items"])


def _offering() -> dict[str, Any]:
    """An offering whose audience has nobody in it."""
    return {"name": f"Room {secrets.token_hex(4)}", "audience": {"tags": [secrets.token_hex(6)]}}
