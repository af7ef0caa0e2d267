"""Notifications: the inbox, and the stream that shows it live."""

from typing import Any

from gateway.api import Blueprint
from gateway.bus import stream
from gateway.bus.rpc import call
from services.contracts.errors import NotFound
from services.contracts.shapes.notifications import Marked, NotificationPage, NotificationQuery, Unread
from services.contracts.shapes.parts import ROLES

routes = Blueprint("notifications", __name__, description="What a member is told, and why.")


@routes.route("/notifications")
@routes.arguments(NotificationQuery, location="query")
@routes.response(200, NotificationPage)
@routes.may(*ROLES)
def list_notifications(query: dict[str, Any]) -> Any:
    """List my notifications, newest first."""
    return call("notifications.inbox", "browse", query=query)


@routes.route("/notifications/unread")
@routes.response(200, Unread)
@routes.may(*ROLES)
def count_unread() -> Any:
    """Count what I have not read yet."""
    return call("notifications.inbox", "unread")


@routes.route("/notifications/<id:notification_id>/read", methods=["POST"])
@routes.response(204)
@routes.refuses(NotFound)
@routes.may(own=ROLES)
def mark_read(notification_id: str) -> Any:
    """Mark a notification as read."""
    return call("notifications.inbox", "read", notification_id=notification_id)


@routes.route("/notifications/read", methods=["POST"])
@routes.response(200, Marked)
@routes.may(*ROLES)
def mark_all_read() -> Any:
    """Mark all my notifications as read."""
    return call("notifications.inbox", "read_all")


@routes.route("/notifications/stream")
@routes.arguments(stream.StreamHeaders, location="headers")
@routes.arguments(stream.StreamQuery, location="query")
@routes.response(200, stream.ServerSentEvent, content_type="text/event-stream")
@routes.may(*ROLES)
def stream_notifications(headers: dict[str, Any], query: dict[str, Any]) -> Any:
    """Follow my inbox live, as server-sent events named `notification`; ends when the access token does."""
    return stream.follow(headers, query)
