"""The ledger finds what it is there to find."""

from tests.faults.ledger import Ledger


def test_it_counts_what_was_lost_unexpected_duplicated_and_recovered() -> None:
    ledger = Ledger()
    ledger.attempt(["kept", "lost", "unknown", "never came"])
    ledger.acknowledge(["kept", "lost"])
    ledger.observe(["kept", "kept", "unknown", "invented"])
    assert (ledger.lost, ledger.unexpected, ledger.duplicated, ledger.recovered) == (1, 1, 1, 1)


def test_what_a_source_shows_replaces_what_it_showed() -> None:
    ledger = Ledger()
    ledger.attempt(["a"])
    ledger.acknowledge(["a"])
    assert ledger.lost == 1
    for _ in range(2):
        ledger.observe(["a"])
    ledger.observe([], "elsewhere")
    assert (ledger.lost, ledger.duplicated) == (0, 0)
