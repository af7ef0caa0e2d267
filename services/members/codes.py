"""Codes that open a door once: random or keyed words of 160 bits, of which only the hash is stored."""

import base64
import hashlib
import secrets

BYTES = 20


def new_code() -> str:
    """A random code."""
    return secrets.token_urlsafe(BYTES)


def code_of(mac: str) -> str:
    """A code made of a keyed hash (hexadecimal): the same whenever it is asked for, and stored nowhere."""
    return base64.urlsafe_b64encode(bytes.fromhex(mac)[:BYTES]).decode().rstrip("=")


def digest(code: str) -> str:
    """What is stored of a code: its hash, so that a stolen store opens no door."""
    return hashlib.sha256(code.encode()).hexdigest()
