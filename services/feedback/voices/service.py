"""The calls that voices answers."""

import secrets
from collections.abc import Callable
from typing import Any

from services.chassis import context, cursors
from services.chassis.names import names_of
from services.chassis.numbers import Number
from services.chassis.rpc import answers
from services.chassis.store import Store
from services.contracts import moments
from services.contracts.calls import feedback as calls
from services.contracts.deeds import noted, read
from services.contracts.errors import NotFound
from services.contracts.messages.feedback import (
    FEEDBACK_ANSWERED,
    FEEDBACK_MOVED,
    FEEDBACK_NOTED,
    FEEDBACK_SUBMITTED,
    FEEDBACK_TAKEN_DOWN,
)
from services.contracts.shapes import feedback as shapes
from services.feedback.people.store import PeopleStore
from services.feedback.voices import domain
from services.feedback.voices.domain import Voice
from services.feedback.voices.store import ReadingStore, TallyStore, VoiceStore
from services.ground import clock, identifiers
from services.ground.tokens import Caller

SHOWN = ("status",)

_voice = shapes.Voice()
_raised = shapes.RaisedVoice()
_outcome = shapes.Outcome()


class Voices:
    """Members tell the hub what they want, expect and need."""

    name = "feedback.voices"
    voices = Store(VoiceStore)
    people = Store(PeopleStore, sibling=True)
    readings = Store(ReadingStore)
    tallies = Store(TallyStore)
    voices_a_day = Number("VOICES_A_DAY")

    @answers(calls.RAISE_VOICE)
    def submit(self, caller: Caller, draft: dict[str, Any]) -> Any:
        """Raise a voice. Nothing stored about an anonymous voice leads to its author or to this request."""
        at, code = domain.as_told(draft, clock.now()), secrets.token_urlsafe(20)
        voice = domain.raise_voice(caller.id, draft, code, id=identifiers.new_id(at), at=at)
        with_names = self._naming(voice)
        self._count(caller, anonymous=voice["anonymous"])
        if voice["anonymous"]:
            context.unlink()
        saved = self.voices.add(voice, announcing=FEEDBACK_SUBMITTED.about(voice, voice_id=voice["_id"]))
        return _raised.dump({**with_names(saved), "claim_code": code if voice["anonymous"] else None})

    @answers(calls.ANSWER_VOICE)
    def answer(self, caller: Caller, voice_id: str, answer: dict[str, Any]) -> Any:
        """Answer a voice. Its author is told."""
        before, text = self.voices.get(voice_id, asked_for=True), answer["text"]
        voice = domain.answer(before, text, by=caller, now=clock.now())
        facts = {"voice_id": voice_id, "actor_id": caller.id, "answer": text}
        deed = noted(FEEDBACK_NOTED, "answer_voice", before, voice, by=caller, shows=SHOWN)
        with_names, told = self._naming(voice), FEEDBACK_ANSWERED.about(voice, **facts)
        return _voice.dump(with_names(self.voices.save(voice, announcing=told, noting=deed)))

    @answers(calls.MOVE_VOICE)
    def move(self, caller: Caller, voice_id: str, move: dict[str, Any]) -> Any:
        """Move a voice to a later step; others may be passed over. Its author is told of this one."""
        before, now = self.voices.get(voice_id, asked_for=True), clock.now()
        voice = domain.move(before, **move, by=caller, now=now)
        facts = {"voice_id": voice_id, "actor_id": caller.id}
        deed = noted(FEEDBACK_NOTED, "move_voice", before, voice, by=caller, shows=SHOWN)
        with_names, told = self._naming(voice), FEEDBACK_MOVED.about(voice, **facts)
        return _voice.dump(with_names(self.voices.save(voice, announcing=told, noting=deed)))

    @answers(calls.TAKE_DOWN_VOICE)
    def take_down(self, caller: Caller, voice_id: str, takedown: dict[str, Any]) -> Any:
        """Delete the words of a voice everywhere. Its author is told why. Its unsent messages are dropped."""
        before, now = self.voices.get(voice_id, asked_for=True), clock.now()
        voice = domain.take_down(before, **takedown, by=caller, now=now)
        taken_down = FEEDBACK_TAKEN_DOWN.about(voice, voice_id=voice_id, actor_id=caller.id)
        deed = noted(FEEDBACK_NOTED, "take_down_voice", before, voice, by=caller, shows=SHOWN)
        with_names = self._naming(voice)
        return _voice.dump(with_names(self.voices.save(voice, announcing=taken_down, noting=deed, instead=True)))

    @answers(calls.SHOW_VOICE)
    def show(self, caller: Caller, voice_id: str) -> Any:
        """One voice. When staff read another member's voice, that is noted."""
        voice = domain.visible(self.voices.get(voice_id), by=caller)
        if voice["author_id"] != caller.id:
            self._note_reading("show_voice", voice_id, caller)
        return _voice.dump(self._naming(voice)(voice))

    @answers(calls.LIST_VOICES)
    def browse(self, caller: Caller, query: dict[str, Any]) -> Any:
        """A page of voices, youngest first: the caller's own, or all for staff. Reading all is noted."""
        everybodys = domain.sees_all(caller, query["mine"])
        if everybodys:
            self._note_reading("list_voices", None, caller)
        found, following = self.voices.youngest(
            author_id=None if everybodys else caller.id,
            status=query["status"],
            after=cursors.read(query["cursor"], int, str),
            limit=query["limit"],
        )
        return cursors.page(_voice, map(self._naming(*found), found), following)

    @answers(calls.CLAIM_OUTCOME)
    def outcome(self, claim: dict[str, Any]) -> Any:
        """The outcome of an anonymous voice, for the holder of its claim code."""
        found = self.voices.by_claim(domain.digest(claim["claim_code"]))
        if found is None:
            raise NotFound("not_found", "No voice has this claim code. Compare it with the one that was shown to you.")
        return _outcome.dump(self._naming(found)(found))

    def _naming(self, *voices: Voice) -> Callable[[Voice], dict[str, Any]]:
        """What adds the names of those who speak in these voices.

        They are read now, by one query: after a save, nothing may fail.
        """
        names = names_of(self.people, (id for each in voices for id in domain.speakers(each)))
        return lambda voice: domain.named(voice, names)

    def _note_reading(self, operation: str, voice_id: str | None, caller: Caller) -> None:
        """Note a reading, once an hour per reader and voice or list. The answer is given only after this write."""
        now = clock.now()
        id = identifiers.derived_id(f"{caller.id}/{operation}/{voice_id}/{now:%Y-%m-%dT%H}")
        made = domain.reading(id, now)
        self.readings.once(made, noting=read(FEEDBACK_NOTED, operation, made, voice_id, by=caller))

    def _count(self, caller: Caller, *, anonymous: bool) -> None:
        """Count a voice of the caller's day first, so that parallel calls can't exceed the limit. Raises TooMany."""
        issued = moments.from_ms(int(caller.issued_at) * 1000)
        tallies = domain.tallies(caller.id, caller.alias, issued, anonymous=anonymous)
        if tallies.own and self.tallies.count(tallies.own, tallies.ends_at, tallies.other) > self.voices_a_day:
            self.tallies.uncount(tallies.own)
            raise domain.too_many(self.voices_a_day, tallies.ends_at, clock.now())
