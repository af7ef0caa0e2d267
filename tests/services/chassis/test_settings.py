"""A process whose environment is wrong says what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig.processes import ROOT, Processes, free_port


def test_all_that_is_missing_is_named_at_once(environment: dict[str, str]) -> None:
    bare = {"PATH": environment["PATH"], "WORKERS": "many", "LOG_LEVEL": "LOUD"}
    done = subprocess.run(
        [sys.executable, "-m", "services.members"],
        check=False,
        cwd=ROOT,
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    for name in ("AMQP_URI", "MONGO_URI", "TOKEN_JWKS_FILE", "TOKEN_PRIVATE_KEY_FILE", "WORKERS", "LOG_LEVEL"):
        assert f"{name}:" in done.stdout
    assert "Traceback" not in done.stderr


def says(environment: dict[str, str], *command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *command], check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_secrets_come_from_files(environment: dict[str, str], processes: Processes, tmp_path: Path) -> None:
    for name in ("AMQP_URI", "MONGO_URI"):
        (tmp_path / name).write_text(f"{processes.environment[name]}\n")
    files = {f"{name}_FILE": str(tmp_path / name) for name in ("AMQP_URI", "MONGO_URI")}
    processes.environment = {name: each for name, each in environment.items() if name not in ("AMQP_URI", "MONGO_URI")}
    processes.start("one", "-m", "services.members", "sessions", **files)
    processes.until("one", "serving")
    gateway = ("-m", "gunicorn", "-c", "gateway/gunicorn.conf.py", "gateway.app:create()")
    processes.start("gateway", *gateway, PORT=str(free_port()), AMQP_URI_FILE=files["AMQP_URI_FILE"])
    processes.until("gateway", "broker connected")
    (tmp_path / "password").write_text("too short\n")
    create = ("-m", "deploy.hub", "admin", "create", "--email", "a@hub.example", "--name", "A")
    password = {"HEARTH_ADMIN_PASSWORD_FILE": str(tmp_path / "password")}
    code, words = says(processes.environment | files | password, *create)
    assert (code, words) == (1, "Error: password: Write 12 to 128 characters.\n")


@pytest.mark.parametrize("command", [["-m", "services.members"], ["-c", "from gateway.config import load; load()"]])
def test_secrets_come_from_one_place(environment: dict[str, str], tmp_path: Path, command: list[str]) -> None:
    empty = tmp_path / "empty"
    empty.write_text(" \n")
    for file in (empty, tmp_path, tmp_path / "nothing"):
        code, words = says(environment | {"AMQP_URI": "", "AMQP_URI_FILE": str(file)}, *command)
        assert (code, "AMQP_URI_FILE: Must name a file that can be read" in words) == (2, True), words
    code, words = says(environment | {"AMQP_URI_FILE": environment["TOKEN_JWKS_FILE"]}, *command)
    assert (code, "AMQP_URI: Set this or AMQP_URI_FILE, not both." in words) == (2, True), words


@pytest.mark.parametrize("command", [["-m", "services.members"], ["-c", "from gateway.config import load; load()"]])
def test_traces_go_to_an_address(environment: dict[str, str], command: list[str]) -> None:
    code, words = says(environment | {"OTEL_EXPORTER_OTLP_ENDPOINT": "the collector"}, *command)
    assert (code, "OTEL_EXPORTER_OTLP_ENDPOINT: Must be an address such as" in words) == (2, True), words


def test_without_the_extra_there_are_no_traces_and_nothing_misses_it(environment: dict[str, str]) -> None:
    without = "import sys; sys.modules['opentelemetry'] = None; "  # whether or not it is installed here
    load = f"{without}from gateway.config import load; load()"
    code, words = says(environment | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, "-c", load)
    assert (code, "need what the extra `otel` installs" in words) == (2, True), words
    make = f"{without}from gateway.app import create; create(); print('services.ground.spans' in sys.modules)"
    assert says(environment, "-c", make) == (0, "False\n")
    run = f"{without}sys.argv[1:] = ['x']; import runpy; runpy.run_module('services.feedback', run_name='__main__')"
    assert says(environment, "-c", run) == (1, "feedback has no capability x; it has voices, people.\n")


@pytest.mark.parametrize(
    ("service", "name"),
    [("feedback", "VOICES_A_DAY"), ("notifications", "LINES_AN_HOUR"), ("notifications", "INBOX_DAYS")],
)
def test_a_services_own_numbers_are_checked_with_the_rest(environment: dict[str, str], service: str, name: str) -> None:
    for wrong in ("0", "many", "-1"):
        code, words = says(environment | {name: wrong, "WORKERS": "0"}, "-m", f"services.{service}")
        assert (code, f"{name}: " in words, "WORKERS: " in words) == (2, True, True), words


def test_an_unknown_capability_is_named(processes: Processes) -> None:
    assert processes.start("one", "-m", "services.feedback", "voices", "choirs").wait(30) == 1
    assert "feedback has no capability choirs; it has voices" in processes.log("one")


def test_one_capability_alone(processes: Processes) -> None:
    processes.start("one", "-m", "services.notifications", "inbox")
    log = processes.until("one", "serving")
    assert "notifications.inbox" in log
    assert "notifications.fanout" not in log
