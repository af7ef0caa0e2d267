"""Services as tests play them: in this process, or on the broker."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import amqp
import orjson

from gateway.bus.rpc import EXCHANGE
from services.contracts import catalogue
from tests.rig.wire import connection

Answer = Callable[[dict[str, Any]], Any]


class PlayedServices:
    """Stands in for the RPC client: remembers what was asked, answers what is put into `answers`.

    If an answer is an exception, it is raised; if it is a function, it is called.
    """

    up = True

    def __init__(self) -> None:
        self.keys: list[str | None] = []
        self.expected: list[str | None] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self.tokens: list[str | None] = []
        self.networks: list[str | None] = []
        self.languages: list[str | None] = []

    def call(
        self,
        capability: str,
        method: str,
        kwargs: dict[str, Any],
        *,
        until: float,
        token: str | None,
        correlation_id: str,
        idempotency_key: str | None,
        expected_versions: str | None,
        network: str | None,
        language: str | None,
    ) -> Any:
        orjson.dumps(kwargs)
        self.asked.append((f"{capability}.{method}", kwargs))
        self.tokens.append(token)
        self.keys.append(idempotency_key)
        self.expected.append(expected_versions)
        self.networks.append(network)
        self.languages.append(language)
        answer = self.answers.get(method)
        if isinstance(answer, Exception):
            raise answer
        return answer(kwargs) if callable(answer) else answer


class Responder:
    """Answers `tests.echo.*`, `tests.inbox.*` and `others.echo.*` on the broker.

    `answers` maps a method to a function of its kwargs; a method that isn't there gets no answer at all.
    """

    def __init__(self, uri: str) -> None:
        self._connection = connection(uri)
        self._connection.client_properties["capabilities"]["connection.blocked"] = False
        self._channel = self._connection.channel()
        self._channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        self._channel.exchange_declare(catalogue.EXCHANGE, "topic", durable=True, auto_delete=False)
        queue = self._channel.queue_declare("", exclusive=True).queue
        for capability in ("tests.echo", "tests.inbox", "others.echo"):
            self._channel.queue_bind(queue, EXCHANGE, f"{capability}.*")
        self._channel.basic_consume(queue, no_ack=True, callback=self._asked)
        self._ending = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.answers: dict[str, Answer] = {"echo": lambda kwargs: kwargs, "ping": lambda _kwargs: {"ready": True}}
        self.requests: list[amqp.Message] = []

    @property
    def at_hand(self) -> str:
        """The target of the latest request, such as `tests.echo.silent`."""
        return self.requests[-1].delivery_info["routing_key"]

    def asked(self, key: str) -> int:
        """The number of calls to this target, such as `tests.echo.silent`."""
        return [request.delivery_info["routing_key"] for request in self.requests].count(key)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending = True
        self._thread.join()
        self._connection.collect()

    def _run(self) -> None:
        while not self._ending:
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=0.1)

    def _asked(self, message: amqp.Message) -> None:
        self.requests.append(message)
        answer = self.answers.get(message.delivery_info["routing_key"].rpartition(".")[2])
        if answer is not None:
            self.reply(message, orjson.dumps({"result": answer(orjson.loads(message.body)["kwargs"]), "error": None}))

    def reply(self, request: amqp.Message, body: bytes) -> None:
        """Send a reply; from the responder's own thread, or when it has nothing else to do."""
        properties = {"correlation_id": request.properties["correlation_id"], "content_type": "application/json"}
        self._channel.basic_publish(amqp.Message(body, **properties), EXCHANGE, request.properties["reply_to"])


def announce(uri: str, *events: dict[str, Any]) -> None:
    """Put messages on the bus, as `notifications.delivered`."""
    with connection(uri) as bus:
        channel = bus.channel()
        for event in events:
            message = amqp.Message(orjson.dumps(event), content_type=catalogue.CONTENT_TYPE)
            channel.basic_publish(message, catalogue.EXCHANGE, "notifications.delivered")
