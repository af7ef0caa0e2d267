"""Channels: the ways in which a notification reaches members, one file each. Each has a function `deliver`."""

from services.notifications.channels import inbox

__all__ = ["inbox"]
