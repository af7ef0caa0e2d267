"""What the fan-out hears."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.chassis import identifiers
from services.chassis.messaging import Envelope, on
from services.chassis.store import Store
from services.contracts.errors import NotYet
from services.contracts.messages.events import EVENTS_CANCELLED, EVENTS_PUBLISHED
from services.contracts.messages.feedback import FEEDBACK_ANSWERED, FEEDBACK_MOVED, FEEDBACK_SUBMITTED
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.notifications import wording
from services.notifications.fanout import domain
from services.notifications.fanout.store import JobStore
from services.notifications.inbox.domain import line
from services.notifications.inbox.store import InboxStore
from services.notifications.people.store import PeopleStore

ADMINISTRATORS = {"everyone": False, "roles": ["administrator"], "tags": []}


class Fanout:
    """Whoever should know of something finds it in their inbox, once."""

    name = "notifications.fanout"
    jobs = Store(JobStore)
    inbox = Store(InboxStore, sibling=True)
    people = Store(PeopleStore, sibling=True)

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
        job = self._job(message, notice)
        if job["done_at"] is None:
            self._deliver(job, self.people.audience(audience, at=belonging, but=but, after=job["cursor"]))

    def _tell_one(self, member_id: str | None, message: Envelope, notice: dict[str, str], but: str) -> None:
        job = self._job(message, notice)
        if job["done_at"] is None and member_id is not None and member_id != but:
            self._deliver(job, [[member_id]])

    def _job(self, message: Envelope, notice: dict[str, str]) -> domain.Job:
        return self.jobs.find(message.id) or domain.begin(message.id, notice, identifiers.now())

    def _deliver(self, job: domain.Job, chunks: Iterable[list[str]]) -> None:
        for chunk, last in domain.marked(chunks):
            job = domain.advance(job, chunk, identifiers.now(), last=last)
            self.inbox.put([line(member_id, job["_id"], job["notice"], job["changed_at"]) for member_id in chunk])
            job = self.jobs.step(job, NOTIFICATIONS_DELIVERED.about(job, **domain.facts(job, chunk)))
        if job["done_at"] is None:
            self.jobs.step(domain.finish(job, identifiers.now()))
