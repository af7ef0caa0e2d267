"""Requests over HTTP, as many as the platform answers, over 32 connections at once."""

import orjson

from services.ground import clock, identifiers
from services.notifications.inbox.domain import line
from tests.bench.ground import Ground, run, serve
from tests.bench.load import CONNECTIONS, rate, warm
from tests.bench.parts import part
from tests.bench.rows import Row
from tests.bench.seeds import answered
from tests.bench.wire import NOBODY
from tests.rig.processes import forget_messages, free_port

THREADS = "8 threads"
LINES = 200  # lines in the inbox that is read
PAGE = 20
GUNICORN = ("-m", "gunicorn", "-c", "gateway/gunicorn.conf.py")


@part(
    "echo",
    Row(
        f"RPC echo through the gateway, {CONNECTIONS} connections",
        "per s",
        "bare Flask, same server",
        at_least=0.30,
    ),
)
def echo(ground: Ground, row: Row) -> None:
    """A public route of the real gateway that asks a service on the real chassis, beside Flask that answers by itself,
    under the same gunicorn with the same settings.
    """
    doors = {"tests.bench.door:create()": free_port(), "tests.bench.bare:create()": free_port()}
    with ground.processes() as processes:
        serve(processes, "echo", "-m", "tests.bench.service")
        for application, port in doors.items():
            processes.start(application.partition(":")[0], *GUNICORN, application, PORT=str(port))
        ours, bare = (f"http://127.0.0.1:{port}/v1/echo/{NOBODY}" for port in doors.values())
        warm(ours, ""), warm(bare, "")
        seconds = ground.scale.seconds
        ground.measure(row, lambda: rate(ours, "", seconds), lambda: rate(bare, "", seconds))
    ground.forget("bench.echo.hear", "rpc-bench.echo")


def _store(ground: Ground, service: str, kind: str, key: str, prefix: str) -> float:
    """Measure how often per second the store alone does it, in a process of its own."""
    what = f"{prefix}{service}", str(ground.scale.seconds), kind, key
    return float(run("-m", "tests.bench.bare_store", *what, MONGO_URI=ground.backend.mongo_uri))


@part("me", Row("GET /v1/me", "per s", f"raw find_one, {THREADS}", at_least=0.28))
def me(ground: Ground, row: Row) -> None:
    """A signed-in member's profile (token, RPC, one read), beside the read."""
    platform = ground.whole()
    member = platform.join(tags_have=["bookkeeping"], tags_want=["3d printing"], what_i_do="Bookkeeping")
    url, token, prefix = f"{platform.url}/v1/me", member.tokens["access_token"], platform.prefix
    warm(url, token)
    ground.measure(
        row,
        lambda: rate(url, token, ground.scale.seconds),
        lambda: _store(ground, "members", "find", member.id, prefix),
    )


@part("page", Row(f"inbox page of {PAGE}", "per s", f"raw page, {THREADS}", at_least=0.60))
def page(ground: Ground, row: Row) -> None:
    """The newest of a member's notifications, beside the same query."""
    platform = ground.whole()
    member, prefix = platform.join(), platform.prefix
    now = clock.now()
    notice = answered(identifiers.new_id(now))
    lines = [line(member.id, identifiers.new_id(now), notice, now) for _ in range(LINES)]
    ground.database(prefix, "notifications").inbox.insert_many(lines)
    url, token = f"{platform.url}/v1/notifications?limit={PAGE}", member.tokens["access_token"]
    warm(url, token)
    ground.measure(
        row,
        lambda: rate(url, token, ground.scale.seconds),
        lambda: _store(ground, "notifications", "page", member.id, prefix),
    )


@part("post", Row("POST /v1/feedback until 201", "per s", f"raw journaled insert, {THREADS}", at_least=0.35))
def post(ground: Ground, row: Row) -> None:
    """A voice that is saved with its message riding along, which is relayed meanwhile; beside the insert of such
    documents, under the same indexes. What others then make of the message is none of it: notifications is stopped.
    """
    platform = ground.whole()
    member, body = platform.join(), orjson.dumps({"text": "I need a lamp."})
    url, token = f"{platform.url}/v1/feedback", member.tokens["access_token"]
    platform.processes.end("notifications")
    warm(url, token, body)
    other = ground.fresh()
    ground.measure(
        row,
        lambda: rate(url, token, ground.scale.seconds, body),
        lambda: _store(ground, "feedback", "insert", member.id, other),
    )
    forget_messages(ground.backend.amqp_uri)
    platform.serve("notifications")
    platform.ready()
