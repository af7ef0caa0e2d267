"""`GET /v1/me` as nameko itself would have it: `… door` serves HTTP, `… accounts` reads what the door answers with.

Like ours: the token's check (it is ours), JSON by orjson, a call over a durable classic queue on the exchange
`nameko-rpc`, a transient request, a transient unconfirmed reply, prefetch 10, one process each, one read by `_id`
without the outbox, the same JSON. Unlike ours, to its favour: no limits, deadlines, metrics, log lines or
ETag; the service believes the member's id. To its cost, as nameko has no other way: the request is confirmed (only so
is a missing service noticed), and acknowledged when it was answered, not before.

With AS_IT_COMES nothing is set that nameko sets itself: replies are persistent and confirmed, JSON is the standard
library's, and there are ten workers everywhere.
"""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from datetime import UTC  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import kombu.pools  # noqa: E402
import orjson  # noqa: E402
from bson.codec_options import CodecOptions  # noqa: E402
from nameko.amqp.publish import Publisher  # noqa: E402
from nameko.constants import NON_PERSISTENT  # noqa: E402
from nameko.extensions import DependencyProvider  # noqa: E402
from nameko.rpc import Responder, RpcProxy, rpc  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402
from nameko.web.handlers import http  # noqa: E402
from pymongo import MongoClient  # noqa: E402
from pymongo.collection import Collection  # noqa: E402
from werkzeug.wrappers import Request, Response  # noqa: E402

from services.contracts.errors import Unauthenticated  # noqa: E402
from services.ground.tokens import Tokens  # noqa: E402

AS_IT_COMES = bool(os.environ.get("AS_IT_COMES"))
DOOR_WORKERS = 50  # each of the 32 connections has one at once
WORKERS = 10
HIDDEN = {"outbox": False, "unsent": False}
PLAIN = ("name", "pronouns", "what_i_do", "organisation", "country", "languages", "tags_have", "tags_want")


class Reply(Publisher):
    """Replies like ours."""

    delivery_mode = NON_PERSISTENT
    use_confirms = False


if not AS_IT_COMES:
    Responder.publisher_cls = Reply


class Checked(DependencyProvider):
    """Checks access tokens."""

    def setup(self) -> None:
        self._tokens = Tokens(Path(os.environ["TOKEN_JWKS_FILE"]))

    def get_dependency(self, _worker_ctx: Any) -> Tokens:
        return self._tokens


class Rows(DependencyProvider):
    """The accounts in the store."""

    def setup(self) -> None:
        client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGO_URI"])
        database = client.get_database(os.environ["DATABASE"], codec_options=CodecOptions(tz_aware=True))
        self._rows = database["accounts"]

    def get_dependency(self, _worker_ctx: Any) -> Collection[dict[str, Any]]:
        return self._rows


class Accounts:
    """The service that reads the members of the hub."""

    name = "peer_accounts"
    rows = Rows()

    @rpc
    def me(self, member_id: str) -> dict[str, Any] | None:
        found = self.rows.find_one({"_id": member_id}, HIDDEN)
        return found and profile(found)


def profile(row: dict[str, Any]) -> dict[str, Any]:
    """A member as they see themselves."""
    moment = row["joined_at"].astimezone(UTC).isoformat(timespec="milliseconds")
    told = {name: row[name] for name in PLAIN}
    return told | {
        "id": row["_id"],
        "email": row["email"],
        "roles": row["roles"],
        "joined_at": moment.replace("+00:00", "Z"),
        "version": row["version"],
    }


class Door:
    """The HTTP front."""

    name = "peer_door"
    checked = Checked()
    accounts = RpcProxy("peer_accounts", **({} if AS_IT_COMES else {"delivery_mode": NON_PERSISTENT}))

    @http("GET", "/v1/me")
    def me(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            caller = self.checked.caller(token if scheme.lower() == "bearer" else None)
        except Unauthenticated as refusal:
            return _answer({"title": refusal.code, "detail": refusal.says}, 401)
        found = self.accounts.me(caller.id)
        return _answer(found, 200) if found else _answer({"title": "not_found"}, 404)


def _answer(said: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(said), status, content_type="application/json")


def tuned(workers: int) -> dict[str, Any]:
    """Return nameko's settings for so many workers; set the limit of kombu's pool."""
    kombu.pools.set_limit(workers)
    orjsons = {"encoder": "orjson.dumps", "decoder": "orjson.loads"}
    kind = {"content_type": "application/json", "content_encoding": "utf-8"}
    return {"max_workers": workers, "serializer": "orjson", "SERIALIZERS": {"orjson": orjsons | kind}}


def serve(service: type, workers: int) -> None:
    """Run until SIGTERM."""
    address = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
    config = {"AMQP_URI": os.environ["AMQP_URI"], "WEB_SERVER_ADDRESS": address}
    runner = ServiceRunner(config if AS_IT_COMES else config | tuned(workers))
    runner.add_service(service)
    signal.signal(signal.SIGTERM, lambda *_: eventlet.spawn_n(runner.stop))
    runner.start()
    print("serving", flush=True)
    runner.wait()


if __name__ == "__main__":
    if sys.argv[1] == "door":
        serve(Door, DOOR_WORKERS)
    else:
        serve(Accounts, WORKERS)
