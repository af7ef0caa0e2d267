"""The peers of the benchmark: their code is sound and their packages are locked, also where they are not installed."""

import re
from pathlib import Path

import pytest

from tests.bench.peers import HERE, Unprepared, prepared

PEERS = sorted(lock.parent for lock in HERE.glob("*/requirements.txt"))
EVERY = pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)


@EVERY
def test_a_peer_compiles_and_says_what_is_like_ours(peer: Path) -> None:
    for path in peer.glob("*.py"):
        compile(path.read_text(), str(path), "exec")
    assert "Like ours" in (peer / "__main__.py").read_text()


@EVERY
def test_a_lock_has_hashes_and_no_addresses(peer: Path) -> None:
    locked = (peer / "requirements.txt").read_text()
    named = re.findall(r"^([a-z0-9][\w.-]*)==", locked, re.MULTILINE)
    assert set(re.findall(r"^[\w.-]+", (peer / "requirements.in").read_text(), re.MULTILINE)) <= set(named)
    assert locked.count("--hash=sha256:") >= len(named)
    assert not re.search(r"https?://|--find-links|--index-url|file:", locked)


def test_packages_that_cannot_be_had_are_named_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "requirements.txt").write_text(f"nothing-of-ours==1 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Unprepared, match=r"The packages of nothing can't be had: .*nothing-of-ours"):
        prepared("nothing", locks=tmp_path, built=tmp_path / "built")
