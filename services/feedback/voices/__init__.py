"""Voices: members tell the hub something; the hub answers, decides, and says so."""
