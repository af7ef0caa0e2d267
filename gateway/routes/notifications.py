"""Notifications: the inbox, and the stream that shows it live."""

from typing import Any

from gateway.api import Blueprint
from gateway.bus import stream
from gateway.door import tickets
from services.contracts.calls.notifications import COUNT_UNREAD, LIST_NOTIFICATIONS, MARK_ALL_READ, MARK_READ
from services.contracts.calls.sessions import ISSUE_STREAM_TICKET
from services.contracts.roles import MEMBERS

routes = Blueprint("notifications", __name__, description="Notifications to a member, each with its reason.")

routes.get("/notifications", LIST_NOTIFICATIONS, spoken=True)
routes.get("/notifications/unread", COUNT_UNREAD)
routes.post("/notifications/<id:notification_id>/read", MARK_READ)
routes.post("/notifications/read", MARK_ALL_READ)
routes.post("/notifications/stream/tickets", ISSUE_STREAM_TICKET)


@routes.route("/notifications/stream")
@routes.arguments(stream.StreamHeaders(), location="headers")
@routes.arguments(stream.StreamQuery(), location="query")
@routes.response(200, stream.ServerSentEvent, content_type="text/event-stream", spoken=True)
@routes.may(*MEMBERS)
@routes.refuses("too_many_streams", "streams_full", "ticket_refused")
@tickets.admitting
def stream_notifications(headers: dict[str, Any], query: dict[str, Any]) -> Any:
    """Follow my inbox live, as server-sent events named `notification`; ends when the access token does."""
    return stream.follow(headers, query)
