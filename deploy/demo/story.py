"""The story: an event, a voice, an anonymous voice, the answers, and the messages that an outsider heard.

Times are counted from the moment before a request is sent, by one clock in one process; nothing is estimated.
"""

import json
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rich.markup import escape

from deploy.demo import PATIENCE, StoryBroken
from deploy.demo.bus import Heard, Subscriber
from deploy.demo.hub import Refused, Stream, Visitor
from deploy.demo.people import Person
from deploy.demo.teller import Teller, quoted
from services.contracts import moments
from services.ground import clock

TRAINER, READER, ANOTHER = "Tomás Herrera", "Zofia Wiśniewska", "Viktor Novák"
SENTENCE = ("title", "body", "reason")
CHOICES = {READER: ("en", "Europe/Warsaw"), ANOTHER: ("de", "America/New_York")}
AUTHOR, NAMELESS = "Samira Benali", "Lina Johansson"
STAFF = "João Bettencourt"

TITLE = "Repair café"
ROLES, TAGS = ("mentor",), ("repair", "electronics")
QUIET_ROOM = {"text": "I need a quiet room for calls.", "kind": "need", "touchpoint": "cafe"}
STAIRS = {
    "text": "Half of us can't get upstairs, where the party is.",
    "kind": "problem",
    "touchpoint": "focus_group",
    "anonymous": True,
}
REPLIES: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("feedback.answered", "POST", "answers", {"text": "You are right."}),
    ("feedback.moved", "PUT", "status", {"status": "decided", "reason": "It opens on the first."}),
)


class Story:
    """The story, told once. `cards` are the members in the directory. All of `people` have the same `password`."""

    def __init__(
        self,
        teller: Teller,
        bus: Subscriber,
        door: Visitor,
        people: list[Person],
        cards: list[dict[str, Any]],
        password: str,
    ) -> None:
        self._teller, self._bus, self._door, self._password = teller, bus, door, password
        self._addresses = {person.name: person.email for person in people}
        self._cards = cards
        self._names = {card["id"]: card["name"] for card in cards}
        self._administrators = [card["id"] for card in cards if "administrator" in card["roles"]]
        self._begun = len(bus.heard)

    def tell(self) -> None:
        """Tell all of it. Raises StoryBroken if something does not happen."""
        self._event()
        voice = self._voice()
        nameless, claim_code = self._nameless_voice()
        self._answers(voice, nameless, claim_code)
        self._outsider()

    def _event(self) -> None:
        trainer, (stream, other) = self._enter(TRAINER), [Stream(self._choosing(name)) for name in (READER, ANOTHER)]
        earlier = [event for event in trainer.each("/v1/events") if event["title"].startswith(TITLE)]
        event = trainer.send("POST", "/v1/events", **_repair_cafe(len(earlier) + 1))
        link = f"/v1/events/{event['id']}"
        reasons = {card["id"]: why for card in self._cards if (why := _why(card)) and card["id"] != trainer.id}

        self._teller.chapter("An event is published")
        self._teller.say(f"{TRAINER}, trainer, publishes {quoted(event['title'])}.")
        sent = time.perf_counter()
        trainer.send("POST", f"{link}/publish")
        answered = time.perf_counter()
        shown, line = stream.shows(link)
        told = self._told("events.published", link, reasons)
        self._teller.times(
            {
                "the request was answered": answered - sent,
                f"{_first(READER)}'s open stream showed it": shown - sent,
                f"the bus said that it lies in all {len(reasons)} inboxes": told - sent,
            }
        )
        self._teller.say(f"{len(reasons)} of {len(self._cards)} members are told, {line['reason'].lower()}")
        because = {why: [self._names[each] for each in reasons if reasons[each] == why] for why in reasons.values()}
        self._teller.table(
            ("", "because of", "who"), [(str(len(names)), why, ", ".join(names)) for why, names in because.items()]
        )
        self._two_readers({READER: line, ANOTHER: other.shows(link)[1]})

    def _two_readers(self, lines: dict[str, dict[str, Any]]) -> None:
        """One line, as it was shown to two members: its sentences were made for each when it was read."""
        same = [{name: value for name, value in line.items() if name not in SENTENCE} for line in lines.values()]
        if same[0] != same[1] or any(lines[READER][name] == lines[ANOTHER][name] for name in SENTENCE):
            raise StoryBroken(f"{READER} and {ANOTHER} should read the same in other words: {lines}")
        self._teller.say("\nIt is one line, kept as facts. Each open stream showed it as its reader has chosen:")
        said = {
            f"{name} ({', '.join(CHOICES[name])})": [line[part] for part in SENTENCE] for name, line in lines.items()
        }
        self._teller.beside(said)

    def _voice(self) -> str:
        author = self._enter(AUTHOR)
        self._teller.chapter("Two members speak up")
        self._teller.say(f"{AUTHOR}, in the café: {quoted(QUIET_ROOM['text'])}")
        sent = time.perf_counter()
        voice = author.send("POST", "/v1/feedback", **QUIET_ROOM)
        answered = time.perf_counter()
        link = f"/v1/feedback/{voice['id']}"
        told = self._told("feedback.submitted", link, self._administrators)
        self._teller.times(
            {
                "the request was answered": answered - sent,
                "the bus said that it lies in the administrators' inboxes": told - sent,
            }
        )
        self._teller.say(f"Told: {', '.join(self._names[each] for each in self._administrators)}. {STAFF} reads:")
        line = self._enter(STAFF).inbox(link)[0]
        self._teller.say(f"  [i]{escape(line['title'])}[/i] [dim]{escape(line['reason'])}[/dim]")
        return str(voice["id"])

    def _nameless_voice(self) -> tuple[str, str]:
        author = self._enter(NAMELESS)
        answer = author.request("POST", "/v1/feedback", json=STAIRS)
        voice, request = answer.json(), answer.headers["X-Request-ID"]
        link = f"/v1/feedback/{voice['id']}"
        self._told("feedback.submitted", link, self._administrators)
        message = self._bus.of("feedback.submitted", voice_id=voice["id"])[0].event
        read = self._enter(STAFF).get(link)
        carried = [text for heard in self._bus.heard if voice["id"] in (text := json.dumps(heard.event))]

        findings = (
            ("the author, as administrators read it", "nobody", read["author_id"] is None),
            ("the moment it was raised, its id too", "some time today", _day_only(read["raised_at"], voice["id"])),
            ("the message on the bus", "no author, the day only", _day_only(message["time"], message["id"])),
            ("the author's id on the bus", "in no message about it", not any(str(author.id) in c for c in carried)),
            ("the request's id, which logs name", "in none either", not any(request in c for c in carried)),
            ("the author's own list of voices", "not there; by its id: 404", self._unknown_to(author, link)),
        )
        self._teller.say(f"\nSomebody else, in a focus group, without a name: {quoted(voice['text'])}")
        self._teller.table(("where one might look for who it was", "what is found"), [row[:2] for row in findings])
        self._teller.say(f"Only a claim code, shown this once, leads back to it: [b]{voice['claim_code']}[/b]")
        if leaks := [where for where, _, holds in findings if not holds]:
            raise StoryBroken(f"An anonymous voice leads to its author: {'; '.join(leaks)}.")
        return str(voice["id"]), str(voice["claim_code"])

    def _answers(self, voice: str, nameless: str, claim_code: str) -> None:
        staff, author, link = self._enter(STAFF), self._enter(AUTHOR), f"/v1/feedback/{voice}"
        self._teller.chapter("The hub answers")
        self._teller.say(f"{STAFF}, administrator, answers, and decides. {AUTHOR} reads:")
        for kind, method, door, fields in REPLIES:
            sent = time.perf_counter()
            staff.send(method, f"{link}/{door}", **fields)
            told = self._told(kind, link, [author.id])
            line = author.inbox(link)[0]
            self._teller.times({f"[i]{escape(line['title'])}[/i]": told - sent})
            self._teller.say(f"{'':17}{escape(line['body'])}")
        staff.send("POST", f"/v1/feedback/{nameless}/answers", text="We are sorry. From now on we ask first.")
        outcome = self._door.send("POST", "/v1/feedback/claims", claim_code=claim_code)
        self._teller.say(
            "The other voice is answered, too. Whoever has the claim code reads, without signing in:",
            f"  [i]{outcome['status']}[/i]: {escape(outcome['answers'][0]['text'])}",
        )

    def _outsider(self) -> None:
        heard = self._bus.heard[self._begun :]
        numbers = {each.event["id"]: number for number, each in enumerate(heard, 1)}
        self._teller.chapter("What an outsider heard meanwhile")
        self._teller.say("A program of somebody else, with a queue of its own on the bus:")
        self._teller.table(
            ("", "message", "announced by", "about", "sequence", "because of"),
            [(str(number), *_row(each, numbers)) for number, each in enumerate(heard, 1)],
        )

    def _enter(self, name: str) -> Visitor:
        return self._door.sign_in(self._addresses[name], self._password)

    def _choosing(self, name: str) -> Visitor:
        """The member, signed in again after they chose how they are spoken to: access tokens say it."""
        language, zone = CHOICES[name]
        self._enter(name).send("PATCH", "/v1/me", language=language, zone=zone)
        return self._enter(name)

    def _told(self, kind: str, link: str, members: Any) -> float:
        """The moment by which the bus had said that these members, and no others, were told."""
        told, at = self._bus.told(kind, link, set(members))
        if told != set(members):
            missing = ", ".join(sorted(self._names[each] for each in set(members) - told)) or "none"
            raise StoryBroken(
                f"{kind} reached {len(told)} inboxes instead of {len(members)} within {PATIENCE:.0f} s; "
                f"missing: {missing}."
            )
        return at

    def _unknown_to(self, member: Visitor, link: str) -> bool:
        if any(link.endswith(voice["id"]) for voice in member.each("/v1/feedback")):
            return False
        try:
            member.get(link)
        except Refused as refused:
            return refused.status == 404
        return False


def _repair_cafe(number: int) -> dict[str, Any]:
    starts_at = (clock.now() + timedelta(days=10)).replace(hour=16, minute=0, second=0, microsecond=0)
    return {
        "title": f"{TITLE} no. {number}: a second life for your lamp",
        "description": "Bring what is broken. We open it together, and most of it goes home working.",
        "touchpoint": "workshop",
        "place": "The workshop, ground floor",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=3)).isoformat(),
        "audience": {"roles": ROLES, "tags": TAGS},
    }


def _why(card: dict[str, Any]) -> str | None:
    """The reason why a member is in the audience, or None. Of several reasons it is the first."""
    if roles := [role for role in ROLES if role in card["roles"]]:
        return f"their role, {roles[0]}"
    return next((f"their tag {tag}" for tag in TAGS if tag in card["tags_have"] + card["tags_want"]), None)


def _day_only(moment: str, id: str) -> bool:
    """True if the moment and the time in the id (a UUID that begins with Unix milliseconds) tell only the day."""
    midnight = moments.to_ms(datetime.fromisoformat(moment))
    return midnight % 86_400_000 == 0 and UUID(id).int >> 80 == midnight


def _row(heard: Heard, numbers: dict[str, int]) -> tuple[str, ...]:
    event = heard.event
    cause = event.get("causationid")
    because = "a request" if cause is None else f"message {numbers.get(cause, cause)}"
    announced_by = event["source"].rpartition("/")[2]
    return event["type"], announced_by, f"…{event['subject'][-8:]}", str(int(event["sequence"])), because


def _first(name: str) -> str:
    return name.partition(" ")[0]
