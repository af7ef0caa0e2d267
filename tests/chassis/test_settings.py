"""What a process says when its environment is not right."""

import subprocess
import sys

from tests.processes import ROOT, Processes


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


def test_an_unknown_capability_is_named(processes: Processes) -> None:
    assert processes.start("one", "-m", "services.feedback", "voices", "choirs").wait(30) == 1
    assert "feedback has no capability choirs; it has voices" in processes.log("one")


def test_one_capability_alone(processes: Processes) -> None:
    processes.start("one", "-m", "services.notifications", "inbox")
    log = processes.until("one", "serving")
    assert "notifications.inbox" in log
    assert "notifications.fanout" not in log
