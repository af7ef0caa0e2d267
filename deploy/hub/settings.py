"""The settings of the platform to look at: the one that the environment names, or else that of this checkout."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from environs import Env

from deploy.hub import Trouble
from deploy.local import CannotRun
from deploy.local.given import SERVERS, take
from deploy.local.platform import ROOT, Platform
from services.ground import clock
from services.ground.settings import RETRY_DELAYS


@cache
def environment() -> Mapping[str, str]:
    """The environment of this process. The running platform's completes it, unless they name different servers."""
    take()
    found = _environment()
    if file := found.get("CLOCK_FILE"):
        clock.follow(Path(file))
    return found


def _environment() -> Mapping[str, str]:
    given = {name: os.environ[name] for name in SERVERS if os.environ.get(name)}
    if len(given) < len(SERVERS):
        running = _running()
        if given.items() <= running.items():
            return {**running, **{name: value for name, value in os.environ.items() if value}}
    return dict(os.environ)


def checkout() -> Platform:
    """The platform of this checkout, running or not."""
    return Platform(ROOT / ".hearth", ROOT / "deploy" / "local" / "Procfile")


def _running() -> dict[str, str]:
    try:
        return checkout().settings()
    except CannotRun:
        return {}


@contextmanager
def naming(**values: str) -> Iterator[None]:
    """Set these variables in the environment while the block lasts."""
    os.environ.update(values)
    environment.cache_clear()
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]
        environment.cache_clear()


def need(name: str) -> str:
    """A variable's value. Raises Trouble if it is not set."""
    value = environment().get(name)
    if not value:
        named = [each for each in SERVERS if os.environ.get(each)]
        if named and _running():
            raise Trouble(
                f"{name} is not set, and {named[0]} names another platform than the one that this checkout runs.",
                f"Set {name}, too, or unset {named[0]}.",
            )
        raise Trouble(f"{name} is not set, and no platform of this checkout runs.", "Set it, or start one (make run).")
    return value


def database(service: str) -> str:
    """The name of a service's database."""
    return f"{environment().get('MONGO_DATABASE_PREFIX', 'hearth_')}{service}"


def retry_delays() -> list[int]:
    """Seconds between the tries of a message, as the services read them."""
    return list(Env().list("RETRY_DELAYS", RETRY_DELAYS, subcast=int) or [])
