"""The runner: `python -m services.<name> [capability …]` serves a service's capabilities, and stops well.

Import this before anything else: it makes the standard library cooperative.
"""

import os
import warnings

os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")  # its own resolver ignores the container's
os.environ.setdefault("EVENTLET_THREADPOOL_SIZE", "2")  # each thread that hashes a password keeps its memory

with warnings.catch_warnings(action="ignore"):  # eventlet's own word on its future; ours is in the README
    import eventlet

eventlet.monkey_patch()

import logging
import signal
import sys
from collections.abc import Sequence
from typing import Any

import pymongo
from nameko.containers import ServiceContainer
from nameko.runners import ServiceRunner

from services.chassis import context, depth, health, logs, settings, tracing
from services.chassis.bus import DEAD, Intake, TopologyDrift
from services.chassis.logs import log
from services.contracts.errors import Refusal

GRACE = 15  # seconds that work in progress has after a signal to stop


class Container(ServiceContainer):
    """Nameko's container; each worker starts with the context of the call or message that it serves."""

    def _worker_setup(self, worker_ctx: Any) -> None:
        if seconds := worker_ctx.data.get("store_has"):
            pymongo.timeout(seconds).__enter__()  # ends with the worker's own context
        context.begin(
            worker_ctx.data.get("correlation_id"),
            expected=worker_ctx.data.get("expected"),
            **worker_ctx.data.get("log", {}),
        )
        super()._worker_setup(worker_ctx)

    def _run_worker(self, worker_ctx: Any, handle_result: Any) -> None:
        with tracing.joining(worker_ctx.data["traced"]):
            super()._run_worker(worker_ctx, handle_result)

    def _worker_result(self, worker_ctx: Any, result: Any, exc_info: Any) -> None:
        if exc_info:
            outcome = type(exc_info[1]).__name__
            refused = isinstance(exc_info[1], Refusal)
            tracing.tell({"hearth.outcome": outcome}, failed=None if refused else outcome)
        super()._worker_result(worker_ctx, result, exc_info)


def config(settings: settings.Settings) -> dict[str, Any]:
    """Nameko's configuration for these settings."""
    return {"settings": settings, "AMQP_URI": settings.amqp_uri, "max_workers": settings.workers}


def serve(service: str, capabilities: Sequence[type], chosen: Sequence[str] = (), needs: Sequence[str] = ()) -> None:
    """Run capabilities until SIGTERM or SIGINT, then stop taking work, finish what runs within GRACE, and exit 0.

    `chosen` names the capabilities to run, by default all; `needs` the settings that name a file. Exits 1 when one of
    them dies: a supervisor starts anew.
    """
    known = {capability.name.partition(".")[2]: capability for capability in capabilities}  # type: ignore[attr-defined]
    if unknown := set(chosen) - set(known):
        sys.exit(f"{service} has no capability {', '.join(sorted(unknown))}; it has {', '.join(known)}.")
    loaded = settings.load(needs)
    logs.configure(service, loaded.log_level, loaded.log_format)
    logging.getLogger("nameko.containers").setLevel(logging.CRITICAL)  # the entrypoints log each failure once
    tracing.configure(service, loaded.traces_to)
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
