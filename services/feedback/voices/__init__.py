"""Voices: members tell the hub something. The hub answers, decides, and tells its decision."""
