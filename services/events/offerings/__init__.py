"""Offerings: what the hub offers, such as a meeting room, a 3D printer, mentoring hours."""
