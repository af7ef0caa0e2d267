"""The fan-out as it runs: messages in whatever order, lines in the store. Only notifications runs."""

import secrets
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import amqp
import orjson
import pymongo
import pytest
from bson.codec_options import CodecOptions
from pymongo.database import Database

from services.chassis.rows import JOURNALED
from services.contracts.catalogue import Message, envelope
from services.contracts.messages.events import EVENTS_CANCELLED, EVENTS_PUBLISHED
from services.contracts.messages.feedback import FEEDBACK_ANSWERED, FEEDBACK_SUBMITTED, FEEDBACK_TAKEN_DOWN
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED, NOTIFICATIONS_DELIVERED_V2
from services.ground import clock, identifiers
from services.notifications.fanout import domain
from services.notifications.fanout.domain import News, Portion
from services.notifications.fanout.store import ToldStore
from services.notifications.people.domain import person
from services.notifications.people.store import PeopleStore
from tests.rig.processes import Processes, forget_messages, until
from tests.rig.wire import Listener, connection, publish

AGO = timedelta(days=1)
WORDS = "words that somebody is named in"
LINES = 3  # an hour


class Hub:
    """Notifications, its people, and what others announce."""

    def __init__(self, database: Database[dict[str, Any]], channel: amqp.Channel, processes: Processes) -> None:
        self.database, self.processes = database, processes
        self._people = PeopleStore(database, "notifications")
        self._channel, self._changes = channel, 0

    def somebody(self, *tags: str, roles: tuple[str, ...] = (), id: str | None = None) -> str:
        """A member who belongs since yesterday, as they are from now on."""
        joined_at = clock.now() - AGO
        member_id, self._changes = id or identifiers.new_id(joined_at), self._changes + 1
        self._people.keep(person(member_id, "Amara", list(roles), list(tags), joined_at, self._changes))
        return member_id

    def say(self, message: Message, subject: str, id: str = "", **facts: Any) -> str:
        """Announce the example of a message with changed fields; return the message's id."""
        about = message.about({"_id": subject, "changed_at": clock.now(), **message.example, **facts})
        id = id or identifiers.new_id(clock.now())
        event = envelope(about, id=id, sequence=1, correlation_id="c", causation_id=None)
        publish(self._channel, orjson.dumps(event), key=message.key)
        return id

    def event(self, message: Message, tag: str, event_id: str, **facts: Any) -> str:
        audience = {"everyone": False, "roles": [], "tags": [tag]}
        moments = {name: clock.now() + AGO for name in ("starts_at", "ends_at")}
        return self.say(message, event_id, **{"event_id": event_id, "audience": audience} | moments | facts)

    def voice(self, message: Message, voice_id: str, **facts: Any) -> str:
        return self.say(message, voice_id, **{"voice_id": voice_id} | facts)

    def told(self, link: str, kind: Message | None = None) -> list[str]:
        """The members who have a line about something, in the order of their ids."""
        wanted = {"link": link} | ({"kind": kind.key} if kind else {})
        return sorted(each["member"] for each in self.database.inbox.find(wanted))

    def words(self) -> str:
        """All rows of the inboxes as one text, without their ids."""
        return str([{**each, "_id": None} for each in self.database.inbox.find()])

    def handled(self, times: int, queue: str) -> None:
        """Wait until a handler has done with so many messages."""
        until(lambda: self.processes.log("notifications").count(f"queue=notifications.fanout.{queue}") >= times)


@pytest.fixture(scope="module")
def hub(environment: dict[str, str], amqp_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    forget_messages(amqp_uri)
    prefix = f"test_{secrets.token_hex(6)}_"
    own = environment | {"MONGO_DATABASE_PREFIX": prefix, "LOG_FORMAT": "text", "LINES_AN_HOUR": str(LINES)}
    processes = Processes(own, tmp_path_factory.mktemp("fanout"))
    codec: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
    with connection(amqp_uri) as bus, pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        database = client.get_database(f"{prefix}notifications", codec_options=codec, write_concern=JOURNALED)
        database.followers.insert_one({"_id": "began", "at": clock.now()})  # no older version goes on beside this one
        processes.start("notifications", "-m", "services.notifications")
        processes.until("notifications", "serving")
        yield Hub(database, bus.channel(), processes)
        processes.stop()
        client.drop_database(database.name)


def an_event() -> tuple[str, str, str]:
    """A tag, the id of an event, and where it is."""
    event_id = identifiers.new_id(clock.now())
    return secrets.token_hex(4), event_id, f"/v1/events/{event_id}"


def test_a_cancellation_that_is_heard_first_waits_until_it_is_known_who_was_told(hub: Hub) -> None:
    tag, event_id, link = an_event()
    later = hub.somebody()
    told = hub.somebody(tag)
    hub.event(EVENTS_CANCELLED, tag, event_id, reason="The trainer is ill.")
    until(lambda: "not_told_yet" in hub.processes.log("notifications"))
    assert hub.told(link) == []
    hub.event(EVENTS_PUBLISHED, tag, event_id)
    until(lambda: hub.told(link, EVENTS_PUBLISHED) == [told])
    hub.somebody(id=told)
    hub.somebody(tag, id=later)
    until(lambda: hub.told(link, EVENTS_CANCELLED))
    assert hub.told(link, EVENTS_CANCELLED) == [told]


def test_the_host_of_an_event_hears_that_somebody_else_cancelled_it(hub: Hub) -> None:
    """An earlier version told the host only if they belonged to the audience."""
    tag, event_id, link = an_event()
    host, told, root = hub.somebody(), hub.somebody(tag), hub.somebody()
    hub.event(EVENTS_PUBLISHED, tag, event_id, host_id=host, actor_id=host)
    until(lambda: hub.told(link) == [told])
    hub.event(EVENTS_CANCELLED, tag, event_id, reason="A pipe broke.", host_id=host, actor_id=root)
    until(lambda: hub.told(link, EVENTS_CANCELLED) == sorted([host, told]))
    assert hub.told(link, EVENTS_PUBLISHED) == [told]
    tag, event_id, link = an_event()
    hub.somebody(tag, id=told)
    hub.event(EVENTS_PUBLISHED, tag, event_id, host_id=told, actor_id=root)
    until(lambda: hub.told(link) == [told])
    hub.event(EVENTS_CANCELLED, tag, event_id, reason="A pipe broke.", host_id=told, actor_id=root)
    until(lambda: hub.database.told.find_one({"subject": event_id, "kind": EVENTS_CANCELLED.key, "last": True}))
    assert hub.told(link, EVENTS_CANCELLED) == [told], "once, as one of the audience"
    assert hub.database.told.count_documents({"subject": event_id, "kind": EVENTS_CANCELLED.key}) == 1


def test_a_cancellation_waits_until_it_is_known_who_hosts(hub: Hub) -> None:
    """The test plays followers that are slower than the fan-out."""
    tag, event_id, link = an_event()
    told, message_id = hub.somebody(tag), identifiers.new_id(clock.now())
    host = hub.somebody()
    news = News(message_id, event_id, message_id, {"kind": EVENTS_PUBLISHED.key})
    ToldStore(hub.database, "notifications").keep(news, Portion(1, [told], last=True), clock.now())
    hub.event(EVENTS_CANCELLED, tag, event_id, reason="A pipe broke.", host_id=host)
    until(lambda: "no_follower_yet" in hub.processes.log("notifications"))
    assert hub.told(link, EVENTS_CANCELLED) == []
    hub.event(EVENTS_PUBLISHED, tag, event_id, host_id=host, id=message_id)
    until(lambda: hub.told(link, EVENTS_CANCELLED) == sorted([host, told]))


def test_a_line_and_what_is_announced_of_it_have_the_facts_and_no_sentence(hub: Hub, amqp_uri: str) -> None:
    tag, event_id, link = an_event()
    told = hub.somebody(tag)
    first, second = (Listener(amqp_uri, each.key) for each in (NOTIFICATIONS_DELIVERED, NOTIFICATIONS_DELIVERED_V2))
    hub.event(EVENTS_PUBLISHED, tag, event_id, title="Café\n morning")
    said, words = second.wait(1)[0]["data"], first.wait(1)[0]["data"]
    (line,) = hub.database.inbox.find({"member": told, "link": link})
    audience = {"everyone": False, "roles": [], "tags": [tag]}
    facts = {"title": "Café morning", "place": "The café, ground floor", "audience": audience}
    moments = {name: line["facts"].pop(name) for name in ("starts_at", "ends_at")}
    assert (line["facts"], line["about"], line["expires_at"]) == (facts, event_id, moments["ends_at"])
    assert {name: datetime.fromisoformat(said["facts"].pop(name)) for name in moments} == moments
    assert (said["facts"], said["about"]) == (facts, event_id)
    assert datetime.fromisoformat(said["expires_at"]) == moments["ends_at"]
    for each in (line, said):
        assert not {"title", "body", "reason"} & set(each)
    assert words["title"] == "New: Café morning", "for a release in English, for those who listen to the first version"
    assert {name: words[name] for name in set(said) & set(words)} == {
        name: said[name] for name in set(said) & set(words)
    }
    first.close()
    second.close()


def test_where_nobody_was_told_of_an_event_nobody_hears_what_becomes_of_it(hub: Hub) -> None:
    tag, event_id, link = an_event()
    hub.event(EVENTS_PUBLISHED, tag, event_id)
    until(lambda: hub.database.told.find_one({"subject": event_id}))
    hub.somebody(tag)
    hub.event(EVENTS_CANCELLED, tag, event_id, reason="Nobody comes.")
    until(lambda: hub.database.told.find_one({"subject": event_id, "kind": EVENTS_CANCELLED.key}))
    assert hub.told(link) == []


def test_of_an_event_from_before_there_were_records_the_audience_hears(hub: Hub) -> None:
    tag, member = secrets.token_hex(4), hub.somebody()
    event_id = identifiers.new_id(clock.now() - 2 * AGO)
    hub.somebody(tag, id=member)
    hub.event(EVENTS_CANCELLED, tag, event_id, reason="The trainer is ill.")
    until(lambda: hub.told(f"/v1/events/{event_id}") == [member])


def test_a_message_that_comes_again_is_told_to_the_same(hub: Hub, amqp_uri: str) -> None:
    """In an earlier version a second delivery told members who had joined the audience in between."""
    tag, event_id, link = an_event()
    member = hub.somebody(tag)
    listener = Listener(amqp_uri, NOTIFICATIONS_DELIVERED_V2.key)
    id = hub.event(EVENTS_PUBLISHED, tag, event_id)
    first = listener.wait(1)[0]
    hub.somebody(id=member)
    other = hub.somebody(tag)
    hub.event(EVENTS_PUBLISHED, tag, event_id, id=id)
    again = listener.wait(2)[1]
    assert (again["id"], again["data"]["member_ids"]) == (first["id"], [member])
    assert hub.told(link) == [member] != [other]
    listener.close()


def test_an_interrupted_fanout_goes_on_with_those_who_were_written_down(hub: Hub) -> None:
    """The state is that of a process that died after it recorded the first portion and before it told its members."""
    tag, event_id, link = an_event()
    joined_at = clock.now() - AGO
    ids = sorted(identifiers.new_id(joined_at) for _ in range(domain.PORTION + 3))
    gone, came, rest = ids[5], ids[6], ids[domain.PORTION :]
    first = [id for id in ids[: domain.PORTION] if id != came]
    message_id = identifiers.new_id(clock.now())
    news = News(message_id, event_id, message_id, {"kind": EVENTS_PUBLISHED.key})
    ToldStore(hub.database, "notifications").keep(news, Portion(1, first, last=False), clock.now())
    everybody = [person(id, "Amara", [], [tag] if id != gone else [], joined_at, 1) for id in ids]
    hub.database.people.insert_many(everybody)
    hub.somebody()  # and the roster is read anew
    hub.event(EVENTS_PUBLISHED, tag, event_id, id=message_id)
    until(lambda: len(hub.told(link)) >= len(first) + len(rest))
    assert hub.told(link) == first + rest, "who was written down, also if they are not meant any more; and the others"
    hub.event(EVENTS_CANCELLED, tag, event_id, reason="The trainer is ill.")
    until(lambda: len(hub.told(link, EVENTS_CANCELLED)) >= len(first) + len(rest))
    assert hub.told(link, EVENTS_CANCELLED) == first + rest
    done = {"portions": 2, "cursor": rest[-1], "done_at": {"$ne": None}}
    assert hub.database.jobs.count_documents(done) == 2


def a_voice(age: timedelta = timedelta(0)) -> tuple[str, str]:
    voice_id = identifiers.new_id(clock.now() - age)
    return voice_id, f"/v1/feedback/{voice_id}"


def no_hour_yet(hub: Hub) -> None:
    """Start the count of the hour anew with a new process, but not in the last seconds of an hour."""
    while (left := 3600 - time.time() % 3600) < 20:
        time.sleep(left)
    hub.processes.end("notifications")
    hub.database.hours.delete_many({})
    served = hub.processes.log("notifications").count("serving")
    hub.processes.start("notifications", "-m", "services.notifications")
    until(lambda: hub.processes.log("notifications").count("serving") > served)


def test_the_words_of_a_voice_are_taken_out_of_all_lines(hub: Hub) -> None:
    no_hour_yet(hub)
    root, author = hub.somebody(roles=("administrator",)), hub.somebody()
    voice_id, link = a_voice()
    hub.voice(FEEDBACK_SUBMITTED, voice_id, text=WORDS, author_id=author)
    hub.voice(FEEDBACK_ANSWERED, voice_id, text=WORDS, answer=f"So {WORDS}!", author_id=author, actor_id=root)
    until(lambda: len(hub.told(link)) == 2)
    hub.somebody(roles=("coworker",), id=root)  # a former administrator still has the line
    assert hub.words().count(WORDS) == 3
    hub.voice(FEEDBACK_TAKEN_DOWN, voice_id, author_id=author, actor_id=root, reason="It names a neighbour.")
    until(lambda: len(hub.told(link)) == 3 and WORDS not in hub.words())
    until(lambda: "It names a neighbour." in hub.words())
    assert hub.told(link, FEEDBACK_TAKEN_DOWN) == [author]
    hub.somebody(roles=("administrator",), id=root)


def test_of_a_voice_that_is_taken_down_before_it_is_heard_no_inbox_has_the_words(hub: Hub) -> None:
    no_hour_yet(hub)
    root, (voice_id, link) = hub.somebody(roles=("administrator",)), a_voice()
    hub.voice(FEEDBACK_TAKEN_DOWN, voice_id, author_id=None, actor_id=root, reason="It names a neighbour.")
    until(lambda: hub.database.told.find_one({"_id": f"{voice_id}:withdrawn"}))
    hub.voice(FEEDBACK_SUBMITTED, voice_id, text=WORDS, author_id=None)
    until(lambda: root in hub.told(link))
    assert WORDS not in hub.words()


def test_of_a_voice_from_before_there_were_records_the_words_go_too(hub: Hub) -> None:
    root, (voice_id, link) = hub.somebody(), a_voice(2 * AGO)
    line = {"_id": f"{root}:old", "member": root, "link": link, "kind": FEEDBACK_SUBMITTED.key, "title": WORDS}
    hub.database.inbox.insert_one(line | {"body": WORDS})
    hub.voice(FEEDBACK_TAKEN_DOWN, voice_id, author_id=None, actor_id=root, reason="It names a neighbour.")
    until(lambda: WORDS not in hub.words())


def test_of_very_many_voices_in_an_hour_each_administrator_has_one_line(hub: Hub, amqp_uri: str) -> None:
    no_hour_yet(hub)
    roots = [hub.somebody(roles=("administrator",)) for _ in range(2)]
    listener, voices = Listener(amqp_uri, NOTIFICATIONS_DELIVERED_V2.key), [a_voice() for _ in range(10)]
    said = {voice_id: hub.voice(FEEDBACK_SUBMITTED, voice_id, text="I need a lamp.") for voice_id, _ in voices}
    until(lambda: hub.database.told.count_documents({"subject": {"$in": list(said)}}) == 10)
    for voice_id, id in said.items():  # each of them comes again
        hub.voice(FEEDBACK_SUBMITTED, voice_id, text="I need a lamp.", id=id)
    until(lambda: (hub.database.hours.find_one({}) or {"count": 0})["count"] >= 20)
    hub.voice(FEEDBACK_SUBMITTED, (last := a_voice())[0], text="The last one.")
    until(lambda: hub.database.told.find_one({"subject": last[0]}))
    for root in roots:
        mine = list(hub.database.inbox.find({"member": root}))
        assert len([each for each in mine if each["link"] != "/v1/feedback"]) == LINES
        (many,) = (each for each in mine if each["link"] == "/v1/feedback")
        assert (many["kind"], many["facts"]["most"]) == (FEEDBACK_SUBMITTED.key, LINES)
        assert many["facts"]["hour"].minute == 0
    told = [each for each in listener.wait(LINES + 1) if roots[0] in each["data"]["member_ids"]]
    assert len({each["id"] for each in told}) == LINES + 1, "the live stream is told as often"
    listener.close()
