"""Runs the gateway: `gunicorn -c gateway/gunicorn.conf.py 'gateway.app:create()'`."""

import functools
import os
import shutil
import signal
import tempfile
from typing import Any

import gevent
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from gateway.config import load
from services.ground import logs

_settings = load()

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.workers
if workers > 1 and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    # To be said before anything is counted: then each worker shows the numbers of all.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="hearth-metrics-")
worker_class = "gateway.worker.Worker"
worker_connections = _settings.streams + 1000
keepalive = 2  # that connections are kept; how long, worker.py says
graceful_timeout = round(10 + _settings.stop_notice)
forwarded_allow_ips = ""  # whom to believe where a request comes from is TRUSTED_PROXIES' affair alone
accesslog = None  # hooks.py writes a line a request, without who asked
control_socket_disable = True


class logger_class(Logger):
    """Hands gunicorn's own lines to the root logger, so that all look alike."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logs.configure("gateway", _settings.log_level, _settings.log_format)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def post_worker_init(worker: Any) -> None:
    """The worker is patched and has its application: connect, and watch for the order to stop."""
    worker.wsgi.start()
    gevent.spawn(_drain_when_stopping, worker)
    signal.signal(signal.SIGTERM, functools.partial(_retire, worker))


def _retire(worker: Any, number: int, frame: Any) -> None:
    """Say that we are not ready, and go on until whoever sends requests here has noticed."""
    worker.wsgi.retire()
    gevent.spawn_later(_settings.stop_notice, worker.handle_exit, number, frame)


def _drain_when_stopping(worker: Any) -> None:
    while worker.alive:
        gevent.sleep(0.1)
    worker.wsgi.drain()


def worker_exit(_server: Any, worker: Any) -> None:
    """In the worker, when it has answered everybody (or in its parent, which has no application, when it is gone)."""
    if app := getattr(worker, "wsgi", None):
        app.leave()


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that is gone, where several share their metrics."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess  # noqa: PLC0415  (decides when imported whether numbers are shared)

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Take away what the workers shared, unless its place was given to us."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    if os.path.basename(folder).startswith("hearth-metrics-"):
        shutil.rmtree(folder, ignore_errors=True)
