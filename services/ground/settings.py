"""Settings from the environment. All missing or wrong variables are named at once."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow import ValidationError, validate

from services.ground import clock

RETRY_DELAYS = [5, 30, 120, 600]  # seconds
BROKER, STORE = ("amqp", "amqps"), ("mongodb", "mongodb+srv")  # schemes of their addresses


@dataclass(frozen=True)
class Settings:
    """The settings of one service process, from its environment. The table in deploy/README.md explains each."""

    amqp_uri: str
    mongo_uri: str
    database_prefix: str
    jwks_file: Path
    workers: int
    retry_delays: tuple[int, ...]
    heartbeat: int
    log_level: str
    log_format: str
    metrics_port: int
    traces_to: str
    files: dict[str, Path]
    numbers: dict[str, int]


class WrongSettings(SystemExit):
    """The environment lacks a variable or has a wrong one. Ends the process with status 2; `says` has the sentences."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        self.says = "\n".join(f"{name}: {' '.join(says)}" for name, says in sorted(problems.items()))
        super().__init__(2)


def read(env: Env) -> None:
    """Close a reading of settings: raises WrongSettings naming every variable that is missing or wrong.

    If CLOCK_FILE is among them, the clock of this process follows that file from here on.
    """
    moved_by = env.str("CLOCK_FILE", "", validate=_may_move)
    try:
        env.seal()
    except EnvValidationError as error:
        found: Any = error.error_messages
        wrong = WrongSettings({name: [str(each) for each in says] for name, says in found.items()})
        print(f"This process cannot start; its environment lacks something:\n{wrong.says}", flush=True)
        raise wrong from None
    if moved_by:
        clock.follow(Path(moved_by))


def _may_move(file: str) -> None:
    """Check that the file says that its platform serves no real people, so that no real one is moved by accident."""
    try:
        if file:
            clock.ahead(Path(file))
    except (OSError, ValueError):
        says = "Must name a file that `python -m deploy.local up --movable` made; a platform for real has none."
        raise ValidationError(says) from None


Check = Callable[[str], None]


def secret(env: Env, name: str, *default: str, check: Check | None = None) -> str:
    """A secret: the value of the variable `name`, or the content of the file that `<name>_FILE` names.

    `check` raises a ValidationError, whose text must not quote the secret.
    """
    file = f"{name}_FILE"
    if not os.environ.get(file):
        return env.str(name, *default, validate=check)

    def check_file(path: str) -> None:
        said = _said_by(path)
        if not said:
            raise ValidationError("Must name a file that can be read and says something.")
        if check is not None:
            check(said)

    env.str(name, "", validate=validate.Length(max=0, error=f"Set this or {file}, not both."))
    path = env.str(file, validate=check_file)
    return _said_by(path) if path else ""


def server(env: Env, name: str, *schemes: str) -> str:
    """The address of a server, perhaps with a password.

    It is checked here, because a library that can't read an address quotes parts of it, perhaps of the password.
    """

    def check(address: str) -> None:
        scheme, _, rest = address.partition("://")
        hosts = re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
        if scheme not in schemes or not all(map(_is_host, hosts.split(","))):
            says = f"Must be an address such as {schemes[0]}://user:password@host/name, special characters as %XX."
            raise ValidationError(says)

    return secret(env, name, check=check)


_is_host = re.compile(r"(?:[\w.%-]*|\[[\w.:%]+\])(?::\d{1,5})?").fullmatch


def _said_by(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, ValueError):
        return ""


def collector(env: Env) -> str:
    """The base of the OTLP/HTTP address that gets traces; empty for none. OpenTelemetry reads its other variables."""
    return env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "", validate=_can_be_told)


def _can_be_told(endpoint: str) -> None:
    if not endpoint:
        return
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise ValidationError("Must be an address such as http://127.0.0.1:4318.")
    try:
        installed = find_spec("opentelemetry.exporter.otlp.proto.http")
    except ModuleNotFoundError:
        installed = None
    if installed is None:
        raise ValidationError("Traces need what the extra `otel` installs (requirements/otel.txt).")


def load(needs: Sequence[str] = (), numbers: Mapping[str, int] | None = None) -> Settings:
    """The settings of a service process.

    `needs` names the variables that must hold the path of a file. `numbers` are the service's own limits: each variable
    with its default.
    """
    env = Env(eager=False)
    settings = Settings(
        amqp_uri=server(env, "AMQP_URI", *BROKER),
        mongo_uri=server(env, "MONGO_URI", *STORE),
        database_prefix=env.str("MONGO_DATABASE_PREFIX", "hearth_"),
        jwks_file=env.path("TOKEN_JWKS_FILE"),
        workers=env.int("WORKERS", 10, validate=validate.Range(1, 200)),
        retry_delays=tuple(env.list("RETRY_DELAYS", RETRY_DELAYS, subcast=int) or ()),
        heartbeat=env.int("AMQP_HEARTBEAT", 10, validate=validate.Range(2, 600)),
        log_level=env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])),
        log_format=env.str("LOG_FORMAT", "json", validate=validate.OneOf(["json", "text"])),
        metrics_port=env.int("METRICS_PORT", 0),
        traces_to=collector(env),
        files={name: env.path(name) for name in needs},
        numbers={
            name: env.int(name, default, validate=validate.Range(1, 1_000_000))
            for name, default in (numbers or {}).items()
        },
    )
    read(env)
    return settings
