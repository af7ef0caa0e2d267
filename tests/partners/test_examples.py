"""The examples on the page for partners work as they stand, with what `hub partner add` gives."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.platform import ROOT
from tests.hub.operator import Operator
from tests.rig.npm import NODE, install
from tests.rig.processes import Platform, until

HERE = Path(__file__).parent


def python(example: str) -> list[str]:
    return [sys.executable, "-c", example]


def node(example: str) -> list[str]:
    install(HERE)
    return [str(NODE), "--input-type=module", "--eval", example]


@pytest.mark.parametrize(("language", "command"), [("python", python), ("js", node)])
def test_a_partner_prints_the_feedback_just_posted(
    platform: Platform, management_uri: str, language: str, command: Callable[[str], list[str]]
) -> None:
    page = (ROOT / "services" / "contracts" / "README.md").read_text()
    (example,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    assert len(example.splitlines()) <= 15
    environment = platform.processes.environment | {"AMQP_MANAGEMENT_URI": management_uri}
    operator, name = Operator(environment), f"noticeboard-{language}"
    partner = operator.json("partner", "add", name, "--messages", "feedback.*")
    process = subprocess.Popen(
        command(example),
        cwd=HERE,
        env=environment | {"AMQP_URI": partner["uri"], "QUEUE": partner["queue"]},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: [each for each in operator.json("partner", "list") if each["name"] == name and each["consumers"]])
        voice = platform.join("Amara").post("/v1/feedback", {"text": "I need a quiet room for calls."})
        assert process.stdout is not None
        assert process.stdout.readline().strip() == (f"feedback.submitted {voice['id']} I need a quiet room for calls.")
    finally:
        process.kill()
        process.wait(10)
        operator.hub("partner", "remove", name)
