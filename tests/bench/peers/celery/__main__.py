"""The fan-out by Celery: a task for an event reads its audience and sends a task for each thousand of them.

Like ours: the lines themselves (made by our own functions), their `_id`s and index, unordered inserts with `w=1`,
duplicates ignored, durable quorum queues, persistent messages, publisher confirms, acknowledgement when the work is
done, chunks of 1,000. Unlike ours, to its favour: no job that can be taken up again, no outbox, nothing is retried, no
metrics, and who was told is said without the notice, transient, to the benchmark alone. To its cost: the audience is
read for each event and travels in the tasks; ours keeps a roster while nobody changes.
"""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from bson.codec_options import CodecOptions
from celery import Celery, group
from pymongo import MongoClient, WriteConcern
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from services.contracts.messages.events import EVENTS_PUBLISHED
from services.notifications.fanout import domain as fanout
from services.notifications.inbox.domain import line

CHUNK = 1000
DUPLICATE_KEY = 11000

app = Celery("fanout", broker=os.environ["AMQP_URI"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"confirm_publish": True},
    task_acks_late=True,
    task_default_exchange_type="topic",
    task_default_queue=os.environ["QUEUE"],
    task_default_queue_type="quorum",
    task_ignore_result=True,
    task_reject_on_worker_lost=True,
    worker_enable_remote_control=False,
    worker_prefetch_multiplier=int(os.environ.get("PREFETCH_MULTIPLIER", "1")),
)


@cache
def _database() -> Database[dict[str, Any]]:
    """One client a worker process, made after the fork."""
    client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGO_URI"])
    return client.get_database(
        os.environ["DATABASE"], codec_options=CodecOptions(tz_aware=True), write_concern=WriteConcern(w=1)
    )


@app.task(name="tell_of_an_event")
def tell_of_an_event(message_id: str, at: str, event: dict[str, Any]) -> None:
    """Its audience hears of an event."""
    audience, moments = (
        event["audience"],
        {name: datetime.fromisoformat(event[name]) for name in ("starts_at", "ends_at")},
    )
    facts = {"title": event["title"], **moments, "place": event["place"], "audience": audience}
    id = event["event_id"]
    notice = fanout.notice(EVENTS_PUBLISHED.key, facts, f"/v1/events/{id}", id, moments["ends_at"])
    belonging = {"tags": {"$in": audience["tags"]}, "joined_at": {"$lte": datetime.fromisoformat(at)}}
    found = _database().people.find(belonging, {"_id": True}).sort("_id", 1).batch_size(10 * CHUNK)
    ids = [row["_id"] for row in found if row["_id"] != event["actor_id"]]
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    group(put.s(message_id, notice, chunk) for chunk in chunks).apply_async()


@app.task(name="put")
def put(message_id: str, notice: dict[str, Any], member_ids: list[str]) -> None:
    """Add the lines of a chunk; those that are there already stay as they are."""
    now = datetime.now(UTC)
    try:
        _database().inbox.insert_many([line(id, message_id, notice, now) for id in member_ids], ordered=False)
    except BulkWriteError as error:
        if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
            raise
    with app.producer_pool.acquire(block=True) as producer:
        producer.publish({message_id: member_ids}, routing_key=os.environ["TOLD"], delivery_mode=1)


if __name__ == "__main__":
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    app.worker_main(["worker", "--loglevel=INFO", *alone, f"--concurrency={os.environ.get('CONCURRENCY', '1')}"])
