"""Calls as the gateway frames them, read by the real broker and py-amqp."""

from contextlib import closing

import amqp
import pytest

from gateway.bus import frames
from tests.rig.wire import connection

LEAST = 4096  # bytes: what any broker must take as a frame
HEADERS = {"nameko.token": "a.b-c" * 100, "nameko.correlation_id": "r-ä", "nameko.deadline": 1790000000.25}


@pytest.mark.parametrize("size", [2, LEAST - frames.AROUND, LEAST - frames.AROUND + 1, 70_000])
def test_what_is_framed_arrives(amqp_uri: str, size: int) -> None:
    body = b'"%s"' % (b"x" * (size - 2))
    with closing(connection(amqp_uri)) as bus:
        channel = bus.channel()
        queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(queue, "amq.topic", "tests.frames.*")
        said = {"headers": HEADERS, "correlation_id": "17", "reply_to": "back", "expiration": "2000"}
        framed = frames.call(channel.channel_id, "amq.topic", "tests.frames.echo", body, frame_max=LEAST, **said)
        bus.transport.write(framed)
        heard: amqp.Message = channel.basic_get(queue, no_ack=True)
    assert heard.body == body
    assert heard.delivery_info["routing_key"] == "tests.frames.echo"
    assert heard.properties == {
        "content_type": "application/json",
        "application_headers": HEADERS,
        "delivery_mode": 1,
        "correlation_id": "17",
        "reply_to": "back",
        "expiration": "2000",
    }
