"""Installs system packages that the checkout can't contain, if the package manager needs no answer."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from deploy.local import CannotRun

APT_INSTALL = Path(__file__).with_name("apt-install.sh")


def install(apt: str, *, brew: str, otherwise: str, say: Callable[[str], None]) -> None:
    """Installs a package; raises CannotRun with the sentence `otherwise` if that can't be done."""
    if shutil.which("apt-get"):
        command = ["sh", str(APT_INSTALL), apt]
    elif shutil.which("brew"):
        command = ["brew", "install", "--quiet", brew]
    else:
        raise CannotRun(otherwise)
    say(f"Installing {command[-1]} (this once) …")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = " / ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
        raise CannotRun(f"{command[-1]} could not be installed ({reason}). {otherwise}")
