"""Settings from the environment; all that is missing or wrong is named at once."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow import ValidationError, validate

RETRY_DELAYS = [5, 30, 120, 600]  # seconds


@dataclass(frozen=True)
class Settings:
    """What one service process is told by its environment (the README's table says what each means)."""

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
    """The environment does not say what is needed; ends the process with status 2 and one sentence per variable."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        self.says = "\n".join(f"{name}: {' '.join(says)}" for name, says in sorted(problems.items()))
        super().__init__(2)


def read(env: Env) -> None:
    """Close a reading of settings: raises WrongSettings naming every variable that is missing or wrong."""
    try:
        env.seal()
    except EnvValidationError as error:
        found: Any = error.error_messages
        wrong = WrongSettings({name: [str(each) for each in says] for name, says in found.items()})
        print(f"This process cannot start; its environment lacks something:\n{wrong.says}", flush=True)
        raise wrong from None


def secret(env: Env, name: str, *default: str) -> str:
    """What is not for everybody to read: the variable of this name, or what the file says that `<name>_FILE` names."""
    file = f"{name}_FILE"
    if not os.environ.get(file):
        return env.str(name, *default)
    env.str(name, "", validate=validate.Length(max=0, error=f"Set this or {file}, not both."))
    path = env.str(file, validate=_says_something)
    return Path(path).read_text().strip() if path else ""


def collector(env: Env) -> str:
    """Where traces go: the base of an OTLP/HTTP address, empty for nowhere. OpenTelemetry reads its other variables."""
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


def _says_something(path: str) -> None:
    try:
        says = Path(path).read_text().strip()
    except (OSError, ValueError):
        says = ""
    if not says:
        raise ValidationError("Must name a file that can be read and says something.")


def load(needs: Sequence[str] = (), numbers: Mapping[str, int] | None = None) -> Settings:
    """The settings of a service process.

    `needs` names variables that hold the path of a file it cannot do without; `numbers` are the service's own limits,
    by the variable that may set them, each with its default.
    """
    env = Env(eager=False)
    settings = Settings(
        amqp_uri=secret(env, "AMQP_URI"),
        mongo_uri=secret(env, "MONGO_URI"),
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
