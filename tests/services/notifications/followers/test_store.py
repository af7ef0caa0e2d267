"""The copy of the members, lines in inboxes and the fan-out's jobs on a real store."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contracts.errors import NotYet
from services.ground import clock, identifiers
from services.notifications.followers import domain as followers
from services.notifications.followers.store import FollowerStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
EVENT = identifiers.new_id(NOW)


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_a_follower_is_as_young_as_the_youngest_message_in_whatever_order(
    make_store: Any, order: tuple[int, ...]
) -> None:
    store = make_store(FollowerStore)
    states = {1: "invited", 2: "going", 3: "cancelled"}
    for sequence in (*order, *order):
        store.keep_youngest(followers.follower(EVENT, "b", states[sequence], sequence))
    store.keep_youngest(followers.follower(EVENT, "a", "going", 1))
    store.keep_youngest(followers.follower(identifiers.new_id(NOW), "c", "going", 1))
    assert store.of(EVENT, ["going", "cancelled"], awaited=False) == ["a", "b"]
    assert store.of(EVENT, ["going"], awaited=True) == ["a"]
    assert store.of(EVENT, ["invited"], awaited=False) == []


def test_who_follows_is_waited_for_unless_it_was_before_followers_were_heard_of(make_store: Any) -> None:
    store = make_store(FollowerStore)
    assert store.of(EVENT, ["hosting"], awaited=True) == [], "it was before"
    later = identifiers.new_id(store.began + timedelta(milliseconds=1))
    assert store.of(later, ["hosting"], awaited=False) == []
    with pytest.raises(NotYet):
        store.of(later, ["hosting"], awaited=True)
    store.keep_youngest(followers.follower(later, "a", "hosting", 1))
    assert store.of(later, ["hosting"], awaited=True) == ["a"]
    assert make_store(FollowerStore).began == store.began > clock.now(), "noted once; an older version may go on"
