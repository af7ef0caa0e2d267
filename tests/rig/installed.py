"""Programs that tests need beside Python's packages. What is missing is installed."""

import os
import shutil

from deploy.local import packages

PATH = f"{os.environ['PATH']}:/usr/sbin"


def installed(program: str, package: str) -> str:
    """The path of a program, which a system package brings. Raises CannotRun if that can't be installed."""
    if shutil.which(program, path=PATH) is None:
        packages.install(package, brew=package, otherwise=f"Install {package} by hand.", say=print)
    found = shutil.which(program, path=PATH)
    assert found, f"{package} was installed and brought no {program}"
    return found
