"""The declared tellings decide who hears of which message."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.chassis.messaging import Envelope, hearers
from services.contracts import wording
from services.contracts.catalogue import UndeclaredMessage
from services.contracts.messages.events import EVENTS_CANCELLED, EVENTS_PUBLISHED
from services.ground import clock
from services.notifications import declared, tellings
from services.notifications.fanout import domain
from services.notifications.fanout.service import Fanout
from services.notifications.followers.service import Followers
from services.notifications.notice import WITHDRAWN
from services.notifications.tellings import FOLLOWINGS, TELLINGS, grammar
from services.notifications.tellings.grammar import Audience, One, Role, Telling
from services.notifications.tellings.page import page

EVERY = pytest.mark.parametrize("telling", TELLINGS, ids=lambda each: each.queue)
QUEUES = {
    "events.cancelled": ["tell_of_a_cancellation"],
    "events.changed": ["tell_of_a_changed_event"],
    "events.offering_changed": ["tell_of_a_changed_offering"],
    "events.offering_closed": ["tell_of_a_closed_offering"],
    "events.offering_opened": ["tell_of_an_offering"],
    "events.published": ["tell_of_an_event"],
    "feedback.answered": ["tell_the_author_of_an_answer"],
    "feedback.moved": ["tell_the_author_of_a_step"],
    "feedback.submitted": ["tell_the_administrators"],
    "feedback.taken_down": ["forget_the_words", "tell_the_author_of_a_takedown"],
}


def test_the_fan_out_hears_what_is_declared_in_queues_that_keep_their_names() -> None:
    named = {key: [f"notifications.fanout.{name}" for name in names] for key, names in QUEUES.items()}
    assert hearers([Fanout]) == named
    assert hearers([Followers]) == {"events.published": ["notifications.followers.learn_who_hosts_an_event"]}


@EVERY
def test_a_handler_is_given_what_its_telling_needs_and_nothing_else(telling: Telling) -> None:
    wanted = list(inspect.signature(getattr(Fanout, telling.queue)).parameters)
    assert wanted == ["self", "message", *telling.wants]
    assert {*telling.facts, telling.about, telling.by} <= set(telling.wants) <= telling.message.fields
    assert len(telling.wants) == len(set(telling.wants))


@EVERY
def test_a_telling_stands_in_the_file_of_its_publisher(telling: Telling) -> None:
    file = Path(tellings.__file__).with_name(f"{telling.message.by}.py")
    assert f'queue="{telling.queue}"' in file.read_text()


@EVERY
def test_each_has_a_sentence_of_its_facts(telling: Telling) -> None:
    heard = telling.message.read(telling.message.example)
    told: list[dict[str, Any]] = [domain.facts(telling.facts, heard)]
    told += [WITHDRAWN] if telling.withdrawn_by else []
    told += [{"hour": clock.now(), "most": 20}] if telling.folded else []
    unknown = wording.said("no.such.kind", {}, language="en", zone="UTC")
    for facts in told:
        said = wording.said(telling.message.key, facts, language="en", zone="UTC")
        assert set(said) == {"title", "body", "reason"}
        assert said["title"] != unknown["title"], "no sentence is declared for it"


WELL: dict[str, Any] = {
    "queue": "tell_of_it",
    "says": "Somebody hears of it.",
    "to": Audience("audience"),
    "category": "events",
    "facts": ("title",),
    "about": "event_id",
    "link": "/v1/events/{event_id}",
}
WRONG: dict[str, dict[str, Any]] = {
    "a fact that the message does not have": {"facts": ("titel",)},
    "somebody whom it does not name": {"to": One("author_id")},
    "an end that it does not have": {"expires": "until"},
    "a deed of nobody": {"by": "author_id"},
    "a way to something else": {"link": "/v1/members/{host_id}"},
    "a queue that there is": {"queue": "tell_of_an_event"},
    "many, but for no role": {"folded": "/v1/events"},
}


@pytest.fixture
def as_before() -> Iterator[None]:
    """Takes back what a test declares."""
    declared = [*TELLINGS]
    yield
    TELLINGS[:] = declared


@pytest.mark.usefixtures("as_before")
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_telling_is_refused_at_import(wrong: dict[str, Any]) -> None:
    before = len(grammar.TELLINGS)
    with pytest.raises(UndeclaredMessage):
        grammar.tell(EVENTS_PUBLISHED, **WELL | wrong)
    assert len(grammar.TELLINGS) == before
    grammar.tell(EVENTS_PUBLISHED, **WELL)
    grammar.tell(EVENTS_CANCELLED, **WELL | {"queue": "tell_of_many", "to": Role("host"), "folded": "/v1/events"})
    assert len(grammar.TELLINGS) == before + 2


def test_a_handler_calls_with_the_declaration_the_message_and_its_fields() -> None:
    heard: list[Any] = []

    class Listening:
        def hear(self, *what: Any) -> None:
            heard.append(what)

    capability: Any = declared.hears(FOLLOWINGS)(Listening)
    message = Envelope("1", EVENTS_PUBLISHED.key, "e", clock.now(), 1, None)
    capability().learn_who_hosts_an_event(message=message, event_id="e", host_id="h")
    assert heard == [(FOLLOWINGS[0], message, {"event_id": "e", "host_id": "h"})]
    with pytest.raises(AssertionError):
        declared.hears(FOLLOWINGS)(Listening)


def test_the_page_says_who_hears_what() -> None:
    written = Path(tellings.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert written == page()
    for telling in TELLINGS:
        assert f"| `{telling.message.key}` | {telling.to} |" in written
        assert telling.says in written
