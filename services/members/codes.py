"""Codes that work once: random or keyed words of 160 bits. Only their hash is stored."""

import base64
import hashlib
import secrets

BYTES = 20


def new_code() -> str:
    """A random code."""
    return secrets.token_urlsafe(BYTES)


def code_of(mac: str) -> str:
    """A code made from a keyed hash (hexadecimal). The same hash gives the same code, so it is stored nowhere."""
    return base64.urlsafe_b64encode(bytes.fromhex(mac)[:BYTES]).decode().rstrip("=")


def digest(code: str) -> str:
    """The hash of a code. Only this is stored, so that a stolen store gives away no code that works."""
    return hashlib.sha256(code.encode()).hexdigest()
