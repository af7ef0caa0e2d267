"""What the fan-out hears."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.chassis import identifiers
from services.chassis.announcer import Announcer
from services.chassis.messaging import Envelope, on
from services.chassis.store import Store
from services.contracts.catalogue import Announcement
from services.contracts.errors import NotYet
from services.contracts.messages.events import EVENTS_CANCELLED, EVENTS_PUBLISHED
from services.contracts.messages.feedback import FEEDBACK_ANSWERED, FEEDBACK_MOVED, FEEDBACK_SUBMITTED
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.notifications import wording
from services.notifications.fanout import domain
from services.notifications.fanout.store import JobStore
from services.notifications.inbox.domain import broadcast, line
from services.notifications.inbox.store import InboxStore
from services.notifications.people.store import PeopleStore

SAVED_EVERY = 1.0  # seconds of a large fan-out: so much at most is told again, to the same effect, after a crash
ADMINISTRATORS = {"everyone": False, "roles": ["administrator"], "tags": []}


class Fanout:
    """Whoever should know of something finds it in their inbox, once."""

    name = "notifications.fanout"
    jobs = Store(JobStore)
    inbox = Store(InboxStore, sibling=True)
    people = Store(PeopleStore, sibling=True)
    announcer = Announcer()

    @on(EVENTS_PUBLISHED)
    def tell_of_an_event(
        self,
        message: Envelope,
        event_id: str,
        title: str,
        starts_at: datetime,
        place: str,
        audience: dict[str, Any],
        actor_id: str,
    ) -> None:
        """Its audience hears of an event."""
        notice = wording.event_published(event_id, title, starts_at, place, audience)
        self._tell(audience, message, notice, belonging=message.at, but=actor_id)

    @on(EVENTS_CANCELLED)
    def tell_of_a_cancellation(
        self,
        message: Envelope,
        event_id: str,
        title: str,
        starts_at: datetime,
        reason: str,
        audience: dict[str, Any],
        actor_id: str,
    ) -> None:
        """Its audience hears that an event does not take place."""
        notice = wording.event_cancelled(event_id, title, starts_at, reason, audience)
        self._tell(audience, message, notice, belonging=message.at, but=actor_id)

    @on(FEEDBACK_SUBMITTED)
    def tell_the_administrators(
        self,
        message: Envelope,
        voice_id: str,
        kind: str | None,
        touchpoint: str,
        text: str,
        author_id: str | None,
    ) -> None:
        """The administrators hear of a voice."""
        if not self.people.anybody("administrator"):
            raise NotYet("nobody_to_tell", "No administrator is known yet.")
        notice = wording.voice_raised(voice_id, kind, touchpoint, text)
        # Whoever administers now: of an anonymous voice the message tells the day only.
        self._tell(ADMINISTRATORS, message, notice, belonging=identifiers.now(), but=author_id)

    @on(FEEDBACK_ANSWERED)
    def tell_the_author_of_an_answer(
        self, message: Envelope, voice_id: str, text: str, answer: str, author_id: str | None, actor_id: str
    ) -> None:
        """The author of a voice reads the answer."""
        self._tell_one(author_id, message, wording.voice_answered(voice_id, text, answer), but=actor_id)

    @on(FEEDBACK_MOVED)
    def tell_the_author_of_a_step(
        self,
        message: Envelope,
        voice_id: str,
        text: str,
        status: str,
        reason: str,
        author_id: str | None,
        actor_id: str,
    ) -> None:
        """The author of a voice hears what becomes of it."""
        self._tell_one(author_id, message, wording.voice_moved(voice_id, text, status, reason), but=actor_id)

    def _tell(
        self,
        audience: dict[str, Any],
        message: Envelope,
        notice: dict[str, str],
        belonging: datetime,
        but: str | None,
    ) -> None:
        if audience["everyone"]:
            self._tell_everyone(message, notice, belonging, but)
        else:
            self._tell_these(self.people.audience(audience, at=belonging, but=but), message, notice)

    def _tell_everyone(self, message: Envelope, notice: dict[str, str], belonging: datetime, but: str | None) -> None:
        made = broadcast(message.id, notice, identifiers.now(), belonging=belonging, but=but)
        at = self.inbox.broadcasts.keep(made)["at"]
        everyone = {"belonging": belonging, "but": but}
        self.announcer.announce(self._announcement(message, notice, at, everyone=everyone))

    def _tell_one(self, member_id: str | None, message: Envelope, notice: dict[str, str], but: str) -> None:
        if member_id is not None and member_id != but:
            self._tell_these([member_id], message, notice)

    def _tell_these(self, ids: list[str], message: Envelope, notice: dict[str, str]) -> None:
        if len(ids) > domain.PORTION:
            self._tell_many(ids, message, notice)
        elif ids:
            self._deliver(domain.Portion(1, ids, last=True), message, notice)()

    def _tell_many(self, ids: list[str], message: Envelope, notice: dict[str, str]) -> None:
        """In portions, going on behind those of which the job says that they were finished."""
        job, saved_at = self.jobs.find(message.id) or domain.begin(message.id, identifiers.now()), time.monotonic()
        unconfirmed: list[Callable[[], None]] = []
        for portion in domain.left(job, ids, domain.PORTION):
            unconfirmed.append(self._deliver(portion, message, notice))
            if portion.last or time.monotonic() - saved_at >= SAVED_EVERY:
                while unconfirmed:
                    unconfirmed.pop(0)()
                job, saved_at = self.jobs.step(domain.advance(job, portion, identifiers.now())), time.monotonic()

    def _deliver(self, portion: domain.Portion, message: Envelope, notice: dict[str, str]) -> Callable[[], None]:
        """Write and announce; the answer, called, waits until the announcement is safe."""
        now, ids = identifiers.now(), portion.ids
        # Whatever keeps the last lines keeps what was written before them, too.
        self.inbox.put([line(member_id, message.id, notice, now) for member_id in ids], journaled=portion.last)
        said = self._announcement(message, notice, now, member_ids=ids)
        return self.announcer.post(said, portion.nth, to=",".join(ids))

    def _announcement(self, message: Envelope, notice: dict[str, str], at: datetime, **to: Any) -> Announcement:
        return NOTIFICATIONS_DELIVERED.about(domain.delivered(message.id, notice, at, **to))
