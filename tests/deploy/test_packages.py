"""Setting up on a machine that lacks something."""

from pathlib import Path

import pytest

from deploy.local import CannotRun, packages
from deploy.local.broker import THREE_WAYS


def install() -> list[str]:
    said: list[str] = []
    packages.install("rabbitmq-server", brew="rabbitmq", otherwise=THREE_WAYS, say=said.append)
    return said


def test_without_a_package_manager_a_sentence_names_the_ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRun, match=r"AMQP_URI.*install rabbitmq-server.*container"):
        install()


def test_a_refused_installation_says_why_and_names_the_ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    brew = tmp_path / "brew"
    brew.write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    brew.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRun, match=r"rabbitmq could not be installed \(no space left\)\. .*AMQP_URI"):
        install()


def test_an_installation_is_announced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    brew = tmp_path / "brew"
    brew.write_text('#!/bin/sh\necho "$@" > "$(dirname "$0")/asked"\n'.replace("$(dirname", "$(/usr/bin/dirname"))
    brew.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install() == ["Installing rabbitmq (this once) …"]
    assert (tmp_path / "asked").read_text() == "install --quiet rabbitmq\n"
