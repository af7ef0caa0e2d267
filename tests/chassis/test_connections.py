"""Connections to the broker end in every way; who consumed goes on consuming."""

import time

import amqp
import orjson
import pymongo
import pytest

from services.contracts.catalogue import CONTENT_TYPE
from tests.processes import Processes, until
from tests.proxy import Proxy
from tests.wire import connection, submitted


@pytest.mark.parametrize("end", ["reset", "cut"])
def test_a_connection_that_ends_while_the_process_can_do_nothing_is_opened_again(
    processes: Processes, environment: dict[str, str], amqp_uri: str, end: str
) -> None:
    """The first to notice is then the handler that acknowledges, not the greenlet that reads."""
    with (
        Proxy(amqp_uri) as proxy,
        connection(amqp_uri) as direct,
        pymongo.MongoClient(environment["MONGO_URI"]) as client,
    ):
        processes.start("probe", "-m", "tests.chassis.probe", AMQP_URI=proxy.uri)
        processes.until("probe", "serving")
        effects = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].effects
        channel = direct.channel()

        def announce(text: str) -> str:
            made = submitted(text)
            message = amqp.Message(orjson.dumps(made), content_type=CONTENT_TYPE, delivery_mode=2)
            channel.basic_publish(message, "community", "feedback.submitted")
            return str(made["id"])

        def heard(id: str) -> bool:
            return effects.find_one({"handler": "hear", "message": id}) is not None

        held = announce("hold 3")
        until(lambda: heard(held))
        getattr(proxy, end)()
        time.sleep(3)
        later = announce("ok")
        until(lambda: heard(later), 30)
