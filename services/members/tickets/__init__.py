"""Tickets: a browser that can't send an access token opens its live stream with one."""
