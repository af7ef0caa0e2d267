"""`python -m tests.bench.bare_store DATABASE SECONDS find|page|insert KEY`: the store alone, from 8 threads.

Each does what a service asks of the store for one request, over the service's own collections with their indexes and
write concerns, and nothing else. Prints how often per second.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from pymongo.database import Database

from services.chassis.outbox import OUTBOX, UNSENT
from services.chassis.rows import HIDDEN, JOURNALED
from services.contracts.catalogue import envelope
from services.contracts.messages.feedback import FEEDBACK_SUBMITTED
from services.feedback.voices.domain import raise_voice
from services.feedback.voices.store import VoiceStore
from services.ground import clock, identifiers
from services.members.accounts.store import AccountStore
from services.notifications.inbox.store import InboxStore

THREADS = 8
PAGE = 20
Document = dict[str, Any]


def voice(author_id: str, text: str) -> Document:
    """A voice as it is saved, with its message inside."""
    now = clock.now()
    draft = {"text": text, "kind": None, "touchpoint": "app", "anonymous": False}
    made = raise_voice(author_id, draft, "", id=identifiers.new_id(now), at=now)
    announcement = FEEDBACK_SUBMITTED.about(made, voice_id=made["_id"])
    facts = {"sequence": 1, "correlation_id": author_id, "causation_id": None}
    riding = envelope(announcement, id=identifiers.new_id(now), **facts)
    return {**made, "version": 1, "sequence": 1, OUTBOX: [riding], UNSENT: True}


def another(pattern: Document) -> Document:
    """A voice like this one, with an id of its own."""
    id = identifiers.new_id(pattern["raised_at"])
    return {**pattern, "_id": id, OUTBOX: [{**each, "id": id} for each in pattern[OUTBOX]]}


def _find(database: Database[Document], member_id: str) -> Callable[[], Any]:
    rows = AccountStore(database, "members").rows
    return lambda: rows.find_one({"_id": member_id}, HIDDEN)


def _page(database: Database[Document], member_id: str) -> Callable[[], Any]:
    rows = InboxStore(database, "notifications").rows
    newest = [("at", -1), ("_id", -1)]
    return lambda: list(rows.find({"member": member_id}, HIDDEN).sort(newest).limit(PAGE + 1))


def _insert(database: Database[Document], author_id: str) -> Callable[[], Any]:
    store = VoiceStore(database, "feedback")
    store.prepare()
    pattern = voice(author_id, "I need a lamp.")
    return lambda: store.rows.insert_one(another(pattern))


def main(name: str, seconds: str, kind: str, key: str) -> None:
    """Ask from all threads at once."""
    codec = CodecOptions[Document](tz_aware=True)
    client = pymongo.MongoClient[Document](os.environ["MONGO_URI"])
    database = client.get_database(name, codec_options=codec, write_concern=JOURNALED)
    ask = {"find": _find, "page": _page, "insert": _insert}[kind](database, key)
    assert ask(), f"nothing is found for {key}"
    done: list[int] = []
    began = time.monotonic()

    def work() -> None:
        count = 0
        while time.monotonic() - began < float(seconds):
            ask()
            count += 1
        done.append(count)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(done) / (time.monotonic() - began))


if __name__ == "__main__":
    main(*sys.argv[1:])
