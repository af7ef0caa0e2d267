"""A backup is made while the hub is in use. The store is destroyed, and comes back with all that a backup promises."""

import gzip
import json
import secrets
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import bson
import pymongo
import pytest
from bson.codec_options import CodecOptions

from deploy.hub.restore import RAISE
from tests.hub.operator import Operator
from tests.journeys.test_story import publish
from tests.rig.processes import Member, Platform, forget_messages, until

EPHEMERAL = {f"members/{name}" for name in ("sessions", "attempts", "devices", "tickets")}
EPHEMERAL |= {"feedback/tallies", *(f"{service}/answers" for service in Platform.SERVICES)}
AWARE: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)

Documents = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def platform(own_platform: Platform) -> Platform:
    return own_platform


@pytest.fixture(scope="module")
def operator(platform: Platform) -> Operator:
    return Operator(platform.processes.environment | {"HOST": "127.0.0.1", "PORT": str(platform.port)})


class Store:
    """The databases of the platform."""

    def __init__(self, platform: Platform) -> None:
        self._environment = platform.processes.environment
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self._environment["MONGO_URI"])

    def database(self, service: str) -> Any:
        return self.client.get_database(self._environment["MONGO_DATABASE_PREFIX"] + service, codec_options=AWARE)

    def documents(self) -> Documents:
        """All documents by collection and id."""
        return {
            f"{service}/{name}": {each["_id"]: each for each in self.database(service)[name].find()}
            for service in Platform.SERVICES
            for name in self.database(service).list_collection_names()
        }

    def destroy(self) -> None:
        for service in Platform.SERVICES:
            self.client.drop_database(self.database(service).name)


@pytest.fixture
def store(platform: Platform) -> Iterator[Store]:
    made = Store(platform)
    yield made
    made.client.close()


def lost(platform: Platform, store: Store) -> None:
    """Stop all processes, and empty the store and the broker."""
    for name in (*platform.SERVICES, "gateway"):
        platform.processes.kill(name)
    time.sleep(2.5)  # until messages that wait for their next try are back in their queue
    forget_messages(platform.processes.environment["AMQP_URI"])
    store.destroy()


def again(platform: Platform, operator: Operator) -> None:
    """Start all processes again, and wait until they have heard of the members."""
    for name in platform.SERVICES:
        platform.serve(name)
    platform.open_door("gateway", platform.port)
    platform.ready()
    operator.hub("replay")


@contextmanager
def under_load(platform: Platform, members: list[Member]) -> Iterator[list[str]]:
    """Members raise voices, organisers publish, people join, until the block ends; yields the voices so far."""
    stop, voices = Event(), list[str]()

    def repeatedly(deed: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            while not stop.is_set():
                deed()

        return run

    def say(member: Member) -> None:
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        voices.append(member.post("/v1/feedback", {"text": "I need a lamp."}, headers=headers)["id"])

    deeds = [lambda member=member: say(member) for member in members]  # type: ignore[misc]
    deeds.append(lambda: publish(platform.administrator, title="Café morning", audience={"everyone": True}))
    deeds.append(lambda: members[0].ask("PATCH", "/v1/me", json={"tags_want": [f"tag {time.monotonic_ns()}"]}))
    threads = [Thread(target=repeatedly(deed), daemon=True) for deed in deeds]
    for thread in threads:
        thread.start()
    try:
        yield voices
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def backed_up(folder: Path) -> Documents:
    """The documents of a backup, read with nothing of ours."""
    found: Documents = {}
    for path in folder.glob("*/*.bson.gz"):
        documents = bson.decode_all(gzip.decompress(path.read_bytes()), AWARE)
        found[f"{path.parent.name}/{path.name.removesuffix('.bson.gz')}"] = {each["_id"]: each for each in documents}
    return found


def as_told(documents: dict[str, Any], raised: int = 0) -> dict[str, Any]:
    """The documents without unsent messages, and with the sequences that they had before these were raised."""
    told = {}
    for id, each in documents.items():
        told[id] = {name: value for name, value in each.items() if name not in ("outbox", "unsent")}
        if {"version", "sequence"} <= each.keys():
            told[id]["sequence"] -= raised
    return told


def test_what_was_there_is_there_again(platform: Platform, operator: Operator, store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    members = [platform.join(name) for name in ("Amara", "Tariq", "Lena")]
    with under_load(platform, members) as voices:
        until(lambda: len(voices) > 30)
        before = list(voices)
        said = operator.hub("backup", str(folder))
        assert len(voices) > len(before)
    assert "backup holds" in said
    written = backed_up(folder)
    assert store.documents()["feedback/answers"], "so that leaving them out is seen"
    assert written.keys() == store.documents().keys() - EPHEMERAL
    assert written["feedback/voices"].keys() >= set(before)

    assert "still run" in operator.hub("restore", str(folder), code=1)
    lost(platform, store)
    operator.hub("restore", str(folder))
    restored = store.documents()
    there = ({name for name, documents in each.items() if documents} for each in (restored, written))
    assert next(there) == next(there)
    for name, documents in restored.items():
        assert as_told(documents, RAISE) == as_told(written[name]), name
    assert "is not empty" in operator.hub("restore", str(folder), code=1)
    assert store.documents() == restored

    # As if the copy had been read after a change that came too late for the original.
    people = store.database("notifications").people
    people.update_one({"_id": members[1].id}, {"$inc": {"sequence": 3}, "$set": {"tags": ["from the future"]}})

    again(platform, operator)
    accounts = store.documents()["members/accounts"]
    until(lambda: Counter(copies(store)) == Counter(originals(accounts)))
    published = [id for id, each in restored["events/events"].items() if each["status"] == "published"]
    assert len(published) > 3
    links = Counter(
        {(platform.administrator.id, f"/v1/feedback/{id}"): 1 for id in restored["feedback/voices"]}
        | {("everyone", f"/v1/events/{id}"): 1 for id in published}
    )

    def told() -> Counter[tuple[str, str]]:
        found = store.documents()
        lines = [*found["notifications/inbox"].values(), *found["notifications/broadcasts"].values()]
        return Counter((each.get("member", "everyone"), each["link"]) for each in lines)

    until(lambda: links.keys() <= told().keys(), seconds=30)
    assert set(told().values()) == {1}
    until(lambda: operator.json("doctor", code=None)["healthy"], seconds=30)
    assert platform.sign_in(members[0].profile["email"]).profile["name"] == "Amara"


def copies(store: Store) -> list[str]:
    people = store.documents()["notifications/people"].values()
    return [json.dumps([each["_id"], sorted(each["tags"]), each["roles"], each["sequence"]]) for each in people]


def originals(accounts: dict[str, Any]) -> list[str]:
    return [
        json.dumps([each["_id"], sorted(each["tags_have"] + each["tags_want"]), each["roles"], each["sequence"]])
        for each in accounts.values()
    ]


def test_what_was_announced_but_not_heard_is_heard_later(
    platform: Platform, operator: Operator, store: Store, tmp_path: Path
) -> None:
    folder, root = tmp_path / "backup", platform.administrator
    amara = platform.join("Amara")
    platform.processes.kill("notifications")
    amara.post("/v1/feedback", {"text": "Nobody hears this before the backup begins."})
    process = operator.start("backup", str(folder))
    assert process.stdout is not None
    assert "Listening" in process.stdout.readline()
    voice = amara.post("/v1/feedback", {"text": "Nor this."})["id"]
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "notifications.fanout.tell_the_administrators waited" in err
    assert "outbox" not in backed_up(folder)["feedback/voices"][voice], "it had been sent"

    lost(platform, store)
    assert "1 message will be announced again" in operator.hub("restore", str(folder))
    again(platform, operator)
    root = platform.sign_in(root.profile["email"])
    until(lambda: [each["link"] for each in root.get("/v1/notifications")["items"]].count(f"/v1/feedback/{voice}") == 1)


def test_a_deed_that_is_noted_meanwhile_is_in_the_audit_log(
    platform: Platform, operator: Operator, store: Store, tmp_path: Path
) -> None:
    """The note is a private message. The service that keeps the audit log is down until the backup has ended."""
    folder, root = tmp_path / "backup", platform.administrator
    platform.processes.kill("members")
    process = operator.start("backup", str(folder))
    assert process.stdout is not None
    assert "Listening" in process.stdout.readline()
    event = publish(root, title="Café morning", audience={"everyone": True})["id"]
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "outbox" not in backed_up(folder)["events/events"][event], "it had been sent"

    lost(platform, store)
    operator.hub("restore", str(folder))
    again(platform, operator)
    # The store is asked: reading the log is noted in the log, too, and would soon fill its first page.
    entries = store.database("members").audit
    until(lambda: entries.count_documents({"operation": "publish_event", "subject_id": event}) == 1)


@pytest.fixture(scope="module")
def whole(platform: Platform, operator: Operator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    platform.ready()
    folder = tmp_path_factory.mktemp("whole") / "backup"
    operator.hub("backup", str(folder))
    return folder


def truncate(folder: Path) -> None:
    path = folder / "members/accounts.bson.gz"
    path.write_bytes(path.read_bytes()[:-20])


def change(folder: Path) -> None:
    path = folder / "members/accounts.bson.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"coworker", b"cowORKER")))


def take_away(folder: Path) -> None:
    (folder / "members/accounts.bson.gz").unlink()


def unfinish(folder: Path) -> None:
    (folder / "backup.json").unlink()


def outgrow(folder: Path) -> None:
    table = json.loads((folder / "backup.json").read_text())
    (folder / "backup.json").write_text(json.dumps(table | {"format": 2}))


@pytest.mark.parametrize(
    ("deed", "says"),
    [
        (truncate, "is damaged or missing"),
        (change, "is not as it was written"),
        (take_away, "is damaged or missing"),
        (unfinish, "is no backup, or one that was never finished"),
        (outgrow, "has the format 2; this version reads 1"),
    ],
)
def test_what_is_not_whole_is_not_restored(
    operator: Operator, whole: Path, tmp_path: Path, deed: Callable[[Path], None], says: str
) -> None:
    folder = tmp_path / "copy"
    subprocess.run(["cp", "-r", whole, folder], check=True)
    deed(folder)
    said = operator.hub("restore", str(folder), code=1)
    assert says in said
    assert "still run" not in said, "it is looked at first"


def test_a_backup_is_for_its_owner_and_overwrites_nothing(operator: Operator, whole: Path) -> None:
    modes = {path.stat().st_mode & 0o077 for path in (whole, *whole.rglob("*"))}
    assert modes == {0}
    assert "is not empty" in operator.hub("backup", str(whole), code=1)
