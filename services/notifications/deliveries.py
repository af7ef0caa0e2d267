"""Counts of delivered notifications, one for each channel."""

from prometheus_client import Counter

DELIVERED = Counter(
    "hearth_notifications_delivered_total", "Notifications brought to members; a broadcast counts once.", ["channel"]
)
INBOX, BROADCAST = DELIVERED.labels("inbox"), DELIVERED.labels("broadcast")
