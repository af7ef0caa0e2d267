"""A message that arrived."""

from collections.abc import Callable
from typing import Any

import amqp

from services.chassis.bus.line import Line


class Delivery:
    """A message that arrived. It is settled once, on its own channel; settling it again does nothing."""

    def __init__(self, message: amqp.Message, line: Line, queue: str) -> None:
        self.queue = queue
        self.body: bytes = message.body if isinstance(message.body, bytes) else str(message.body).encode()
        self.key: str = message.delivery_info["routing_key"]
        self.properties: dict[str, Any] = message.properties
        headers = message.properties.get("application_headers")
        self.headers: dict[str, Any] = headers if isinstance(headers, dict) else {}
        self._message, self._line, self._settled = message, line, False

    def text(self, header: str) -> str | None:
        """A header's value if it is text of sane length."""
        value = self.headers.get(header)
        return value if isinstance(value, str) and len(value) <= 8192 else None

    def ack(self) -> bool:
        """Tell the broker that the message is done with. Returns False when the connection is lost.

        The broker then most likely delivers it again. It may do so in any case, as the acknowledgement may not have
        arrived: every effect must bear that.
        """
        self._settle(self._message.channel.basic_ack, self._message.delivery_tag)
        return self._line.alive

    def requeue(self) -> None:
        """Give it back, for this process or another."""
        self._settle(self._message.channel.basic_reject, self._message.delivery_tag, True)

    def _settle(self, verb: Callable[..., Any], *args: Any) -> None:
        if self._settled:
            return
        self._settled = True
        try:
            self._line.gather(verb, *args)
            self._line.flush()
        except (OSError, amqp.AMQPError, AttributeError) as error:
            self._line.broken(error)
