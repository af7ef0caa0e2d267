"""Answers that many read alike are asked for once, until a message refreshes their view."""

import importlib
from collections.abc import Iterator
from typing import Any

import amqp
import pytest
from flask.testing import FlaskClient

from deploy.local.keys import Keys
from gateway import routes
from gateway.api import Blueprint
from gateway.app import Gateway, create, hears
from gateway.bus import link
from gateway.bus.shared import shared
from gateway.config import Config
from services.contracts import calling
from services.contracts.calling import ask
from services.contracts.messages.events import EVENTS_ENDED, EVENTS_NAME_LEARNED, EVENTS_NOTED
from services.contracts.messages.feedback import FEEDBACK_MOVED, FEEDBACK_NOTED
from services.contracts.roles import MEMBERS, ORGANISERS, ROLES
from services.contracts.shapes.events import Event
from services.contracts.shapes.parts import Id
from tests.gateway.conftest import Sign
from tests.gateway.played import PlayedServices
from tests.rig.wire import connection

ID = "018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81"
LIST, SHOW, SEAT = "/v1/events", f"/v1/events/{ID}", f"/v1/events/{ID}/seat"
EVENT = {"id": ID, "version": 1}


@pytest.fixture
def seats(keys: Keys, services: PlayedServices, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """The application whose events have one more route: every member may take a seat."""
    monkeypatch.setattr(calling, "CALLS", {})
    facts = {"says": "Take a seat.", "takes": {"event_id": Id}, "gives": Event, "may": MEMBERS}
    take_seat = ask("events.seats.take", operation="take_seat", **facts)
    noun = importlib.reload(routes.events)  # once it is part of an application, a blueprint takes no more routes
    noun.routes.put("/events/<id:event_id>/seat", take_seat)
    app = create(Config(amqp_uri="amqp://unused", jwks_file=keys.jwks_file, rate_limit=10**6))
    app.extensions["rpc"] = services
    app.shared._hearing = True
    services.answers |= {"browse": {"items": [EVENT], "next": None}, "show": EVENT, "take": EVENT}
    yield app
    importlib.reload(noun)


@pytest.fixture
def reading(seats: Gateway, services: PlayedServices, sign: Sign) -> Any:
    """Asks as a member with a role; tells what services were asked for it."""
    client: FlaskClient = seats.test_client()

    def ask(role: str, path: str, method: str = "GET") -> list[str]:
        services.asked.clear()
        answer = client.open(path, method=method, headers={"Authorization": f"Bearer {sign(roles=[role])}"})
        assert answer.status_code == 200
        return [target for target, _ in services.asked]

    return ask


def test_a_route_that_all_may_use_does_not_switch_off_the_sharing(reading: Any) -> None:
    for path, target in ((LIST, "events.calendar.browse"), (SHOW, "events.calendar.show")):
        assert reading("coworker", path) == [target]
        assert reading("coworker", SEAT, "PUT") == ["events.seats.take"]
        assert [reading(role, path) for role in MEMBERS - ORGANISERS] == [[]] * 2


@pytest.mark.parametrize("role", sorted(ORGANISERS))
def test_who_may_change_events_is_always_asked_for_anew(reading: Any, role: str) -> None:
    assert reading("coworker", LIST) == ["events.calendar.browse"]
    assert [reading(role, LIST), reading(role, SHOW)] == [["events.calendar.browse"], ["events.calendar.show"]]


def test_what_each_member_reads_differently_is_not_shared(reading: Any) -> None:
    for _ in range(2):
        for query in ("status=draft", "mine=true", "mine=true&status=published"):
            assert reading("coworker", f"{LIST}?{query}") == ["events.calendar.browse"]
    assert [reading("coworker", f"{LIST}?limit={limit}") for limit in (1, 2, 1)] == [
        ["events.calendar.browse"],
        ["events.calendar.browse"],
        [],
    ]


def test_the_bus_unheard_nothing_is_kept(seats: Gateway, reading: Any) -> None:
    reading("coworker", LIST)
    seats.shared.lost()
    for _ in range(2):
        assert reading("coworker", LIST) == ["events.calendar.browse"]


def test_a_message_refreshes_the_views_that_name_it_and_no_others(seats: Gateway, reading: Any) -> None:
    seats.shared.refresh("show_event", [FEEDBACK_MOVED])
    for heard, again in (
        (FEEDBACK_NOTED, []),
        (FEEDBACK_MOVED, [SHOW]),
        (EVENTS_NOTED, [LIST, SHOW]),
        (EVENTS_ENDED, [LIST, SHOW]),
        (EVENTS_NAME_LEARNED, [LIST, SHOW]),
    ):
        reading("coworker", LIST), reading("coworker", SHOW)
        seats.shared._hear(heard.key)
        assert [path for path in (LIST, SHOW) if reading("coworker", path)] == again, heard.key


def test_what_changed_while_it_was_on_its_way_is_not_kept(
    seats: Gateway, reading: Any, services: PlayedServices
) -> None:
    def changing(_kwargs: Any) -> Any:
        seats.shared._hear(EVENTS_NOTED.key)
        return EVENT

    services.answers["show"] = changing
    assert reading("coworker", SHOW) == reading("coworker", SHOW) == ["events.calendar.show"]


def test_a_blueprint_hears_what_refreshes_its_views() -> None:
    nouns = Blueprint("nouns", __name__, description="What is shared.")

    @nouns.route("/nouns")
    @nouns.response(200, Event)
    @nouns.may(*ROLES)
    @shared(until=(FEEDBACK_MOVED,), but_for=())
    def show_noun() -> Any:
        """Show."""

    assert nouns.hears == {FEEDBACK_MOVED.key: FEEDBACK_MOVED}


def test_a_worker_binds_what_its_rights_are_made_from(
    app: Gateway, amqp_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound, bind = set(), amqp.Channel.queue_bind

    def binding(channel: amqp.Channel, queue: str, exchange: str, key: str) -> Any:
        bound.add((exchange, key))
        return bind(channel, queue, exchange, key)

    monkeypatch.setattr(amqp.Channel, "queue_bind", binding)
    with connection(amqp_uri) as bus:
        link.declare(bus, "nameko-rpc")
        for user in app.link._users:
            user.opened(bus)
            user.lost()
    heard = {(exchange, key) for exchange, key in bound if exchange != "nameko-rpc"}
    assert heard == {(message.exchange, message.key) for message in hears().values()}
    assert (EVENTS_NOTED.exchange, EVENTS_NOTED.key) in heard
