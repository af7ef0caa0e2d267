"""The sentences that members read, in each language and zone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import wording
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED, NOTIFICATIONS_DELIVERED_V2
from services.contracts.shapes.feedback import KINDS as VOICES
from services.contracts.shapes.feedback import MOVES
from services.contracts.shapes.notifications import Notification
from services.contracts.shapes.parts import LANGUAGES, ROLES, TOUCHPOINTS
from services.contracts.wording import sentences, speech

NOON = datetime(2027, 3, 1, 9, 5, tzinfo=UTC)
MORNING = "2027-03-01T07:30:00.000Z"
EVERYONE = {"everyone": True, "roles": [], "tags": []}
SOME = {"everyone": False, "roles": ["host", "mentor", "trainer"], "tags": ["bread", "x ray"]}
EVENT = {"title": "Repair café", "starts_at": NOON, "ends_at": NOON, "place": "The attic", "audience": EVERYONE}
ATTRIBUTED = ("feedback.submitted", "feedback.answered", "feedback.moved")
KEYWORDS: dict[str, Any] = {"sentence": None, "counted": (1, 2)}

every_language = pytest.mark.parametrize("language", LANGUAGES)
translated = pytest.mark.parametrize("language", [each for each in LANGUAGES if each != speech.ENGLISH])


def cases(text: str = "A voice") -> Iterator[tuple[str, dict[str, Any]]]:
    """Facts of every kind, with each of the words that they may have."""
    for audience in (EVERYONE, SOME, SOME | {"tags": []}, SOME | {"roles": []}, SOME | {"roles": list(ROLES)}):
        yield "events.published", EVENT | {"audience": audience}
        yield "events.published", EVENT | {"audience": audience, "place": ""}
        for old, new in ((text, f"{text} 2"), (text, ""), ("", text), (None, text)):
            changes = [{"field": name, "old": old, "new": new} for name in ("title", "place", "link")]
            changes += [{"field": "touchpoint", "old": "cafe", "new": "online"}]
            changes += [{"field": name, "old": MORNING, "new": NOON.isoformat()} for name in ("starts_at", "ends_at")]
            for some in (changes, *([each] for each in changes)):
                yield "events.changed", {"title": "t", "changes": some, "audience": audience}
        yield "events.cancelled", {"title": "t", "starts_at": NOON, "reason": text, "audience": audience}
        for place, how in ((text, text), (text, ""), ("", text)):
            facts = {"name": text, "place": place, "how": how, "audience": audience}
            yield "events.offering_opened", facts
            yield "events.offering_changed", facts
        yield "events.offering_closed", {"name": text, "reason": text, "audience": audience}
    for kind in (None, *VOICES):
        yield "feedback.submitted", {"kind": kind, "touchpoint": "idea_board", "text": text}
    for touchpoint in TOUCHPOINTS:
        yield "feedback.submitted", {"kind": None, "touchpoint": touchpoint, "text": text}
    yield "feedback.submitted", {"hour": NOON, "most": 20}
    yield "feedback.answered", {"text": text, "answer": text}
    for status in MOVES:
        yield "feedback.moved", {"text": text, "status": status, "reason": text}
    yield "feedback.taken_down", {"reason": text}
    for kind in ATTRIBUTED:
        yield kind, {"withdrawn": True}
    yield "events.moved", {"title": "from a newer version"}


def said(kind: str, facts: dict[str, Any], language: str = "en", zone: str = "UTC", **more: str) -> dict[str, str]:
    return wording.said(kind, facts, language=language, zone=zone, **more)


def in_the_code() -> Catalog:
    found = Catalog()
    for name, _, message, _, _ in extract_from_dir(Path(sentences.__file__).parent, keywords=KEYWORDS):
        assert name.endswith(".py")
        found.add(message)
    return found


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@translated
def test_every_sentence_is_translated(language: str) -> None:
    with (speech.LOCALES / language / "sentences.po").open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    wanted, given = ({each.id for each in found if each.id} for found in (in_the_code(), catalogue))
    assert len(wanted) > 40
    assert given == wanted, "nothing is missing, and nothing is left over"
    assert not catalogue.obsolete
    for each in (each for each in catalogue if each.id):
        texts = each.string if isinstance(each.string, tuple) else (each.string,)
        assert len(texts) == (catalogue.num_plurals if each.pluralizable else 1)
        sources = each.id if isinstance(each.id, tuple) else (each.id,)
        assert not each.fuzzy
        assert all(text and names(text) == names(sources[0]) for text in texts), each.id


def test_there_is_a_folder_for_each_language_and_no_other() -> None:
    assert {each.name for each in speech.LOCALES.iterdir()} | {speech.ENGLISH} == set(LANGUAGES)


@every_language
def test_every_kind_has_a_whole_sentence(language: str) -> None:
    kinds = set()
    for kind, facts in cases():
        kinds.add(kind)
        found = said(kind, facts, language)
        assert set(found) == {"title", "body", "reason"} < set(Notification().fields)
        assert found["title"]
        assert found["reason"].endswith(".")
        assert not re.search(r"[{}]", "".join(found.values()))
    assert kinds == {*sentences.KINDS, "events.moved"}


@translated
def test_nothing_is_left_in_english(language: str) -> None:
    own = "<…>"  # what people wrote
    for kind, facts in cases(own):
        given = facts | ({"title": own} if "title" in facts else {})
        english, other = said(kind, given), said(kind, given, language)
        same = {name for name in english if english[name] == other[name]}
        assert same <= {"body"}, (kind, facts)
        assert not same or english["body"] in ("", own)


def test_english_says_why() -> None:
    found = said("events.published", EVENT | {"audience": SOME})
    assert found == {
        "title": "New: Repair café",
        "body": "Monday, 1 March 2027, 09:05 UTC, The attic",
        "reason": "Because it is for people whose role is host, mentor or trainer"
        " and for people who offer or look for bread or x ray.",
    }
    facts = {"kind": "need", "touchpoint": "idea_board", "text": "A  lamp.\nPlease."}
    assert said("feedback.submitted", facts)["title"] == "Somebody needs (idea board): A lamp. Please."


def test_german_has_an_order_of_its_own() -> None:
    found = said("events.cancelled", EVENT | {"reason": "Kein Strom.", "audience": SOME}, "de", "Europe/Malta")
    assert found == {
        "title": "Abgesagt: Repair café",
        "body": "Montag, 1. März 2027, 10:05 UTC+1: Kein Strom.",
        "reason": "Weil es für alle mit der Rolle Gastgeben, Mentoring oder Training war"
        " und für alle, die bread oder x ray anbieten oder suchen.",
    }


def test_a_change_is_said_with_the_old_and_the_new() -> None:
    changes = [
        {"field": "starts_at", "old": MORNING, "new": "2027-03-01T09:05:00.000Z"},
        {"field": "place", "old": "", "new": "The attic"},
        {"field": "link", "old": "https://hub.example/a", "new": None},
        {"field": "touchpoint", "old": "cafe", "new": "kitchenette"},
    ]
    facts = EVENT | {"changes": changes, "audience": SOME | {"tags": []}}
    assert said("events.changed", facts)["title"] == "Changed: Repair café"
    assert said("events.changed", facts)["body"] == (
        "Start: Monday, 1 March 2027, 09:05 UTC (before: Monday, 1 March 2027, 07:30 UTC); Place: The attic; "
        "Web address: none (before: https://hub.example/a); Kind: kitchenette (before: café)"
    )
    assert said("events.changed", facts, "de", "Europe/Malta", home="Europe/Malta") == {
        "title": "Geändert: Repair café",
        "body": "Beginn: Montag, 1. März 2027, 10:05 (vorher: Montag, 1. März 2027, 08:30); Ort: The attic; "
        "Webadresse: entfällt (vorher: https://hub.example/a); Art: Teeküche (vorher: Café)",
        "reason": "Weil es für alle mit der Rolle Gastgeben, Mentoring oder Training ist.",
    }


@pytest.mark.parametrize(
    ("language", "zone", "home", "body"),
    [
        # In Malta, clocks go forward on 29 March 2026 at 01:00 UTC.
        ("en", "Europe/Malta", "Europe/Malta", "Sunday, 29 March 2026, 01:59 | Sunday, 29 March 2026, 03:00"),
        ("de", "Europe/Malta", "Europe/Malta", "Sonntag, 29. März 2026, 01:59 | Sonntag, 29. März 2026, 03:00"),
        # A clock that shows the same as the hub's needs no more words; another says how far it is from UTC.
        ("en", "Europe/Rome", "Europe/Malta", "Sunday, 29 March 2026, 01:59 | Sunday, 29 March 2026, 03:00"),
        ("en", "Africa/Lagos", "Europe/Malta", "Sunday, 29 March 2026, 01:59 | Sunday, 29 March 2026, 02:00 UTC+1"),
        ("en", "Europe/Malta", "", "Sunday, 29 March 2026, 01:59 UTC+1 | Sunday, 29 March 2026, 03:00 UTC+2"),
        (
            "en",
            "America/St_Johns",
            "Europe/Malta",
            "Saturday, 28 March 2026, 22:29 UTC−2:30 | Saturday, 28 March 2026, 22:30 UTC−2:30",
        ),
        # Nobody chose a zone, or this machine does not know it: UTC, which is said.
        ("en", "", "", "Sunday, 29 March 2026, 00:59 UTC | Sunday, 29 March 2026, 01:00 UTC"),
        ("en", "Mars/Olympus", "Europe/Malta", "Sunday, 29 March 2026, 00:59 UTC | Sunday, 29 March 2026, 01:00 UTC"),
        ("en", "../../etc/passwd", "", "Sunday, 29 March 2026, 00:59 UTC | Sunday, 29 March 2026, 01:00 UTC"),
        # A hub that has chosen no zone is at home in UTC, which is said, too.
        ("en", "", "UTC", "Sunday, 29 March 2026, 00:59 UTC | Sunday, 29 March 2026, 01:00 UTC"),
        # Twelve hours and the month first where that is the custom.
        ("en-US", "UTC", "Etc/UTC", "Sunday, March 29, 2026, 12:59 AM | Sunday, March 29, 2026, 1:00 AM"),
        ("de-AT", "UTC", "Etc/UTC", "Sonntag, 29. März 2026, 00:59 | Sonntag, 29. März 2026, 01:00"),
    ],
)
def test_times_are_those_of_the_readers_clock(language: str, zone: str, home: str, body: str) -> None:
    bodies = [
        said("events.published", EVENT | {"starts_at": at, "place": ""}, language, zone, home=home)["body"]
        for at in ("2026-03-29T00:59:00.000Z", datetime(2026, 3, 29, 1, tzinfo=UTC))
    ]
    assert " | ".join(bodies).replace("\u202f", " ") == body


@every_language
def test_a_number_chooses_the_sentence(language: str) -> None:
    (many,) = (each for each in in_the_code() if isinstance(each.id, tuple))
    catalogue = speech.CATALOGUES[language]
    for number in (0, 1, 2, 20):
        said_of = said("feedback.submitted", {"hour": NOON, "most": number}, language)["body"]
        when = said("events.published", EVENT | {"place": ""}, language)["body"]
        assert said_of == catalogue.ngettext(*many.id, number).format(number=number, when=when)


def test_plural_rules_are_the_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pl").mkdir()
    (tmp_path / "pl" / "sentences.po").write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\n"\n\n'
        'msgid "{number} line"\nmsgid_plural "{number} lines"\n'
        'msgstr[0] "{number} wiersz"\nmsgstr[1] "{number} wiersze"\nmsgstr[2] "{number} wierszy"\n'
    )
    monkeypatch.setattr(speech, "LOCALES", tmp_path)
    monkeypatch.setitem(speech.CATALOGUES, "pl", speech.catalogue("pl"))
    speech.understood.cache_clear()
    polish = speech.Speech("pl", "", "")
    lines = speech.counted("{number} line", "{number} lines")
    assert [polish.count(lines, n) for n in (1, 3, 5, 22)] == ["1 wiersz", "3 wiersze", "5 wierszy", "22 wiersze"]
    speech.understood.cache_clear()


def test_a_title_that_runs_from_right_to_left_turns_nothing_around() -> None:
    title = "ورشة إصلاح"
    assert said("events.published", EVENT | {"title": title})["title"] == f"New: \u2068{title}\u2069"
    evil = "a\u202eb\u2069c"
    assert said("feedback.answered", {"text": evil, "answer": "x"})["title"] == "An answer to “\u2068abc\u2069”"
    assert said("feedback.answered", {"text": "日本 é “{title}”", "answer": "x"})["title"] == (
        "An answer to “日本 é “{title}””"
    )


@pytest.mark.parametrize(
    ("tag", "known"),
    [
        ("en", "en"), ("DE", "de"), ("en-us", "en-US"), ("de-CH-1996", "de-CH"), ("fr", None), ("", None), ("*", None),
        ("x" * 5000, None), ("en-" + "x" * 5000, None), ("de-x-hub", "de"), ("../de", None), ("no-such-thing", None),
    ],
)  # fmt: skip
def test_languages_are_understood_by_their_tags(tag: str, known: str | None) -> None:
    assert wording.understood(tag) == known
    assert said("feedback.taken_down", {"reason": "r"}, tag)["title"] == (
        "Was du gesagt hast, wurde entfernt" if (known or "").startswith("de") else "What you said was taken down"
    )


def test_words_of_a_newer_version_are_said_as_they_are() -> None:
    audience = {"everyone": False, "roles": ["night_owl"], "tags": []}
    found = said("events.published", EVENT | {"audience": audience}, "de")
    assert found["reason"] == "Weil es für alle mit der Rolle night owl ist."
    facts = {"kind": "wish", "touchpoint": "roof_garden", "text": "Sun"}
    assert said("feedback.submitted", facts)["title"] == "Somebody says (roof garden): Sun"
    seats = {"field": "seats_left", "old": "7", "new": "9"}
    assert said("events.changed", EVENT | {"changes": [seats]})["body"] == "seats left: 9 (before: 7)"
    assert said("feedback.moved", {"text": "Sun", "status": "paused", "reason": "Rain"})["title"] == (
        "Something became of what you said: “Sun”"
    )


@given(st.text(min_size=1, max_size=4000), st.sampled_from(LANGUAGES))
def test_what_is_said_stays_short(text: str, language: str) -> None:
    for kind, facts in cases(text):
        found = said(kind, facts, language)
        assert len(found["title"]) <= 170
        assert len(found["body"]) <= 480
        assert "\n" not in found["title"]


def test_the_examples_in_the_documents_are_said_so() -> None:
    example = NOTIFICATIONS_DELIVERED_V2.example
    made = said(example["kind"], example["facts"], language="en", zone="UTC")
    assert {name: NOTIFICATIONS_DELIVERED.example[name] for name in made} == made
    assert {name: Notification().fields[name].metadata["example"] for name in made} == made
