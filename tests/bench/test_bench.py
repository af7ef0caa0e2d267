"""The benchmark measures what it says; how fast things are is not asserted anywhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from services.contracts.catalogue import CATALOGUE
from tests.bench import report
from tests.bench.parts import known
from tests.bench.plot import plot
from tests.bench.rows import NONE, Row, percentile
from tests.rig.processes import Processes

# One of each kind; the others measure like these, or need servers of their own, foreign packages, or time.
SOON = ("idle", "echo", "me", "post", "live", "streams", "fanout", "hop", "relay")
ABOUT = {"machine": "a machine", "versions": "some", "backends": "a broker, a store"}


@pytest.fixture(autouse=True)
def words_of_its_own() -> Iterator[None]:
    """Take the benchmark's messages out of the catalogue again: other tests look at all that is in it."""
    before = set(CATALOGUE)
    yield
    for key in set(CATALOGUE) - before:
        del CATALOGUE[key]


def _row(value: float, limit: float, **target: float) -> Row:
    row = Row("a row", "ms", "a limit", **target)
    row.add(value, limit)
    return row


def test_larger_ratios_are_better_in_all_rows() -> None:
    rate, wait = _row(30, 100, at_least=0.25), _row(12, 10, at_most=1.6)
    assert (rate.ratio, rate.target, rate.met) == (pytest.approx(0.3), 0.25, True)
    assert (wait.ratio, wait.target, wait.met) == (pytest.approx(10 / 12), 0.625, True)
    assert not _row(20, 100, at_least=0.25).met
    assert not _row(17, 10, at_most=1.6).met


def test_where_there_must_be_none_one_is_too_many() -> None:
    assert _row(0, 0, at_most=NONE).met
    assert not _row(1, 0, at_most=NONE).met


def test_a_ratio_is_the_median_of_runs() -> None:
    row = _row(10, 100, at_least=0.25)
    row.add(50, 100), row.add(30, 100)
    assert (row.ratio, row.met) == (pytest.approx(0.3), True)
    assert (percentile(range(100), 0.99), percentile([7.0], 0.99)) == (98, 7.0)


def test_the_picture_shows_each_row_and_what_was_not_measured() -> None:
    missing = Row("another", "s", "a limit", at_most=2, why="no <peer> here")
    rows = [_row(30, 100, at_least=0.25), _row(90, 100, at_least=0.25), _row(3, 1, at_most=2), missing]
    shapes = list(ElementTree.fromstring(plot(rows, ABOUT)).iter())
    kinds = [each.get("class") for each in shapes if each.tag.endswith(("rect", "polygon"))]
    assert [kinds.count(kind) for kind in ("track", "met", "missed")] == [4, 2, 1]
    assert [each.tag.rpartition("}")[2] for each in shapes].count("polygon") == 1
    assert "no <peer> here" in [each.text for each in shapes]
    assert "- another: no <peer> here" in report.as_markdown(rows, ABOUT)


def test_parts_measure_their_rows(processes: Processes, tmp_path: Path) -> None:
    into = tmp_path / "build"
    chosen = {"INTO": str(into), "SCALE": "tiny", "ONLY": ",".join(SOON)}
    code = processes.start("bench", "-m", "tests.bench", **chosen).wait(110)
    assert code == 0, processes.log("bench")
    found = json.loads((into / "bench.json").read_text())
    wanted = [row.name for part in known().values() for row in part.rows if part.name in SOON]
    assert [each["name"] for each in found["results"]] == wanted
    assert found["not_measured"] == []
    for each in found["results"]:
        assert set(each) >= {"name", "value", "unit", "against", "limit", "ratio", "target", "says", "runs"}
        assert min(each["value"], each["limit"], each["ratio"], len(each["runs"])) > 0, each
    assert {each.name for each in into.iterdir()} == {"bench.json", "bench.md", "bench.svg"}
