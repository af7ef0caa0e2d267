"""Runs the platform: on one machine, in containers, on a cluster."""
