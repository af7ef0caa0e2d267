"""`python -m tests.bench.bare_bus DATABASE`: py-amqp and nothing else, where the platform has a service on the chassis.

It answers calls to `bench.bare`, hears `bench.raw`, and hears `bench.raw.kept`, of which it keeps a line in an inbox.
Queue types, prefetch, acknowledgements and the kind of answers are those of the chassis.
"""

import os
import sys
import time
from typing import Any

import amqp
import orjson
import pymongo

from services.chassis.bus import QUORUM, RPC_EXCHANGE
from services.chassis.rows import RENEWABLE
from services.contracts.catalogue import PRIVATE
from services.ground import clock
from services.notifications.inbox.domain import line
from tests.bench.seeds import answered
from tests.rig.wire import connection

CAPABILITY = "bench.bare"
HEARD, KEPT = "bench.raw", "bench.raw.kept"
QUEUES = (f"rpc-{CAPABILITY}", HEARD, KEPT)
PREFETCH = 10


class Bare:
    def __init__(self, uri: str, inbox: Any) -> None:
        self._connection = connection(uri)
        # With this capability on, every publish would also read the socket.
        self._connection.client_properties["capabilities"]["connection.blocked"] = False
        self._inbox, self._heard = inbox, dict[str, float]()
        calls = self._channel()
        calls.exchange_declare(RPC_EXCHANGE, "topic", durable=True, auto_delete=False)
        calls.queue_declare(f"rpc-{CAPABILITY}", durable=True, auto_delete=False)
        calls.queue_bind(f"rpc-{CAPABILITY}", RPC_EXCHANGE, f"{CAPABILITY}.*")
        for key, hear in ((HEARD, self._hear), (KEPT, self._keep)):
            channel = self._channel()
            channel.exchange_declare(PRIVATE, "topic", durable=True, auto_delete=False)
            channel.queue_declare(key, durable=True, auto_delete=False, arguments=QUORUM)
            channel.queue_bind(key, PRIVATE, key)
            channel.basic_consume(key, callback=hear)
        calls.basic_consume(f"rpc-{CAPABILITY}", callback=self._answer)

    def _channel(self) -> amqp.Channel:
        channel = self._connection.channel()
        channel.auto_decode = False
        channel.basic_qos(0, PREFETCH, False)
        return channel

    def run(self) -> None:
        print("serving", flush=True)
        while True:
            self._connection.drain_events()

    def _hear(self, message: amqp.Message) -> None:
        self._heard[orjson.loads(message.body)["id"]] = time.monotonic()
        message.channel.basic_ack(message.delivery_tag)

    def _keep(self, message: amqp.Message) -> None:
        id, now = orjson.loads(message.body)["id"], clock.now()
        self._inbox.insert_one(line(id, id, answered(id), now))
        self._heard[id] = time.monotonic()
        message.channel.basic_ack(message.delivery_tag)

    def _answer(self, message: amqp.Message) -> None:
        message.channel.basic_ack(message.delivery_tag)
        result = orjson.loads(message.body)["kwargs"]
        if message.delivery_info["routing_key"].endswith(".taken"):
            result, self._heard = self._heard, {}
        said = orjson.dumps({"result": result, "error": None})
        kind = {"content_type": "application/json", "correlation_id": message.properties["correlation_id"]}
        answer = amqp.Message(said, delivery_mode=1, **kind)
        message.channel.basic_publish(answer, RPC_EXCHANGE, message.properties["reply_to"])


def main(database: str) -> None:
    """Serve until somebody ends it."""
    inbox = pymongo.MongoClient[dict[str, Any]](os.environ["MONGO_URI"])[database].inbox
    Bare(os.environ["AMQP_URI"], inbox.with_options(write_concern=RENEWABLE)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
