"""The operator of the tests: runs `hub` as a process, against the platform of an environment."""

import json
import subprocess
import sys
from typing import Any

from tests.rig.processes import ROOT


class Operator:
    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """A command that goes on by itself."""
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.hub", *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def hub(self, *arguments: str, code: int = 0, **environment: str) -> str:
        """Run a command; return its output. It must end with this exit code and without a traceback."""
        return self.ended(self.start(*arguments, **environment), code)

    def json(self, *arguments: str, **options: Any) -> Any:
        """Run a command with `--json`; return its parsed output."""
        return json.loads(self.hub(*arguments, "--json", **options))

    @staticmethod
    def ended(process: "subprocess.Popen[str]", code: int | None = 0) -> str:
        """Wait until a command ends with this exit code (None: any); return its output, and its errors if it failed."""
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err, err
        assert code is None or process.returncode == code, out + err
        return out + err if code and err else out
