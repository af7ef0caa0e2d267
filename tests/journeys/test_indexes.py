"""Each query of the services has an index that leads to the wanted rows and to no others, in any hub.

The store's own profiler tells what they ask while everything is used in every way.
"""

import itertools
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pymongo
import pytest
import requests

from services.chassis import cursors
from services.contracts.messages.feedback import FEEDBACK_SUBMITTED
from services.ground import clock, identifiers
from services.notifications.fanout import domain as fanout
from services.notifications.fanout.store import JobStore
from services.notifications.inbox.store import InboxStore
from services.notifications.people.store import PeopleStore
from tests.journeys.test_replay import hub
from tests.journeys.test_story import publish
from tests.rig.processes import Member, Platform, until
from tests.rig.queries import EQUAL, RANGE, Index, Shape, asked
from tests.rig.rights import Matrix

# Its set-up asks for every list in many ways, which takes a minute on a quiet machine.
pytestmark = pytest.mark.timeout(400)

A_DAY, AN_ID = "2026-01-01T00:00:00Z", "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"
PLACES = (None, cursors.write(AN_ID), cursors.write([1_767_225_600_000, AN_ID]))  # a list knows one of the latter
CHOICES = {"boolean": "true", "date-time": A_DAY, "uuid": AN_ID}

# What reads more than it gives, and why it may.
WIDER = {
    "one member's": (
        "find notifications.inbox: member =, read_at =; by -at, -_id",
        "find notifications.inbox: at <>, member =, read_at =; by -at, -_id",
        "find notifications.inbox: _id <>, at =, member =, read_at =; by -at, -_id",
        "count notifications.inbox: member =, read_at =",
        "change notifications.inbox: at <>, member =, read_at =",
        "find members.audit: actor_id =, outcome =; by -_id",
        "find members.audit: _id <>, actor_id =, outcome =; by -_id",
    ),
    "one member's, as many as they raised": (
        "find feedback.voices: author_id =, status =; by -raised_at, -_id",
        "find feedback.voices: author_id =, raised_at <>, status =; by -raised_at, -_id",
        "find feedback.voices: _id <>, author_id =, raised_at =, status =; by -raised_at, -_id",
    ),
    "the role or the tag, whichever fewer have; no index takes two lists": (
        "find members.accounts: roles =, status =, tags_have =; by _id",
        "find members.accounts: roles =, status =, tags_want =; by _id",
        "find members.accounts: _id <>, roles =, status =, tags_have =; by _id",
        "find members.accounts: _id <>, roles =, status =, tags_want =; by _id",
        "find members.accounts: roles =, status ?, tags_have =; by _id",
        "find members.accounts: roles =, status ?, tags_want =; by _id",
        "find members.accounts: _id <>, roles =, status ?, tags_have =; by _id",
        "find members.accounts: _id <>, roles =, status ?, tags_want =; by _id",
    ),
    "all but the few who are suspended or removed": (
        "find members.accounts: status ?; by _id",
        "find members.accounts: roles =, status ?; by _id",
        "find members.accounts: _id <>, status ?; by _id",
        "find members.accounts: _id <>, roles =, status ?; by _id",
        "find members.accounts: status ?, tags_have =; by _id",
        "find members.accounts: status ?, tags_want =; by _id",
        "find members.accounts: _id <>, status ?, tags_have =; by _id",
        "find members.accounts: _id <>, status ?, tags_want =; by _id",
    ),
    "of the few who are suspended": (
        "find members.accounts: roles =, status =; by _id",
        "find members.accounts: _id <>, roles =, status =; by _id",
        "find members.accounts: status =, tags_have =; by _id",
        "find members.accounts: status =, tags_want =; by _id",
        "find members.accounts: _id <>, status =, tags_have =; by _id",
        "find members.accounts: _id <>, status =, tags_want =; by _id",
    ),
    "one member's, of three months": ("change members.sessions: _id ?, ended =, member_id =",),
    "all that a dismissed administrator had sent": ("find members.invitations: by =, used_by =, withdrawn_at =",),
    "all administrators, when one is dismissed": ("find members.accounts: _id ?, roles =",),
    "a thousand members', when a voice from before there were records is taken down": (
        "change notifications.inbox: kind =, link =, member =",
    ),
    "the roster of people, when somebody has changed": (
        "find notifications.people: any",
        "count notifications.people: any",
    ),
}
# What a list of events may be asked for. An index leads to those that fit one filter, the others are looked at in what
# it finds. What is searched for by its end began in the hundred days before. Few drafts are cancelled, and few events
# belong to one host, one tag or one touchpoint.
EVENTS, FILTERS, LOOKED_AT = "events.events", ("host_id", "audience.tags", "touchpoint"), ("ends_at", "published_at")
AT_ONCE = 3  # choices of a list, besides its page; what more of them ask for is no other kind of query
ALIKE = ("touchpoint",)  # of whose words one stands for all
# What gives as much as there is, and why it may.
WHOLE = {
    "one member's": (
        "count notifications.inbox: member =, read_at =",
        "change notifications.inbox: at <>, member =, read_at =",
    ),
    "broadcasts since somebody belongs or marked all as read, of which a page takes the first": (
        "find notifications.broadcasts: at <>; by at, _id",
        "find notifications.broadcasts: at <>; by -at, -_id",
    ),
    "a backlog, which is sent while it is read": (
        "find events.events: unsent =",
        "find events.offerings: unsent =",
        "find feedback.voices: unsent =",
        "find members.accounts: unsent =",
        "find members.house: unsent =",
        "find members.invitations: unsent =",
        "find feedback.readings: unsent =",
        "find members.sessions: unsent =",
    ),
    "one member's, of three months": (
        "change members.sessions: ended =, member_id =",
        "change members.sessions: _id ?, ended =, member_id =",
    ),
    "all invitations of one address, when its member is removed": ("find members.invitations: email =",),
    "all that a dismissed administrator had sent": ("find members.invitations: by =, used_by =, withdrawn_at =",),
    "all administrators, when one is dismissed": ("find members.accounts: _id ?, roles =",),
    "one member's, twenty at most": ("delete members.devices: member_id =",),
    "a day's, once a day": (
        "delete notifications.inbox: at <>, member =",
        "delete notifications.broadcasts: at <>",
    ),
    "an operator's task: members are announced again": ("find members.accounts: any; by _id",),
    "the roster of people, when somebody has changed": (
        "find notifications.people: any",
        "count notifications.people: any",
    ),
    "the host of an event": ("find notifications.followers: state =, subject =",),
    "whom a voice that is taken down was told of: a record for a thousand": (
        "find notifications.told: subject =; by kind, _id",
    ),
    "a thousand members', when a voice from before there were records is taken down": (
        "change notifications.inbox: kind =, link =, member =",
    ),
    "whoever is told in a very large hub": (
        "find notifications.people: roles =",
        "find notifications.people: tags =",
        "find notifications.people: roles = | tags =",
    ),
}
# What the embedded store answers by reading every row: it has no order of ids, and no index for alternatives.
EMBEDDED_READS_ALL = {
    "the members of a hub": (
        "find members.accounts: any; by _id",
        "find members.accounts: status ?; by _id",
        "find members.accounts: _id <>, status ?; by _id",
    ),
    "all people": (
        "find notifications.people: any",
        "count notifications.people: any",
        "find notifications.people: roles = | tags =",
    ),
    "what administrators read seldom": (
        "find members.audit: any; by -_id",
        "find members.audit: _id <>; by -_id",
        "find members.invitations: any; by -_id",
        "find members.invitations: _id <>; by -_id",
        "find feedback.voices: any; by -raised_at, -_id",
    ),
}


class Asked:
    """The queries of the services: each shape with an example, and the indexes of each collection."""

    def __init__(self, client: Any, prefix: str) -> None:
        self.examples: dict[Shape, dict[str, Any]] = {}
        self.indexes: dict[str, dict[Index, dict[str, Any]]] = {}
        self.databases = {service: client[prefix + service] for service in Platform.SERVICES}
        for database in self.databases.values():
            database.command("profile", 2)

    def read(self) -> None:
        for service, database in self.databases.items():
            database.command("profile", 0)
            for name in database.list_collection_names():
                found = database[name].index_information().values()
                self.indexes[f"{service}.{name}"] = {tuple(each["key"]): each for each in found}
            for entry in database["system.profile"].find():
                place = f"{service}.{entry['ns'].removeprefix(f'{database.name}.')}"
                for shape, example in asked(place, entry["command"]):
                    self.examples.setdefault(shape, example)

    def served(self, shape: Shape) -> set[Index]:
        return shape.served_by(self.indexes.get(shape.place, ()))

    def followed(self, shape: Shape) -> set[Index]:
        """The indexes that serve it; of a search for events, those that lead to what fits one of its filters."""
        used = [name for name in FILTERS if any(name == each for way in shape.ways for each, _ in way)]
        if (found := self.served(shape)) or shape.place != EVENTS:
            return found
        others = [{*FILTERS, *LOOKED_AT} - {name} for name in used] or [set(LOOKED_AT)]
        return set().union(*(self.served(shape.without(*names)) for names in others))

    def plan(self, shape: Shape) -> set[str]:
        """The stages in which the store itself would answer."""
        service, _, name = shape.place.partition(".")
        command = {"find": name, **{key: value for key, value in self.examples[shape].items() if value}}
        answer = self.databases[service].command({"explain": command, "verbosity": "queryPlanner"})
        return set(_stages(answer["queryPlanner"]["winningPlan"]))


def _stages(plan: Any) -> Iterator[str]:
    inside = plan.values() if isinstance(plan, dict) else plan if isinstance(plan, list) else ()
    if isinstance(plan, dict) and isinstance(plan.get("stage"), str):
        yield plan["stage"]
    for each in inside:
        yield from _stages(each)


@pytest.fixture(scope="module")
def platform(own_platform: Platform) -> Platform:
    return own_platform


@pytest.fixture(scope="module")
def found(platform: Platform) -> Iterator[Asked]:
    """The queries of the whole platform, after everything was used."""
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"], tz_aware=True) as client:
        found = Asked(client, environment["MONGO_DATABASE_PREFIX"])
        matrix = Matrix(platform)
        for party in (matrix.party("coworker"), matrix.party("administrator")):
            assert party.owner is not None
            for name in matrix.operations:
                list(matrix.row(name, party))
            member = platform.sign_in(party.owner.profile["email"])
            _list_in_all_ways(matrix, member)
            _come_back_to_the_stream(member)
            _say_it_twice(member)
        _dismiss_an_administrator(platform)
        _cancel_an_event_of_somebody_else(platform)
        hub(environment, "replay", "members")
        _tell_a_very_large_hub(found.databases["notifications"])
        _interrupt_a_job(found.databases["notifications"])
        _take_down_an_old_voice(found.databases["notifications"])
        _forget(found.databases["notifications"])
        until(lambda: platform.administrator.get("/v1/audit")["items"])
        found.read()
        yield found


def _list_in_all_ways(matrix: Matrix, member: Member) -> None:
    """Each list with each combination of a few things it may be asked for, from the beginning and from a later page."""
    for method, path, operation in matrix.operations.values():
        parameters = [_resolved(matrix.document, each) for each in operation.get("parameters", [])]
        choices = {each["name"]: _choices(each) for each in parameters if each["in"] == "query"}
        if method == "get" and "cursor" in choices:
            answers = [_asked(member, path, zip(choices, each, strict=True)) for each in _combinations(choices)]
            assert all(each.status_code in (200, 403) or "cursor" in each.text for each in answers)
            assert any(each.ok for each in answers) or "administrator" not in member.profile["roles"], path


def _combinations(choices: dict[str, list[Any]]) -> Iterator[tuple[Any, ...]]:
    for each in itertools.product(*choices.values()):
        chosen = [name for name, value in zip(choices, each, strict=True) if value is not None and name != "cursor"]
        if len(chosen) <= AT_ONCE:
            yield each


def _resolved(document: Any, parameter: Any) -> Any:
    for name in parameter.get("$ref", "#")[2:].split("/") if "$ref" in parameter else ():
        document = document[name]
    return document if "$ref" in parameter else parameter


def _choices(parameter: Any) -> list[Any]:
    name, schema = parameter["name"], parameter["schema"]
    if name in ("limit", "cursor"):
        return [None] if name == "limit" else list(PLACES)
    kinds = (schema.get("format"), schema.get("type"))
    example = next(
        (CHOICES[each] for each in kinds if isinstance(each, str) and each in CHOICES), schema.get("example")
    )
    words = [each for each in schema.get("enum", [example]) if each is not None]
    return [None, *(words[:1] if name in ALIKE else words)]


def _asked(member: Member, path: str, query: Any, **headers: str) -> requests.Response:
    wanted = {name: value for name, value in query if value is not None}
    headers["Authorization"] = f"Bearer {member.tokens['access_token']}"
    return requests.get(member.url + path, params=wanted, headers=headers, timeout=10, stream="stream" in path)


def _come_back_to_the_stream(member: Member) -> None:
    last = {"Last-Event-ID": f"1767225600000-{AN_ID}"}
    with _asked(member, "/v1/notifications/stream", (), **last) as answer:
        assert answer.ok
        next(answer.iter_content(1))
    ticket = member.post("/v1/notifications/stream/tickets")["ticket"]
    address = f"{member.url}/v1/notifications/stream"
    with requests.get(address, params={"ticket": ticket}, stream=True, timeout=10) as answer:
        assert answer.ok


def _say_it_twice(member: Member) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    for _ in range(2):
        member.post("/v1/feedback", {"text": "I need a lamp."}, headers=key)


def _dismiss_an_administrator(platform: Platform) -> None:
    dismissed = platform.join("Root", ("administrator",))
    platform.administrator.ask("PUT", f"/v1/members/{dismissed.id}/roles", json={"roles": ["coworker"]})


def _cancel_an_event_of_somebody_else(platform: Platform) -> None:
    trainer = platform.join("Tariq", ("trainer",), tags_want=["glassblowing"])
    other = platform.join("Gil", tags_want=["glassblowing"])
    event = publish(trainer, audience={"tags": ["glassblowing"]})
    other.inbox(1)
    platform.administrator.post(f"/v1/events/{event['id']}/cancel", {"reason": "A pipe broke."}, status=200)
    other.inbox(2)
    trainer.inbox(1)


def _tell_a_very_large_hub(database: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.notifications.people.store.ROSTER_AT_MOST", 0)
        for roles, tags in (["host"], []), ([], ["bread"]), (["host"], ["bread"]):
            audience = {"everyone": False, "roles": roles, "tags": tags}
            people = PeopleStore(database, "notifications")
            people.audience(audience, at=clock.now(), but=None)


def _interrupt_a_job(database: Any) -> None:
    jobs, now, id = JobStore(database, "notifications"), clock.now(), identifiers.new_id(clock.now())
    for nth in (1, 2):
        job = fanout.taken_up(fanout.begin(id, now), jobs.find(id))
        jobs.step(fanout.advance(job, fanout.Portion(nth, ["a"], last=nth == 2), now))


def _take_down_an_old_voice(database: Any) -> None:
    for ids in PeopleStore(database, "notifications").everybody():
        notice = fanout.notice(FEEDBACK_SUBMITTED.key, {}, f"/v1/feedback/{AN_ID}", AN_ID)
        InboxStore(database, "notifications").blank_about(ids, [notice])


def _forget(database: Any) -> None:
    inbox, years_ago = InboxStore(database, "notifications"), clock.now() - timedelta(days=3650)
    for ids in PeopleStore(database, "notifications").everybody():
        inbox.forget(ids, years_ago)
    inbox.broadcasts.forget(years_ago)


def _all(reasons: dict[str, tuple[str, ...]]) -> set[str]:
    return set(itertools.chain(*reasons.values()))


def test_every_collection_was_asked(found: Asked) -> None:
    kept = {place for place in found.indexes if not place.endswith("system.profile")}
    assert len(kept) > 10
    assert kept <= {shape.place for shape in found.examples}


def test_an_index_leads_to_what_is_wanted(found: Asked) -> None:
    assert {str(shape) for shape in found.examples if not found.followed(shape)} == _all(WIDER)
    events = [shape for shape in found.examples if shape.place == EVENTS and not found.served(shape)]
    assert len(events) > len(FILTERS) * len(LOOKED_AT), "the others are asked for, too"


def test_nobody_asks_for_more_than_a_page(found: Asked) -> None:
    assert {str(shape) for shape in found.examples if not shape.bounded} == _all(WHOLE)


def test_no_index_is_superfluous(found: Asked) -> None:
    used = {(shape.place, index) for shape in found.examples for index in found.served(shape)}
    used |= {(place, (("_id", 1),)) for place in found.indexes}
    for shape in found.examples:  # where no index leads to all that is wanted, one that leads to a part of it helps
        if not found.served(shape):
            asked_for = {name for way in shape.ways for name, _ in way}
            used |= {(shape.place, index) for index in found.indexes[shape.place] if index[0][0] in asked_for}
    kept = {(place, index): how for place, indexes in found.indexes.items() for index, how in indexes.items()}
    assert [each for each, how in kept.items() if each not in used and "expireAfterSeconds" not in how] == []


def test_the_store_uses_them(found: Asked) -> None:
    embedded = "secantusVersion" in found.databases["members"].client.server_info()
    if embedded:  # its `explain` says less than it does
        scanned = {
            shape for shape, asked in found.examples.items() if _read_by_the_embedded_store(shape, asked["filter"])
        }
        assert {str(shape) for shape in scanned} == _all(EMBEDDED_READS_ALL)
    else:
        scanned = {shape for shape in found.examples if "COLLSCAN" in found.plan(shape)}
        assert {str(shape) for shape in scanned if not found.followed(shape)} <= _all(WIDER)


def _read_by_the_embedded_store(shape: Shape, query: dict[str, Any]) -> bool:
    alternatives = any(name.startswith("$") for name in query)
    nothing_but_ids = {name for way in shape.ways for name, how in way if how in (EQUAL, RANGE)} <= {"_id"} and not any(
        ("_id", EQUAL) in way for way in shape.ways
    )
    return alternatives or nothing_but_ids


@pytest.mark.parametrize(
    ("command", "index", "serves"),
    [
        ({"filter": {"a": 1, "b": 2}, "sort": {"c": 1, "_id": 1}}, "b a c _id", True),
        ({"filter": {"a": 1, "b": 2}, "sort": {"c": -1, "_id": -1}}, "a b c _id", True),
        ({"filter": {"a": 1}, "sort": {"c": 1, "_id": -1}}, "a c _id", False),
        ({"filter": {"a": 1, "b": 2}, "sort": {"c": 1, "_id": 1}}, "a b c", False),
        ({"filter": {"a": 1, "b": 2}, "sort": {"c": 1}}, "a c", False),
        ({"filter": {"a": 1, "c": {"$gt": 2}}, "sort": {"c": 1}}, "a c", True),
        ({"filter": {"a": 1, "c": {"$gt": 2}}, "sort": {"d": 1}}, "a c d", False),
        ({"filter": {"c": {"$gt": 2}, "a": {"$lt": 1}}}, "a c", False),
        ({"filter": {"a": {"$in": [1, 2]}}}, "a", True),
        ({"filter": {"a": {"$ne": 1}}}, "a", False),
        ({"filter": {"$or": [{"a": 1}, {"b": 1}]}}, "a", False),
        ({"filter": {}}, "a", False),
        ({"filter": {}, "sort": {"a": 1}}, "a", True),
        ({"filter": {"_id": 1, "b": {"$ne": 1}}}, "a", True),
    ],
)
def test_what_serves(command: dict[str, Any], index: str, serves: bool) -> None:
    [(shape, _)] = asked("x", {"find": "x", **command})
    assert bool(shape.served_by([tuple((name, 1) for name in index.split())])) is serves
