"""The clock shows the machine's time, unless a file moves it that is marked as allowed to."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local import CannotRun
from deploy.local.clock import Clock, read
from services.contracts.errors import Unauthenticated
from services.ground import clock
from services.ground.tokens import Tokens
from tests.rig.forged import signed
from tests.rig.processes import ROOT

WEEKS = timedelta(weeks=5)


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that this process follows during a test."""
    monkeypatch.setattr(clock, "_moved", None)
    made = Clock(tmp_path)
    made.prepare()
    clock.follow(made.file)
    return made


def test_without_a_file_it_is_the_machines() -> None:
    before = datetime.now(UTC)
    assert before <= clock.exact() <= datetime.now(UTC)
    assert clock.now().microsecond % 1000 == 0
    assert time.time() - 60 < clock.seconds() <= time.time()


def test_a_file_moves_it_and_moves_add_up(moved: Clock) -> None:
    began, machine = datetime.now(UTC), clock.unmoved_ns()
    assert clock.now() - began < timedelta(minutes=1)
    assert moved.move(WEEKS) == WEEKS
    assert WEEKS <= clock.exact() - began < WEEKS + timedelta(minutes=1)
    assert clock.seconds() - time.time() == pytest.approx(WEEKS.total_seconds(), abs=1)
    assert clock.unmoved_ns() - machine < 60e9
    assert moved.move(timedelta(hours=1)) == WEEKS + timedelta(hours=1)
    Clock(moved.file.parent).prepare()
    assert moved.ahead == WEEKS + timedelta(hours=1), "what was kept is not in the future when it starts again"


def test_another_process_follows_it(moved: Clock) -> None:
    says = (
        "import sys; from pathlib import Path; from services.ground import clock\n"
        "clock.follow(Path(sys.argv[1]))\n"
        "for _ in sys.stdin: print(clock.now().isoformat(), flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", says, str(moved.file)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:

        def ahead() -> timedelta:
            assert other.stdin
            assert other.stdout
            other.stdin.write("\n")
            other.stdin.flush()
            return datetime.fromisoformat(other.stdout.readline().strip()) - datetime.now(UTC)

        assert ahead() < timedelta(minutes=1)
        moved.move(WEEKS)
        assert ahead() > WEEKS - timedelta(minutes=1)
        other.communicate()


def test_it_only_moves_forwards_and_stays_in_the_calendar(moved: Clock, tmp_path: Path) -> None:
    for by in (timedelta(days=-1), timedelta(days=999_999)):
        with pytest.raises(CannotRun):
            moved.move(by)
    assert not moved.ahead
    with pytest.raises(CannotRun, match="--movable"):
        Clock(tmp_path / "another").move(WEEKS)


def test_spans_are_said_with_a_unit() -> None:
    assert (read("+5w"), read("+35d"), read("+90m")) == (WEEKS, WEEKS, timedelta(minutes=90))
    for wrong in ("5w", "-5w", "+5", "+5y", "+w"):
        with pytest.raises(CannotRun):
            read(wrong)


def test_tokens_live_and_end_by_it(moved: Clock, environment: dict[str, str]) -> None:
    tokens = Tokens(Path(environment["TOKEN_JWKS_FILE"]))
    soon = int(clock.seconds())
    now, later = signed(environment, "a"), soon + int(WEEKS.total_seconds())
    then = signed(environment, "a", iat=later, nbf=later, exp=later + 900)
    assert tokens.caller(now).id == "a"
    with pytest.raises(Unauthenticated) as early:
        tokens.caller(then)
    moved.move(WEEKS)
    assert tokens.caller(then).id == "a"
    fresh = Tokens(Path(environment["TOKEN_JWKS_FILE"]))
    for each in (tokens, fresh):  # one remembers it, one does not
        with pytest.raises(Unauthenticated) as late:
            each.caller(now)
        assert late.value.code == "token_expired"
    assert early.value.code == "token_invalid"


@pytest.mark.parametrize("claims", [{"exp": float("nan")}, {"nbf": float("nan")}, {"exp": "soon"}, {"exp": [1]}])
def test_a_token_without_a_time_opens_nothing(environment: dict[str, str], claims: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        Tokens(Path(environment["TOKEN_JWKS_FILE"])).caller(signed(environment, "a", **claims))


@pytest.mark.parametrize("command", [["-m", "services.events"], ["-c", "from gateway.config import load; load()"]])
def test_a_file_that_does_not_say_so_is_refused(
    environment: dict[str, str], tmp_path: Path, command: list[str]
) -> None:
    other = tmp_path / "clock"
    other.write_text("3024000\n")
    for file in (other, tmp_path / "nothing", tmp_path):
        own = environment | {"CLOCK_FILE": str(file)}
        done = subprocess.run(
            [sys.executable, *command], check=False, cwd=ROOT, env=own, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert "CLOCK_FILE: Must name a file that" in done.stdout


def test_containers_know_nothing_of_it() -> None:
    files = [ROOT / "docker-compose.yml", *(ROOT / "deploy" / "images").iterdir()]
    files += [path for path in (ROOT / "deploy" / "kubernetes").rglob("*") if path.suffix in (".yaml", ".env")]
    assert len(files) > 10
    assert not [path for path in files if "CLOCK_FILE" in path.read_text()]
