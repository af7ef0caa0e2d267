"""The runner: `python -m services.<name> [capability …]` serves a service's capabilities, and stops well.

Import this before anything else: it makes the standard library cooperative.
"""

import os
import warnings

os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")  # its own resolver ignores the container's
os.environ.setdefault("EVENTLET_THREADPOOL_SIZE", "2")  # each thread that hashes a password keeps its memory

with warnings.catch_warnings(action="ignore"):  # eventlet warns of its own end; our answer is among the decisions
    import eventlet

eventlet.monkey_patch()

import gc
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pymongo
from nameko.containers import ServiceContainer, WorkerContext
from nameko.extensions import Entrypoint
from nameko.runners import ServiceRunner

from services.chassis import context, depth, health
from services.chassis.bus import DEAD, Intake, TopologyDrift
from services.chassis.rpc import contradictions
from services.contracts.errors import Refusal
from services.ground import logs, settings, tracing
from services.ground.logs import log

GRACE = 15  # seconds that work in progress has after a signal to stop


class Container(ServiceContainer):
    """Nameko's container. Its workers run where they are called: the intake already gave each message a greenlet."""

    def work(
        self,
        entrypoint: Entrypoint,
        kwargs: dict[str, Any],
        context_data: dict[str, Any],
        then: Callable[[Any, Exception | None], None],
    ) -> None:
        """Run an entrypoint's method in the context of its call or message, and give its result or error to `then`."""
        worker = WorkerContext(self, self.service_cls(), entrypoint, (), kwargs, data=context_data)
        with tracing.joining(context_data["traced"]):
            if seconds := context_data.get("store_has"):
                pymongo.timeout(seconds).__enter__()  # ends with the greenlet's own context
            context.begin(context_data["correlation_id"], expected=context_data.get("expected"), **context_data["log"])
            self._inject_dependencies(worker)
            self._worker_setup(worker)
            result, failed = None, None
            try:
                result = getattr(worker.service, entrypoint.method_name)(**kwargs)
            except Exception as error:
                failed, outcome = error, type(error).__name__
                tracing.tell({"hearth.outcome": outcome}, failed=None if isinstance(error, Refusal) else outcome)
            then(result, failed)
            self._worker_result(worker, result, failed and (type(failed), failed, failed.__traceback__))
            self._worker_teardown(worker)


def config(settings: settings.Settings) -> dict[str, Any]:
    """Nameko's configuration for these settings."""
    return {"settings": settings, "AMQP_URI": settings.amqp_uri, "max_workers": settings.workers}


def serve(
    service: str,
    capabilities: Sequence[type],
    chosen: Sequence[str] = (),
    needs: Sequence[str] = (),
    numbers: Mapping[str, int] | None = None,
) -> None:
    """Run capabilities until SIGTERM or SIGINT, then stop taking work, finish what runs within GRACE, and exit 0.

    `chosen` names the capabilities to run, by default all; `needs` the settings that name a file; `numbers` the
    service's own limits with their defaults. Exits 1 when a capability dies, so that a supervisor starts it anew. Exits
    at once, with sentences, unless these capabilities answer each of their declared calls exactly once.
    """
    known = {capability.name.partition(".")[2]: capability for capability in capabilities}  # type: ignore[attr-defined]
    if unknown := set(chosen) - set(known):
        sys.exit(f"{service} has no capability {', '.join(sorted(unknown))}; it has {', '.join(known)}.")
    if wrong := list(contradictions(capabilities)):
        sys.exit(f"{service} can't start. " + " ".join(wrong))
    loaded = settings.load(needs, numbers)
    logs.configure(service, loaded.log_level, loaded.log_format)
    tracing.configure(service, loaded.traces_to)
    _tell_uncaught()
    runner = ServiceRunner(config(loaded))
    runner.container_cls = Container
    for name in chosen or known:
        runner.add_service(known[name])
    health.serve(loaded.metrics_port, runner.containers)
    started: list[bool] = []
    _stop_on_signals(runner, started)
    try:
        runner.start()
        started.append(True)
        gc.freeze()  # these objects stay: later collections, which stop all work, need not look at them
        log.info("serving", capabilities=list(runner.service_names))
        if loaded.metrics_port:
            eventlet.spawn_n(depth.watch, loaded.amqp_uri, [*_consumed(runner), DEAD])
        runner.wait()
    except TopologyDrift as drift:
        log.critical("cannot serve", error=str(drift))
        os._exit(1)
    except Exception:
        log.exception("died")
        os._exit(1)
    tracing.leave()
    log.info("stopped")


def _tell_uncaught() -> None:
    """Have eventlet log errors that no greenlet catches. By default it prints them, with their words.

    It prints some of them by `print_exc`: those of a capability that can't start while another can't, either.
    """
    hub = eventlet.hubs.get_hub()

    def of_descriptor(number: int, failure: Any) -> None:
        logs.uncaught(failure)
        hub.remove_descriptor(number)

    hub.squelch_exception = of_descriptor
    hub.squelch_generic_exception = logs.uncaught
    hub.squelch_timer_exception = lambda _timer, failure: logs.uncaught(failure)
    traceback.print_exc = lambda *_how, **_more: logs.uncaught(sys.exc_info())  # type: ignore[arg-type]


def _consumed(runner: ServiceRunner) -> list[str]:
    extensions = [each for container in runner.containers for each in container.extensions]
    return sorted({queue for each in extensions if isinstance(each, Intake) for queue in each.queues})


def _stop_on_signals(runner: ServiceRunner, started: list[bool]) -> None:
    def stop(signum: int, _frame: Any) -> None:
        if not stopping:
            stopping.append(signum)
            log.info("stopping", signal=signal.Signals(signum).name)
            eventlet.spawn_after(GRACE if started else 0, _give_up)
            eventlet.spawn(runner.stop)

    stopping: list[int] = []
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)


def _give_up() -> None:
    log.warning("still busy after the grace period; what was not finished will be delivered again")
    os._exit(0)
