"""The service behind the door: one call, one read."""

import os
from datetime import UTC, datetime
from typing import Annotated, Any

import uvloop
from bson.codec_options import CodecOptions
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from pydantic import BaseModel, Field, PlainSerializer
from pymongo import AsyncMongoClient

CALLS = RabbitQueue("peer-accounts.me", durable=True)
HIDDEN = {"outbox": False, "unsent": False}
Moment = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")),
]


class Profile(BaseModel):
    """A member as they see themselves."""

    id: str = Field(validation_alias="_id")
    name: str
    pronouns: str
    what_i_do: str
    organisation: str
    country: str
    languages: list[str]
    tags_have: list[str]
    tags_want: list[str]
    email: str
    roles: list[str]
    joined_at: Moment
    version: int


broker = RabbitBroker(
    os.environ["AMQP_URI"],
    default_channel=Channel(prefetch_count=int(os.environ.get("WORKERS", "10")), publisher_confirms=False),
    apply_types=False,  # there is nothing to inject, and one text to check
    logger=None,
)
client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(os.environ["MONGO_URI"])
rows = client.get_database(os.environ["DATABASE"], codec_options=CodecOptions(tz_aware=True))["accounts"]


@broker.subscriber(CALLS, ack_policy=AckPolicy.ACK_FIRST)
async def me(member_id: str) -> bytes:
    found = await rows.find_one({"_id": member_id}, HIDDEN)
    return Profile.model_validate(found).model_dump_json().encode() if found else b""


def serve() -> None:
    """Run until SIGTERM."""
    app = FastStream(broker, logger=None)
    app.after_startup(_say)
    uvloop.run(app.run())


async def _say() -> None:
    print("serving", flush=True)
