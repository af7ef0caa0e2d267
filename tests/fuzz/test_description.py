"""Schemathesis, with all its checks, on the running platform: a little of it, or with `make fuzz` all of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.platform import ROOT
from tests.rig.processes import PASSWORD, Platform

EXAMPLES, SEED = os.environ.get("EXAMPLES"), os.environ.get("SEED") or "1"
LITTLE = ("--phases", "examples,fuzzing,stateful", "--max-examples", "2")
ALL = ("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", EXAMPLES or "0")
PROGRAM = Path(sys.executable).with_name("schemathesis")
SETTINGS = Path(__file__).with_name("settings.toml")


@pytest.fixture(scope="module")
def platform(own_platform: Platform) -> Platform:
    return own_platform


@pytest.mark.timeout(0 if EXAMPLES else 180)
@pytest.mark.parametrize("role", ["administrator", "coworker"] if EXAMPLES else ["administrator"])
def test_the_platform_does_what_its_description_says(platform: Platform, role: str) -> None:
    member = platform.administrator if role == "administrator" else platform.join("Amara", (role,))
    command = [PROGRAM, "--config-file", SETTINGS, "run", f"{member.url}/openapi.json", "--seed", SEED]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    signed_in = {"URL": member.url, "EMAIL": member.profile["email"], "PASSWORD": PASSWORD, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, *(ALL if EXAMPLES else LITTLE)], cwd=ROOT, env=kept | signed_in, check=False)
    assert done.returncode == 0, "see what Schemathesis says above"
