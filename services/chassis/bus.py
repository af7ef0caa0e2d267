"""The bus: one connection that publishes and one that consumes, per capability, each surviving the broker's absence.

py-amqp is used below nameko's own consumer and publisher, whose measured faults (malformed messages lost, processes
killed by a bad header or by a late acknowledgement, publishing without a time-out) have no place here.
A connection's writes are serialised by a lock. What is published is gathered first, so that one write to the socket
carries all that is ready: the system call is the dearest part of a small message.
"""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import takewhile
from typing import Any, NoReturn

import amqp
import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from kombu import Connection
from nameko.extensions import SharedExtension

from services.chassis import metrics
from services.contracts.catalogue import EXCHANGE, PRIVATE
from services.ground import logs
from services.ground.logs import log

PATIENCE = 3.0  # seconds that the broker has for a connection, a write, a confirm
BEGUN_WITHIN = 10.0  # seconds that it has for all that a connection begins with
DEAD = "dead"
UNHEARD = "unheard"
SHORTEST_BRAKE, LONGEST_BRAKE = 0.5, 10.0  # seconds
LONGEST_PAUSE = 2.0  # seconds between two attempts to reach the broker
RPC_EXCHANGE = "nameko-rpc"
QUORUM = {"x-queue-type": "quorum"}
READ_AT_ONCE, WRITTEN_AT_ONCE = 8_192, 65_536  # bytes


class BusDown(logs.Plain):
    """The broker could not be reached, did not confirm in time, or refused a message."""


class TopologyDrift(logs.Plain):
    """A queue or exchange exists with other arguments than this version declares; a live one can't be changed."""


def connect(uri: str, heartbeat: int) -> amqp.Connection:
    """An open connection; raises OSError or an AMQP error when the broker does not answer within PATIENCE.

    It is py-amqp's own: kombu's would open itself again when it finds itself lost, without our channels and consumers,
    and whoever listens would hear nothing for ever.
    """
    with eventlet.Timeout(2 * PATIENCE, BusDown("no connection to the broker in time")):
        raw: amqp.Connection = Connection(uri, heartbeat=heartbeat, connect_timeout=PATIENCE).connect()
    # With this capability on, every publish would also read the socket, racing the greenlet that reads.
    raw.client_properties = {
        **raw.client_properties,
        "capabilities": {**raw.client_properties["capabilities"], "connection.blocked": False},
    }
    return raw


class _Line:
    """An open connection with a heart that beats while `listen` runs, and one write for the frames of many."""

    def __init__(self, uri: str, heartbeat: int) -> None:
        self.alive = True
        self.connection = connect(uri, heartbeat)
        self._lock = Semaphore()
        self._gathered, self._gathering = bytearray(), False
        transport = self.connection.transport
        self._socket = transport.sock  # to be had of py-amqp later, it would open a connection that is closed again
        self._write, transport._write = transport._write, self._put
        recv = transport._quick_recv
        # py-amqp itself would ask the socket for each part of each frame.
        transport._quick_recv = lambda size: recv(max(size, READ_AT_ONCE))
        self._beat_every = heartbeat / 3
        self._next_beat = 0.0

    def channel(self) -> amqp.Channel:
        channel = self.connection.channel()
        channel.auto_decode = False
        return channel

    @contextmanager
    def begun(self) -> Iterator[None]:
        """For what has to be answered before anybody listens: if that takes too long, the connection is lost."""
        late = eventlet.spawn_after(BEGUN_WITHIN, self.broken, BusDown("the broker does not answer"))
        try:
            yield
        except BaseException:
            self.close()
            raise
        finally:
            late.cancel()

    def listen(self) -> None:
        """Dispatch what arrives within a second; raises when the connection is lost, which then takes no more."""
        try:
            with suppress(TimeoutError):
                self.connection.drain_events(timeout=1)
            if time.monotonic() >= self._next_beat:
                with self._lock, eventlet.Timeout(PATIENCE, BusDown("the broker does not take what is sent")):
                    self.connection.heartbeat_tick()
                self._next_beat = time.monotonic() + self._beat_every
        except Exception as error:
            self.broken(error)  # at once: the socket would still take an acknowledgement, and lose it
            raise

    def gather(self, verb: Callable[..., Any], *args: Any) -> None:
        """Have the next `flush` write the frames of a verb that waits for no answer."""
        self._gathering = True
        try:
            verb(*args)
        finally:
            self._gathering = False
        if len(self._gathered) > WRITTEN_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered, whoever gathered it; who else is ready joins in. One that fails is `broken`."""
        eventlet.sleep(0)
        with self._lock:
            frames = bytes(self._gathered)
            self._gathered.clear()
            if not frames or not self.alive:  # what follows half a frame would be taken for its rest
                return
            try:
                with eventlet.Timeout(PATIENCE, BusDown("the broker does not take what is sent")):
                    self._write(frames)
            except Exception as error:
                self.broken(error)

    def _put(self, frames: bytes) -> None:
        if self._gathering:
            self._gathered += frames
        else:
            self._write(frames)

    def broken(self, error: BaseException) -> None:
        """It can't be written to, perhaps since half a frame: whoever reads is to find the connection lost."""
        if self.alive:
            self.alive = False
            log.info("connection given up", error=logs.kind(error))
            with suppress(OSError):  # it may be closed already
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.alive = False
        with suppress(Exception), eventlet.Timeout(PATIENCE, BusDown("closing")):
            self.connection.collect()


class _PublishingLine(_Line):
    """A connection that publishes; its reader greenlet takes the confirms."""

    def __init__(self, uri: str, heartbeat: int) -> None:
        super().__init__(uri, heartbeat)
        self._tag = 0
        self._waiting: dict[int, Event] = {}
        self._reader: Any = None
        with self.begun():
            self._confirmed = self.channel()
            self._confirmed.confirm_select()
            self._plain = self.channel()
        self._confirmed.events["basic_ack"].add(self._on_ack)
        self._confirmed.events["basic_nack"].add(self._on_nack)
        self._reader = eventlet.spawn(self._read)

    def post(self, message: amqp.Message, exchange: str, key: str, confirm: bool) -> Event:
        """Gather a message."""
        if not self.alive:
            raise BusDown("the connection to the broker was lost")
        done = Event()
        if confirm:
            self._tag += 1
            self._waiting[self._tag] = done
        try:
            self.gather((self._confirmed if confirm else self._plain).basic_publish, message, exchange, key)
        except Exception as error:
            self.broken(error)
            raise BusDown(logs.kind(error)) from error
        return done

    def broken(self, error: BaseException) -> None:
        """What was not confirmed never will be."""
        was_alive = self.alive
        super().broken(error)
        if was_alive:
            waiting, self._waiting = self._waiting, {}
            for done in waiting.values():
                done.send_exception(BusDown(f"not confirmed: {logs.kind(error)}"))
            eventlet.spawn_n(self.close)

    def close(self) -> None:
        self.alive = False
        if self._reader is not None and self._reader is not eventlet.getcurrent():
            self._reader.kill()
        super().close()

    def _read(self) -> None:
        with suppress(Exception):  # the connection is lost, and says so
            while True:
                self.listen()

    def _settle(self, tag: int, multiple: bool) -> list[Event]:
        tags = list(takewhile(lambda each: each <= tag, self._waiting)) if multiple else [tag]
        return [self._waiting.pop(each) for each in tags if each in self._waiting]

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for done in self._settle(tag, multiple):
            done.send(True)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        for done in self._settle(tag, multiple):
            done.send_exception(BusDown("the broker refused the message: its queue is full"))


class Publisher(SharedExtension):
    """Publishes for one capability, over one connection that is opened when first needed and again after a loss."""

    def __init__(self) -> None:
        super().__init__()
        self._opening, self._failed_at = Semaphore(), 0.0
        self._line: _PublishingLine | None = None

    def post(self, exchange: str, key: str, body: bytes, **properties: Any) -> Event:
        """`gather` a message, and write all that was gathered. Raises BusDown."""
        done = self.gather(exchange, key, body, **properties)
        self.flush()
        return done

    def gather(self, exchange: str, key: str, body: bytes, *, confirm: bool = True, **properties: Any) -> Event:
        """Have a message sent with those before and after it, by `flush` or when they are many.

        The answer's `wait()` returns when the broker has it safe, or raises BusDown. With `confirm` it is persistent
        and confirmed, without it transient and forgotten. `properties` are AMQP's (`content_type`, `headers` →
        `application_headers`, …). Raises BusDown.
        """
        message = amqp.Message(body, delivery_mode=2 if confirm else 1, **properties)
        return self._open().post(message, exchange, key, confirm)

    def flush(self) -> None:
        """Write what was gathered; of what can't be written the confirms raise."""
        if self._line is not None:
            self._line.flush()

    def publish(self, exchange: str, key: str, body: bytes, **properties: Any) -> None:
        """Send a message and wait for the broker's confirm, at most PATIENCE. Raises BusDown."""
        await_confirm(self.post(exchange, key, body, **properties), time.monotonic() + PATIENCE)

    def _open(self) -> _PublishingLine:
        if self._line is not None and self._line.alive:
            return self._line
        asked_at = time.monotonic()
        with self._opening:
            if self._failed_at > asked_at:
                raise BusDown("the broker could not be reached just now")  # whoever waited need not wait as long again
            if self._line is None or not self._line.alive:
                settings = self.container.config["settings"]
                try:
                    self._line = _PublishingLine(settings.amqp_uri, settings.heartbeat)
                except Exception as error:
                    self._failed_at = time.monotonic()
                    raise BusDown(f"the broker cannot be reached: {logs.kind(error)}") from error
            return self._line

    def stop(self) -> None:
        if self._line is not None:
            self._line.close()

    kill = stop


def await_confirm(confirm: Event, until: float) -> None:
    """Wait for one confirm until a moment of the monotonic clock. Raises BusDown."""
    if confirm.ready():
        confirm.wait()
        return
    with eventlet.Timeout(max(until - time.monotonic(), 0.001), BusDown("the broker did not confirm in time")):
        confirm.wait()


class Delivery:
    """A message that arrived and has to be settled, on the channel that it came by; only the first time counts."""

    def __init__(self, message: amqp.Message, line: _Line, queue: str) -> None:
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
        """Done with it; whether its connection lives. If not, the broker most likely delivers it again.

        It may do so in any case, as what was written may not have arrived: every effect must bear that.
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


class Intake(SharedExtension):
    """Consumes for one capability: all its queues on one connection, opened again whenever it is lost.

    Work is bounded twice: `workers` unsettled messages a queue (prefetch), `workers` handlers at a time (slots).
    """

    def __init__(self) -> None:
        super().__init__()
        self._queues: dict[str, tuple[Callable[[amqp.Channel], None], Callable[[Delivery], None], bool]] = {}
        self._last = dict(self._queues)
        self._ready = Event()
        self._silenced = Event()
        self._stopping = self._closing = self._consuming = False
        self._probes: list[Callable[[], None]] = []
        self._common: list[Callable[[amqp.Channel], None]] = [declare_exchanges]
        self._braked: Event | None = None
        self._pause = SHORTEST_BRAKE

    def setup(self) -> None:
        self.settings = self.container.config["settings"]
        self._slots = Semaphore(self.settings.workers)
        self._gauge = metrics.BRAKED.labels(self.container.service_name)

    def consume(
        self,
        queue: str,
        declare: Callable[[amqp.Channel], None],
        receive: Callable[[Delivery], None],
        *,
        last: bool = False,
        brakes: bool = False,
    ) -> None:
        """Hand over what arrives in `queue`, which `declare` makes; `receive` runs in a greenlet of its own.

        It holds a slot until it returns. The `last` queue is consumed after the others. One that `brakes` hands nothing
        over while the brake is on.
        """
        (self._last if last else self._queues)[queue] = (declare, receive, brakes)

    def shares(self, declare: Callable[[amqp.Channel], None]) -> None:
        """Also have `declare` make what is not this capability's alone."""
        self._common.append(declare)

    @property
    def queues(self) -> list[str]:
        """What is consumed, by name."""
        return [*self._queues, *self._last]

    def relies_on(self, probe: Callable[[], None]) -> None:
        """Handlers can't work while `probe` raises."""
        self._probes.append(probe)

    @property
    def consuming(self) -> bool:
        """Whether all queues are consumed now."""
        return self._consuming and not self._stopping

    @property
    def braked(self) -> bool:
        """Whether the brake is on."""
        return self._braked is not None

    def probed(self) -> bool:
        """Whether all that the handlers rely on answers."""
        try:
            for probe in self._probes:
                probe()
        except Exception as error:
            log.warning("what is relied on does not answer", error=logs.kind(error))
            return False
        return True

    def brake(self, error: BaseException) -> None:
        """Begin no more work in queues that brake, until all that it relies on answers again.

        Messages wait in the broker meanwhile, instead of running out of tries.
        """
        if self._braked is None:
            self._braked = Event()
            self._gauge.set(1)
            log.warning("braking", error=logs.kind(error), at_least=self._pause)
            self.container.spawn_managed_thread(self._release, identifier="brake")

    def ease(self) -> None:
        """Work succeeds: the next brake may be short again."""
        self._pause = SHORTEST_BRAKE

    def _release(self) -> None:
        eventlet.sleep(self._pause)
        self._pause = min(self._pause * 2, LONGEST_BRAKE)
        while not self._stopping and not self.probed():
            eventlet.sleep(SHORTEST_BRAKE)
        braked, self._braked = self._braked, None
        self._gauge.set(0)
        if braked is not None:
            braked.send(None)
        log.info("brake released")

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier="intake")
        self._ready.wait()

    def silence(self) -> None:
        """Take no more messages, and wait for the work that has begun, which may still be settled."""
        self._stopping = True
        if not self._ready.ready():
            self._ready.send(None)
        self._silenced.wait()
        while self._slots.balance < self.settings.workers:
            eventlet.sleep(0.02)

    def stop(self) -> None:
        self._closing = True
        with eventlet.Timeout(PATIENCE, False):
            self._thread.wait()

    kill = stop

    def _run(self) -> None:
        pause = 0.2
        while not self._stopping:
            line = None
            try:
                line = _Line(self.settings.amqp_uri, self.settings.heartbeat)
                with line.begun():
                    consumers = self._begin(line)
                self._consuming = True
                pause = 0.2
                self._listen(line, consumers)
            except (OSError, amqp.AMQPError, BusDown) as error:
                self._consuming = False
                log.warning("bus lost", error=logs.kind(error), again_in=pause)
                eventlet.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            finally:
                if line is not None:
                    line.close()
        if not self._silenced.ready():
            self._silenced.send(None)

    def _give_up(self, error: amqp.PreconditionFailed) -> NoReturn:
        # The broker's words name a queue or exchange and its arguments: all of them are ours.
        drift = TopologyDrift(
            f"The broker holds a queue or exchange with other arguments than this version needs: {error}. "
            "A live one can't be changed: drain it and delete it, or run the version that made it."
        )
        if not self._ready.ready():
            self._ready.send_exception(drift)
        raise drift from error

    def _begin(self, line: _Line) -> dict[str, amqp.Channel]:
        consumers = {}
        try:
            _declare(line, [*self._common, *(each for each, _, _ in (self._queues | self._last).values())])
        except amqp.PreconditionFailed as error:
            self._give_up(error)
        for queue, (_, receive, brakes) in (self._queues | self._last).items():
            channel = line.channel()
            channel.basic_qos(0, self.settings.workers, False)
            channel.basic_consume(queue, consumer_tag=queue, callback=self._receiver(line, queue, receive, brakes))
            consumers[queue] = channel
        log.info("consuming", capability=self.container.service_name, queues=list(consumers))
        if not self._ready.ready():
            self._ready.send(None)
        return consumers

    def _receiver(
        self, line: _Line, queue: str, receive: Callable[[Delivery], None], brakes: bool
    ) -> Callable[[amqp.Message], None]:
        return lambda message: eventlet.spawn_n(self._take, receive, Delivery(message, line, queue), brakes)

    def _take(self, receive: Callable[[Delivery], None], delivery: Delivery, brakes: bool) -> None:
        while brakes and self._braked is not None:
            self._braked.wait()
        with self._slots:
            if self._stopping:
                return
            try:
                receive(delivery)
            except Exception:
                log.exception("receiving failed", queue=delivery.queue)
                delivery.requeue()

    def _listen(self, line: _Line, consumers: dict[str, amqp.Channel]) -> None:
        while not self._stopping:
            line.listen()
        for tag, channel in consumers.items():
            line.gather(partial(channel.basic_cancel, tag, nowait=True))
        line.flush()
        self._silenced.send(None)
        while not self._closing:
            line.listen()


def _declare(line: _Line, declarations: Iterable[Callable[[amqp.Channel], None]]) -> None:
    """Make what we use. Who may not declare finds what the operator has (`deploy/rabbitmq/rights.json`)."""
    try:
        with line.channel() as channel:
            for declare in declarations:
                declare(channel)
    except amqp.AccessRefused as refused:
        log.debug("not ours to declare", error=logs.kind(refused))


def declare_exchanges(channel: amqp.Channel) -> None:
    """The exchanges that every service uses, and the queues for what went wrong or was heard by nobody."""
    for name in (EXCHANGE, PRIVATE, RPC_EXCHANGE):
        channel.exchange_declare(name, "topic", durable=True, auto_delete=False)
    for name in (DEAD, UNHEARD):
        channel.exchange_declare(name, "fanout", durable=True, auto_delete=False)
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=QUORUM)
        channel.queue_bind(name, name)
