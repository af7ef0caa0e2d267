"""Up, down and crashes, with stand-ins for the services and the gateway, and no servers of our own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import private
from deploy.local.platform import ROOT
from deploy.local.program import birth

DOOR = Path(__file__).with_name("door.py")
LEFT_BEHIND = "Ended what an earlier run had left behind: members, gateway."
SLEEP = "python -c 'import time; print(\"awake\"); time.sleep(600)'"


class Hearth:
    """`python -m deploy.local` with a folder, a port and a Procfile of its own."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.procfile = base.with_name("Procfile")
        self.processes(members=SLEEP, gateway=f"python {DOOR}")
        [port] = private.free_ports(1)
        self.environment = os.environ | {
            "PORT": str(port),
            "AMQP_URI": "amqp://given",
            "MONGO_URI": "mongodb://given",
        }
        self.url = f"http://127.0.0.1:{port}"

    def processes(self, **commands: str) -> None:
        self.procfile.write_text("".join(f"{name}: {command}\n" for name, command in commands.items()))

    def popen(self, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "--base", self.base, "--procfile", self.procfile, *command],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __call__(self, *command: str) -> tuple[int, str]:
        process = self.popen(*command)
        words, _ = process.communicate(timeout=60)
        return process.returncode, words

    def pid(self, name: str) -> int:
        found = re.search(rf"{name} +pid (\d+)", self("status")[1])
        return int(found[1]) if found else 0


@pytest.fixture
def hearth(tmp_path: Path) -> Iterator[Hearth]:
    hearth = Hearth(tmp_path / "state")
    yield hearth
    assert hearth("reset")[0] == 0
    assert not hearth.base.exists()


def eventually(true: Callable[[], bool], within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def kill_supervisor(hearth: Hearth) -> None:
    os.kill(int((hearth.base / "lock").read_text().split()[0]), signal.SIGKILL)
    assert eventually(lambda: hearth("status")[0] == 1)


def test_up_twice_then_down_twice(hearth: Hearth) -> None:
    assert hearth("status") == (3, "Hearth is not running.\n")
    code, words = hearth("up")
    assert (code, words.splitlines()[-1]) == (0, f"Hearth is ready: {hearth.url} (docs: /docs)")
    assert hearth("up") == (0, f"Hearth runs already: {hearth.url} (make stop ends it)\n")
    assert hearth("run") == (0, f"Hearth runs already: {hearth.url} (make stop ends it)\n")
    pids = [hearth.pid("members"), hearth.pid("gateway")]
    assert all(birth(pid) for pid in pids)
    assert (hearth.base / "logs" / "members.log").read_text() == "awake\n"
    assert hearth("stop") == (0, "Hearth has stopped.\n")
    assert not any(birth(pid) for pid in pids)
    assert hearth("stop") == (0, "Hearth is not running.\n")


def test_settings_for_a_service_started_by_hand(hearth: Hearth) -> None:
    assert hearth("env")[0] == 1
    hearth("up")
    code, exports = hearth("env")
    shell = subprocess.run(["sh", "-c", f"{exports} env"], capture_output=True, text=True, check=True, env={})
    assert code == 0
    assert "AMQP_URI=amqp://given\n" in shell.stdout
    assert f"TOKEN_JWKS_FILE={hearth.base}/keys/jwks.json\n" in shell.stdout


def test_a_clock_is_moved_where_that_was_asked_for(hearth: Hearth) -> None:
    says = 'print(os.environ["CLOCK_FILE"], flush=True); time.sleep(600)'
    hearth.processes(members=f"python -c 'import os, time; {says}'", gateway=f"python {DOOR}")
    hearth.environment["CLOCK_FILE"] = ""
    assert hearth("up")[0] == 0
    for move in (("clock",), ("clock", "+5w")):
        code, words = hearth(*move)
        assert (code, "--movable" in words) == (1, True), words
    hearth("stop")
    assert hearth("up", "--movable")[0] == 0
    assert hearth("clock") == (0, "The clock goes right.\n")
    assert hearth("clock", "5w")[0] == 1
    assert hearth("clock", "+5w") == (0, "The clock is ahead by 35 days, 0:00:00.\n")
    assert f"export CLOCK_FILE={hearth.base}/clock\n" in hearth("env")[1]
    log = hearth.base / "logs" / "members.log"
    assert eventually(lambda: str(hearth.base / "clock") in log.read_text())
    hearth("stop")
    assert hearth("up")[0] == 0, "what it keeps is of that time, so it goes on from there"
    assert hearth("clock", "+1d") == (0, "The clock is ahead by 36 days, 0:00:00.\n")


def test_each_process_knows_only_what_it_needs(hearth: Hearth) -> None:
    names = "print(*sorted(os.environ), flush=True); time.sleep(600)"
    show = f"python -c 'import os, time; {names}'"
    gateway = f"sh -c 'env; exec python {DOOR}'"
    hearth.processes(members=show, feedback=show, gateway=gateway)
    hearth("up")
    logs = {name: hearth.base / "logs" / f"{name}.log" for name in ("members", "feedback", "gateway")}
    assert eventually(lambda: all("TOKEN_JWKS_FILE" in log.read_text() for log in logs.values()))
    can_sign = [name for name, log in logs.items() if "TOKEN_PRIVATE_KEY_FILE" in log.read_text()]
    know_store = [name for name, log in logs.items() if "MONGO_URI" in log.read_text()]
    assert (can_sign, know_store) == (["members"], ["members", "feedback"])
    assert not [name for name, log in logs.items() if "AMQP_MANAGEMENT_URI" in log.read_text()], "it is for operators"


def test_a_folder_that_others_could_enter_is_closed(hearth: Hearth, tmp_path: Path) -> None:
    for folder in (hearth.base, hearth.base / "logs"):
        folder.mkdir()
        folder.chmod(0o755)  # as an earlier version left it
    written = hearth.base / "written"
    hearth.processes(members=f"sh -c 'echo > {written}; exec sleep 600'", gateway=f"python {DOOR}")
    hearth("up")
    assert eventually(written.exists)
    assert not [path for path in (hearth.base, *hearth.base.rglob("*")) if path.stat().st_mode & 0o077]


def test_a_killed_service_comes_back(hearth: Hearth) -> None:
    hearth("up")
    first = hearth.pid("members")
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: hearth.pid("members") not in (0, first))
    assert "members ended (SIGKILL); starting it again in 0.5 s." in (hearth.base / "logs" / "platform.log").read_text()


def test_what_a_killed_supervisor_leaves_is_ended_by_the_next_start(hearth: Hearth) -> None:
    hearth("up")
    orphan = hearth.pid("members")
    kill_supervisor(hearth)
    assert birth(orphan)
    code, words = hearth("up")
    assert (code, words.splitlines()[0]) == (0, LEFT_BEHIND)
    assert not birth(orphan)


def test_what_a_killed_supervisor_leaves_is_told_and_ended(hearth: Hearth) -> None:
    hearth("up")
    pids = [hearth.pid("members"), hearth.pid("gateway")]
    kill_supervisor(hearth)
    code, words = hearth("status")
    assert code == 1
    assert words.splitlines() == [
        "Hearth's supervisor was killed, and these still run: make stop ends them, make run ends them and starts anew.",
        f"  members        pid {pids[0]}",
        f"  gateway        pid {pids[1]}",
    ]
    assert hearth("env")[0] == 0, "an operator may still look"
    assert hearth("stop") == (0, f"{LEFT_BEHIND}\n")
    assert not any(birth(pid) for pid in pids)
    assert hearth("status") == (3, "Hearth is not running.\n")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="Only Linux tells the environment of a process.")
def test_what_a_killed_process_leaves_is_told_and_ended_too(hearth: Hearth) -> None:
    child = hearth.base / "child"
    away = f'setsid sh -c "echo \\$\\$ > {child}; exec sleep 600" & exec sleep 600'  # out of its parent's group
    hearth.processes(members=f"sh -c '{away}'", gateway=f"python {DOOR}")
    hearth("up")
    assert eventually(child.exists)
    parent, orphan = hearth.pid("members"), int(child.read_text())
    kill_supervisor(hearth)
    os.kill(parent, signal.SIGKILL)
    assert f"  members        pid {orphan}" in hearth("status")[1].splitlines()
    assert hearth("stop") == (0, "Ended what an earlier run had left behind: gateway, members.\n")
    assert not birth(orphan)


def test_a_stale_record_harms_no_other_process(hearth: Hearth) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    private.write_json(hearth.base / "processes.json", {"members": [stranger.pid, "born at another time"]})
    (hearth.base / "lock").write_text(f"{stranger.pid} 1\n")
    assert hearth("stop") == (0, "Hearth is not running.\n")
    assert hearth("up")[0] == 0
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_taken_port_is_said_in_one_sentence(hearth: Hearth) -> None:
    port = int(hearth.environment["PORT"])
    with socket.create_server(("127.0.0.1", port)):
        code, words = hearth("up")
    assert (code, words) == (
        1,
        f"Another program listens on 127.0.0.1:{port}. Choose another port: PORT={port + 1}.\n",
    )


def test_a_process_that_does_not_come_up_is_named_with_its_last_words(hearth: Hearth) -> None:
    hearth.processes(members="python -c 'print(\"AMQP_URI is missing\"); exit(2)'", gateway=SLEEP)
    code, words = hearth("up")
    assert code == 1
    assert "members does not come up (exit code 2)." in words
    assert "members | AMQP_URI is missing" in words
    assert "Traceback" not in words
    assert hearth("status")[0] == 3


def test_one_interrupt_ends_the_foreground(hearth: Hearth) -> None:
    run = hearth.popen("run")
    assert run.stdout
    seen = []
    for line in run.stdout:
        seen.append(line)
        if "Hearth is ready" in line:
            break
    pids = [hearth.pid("members"), hearth.pid("gateway")]
    run.send_signal(signal.SIGINT)
    rest, _ = run.communicate(timeout=30)
    assert run.returncode == 0
    assert any(re.search(r"\d\d:\d\d:\d\d members .*\| awake", line) for line in [*seen, *rest.splitlines()])
    assert rest.splitlines()[-1].endswith("Hearth has stopped.")
    assert not any(birth(pid) for pid in pids)


def test_who_does_not_end_is_killed_when_asked_twice(hearth: Hearth) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    hearth.processes(members=f"python -c '{deaf}'", gateway=f"python {DOOR}")
    run = hearth.popen("run")
    assert run.stdout
    seen = ""
    while "Hearth is ready" not in seen or "| 1" not in seen:
        seen += run.stdout.readline()
    run.send_signal(signal.SIGINT)
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    words, _ = run.communicate(timeout=10)
    assert "members did not end by itself and was killed." in words


def test_each_service_shows_its_metrics_at_a_port_of_its_own(hearth: Hearth) -> None:
    say = "python -c 'import os, time; print(os.environ[\"METRICS_PORT\"], flush=True); time.sleep(600)'"
    hearth.processes(members=say, events=say, gateway=f"python {DOOR}")
    hearth.environment |= {"METRICS_PORT": "9101"}
    assert hearth("up")[0] == 0
    logs = hearth.base / "logs"
    assert eventually(lambda: (logs / "members.log").read_text() == "9101\n")
    assert eventually(lambda: (logs / "events.log").read_text() == "9102\n")


def test_what_runs_in_the_foreground_is_kept_too(hearth: Hearth) -> None:
    process = hearth.popen("run")
    assert process.stdout
    while "awake" not in process.stdout.readline():
        assert process.poll() is None
    assert (hearth.base / "logs" / "members.log").read_text() == "awake\n"
    process.terminate()
    process.communicate(timeout=30)


def test_what_is_waited_for_is_said_now_and_then(hearth: Hearth) -> None:
    hearth.processes(members=SLEEP, gateway=f"sh -c 'sleep 7; exec python {DOOR}'")  # longer than we keep quiet
    code, words = hearth("up")
    assert code == 0
    assert re.sub(r"\d+ s", "N s", words).splitlines()[1:-1] == ["Waiting for gateway (N s) …"]
