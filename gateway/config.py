"""The gateway's settings, from its environment (the table in deploy/README.md explains each variable)."""

import re
from dataclasses import dataclass
from pathlib import Path

from environs import Env
from marshmallow import ValidationError, validate

from services.ground import settings

RATE = validate.Range(1, 1_000_000)


@dataclass(frozen=True)
class Config:
    """Settings of a gateway process. Times are in seconds."""

    amqp_uri: str
    jwks_file: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    heartbeat: int = 10
    rpc_timeout: float = 2.0
    request_timeout: float = 3.0
    calls_waiting: int = 250
    breaker_misses: int = 3
    breaker_rest: float = 3.0
    rate_limit: int = 600
    rate_limit_anonymous: int = 120
    rate_limit_sign_in: int = 120
    trusted_proxies: int = 0
    arrives_within: float = 10.0
    connections_per_address: int = 500
    connections_per_member: int = 100
    at_once: int = 50
    at_once_anonymous: int = 100
    stop_notice: float = 1.0
    streams: int = 2000
    streams_per_member: int = 5
    stream_heartbeat: float = 15.0
    cors_origins: tuple[str, ...] = ()
    log_level: str = "INFO"
    log_format: str = "json"
    traces_to: str = ""


def _are_origins(found: list[str]) -> None:
    """Check that each is an exact origin. A pattern or `*` could admit unintended pages."""
    if wrong := [each for each in found if not re.fullmatch(r"https?://[\w.\-]+(:\d+)?", each)]:
        raise ValidationError(f"{wrong[0]} is no origin such as https://app.hub.example.")


def load() -> Config:
    """The settings of this process. Ends it with status 2 if a setting is missing or wrong."""
    env = Env(eager=False)
    config = Config(
        amqp_uri=settings.server(env, "AMQP_URI", *settings.BROKER),
        jwks_file=env.path("TOKEN_JWKS_FILE"),
        host=env.str("HOST", "127.0.0.1"),
        port=env.int("PORT", 8000, validate=validate.Range(0, 65535)),
        workers=env.int("WEB_CONCURRENCY", 1, validate=validate.Range(1, 64)),
        heartbeat=env.int("AMQP_HEARTBEAT", 10, validate=validate.Range(2, 600)),
        rpc_timeout=env.float("RPC_TIMEOUT", 2.0, validate=validate.Range(0.1, 60)),
        request_timeout=env.float("REQUEST_TIMEOUT", 3.0, validate=validate.Range(0.1, 60)),
        calls_waiting=env.int("CALLS_WAITING", 250, validate=validate.Range(1, 10000)),
        breaker_misses=env.int("BREAKER_MISSES", 3, validate=validate.Range(1, 1000000)),
        breaker_rest=env.float("BREAKER_REST", 3.0, validate=validate.Range(0.1, 60)),
        rate_limit=env.int("RATE_LIMIT", 600, validate=RATE),
        rate_limit_anonymous=env.int("RATE_LIMIT_ANONYMOUS", 120, validate=RATE),
        rate_limit_sign_in=env.int("RATE_LIMIT_SIGN_IN", 120, validate=RATE),
        trusted_proxies=env.int("TRUSTED_PROXIES", 0, validate=validate.Range(0, 10)),
        arrives_within=env.float("ARRIVES_WITHIN", 10.0, validate=validate.Range(0.1, 300)),
        connections_per_address=env.int("CONNECTIONS_PER_ADDRESS", 500, validate=validate.Range(1, 100_000)),
        connections_per_member=env.int("CONNECTIONS_PER_MEMBER", 100, validate=validate.Range(1, 100_000)),
        at_once=env.int("AT_ONCE", 50, validate=validate.Range(1, 10_000)),
        at_once_anonymous=env.int("AT_ONCE_ANONYMOUS", 100, validate=validate.Range(1, 10_000)),
        stop_notice=env.float("STOP_NOTICE", 1.0, validate=validate.Range(0, 60)),
        streams=env.int("STREAMS", 2000, validate=validate.Range(1, 20000)),
        streams_per_member=env.int("STREAMS_PER_MEMBER", 5, validate=validate.Range(1, 100)),
        stream_heartbeat=env.float("STREAM_HEARTBEAT", 15.0, validate=validate.Range(0.1, 300)),
        cors_origins=tuple(env.list("CORS_ORIGINS", [], subcast=str.strip, validate=_are_origins) or ()),
        log_level=env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])),
        log_format=env.str("LOG_FORMAT", "json", validate=validate.OneOf(["json", "text"])),
        traces_to=settings.collector(env),
    )
    settings.read(env)
    return config
