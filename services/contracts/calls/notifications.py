"""The calls that notifications answers."""

from marshmallow import fields

from services.contracts.calling import ask, listen
from services.contracts.roles import MEMBERS
from services.contracts.shapes.notifications import Marked, Missed, NotificationPage, NotificationQuery, Unread
from services.contracts.shapes.parts import Id

listen("notifications.people")
listen("notifications.followers")
listen("notifications.fanout")
listen("notifications.house")

LIST_NOTIFICATIONS = ask(
    "notifications.inbox.browse",
    operation="list_notifications",
    says="List my notifications, newest first.",
    takes={"query": NotificationQuery},
    gives=NotificationPage,
    may=MEMBERS,
)
COUNT_UNREAD = ask(
    "notifications.inbox.unread",
    operation="count_unread",
    says="Count what I have not read yet.",
    gives=Unread,
    may=MEMBERS,
)
MARK_READ = ask(
    "notifications.inbox.read",
    operation="mark_read",
    says="Mark a notification as read.",
    takes={"notification_id": Id},
    own=MEMBERS,
    refuses=("not_found",),
)
MARK_ALL_READ = ask(
    "notifications.inbox.read_all",
    operation="mark_all_read",
    says="Mark all my notifications as read.",
    gives=Marked,
    may=MEMBERS,
)
CATCH_UP = ask(
    "notifications.inbox.since",
    says="List the notifications since an event of the live stream, oldest first, each with its `event_id`.",
    takes={"after": fields.String},
    gives=Missed,
    may=MEMBERS,
)
