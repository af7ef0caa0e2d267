"""What the fan-out hears."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.chassis.announcer import Announcer
from services.chassis.beside import beside
from services.chassis.messaging import Envelope, on
from services.chassis.numbers import Number
from services.chassis.store import Store
from services.contracts.errors import NotYet
from services.contracts.messages.events import EVENTS_CANCELLED, EVENTS_PUBLISHED
from services.contracts.messages.feedback import (
    FEEDBACK_ANSWERED,
    FEEDBACK_MOVED,
    FEEDBACK_SUBMITTED,
    FEEDBACK_TAKEN_DOWN,
)
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.ground import clock, identifiers
from services.notifications import wording
from services.notifications.fanout import domain
from services.notifications.fanout.domain import Job, News, Portion
from services.notifications.fanout.store import HourStore, JobStore, ToldStore
from services.notifications.inbox.domain import broadcast, line
from services.notifications.inbox.store import InboxStore
from services.notifications.people.store import PeopleStore

SAVED_EVERY = 1.0  # seconds of a large fan-out: so much at most is told again, to the same effect, after a crash
ADMINISTRATORS = {"everyone": False, "roles": ["administrator"], "tags": []}
Following = Callable[[Job], Portion]
Confirm = Callable[[], None]


class Fanout:
    """Whoever should know of something finds it in their inbox, once, and then what becomes of it."""

    name = "notifications.fanout"
    jobs = Store(JobStore)
    told = Store(ToldStore)
    hours = Store(HourStore)
    inbox = Store(InboxStore, sibling=True)
    people = Store(PeopleStore, sibling=True)
    announcer = Announcer()
    lines_an_hour = Number("LINES_AN_HOUR")

    @on(EVENTS_PUBLISHED, queue="tell_of_an_event")
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
        self._tell(_news(message, notice), self._audience(audience, belonging=message.at, but=actor_id))

    @on(EVENTS_CANCELLED, queue="tell_of_a_cancellation")
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
        """Those who were told of an event hear that it does not take place, and so does whoever published it."""
        news = _news(message, wording.event_cancelled(event_id, title, starts_at, reason, audience))
        before = self._those_told(event_id, EVENTS_PUBLISHED.key, but=actor_id)
        # For a release: of what was told before that was written down, the audience hears.
        self._tell(news, before or self._audience(audience, belonging=message.at, but=actor_id))

    @on(FEEDBACK_SUBMITTED, queue="tell_the_administrators")
    def tell_the_administrators(
        self, message: Envelope, voice_id: str, kind: str | None, touchpoint: str, text: str, author_id: str | None
    ) -> None:
        """The administrators hear of a voice; of very many in an hour they hear that there are many."""
        if not self.people.anybody("administrator"):
            raise NotYet("nobody_to_tell", "No administrator is known yet.")
        news, now = _news(message, wording.voice_raised(voice_id, kind, touchpoint, text)), clock.now()
        hour, ends_at = domain.hour(now)
        if self.hours.count(hour.isoformat(), ends_at) > self.lines_an_hour:
            self._tell(news, lambda _job: Portion(1, [], last=True, folded=hour))
        else:
            # Whoever administers now: of an anonymous voice the message tells the day only.
            self._tell_soon(
                news._replace(record=domain.raised(voice_id)),
                self._audience(ADMINISTRATORS, belonging=now, but=author_id),
            )

    @on(FEEDBACK_ANSWERED, queue="tell_the_author_of_an_answer")
    def tell_the_author_of_an_answer(
        self, message: Envelope, voice_id: str, text: str, answer: str, author_id: str | None, actor_id: str
    ) -> None:
        """The author of a voice reads the answer."""
        self._tell_one(author_id, message, wording.voice_answered(voice_id, text, answer), but=actor_id)

    @on(FEEDBACK_MOVED, queue="tell_the_author_of_a_step")
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

    @on(FEEDBACK_TAKEN_DOWN, queue="tell_the_author_of_a_takedown")
    def tell_the_author_of_a_takedown(
        self, message: Envelope, voice_id: str, reason: str, author_id: str | None, actor_id: str
    ) -> None:
        """The author of a voice hears that it can't be read any more, and why."""
        self._tell_one(author_id, message, wording.voice_taken_down(voice_id, reason), but=actor_id)

    @on(FEEDBACK_TAKEN_DOWN, queue="forget_the_words")
    def forget_the_words(self, voice_id: str) -> None:
        """No inbox keeps the words of a voice that was taken down."""
        now, bare = clock.now(), wording.without_words(voice_id)
        self.told.withdraw(voice_id, now)  # first: whoever tells of it meanwhile sees this, or is in a record
        for record in self.told.about(voice_id):
            if notice := bare.get(record["kind"]):
                self.inbox.blank(domain.recorded(record).told, record["notification"], notice, now)
        if domain.may_have_no_record(identifiers.moment(voice_id), self.jobs.began, now):
            for ids in self.people.everybody():
                self.inbox.blank_about(ids, list(bare.values()))

    # Who is meant: portion by portion, after what a job has done.

    def _audience(self, audience: dict[str, Any], *, belonging: datetime, but: str | None) -> Following:
        if audience["everyone"]:
            return lambda _job: Portion(1, [], last=True, but=but, belonging=belonging)
        ids = self.people.audience(audience, at=belonging, but=None)
        return lambda job: domain.following(job, ids, but)

    def _those_told(self, subject: str, kind: str, *, but: str) -> Following | None:
        """Those who were told of it before; None where nobody wrote that down. Raises NotYet where somebody will."""
        last = self.told.last(subject, kind)
        if last is not None and last["last"]:
            return lambda job: self.told.nth(last["notification"], job["portions"] + 1)._replace(but=but)
        if last is None and domain.may_have_no_record(identifiers.moment(subject), self.jobs.began, clock.now()):
            return None
        raise NotYet("not_told_yet", "Who is told of this is not written down yet.")

    def _tell_one(self, member_id: str | None, message: Envelope, notice: dict[str, str], but: str) -> None:
        if member_id is not None and member_id != but:
            self._tell(_news(message, notice), lambda job: domain.following(job, [member_id], but))

    # How they are told.

    def _tell(self, news: News, following: Following) -> None:
        """In portions, going on behind those of which the job says that they were finished."""
        job, portion = self._begun(news, following)
        unconfirmed, saved_at = list[Confirm](), time.monotonic()
        while portion is not None:
            unconfirmed.append(self._deliver(portion, news))
            job = domain.advance(job, portion, clock.now())
            if portion.last or time.monotonic() - saved_at >= SAVED_EVERY:
                while unconfirmed:
                    unconfirmed.pop(0)()
                job, saved_at = self._saved(job), time.monotonic()
            portion = self._next(job, news, following)

    def _tell_soon(self, news: News, following: Following) -> None:
        """Like `_tell`; but people wait for this, so a single portion is recorded beside its lines."""
        portion = following(domain.begin(news.id, clock.now()))
        if not (portion.last and portion.told and self._told_beside(news, portion)):
            self._tell(news, following)

    def _told_beside(self, news: News, portion: Portion) -> bool:
        """False where others are recorded, since an earlier attempt. For words withdrawn see `ToldStore.withdraw`."""
        now = clock.now()
        made = beside(self.told.once, news, portion, now)
        self._put(news, portion, now)
        if domain.is_withdrawn(record := made()):
            news = news._replace(notice=wording.withdrawn(news.notice))
            self.inbox.blank(portion.told, news.id, news.notice, now)
        elif domain.recorded(record) != portion:
            return False
        self._announced(news, portion, now)()
        return True

    def _begun(self, news: News, following: Following) -> tuple[Job, Portion | None]:
        """The job to go on with, and what comes next. Only one of several portions was ever saved."""
        begun = domain.begin(news.id, clock.now())
        first = self.told.keep(news, following(begun), clock.now())
        job = begun if first.last else domain.taken_up(begun, self.jobs.find(news.id))
        return job, self._next(job, news, following) if job["portions"] else first

    def _next(self, job: Job, news: News, following: Following) -> Portion | None:
        return None if job["done_at"] else self.told.keep(news, following(job), clock.now())

    def _saved(self, job: Job) -> Job:
        return self.jobs.step(job) if job["portions"] > 1 else job

    def _deliver(self, portion: Portion, news: News) -> Confirm:
        """Write and announce; the answer, called, waits until the announcement is safe."""
        if portion.belonging is not None:
            return self._tell_everyone(news, portion.belonging, portion.but)
        if portion.folded is not None:
            self._tell_of_many(portion.folded, news.message_id)
        return self._tell_these(portion, news) if portion.told else lambda: None

    def _tell_these(self, portion: Portion, news: News) -> Confirm:
        said, now = self._said(news), clock.now()
        self._put(said, portion, now)
        return self._announced(said, portion, now)

    def _put(self, news: News, portion: Portion, now: datetime) -> None:
        lines = [line(member_id, news.id, news.notice, now) for member_id in portion.told]
        self.inbox.put(lines, journaled=portion.last)  # which keeps what was written before, too

    def _announced(self, news: News, portion: Portion, now: datetime) -> Confirm:
        said = NOTIFICATIONS_DELIVERED.about(domain.delivered(news, now, member_ids=portion.told))
        return self.announcer.post(said, portion.nth, to=",".join(portion.told))

    def _tell_everyone(self, news: News, belonging: datetime, but: str | None) -> Confirm:
        made = broadcast(news.id, news.notice, clock.now(), belonging=belonging, but=but)
        at = self.inbox.broadcasts.keep(made)["at"]
        everyone = {"belonging": belonging, "but": but}
        return self.announcer.post(NOTIFICATIONS_DELIVERED.about(domain.delivered(news, at, everyone=everyone)), 1)

    def _tell_of_many(self, hour: datetime, message_id: str) -> None:
        """Once an hour, by the voice that came first to this: it does so again if it was interrupted, and no other."""
        id = identifiers.derived_id(f"{hour.isoformat()}/{FEEDBACK_SUBMITTED.key}")
        news = News(id, id, message_id, wording.many_voices(hour, self.lines_an_hour))
        following = self._audience(ADMINISTRATORS, belonging=clock.now(), but=None)
        first = self.told.once(news, following(domain.begin(news.id, hour)), clock.now())
        if first["message"] == message_id:
            self._tell(news, following)

    def _said(self, news: News) -> News:
        """Without the words that were withdrawn. Asked when the record is there: whoever withdraws later finds that."""
        withdrawn = self.told.is_withdrawn(news.subject)
        return news._replace(notice=wording.withdrawn(news.notice)) if withdrawn else news


def _news(message: Envelope, notice: dict[str, str]) -> News:
    return News(message.id, message.subject, message.id, notice)
