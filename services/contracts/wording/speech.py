"""Speech in a language: its translations, lists, plurals, dates and times.

A language is a BCP 47 tag. Its first part chooses the translation, and its region the style of dates: with `en-US` the
day comes after the month, and the clock has twelve hours.
"""

import gettext
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from services.contracts.shapes.parts import LANGUAGES

NOWHERE = ("", "UTC")  # the zones of a hub that has not said where it is
ENGLISH = "en"  # the language of the sentences in the code
LOCALES = Path(__file__).with_name("locales")
LONGEST_TAG = 35  # characters (RFC 5646, section 4.4.1)
# The English of a hub in Europe: day before month, 24 hours. For other languages the tag is enough.
_WRITTEN = {"en": "en_150"}

FSI, PDI = "\u2068", "\u2069"
# Letters that run from right to left, and the invisible characters that turn the direction.
_turns = re.compile(
    "[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefe"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]"
).search
_explicit_turns = re.compile("[\u202a-\u202e\u2066-\u2069]").sub


def sentence(text: str) -> str:
    """Mark a sentence to be translated."""
    return text


def counted(one: str, many: str) -> tuple[str, str]:
    """Mark a sentence that depends on a number: its form for one, and for other numbers."""
    return one, many


def catalogue(language: str) -> gettext.NullTranslations:
    """The translations into a language, read from its .po file; English needs none."""
    if language == ENGLISH:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with (LOCALES / language / "sentences.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


CATALOGUES = {language: catalogue(language) for language in LANGUAGES}  # at start, so that a missing file is noticed


@lru_cache(maxsize=1024)
def understood(tag: str) -> str | None:
    """The tag as we write it (`de`, `en-US`), without an unknown region; None for a language we don't speak."""
    language = tag.partition("-")[0].lower()
    if language not in CATALOGUES or len(tag) > LONGEST_TAG:
        return None
    try:
        territory = Locale.parse(tag, sep="-").territory
    except (ValueError, UnknownLocaleError):
        return language
    return f"{language}-{territory}" if territory else language


class Speech:
    """One language, for readers in one time zone. `home` is the hub's zone.

    A zone that this machine does not know is taken for UTC. A time says how far it is from UTC, unless it is that of a
    clock at the hub; it always does where the hub has chosen no other zone than UTC.
    """

    def __init__(self, language: str, zone: str, home: str) -> None:
        tag = understood(language) or ENGLISH
        self._locale = Locale.parse(_WRITTEN.get(tag, tag), sep="_" if tag in _WRITTEN else "-")
        self._translations = CATALOGUES[self._locale.language]
        self._zone, self._home = clock_of(zone), clock_of(home) if home not in NOWHERE else None
        self._date, self._time = self._locale.date_formats["full"], self._locale.time_formats["short"]
        self._day_and_time = str(self._locale.datetime_formats["medium"])
        self.when = lru_cache(maxsize=256)(self._when)
        self.either = lru_cache(maxsize=256)(self._either)

    def say(self, sentence: str, /, **names: str) -> str:
        """The sentence in this language, with its names filled in. Text from people turns no direction around it."""
        return self._translations.gettext(sentence).format_map({name: _isolated(text) for name, text in names.items()})

    def count(self, sentences: tuple[str, str], number: int, /, **names: str) -> str:
        """The sentence for this `{number}`."""
        return self._translations.ngettext(*sentences, number).format_map({**names, "number": number})

    def _when(self, moment: datetime) -> str:
        """The day of the week, date and time of a moment on the reader's clock."""
        local = on_the_clock(moment, self._zone)
        day, time = self._date.apply(local, self._locale), self._time.apply(local, self._locale)
        said = self._day_and_time.replace("{1}", day).replace("{0}", time)
        known = self._home is not None and on_the_clock(moment, self._home).utcoffset() == local.utcoffset()
        return said if known else f"{said} {_offset(local)}"

    def _either(self, words: Sequence[str]) -> str:
        """The words as a list of alternatives: one, another or a third."""
        return format_list(words, style="or", locale=self._locale)


@lru_cache(maxsize=128)
def speech(language: str, zone: str, home: str) -> Speech:
    """The speech for readers of this language in this zone, made once."""
    return Speech(language, zone, home)


def clock_of(zone: str) -> tzinfo:
    """The clocks of a zone, by its name (IANA); UTC for an empty name, or one that this machine does not know."""
    try:
        return UTC if zone == "UTC" else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def on_the_clock(moment: datetime, zone: tzinfo) -> datetime:
    """The moment as the clocks of a zone show it; unchanged if they would show a year above 9999 or below 1."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def _offset(local: datetime) -> str:
    """The offset of a clock from UTC: `UTC`, `UTC+2`, `UTC−3:30`."""
    offset = local.utcoffset()
    assert offset is not None, "it was put into a zone"
    minutes = round(offset.total_seconds() / 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")


def _isolated(text: str) -> str:
    """The text, isolated if it runs from right to left, so that it can't turn its neighbours (Unicode, annex 9)."""
    if text.isascii() or not _turns(text):
        return text
    return f"{FSI}{_explicit_turns('', text)}{PDI}"


for _language in LANGUAGES:
    speech(_language, "", "")  # slow files are read at start, not while somebody waits
