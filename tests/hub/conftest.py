"""An operator, and a probe whose handlers fail on demand."""

from collections.abc import Iterator
from contextlib import suppress

import amqp
import pytest

from tests.hub.operator import Operator
from tests.rig.wire import connection


@pytest.fixture(scope="module")
def operator(environment: dict[str, str]) -> Operator:
    return Operator(environment)


@pytest.fixture
def channel(amqp_uri: str) -> Iterator[amqp.Channel]:
    made = connection(amqp_uri)
    with suppress(amqp.NotFound):
        made.channel().queue_purge("dead")
    yield made.channel()
    with suppress(amqp.NotFound):
        made.channel().queue_purge("dead")
    made.close()
