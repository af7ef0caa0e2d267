"""Offerings: resources and services of the hub, such as a meeting room, a 3D printer or mentoring hours."""
