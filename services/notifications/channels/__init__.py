"""Channels: the ways in which a notification reaches members, a file each. Each `deliver`s it to those who are told."""

from services.notifications.channels import inbox

__all__ = ["inbox"]
