"""Consuming: all queues of one capability, with two bounds on its work and a brake."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, NoReturn

import amqp
import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from nameko.extensions import SharedExtension

from services.chassis import metrics
from services.chassis.bus.delivery import Delivery
from services.chassis.bus.line import PATIENCE, BusDown, Line
from services.chassis.bus.topology import NamedTwice, TopologyDrift, declare_exchanges, exists
from services.ground import logs, wire
from services.ground.absence import Absence
from services.ground.logs import log

SHORTEST_BRAKE, LONGEST_BRAKE = 0.5, 10.0  # seconds
LONGEST_PAUSE = 2.0  # seconds between two attempts to reach the broker

_bus = Absence("bus lost", "bus there again")
_relied_on = Absence("what is relied on does not answer", "what is relied on answers again")


class Source(NamedTuple):
    """A queue that is consumed. `prepare` makes it on the broker, `receive` gets its messages. Some obey the brake."""

    prepare: Callable[[amqp.Channel], None]
    receive: Callable[[Delivery], None]
    brakes: bool


class Intake(SharedExtension):
    """Consumes for one capability: all its queues on one connection, opened again whenever it is lost.

    Work is bounded twice: `workers` unsettled messages a queue (prefetch), `workers` handlers at a time (slots).
    """

    def __init__(self) -> None:
        super().__init__()
        self._queues: dict[str, Source] = {}
        self._last: dict[str, Source] = {}
        self._retired: dict[str, Source] = {}
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
        """Hand what arrives in `queue`, which `declare` makes, to `receive`, which runs in a greenlet of its own.

        `receive` holds a slot until it returns. A queue that is `last` is consumed after the others. While the brake is
        on, a queue that `brakes` hands over no message.
        """
        self._claim(queue)
        (self._last if last else self._queues)[queue] = Source(declare, receive, brakes)

    def empties(self, queue: str, retire: Callable[[amqp.Channel], None], receive: Callable[[Delivery], None]) -> None:
        """Hand over the messages left in a queue of a former name, if it exists, after `retire` has unbound it."""
        self._claim(queue)
        self._retired[queue] = Source(retire, receive, brakes=True)

    def _claim(self, queue: str) -> None:
        if queue in self._queues | self._last | self._retired:
            raise NamedTwice(f"{self.container.service_name} names the queue {queue} twice")

    def shares(self, declare: Callable[[amqp.Channel], None]) -> None:
        """Also have `declare` make what several capabilities share."""
        self._common.append(declare)

    @property
    def queues(self) -> list[str]:
        """The names of the queues that are consumed."""
        return [*self._queues, *self._last]

    def relies_on(self, probe: Callable[[], None]) -> None:
        """Note that handlers can't work while `probe` raises."""
        self._probes.append(probe)

    @property
    def consuming(self) -> bool:
        """True while all queues are consumed."""
        return self._consuming and not self._stopping

    @property
    def braked(self) -> bool:
        """True while the brake is on."""
        return self._braked is not None

    def probed(self) -> bool:
        """True if all that the handlers rely on answers."""
        try:
            for probe in self._probes:
                probe()
        except Exception as error:
            _relied_on.missed(error)
            return False
        _relied_on.ended()
        return True

    def brake(self, error: BaseException) -> None:
        """Begin no more work in queues that brake until all that the handlers rely on answers again.

        Messages wait in the broker meanwhile, instead of running out of tries.
        """
        if self._braked is None:
            self._braked = Event()
            self._gauge.set(1)
            log.warning("braking", error=logs.kind(error), at_least=self._pause)
            self.container.spawn_managed_thread(self._release, identifier="brake")

    def ease(self) -> None:
        """Make the next brake short again, as work succeeds."""
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
        """Take no more messages, and wait for the work that has begun. It may still be settled."""
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
                line = Line(self.settings.amqp_uri, self.settings.heartbeat)
                with line.begun():
                    consumers = self._begin(line)
                self._consuming = True
                pause = 0.2
                _bus.ended()
                self._listen(line, consumers)
            except (OSError, amqp.AMQPError, BusDown) as error:
                self._consuming = False
                _bus.missed(error)
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

    def _begin(self, line: Line) -> dict[str, amqp.Channel]:
        try:
            lasting = self._queues | self._last
            wire.declare(line.connection, *self._common, *(each.prepare for each in lasting.values()))
        except amqp.PreconditionFailed as error:
            self._give_up(error)
        consumers = {}
        for queue, source in (self._left(line) | lasting).items():
            channel = line.channel()
            channel.basic_qos(0, self.settings.workers, False)
            channel.basic_consume(queue, consumer_tag=queue, callback=self._receiver(line, queue, source))
            consumers[queue] = channel
        log.info("consuming", capability=self.container.service_name, queues=list(consumers))
        if not self._ready.ready():
            self._ready.send(None)
        return consumers

    def _left(self, line: Line) -> dict[str, Source]:
        """The queues of former names that the broker still has. New messages already arrive in the present ones."""
        for source in self._retired.values():
            wire.declare(line.connection, source.prepare)
        return {queue: source for queue, source in self._retired.items() if exists(line.connection, queue)}

    def _receiver(self, line: Line, queue: str, source: Source) -> Callable[[amqp.Message], None]:
        return lambda message: eventlet.spawn_n(
            self._take, source.receive, Delivery(message, line, queue), source.brakes
        )

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

    def _listen(self, line: Line, consumers: dict[str, amqp.Channel]) -> None:
        while not self._stopping:
            line.listen()
        for tag, channel in consumers.items():
            line.gather(partial(channel.basic_cancel, tag, nowait=True))
        line.flush()
        self._silenced.send(None)
        while not self._closing:
            line.listen()
