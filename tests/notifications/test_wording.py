"""The sentences that members read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.messages.notifications import NotificationsDelivered
from services.contracts.shapes.feedback import KINDS, MOVES
from services.notifications import wording

NOON = datetime(2027, 3, 1, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("audience", "reason"),
    [
        ({"everyone": True, "roles": [], "tags": []}, "Because it is for everyone at the hub."),
        ({"everyone": False, "roles": ["hub_user"], "tags": []}, "Because it is for people whose role is hub user."),
        (
            {"everyone": False, "roles": ["host", "mentor", "trainer"], "tags": ["bread", "x ray"]},
            "Because it is for people whose role is host, mentor or trainer"
            " and for people who offer or look for bread or x ray.",
        ),
    ],
)
def test_it_says_why(audience: dict[str, object], reason: str) -> None:
    notice = wording.event_published("e", "Café morning", NOON, "", audience)
    assert notice["reason"] == reason
    assert notice["body"] == "1 March 2027, 09:05 UTC"


@given(st.text(min_size=1, max_size=4000), st.sampled_from([None, *KINDS]), st.sampled_from(MOVES))
def test_every_notice_is_short_and_whole(text: str, kind: str | None, status: str) -> None:
    for notice in (
        wording.voice_raised("v", kind, "idea_board", text),
        wording.voice_answered("v", text, text),
        wording.voice_moved("v", text, status, text),
        wording.voice_taken_down("v", text),
        wording.withdrawn(wording.voice_raised("v", kind, "idea_board", text)),
        *wording.without_words("v").values(),
        wording.many_voices(NOON, 20),
    ):
        assert set(notice) == {"kind", "title", "body", "link", "reason"} < set(NotificationsDelivered().fields)
        assert len(notice["title"]) <= 160
        assert len(notice["body"]) <= 400
        assert "\n" not in notice["title"]
