"""`stranger.py '{"user": 65534, "store": 20123, …}'`: what another user of the machine tries, without a password.

Prints as JSON what came of each attempt: "refused", or what it got. What cannot be reached at all is an error.
"""

import importlib
import os
import pkgutil
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import amqp
import bson
import orjson
import pymongo
import requests
from pymongo.errors import AutoReconnect, OperationFailure

REFUSED = "refused"
WITHIN = 2  # seconds
UNAUTHORIZED, WRONG_PASSWORD = 13, 18  # what MongoDB calls them
Attempts = Iterator[tuple[str, Callable[[], Any]]]


def main(about: dict[str, Any]) -> None:
    """Tries all that can be tried with what is known: ports and a folder."""
    _load()
    if user := about["user"]:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    kinds = {
        "store": at_the_store,
        "broker": at_the_broker,
        "management": at_the_api,
        "once": at_once,
        "folder": inside,
    }
    attempts = [each for name, kind in kinds.items() if name in about for each in kind(about[name])]
    sys.stdout.buffer.write(orjson.dumps({name: come_of(attempt) for name, attempt in attempts}))


def _load() -> None:
    """Import all that a connection may need, while we may still read it: the checkout may be closed to others."""
    "127.0.0.1".encode("idna")
    for package in (bson, pymongo, amqp, requests):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            with suppress(ImportError):  # what an extra would bring
                importlib.import_module(each.name)


def come_of(attempt: Callable[[], Any]) -> str:
    """Make an attempt; return "refused", what it got, or the error."""
    try:
        return f"got {attempt()}"
    except OperationFailure as error:
        return REFUSED if error.code in (UNAUTHORIZED, WRONG_PASSWORD) else str(error)
    except (amqp.AccessRefused, PermissionError, ssl.SSLError, AutoReconnect):
        return REFUSED


def at_the_store(port: int) -> Attempts:
    client = pymongo.MongoClient[dict[str, Any]]("127.0.0.1", port, serverSelectionTimeoutMS=WITHIN * 1000)
    guess = pymongo.MongoClient[dict[str, Any]](f"mongodb://hearth:hearth@127.0.0.1:{port}")
    yield "databases", client.list_database_names
    yield "read", client.hearth.kept.find_one
    yield "change", lambda: client.hearth.kept.update_one({}, {"$set": {"email": "mallory@hub.example"}})
    yield "drop", lambda: client.drop_database("hearth")
    yield "make a user", lambda: client.admin.command("createUser", "mallory", pwd="mallory", roles=["root"])
    yield "guess", guess.hearth.kept.find_one


def at_once(port: int) -> Attempts:
    where: dict[str, Any] = {"host": "127.0.0.1", "port": port, "directConnection": True}
    where |= {"serverSelectionTimeoutMS": WITHIN * 1000}
    unknown = {"tls": True, "tlsAllowInvalidCertificates": True}
    for name, way in (("without TLS", {}), ("without a certificate", unknown)):
        yield name, pymongo.MongoClient[dict[str, Any]](**where, **way).list_database_names


def at_the_broker(port: int) -> Attempts:
    for name, user, password in (("guest", "guest", "guest"), ("hearth", "hearth", ""), ("guess", "hearth", "hearth")):
        place = f"127.0.0.1:{port}"
        yield name, amqp.Connection(place, userid=user, password=password, connect_timeout=WITHIN).connect


def at_the_api(port: int) -> Attempts:
    def ask() -> str:
        answer = requests.get(f"http://127.0.0.1:{port}/api/users", auth=("guest", "guest"), timeout=WITHIN)
        if answer.status_code == requests.codes.unauthorized:
            raise PermissionError
        return answer.text

    yield "management", ask


def inside(folder: str) -> Attempts:
    def enter() -> list[str]:
        if os.geteuid() == Path(folder).stat().st_uid and not Path(folder).stat().st_mode & 0o077:
            raise PermissionError  # we are its owner, and nobody else may
        return os.listdir(folder)

    yield "folder", enter


if __name__ == "__main__":
    main(orjson.loads(sys.argv[1]))
