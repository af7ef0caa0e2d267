"""The inbox, the channel that everybody has. It keeps a line for each member, or one document for everyone."""

from datetime import datetime

from services.notifications.fanout.domain import News, Portion
from services.notifications.inbox.domain import broadcast, line
from services.notifications.inbox.store import InboxStore


def deliver(inbox: InboxStore, news: News, to: Portion, now: datetime) -> datetime:
    """Put a notification into the inboxes of a portion, once. Returns the moment of its lines."""
    if to.belonging is not None:
        made = broadcast(news.id, news.notice, now, belonging=to.belonging, but=to.but)
        at: datetime = inbox.broadcasts.keep(made)["at"]  # perhaps that of an earlier attempt
        return at
    lines = [line(member_id, news.id, news.notice, now) for member_id in to.told]
    inbox.put(lines, journaled=to.last)  # the journal then keeps earlier writes, too
    return now
