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
    # This must be set before anything is counted. Then each worker shows the numbers of all.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="hearth-metrics-")
worker_class = "gateway.worker.Worker"
worker_connections = _settings.streams + 1000
keepalive = 2  # any number above 0 keeps connections open; IDLE in worker.py is the time
graceful_timeout = round(10 + _settings.stop_notice)
forwarded_allow_ips = ""  # only TRUSTED_PROXIES decides which proxies to believe
accesslog = None  # hooks.py writes a line per request, without the caller
control_socket_disable = True


class logger_class(Logger):
    """Passes gunicorn's own lines to the root logger, so that all have one format."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logs.configure("gateway", _settings.log_level, _settings.log_format)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def post_worker_init(worker: Any) -> None:
    """Connect, and watch for the order to stop. At this point the worker is patched and has its application."""
    worker.wsgi.start()
    gevent.spawn(_drain_when_stopping, worker)
    signal.signal(signal.SIGTERM, functools.partial(_retire, worker))


def _retire(worker: Any, number: int, frame: Any) -> None:
    """Report that we are not ready, and go on until the load balancer has noticed."""
    worker.wsgi.retire()
    gevent.spawn_later(_settings.stop_notice, worker.handle_exit, number, frame)


def _drain_when_stopping(worker: Any) -> None:
    while worker.alive:
        gevent.sleep(0.1)
    worker.wsgi.drain()


def worker_exit(_server: Any, worker: Any) -> None:
    """Runs in the worker after its last answer, or in the parent, which has no application, when the worker is gone."""
    if app := getattr(worker, "wsgi", None):
        app.leave()


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that is gone, if workers share their metrics."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess  # noqa: PLC0415  (at import it decides whether numbers are shared)

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Delete the folder of shared metrics, unless it was given to us."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    if os.path.basename(folder).startswith("hearth-metrics-"):
        shutil.rmtree(folder, ignore_errors=True)
