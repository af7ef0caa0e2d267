"""Files that only their owner may read, and free ports."""

import json
import os
import random
import socket
from pathlib import Path
from typing import IO, Any

from deploy.local import CannotRun

# Below every usual range of outgoing connections, so that a remembered port is still free tomorrow.
PORTS = range(20000, 30000)


def folder(path: Path) -> None:
    """Makes a folder that only its owner may enter, and each missing folder above it.

    An existing folder is closed to others. Raises CannotRun if it is not ours.
    """
    for missing in [each for each in reversed(path.parents) if not each.exists()]:
        missing.mkdir(mode=0o700, exist_ok=True)  # `parents=True` would make the folders above readable for others
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_mode & 0o077:
        try:
            path.chmod(0o700)
        except PermissionError:
            raise CannotRun(
                f"{path} can be read by others, and belongs to another user. Name another folder."
            ) from None


def write(path: Path, text: str) -> None:
    """Writes the file whole or not at all. Only its owner may read it."""
    folder(path.parent)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def extend(path: Path) -> IO[bytes]:
    """Opens a file for reading and for writing at its end. A missing file is made for its owner only."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+b")


def write_json(path: Path, value: Any) -> None:
    """Writes a value as JSON, like `write`."""
    write(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The content of the file, or an empty dict if it is missing or not JSON."""
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """True if a server could listen on this port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """So many different free ports of the loopback address."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    return found
