"""The fan-out hears the messages of all tellings."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.chassis.announcer import Announcer
from services.chassis.beside import beside
from services.chassis.messaging import Envelope, on
from services.chassis.numbers import Number
from services.chassis.store import Store
from services.contracts import wording
from services.contracts.errors import NotYet
from services.contracts.messages.feedback import FEEDBACK_TAKEN_DOWN
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED, NOTIFICATIONS_DELIVERED_V2
from services.ground import clock, identifiers
from services.notifications import channels
from services.notifications.declared import hears
from services.notifications.fanout import domain
from services.notifications.fanout.domain import Job, Many, News, Portion, Record
from services.notifications.fanout.store import HourStore, JobStore, ToldStore
from services.notifications.followers.store import FollowerStore
from services.notifications.inbox.store import InboxStore
from services.notifications.notice import Notice, without_words
from services.notifications.people.store import PeopleStore
from services.notifications.tellings import TELLINGS
from services.notifications.tellings.grammar import Audience, Followers, One, Role, Telling, ThoseTold, Whom

SAVED_EVERY = 1.0  # seconds of a large fan-out: at most so much is told again after a crash, to the same effect
Following = Callable[[Job], Portion]
Confirm = Callable[[], None]


@hears(TELLINGS)
class Fanout:
    """Members find what concerns them in their inbox, once, and later what became of it."""

    name = "notifications.fanout"
    jobs = Store(JobStore)
    told = Store(ToldStore)
    hours = Store(HourStore)
    inbox = Store(InboxStore, sibling=True)
    people = Store(PeopleStore, sibling=True)
    followers = Store(FollowerStore, sibling=True)
    announcer = Announcer()
    lines_an_hour = Number("LINES_AN_HOUR")

    def hear(self, telling: Telling, message: Envelope, heard: dict[str, Any]) -> None:
        """Tell the recipients, as the telling declares."""
        news = _news(telling, message, heard)
        following = self._meant(telling.to, message, heard, but=heard[telling.by])
        if following is None:
            return
        if news.many and (hour := self._full(news.notice["kind"])):
            self._tell(news, lambda _job: Portion(1, [], last=True, folded=hour))
        elif telling.soon:
            self._tell_soon(news._replace(record=domain.raised(news.subject)), following)
        else:
            self._tell(news, following)

    @on(FEEDBACK_TAKEN_DOWN, queue="forget_the_words")
    def forget_the_words(self, voice_id: str) -> None:
        """Take the words of a voice that was taken down out of all inboxes."""
        now, bare = clock.now(), _withdrawn_about(voice_id)
        self.told.withdraw(voice_id, now)  # first: a telling at the same time sees this, or has a record
        for record in self.told.about(voice_id):
            if notice := bare.get(record["kind"]):
                self.inbox.blank(domain.recorded(record).told, record["notification"], notice, now)
        if domain.may_have_no_record(identifiers.moment(voice_id), self.jobs.began, now):
            for ids in self.people.everybody():
                self.inbox.blank_about(ids, bare.values())

    # The recipients, portion by portion, after those that a job has finished.

    def _meant(self, to: Whom, message: Envelope, heard: dict[str, Any], but: str | None) -> Following | None:
        """The recipients' portions, by the job; None if there are no recipients and never will be."""
        match to:
            case Audience(field):
                return self._audience(heard[field], belonging=message.at, but=but)
            case Role(role):
                return self._having(role, but=but)
            case ThoseTold():
                return self._those_told(to, message, heard, but)
            case One() | Followers():
                ids = self._named(to, heard)
                return (lambda job: domain.following(job, ids, but)) if set(ids) - {but} else None

    def _audience(
        self, audience: dict[str, Any], *, belonging: datetime, but: str | None, besides: tuple[str, ...] = ()
    ) -> Following:
        if audience["everyone"]:
            return lambda _job: Portion(1, [], last=True, but=but, belonging=belonging)
        ids = self.people.audience(audience, at=belonging, but=None)
        everybody = sorted({*ids, *besides}) if besides else ids
        return lambda job: domain.following(job, everybody, but)

    def _having(self, role: str, *, but: str | None) -> Following:
        """The members with the role now, as the message's time may be a bare day. Raises NotYet while there is none."""
        if not self.people.anybody(role):
            raise NotYet("nobody_to_tell", f"Nobody is known yet who has the role {role}.")
        return self._audience({"everyone": False, "roles": [role], "tags": []}, belonging=clock.now(), but=but)

    def _named(self, to: One | Followers, heard: dict[str, Any]) -> list[str]:
        named = heard[to.field]
        if isinstance(to, Followers):
            following: list[str] = self.followers.of(named, to.states, awaited=to.awaited)
            return following
        return [] if named is None else [named]

    def _those_told(self, to: ThoseTold, message: Envelope, heard: dict[str, Any], but: str | None) -> Following:
        """The members who were told before, then the followers who were not. Raises NotYet until both are known."""
        last, besides = self._last(message.subject, to.of.key), self._named(to.besides, heard)
        if last is None:
            audience = heard[to.or_else.field]
            return self._audience(audience, belonging=message.at, but=but, besides=tuple(besides))
        missed = [id for id in besides if id != but and not self.told.reached(last, id)]
        return lambda job: self._again(last, job["portions"] + 1, missed, but)

    def _last(self, subject: str, kind: str) -> Record | None:
        """The last record of the earlier telling. None if there may never be one; NotYet if it is still to come."""
        last: Record | None = self.told.last(subject, kind)
        if last is not None and last["last"]:
            return last
        if last is None and domain.may_have_no_record(identifiers.moment(subject), self.jobs.began, clock.now()):
            return None
        raise NotYet("not_told_yet", "Who is told of this is not written down yet.")

    def _again(self, last: Record, nth: int, missed: list[str], but: str | None) -> Portion:
        if nth > last["nth"]:
            return domain.nth_beyond(nth, last["nth"], missed, but)
        told: Portion = self.told.nth(last["notification"], nth)
        return told._replace(but=but, last=nth == last["nth"] and not missed)

    def _full(self, kind: str) -> datetime | None:
        """The present hour, if it has had more of a kind than get lines of their own; else None."""
        hour, ends_at = domain.hour(clock.now())
        return hour if self.hours.count(f"{hour.isoformat()}/{kind}", ends_at) > self.lines_an_hour else None

    # The telling itself.

    def _tell(self, news: News, following: Following) -> None:
        """Tell the portions that the job has not finished yet."""
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
        """Like `_tell`, but people wait for this, so a single portion is recorded while its lines are written."""
        portion = following(domain.begin(news.id, clock.now()))
        if not (portion.last and portion.told and self._told_beside(news, portion)):
            self._tell(news, following)

    def _told_beside(self, news: News, portion: Portion) -> bool:
        """False if an earlier attempt recorded another portion. `ToldStore.withdraw` explains withdrawn words."""
        now = clock.now()
        made = beside(self.told.once, news, portion, now)
        channels.inbox.deliver(self.inbox, news, portion, now)
        if domain.is_withdrawn(record := made()):
            self.inbox.blank(portion.told, news.id, news.notice, now)
            news = _without_words(news)
        elif domain.recorded(record) != portion:
            return False
        self._announced(news, portion, now)()
        return True

    def _begun(self, news: News, following: Following) -> tuple[Job, Portion | None]:
        """The job to go on with, and its next portion. Only jobs of several portions are saved."""
        begun = domain.begin(news.id, clock.now())
        first = self.told.keep(news, following(begun), clock.now())
        job = begun if first.last else domain.taken_up(begun, self.jobs.find(news.id))
        return job, self._next(job, news, following) if job["portions"] else first

    def _next(self, job: Job, news: News, following: Following) -> Portion | None:
        return None if job["done_at"] else self.told.keep(news, following(job), clock.now())

    def _saved(self, job: Job) -> Job:
        return self.jobs.step(job) if job["portions"] > 1 else job

    def _deliver(self, portion: Portion, news: News) -> Confirm:
        """Write the lines and announce them. The function returned waits until the announcement is safe."""
        if portion.folded is not None:
            self._tell_of_many(portion.folded, news)
        if not portion.told and portion.belonging is None:
            return lambda: None
        said = self._said(news)
        return self._announced(said, portion, channels.inbox.deliver(self.inbox, said, portion, clock.now()))

    def _announced(self, news: News, portion: Portion, at: datetime) -> Confirm:
        said, to = domain.delivered(news, portion, at), ",".join(portion.told)
        # For one release also in English, for listeners to the first version.
        words = wording.said(news.notice["kind"], news.notice["facts"], language="en", zone="UTC")
        both = (NOTIFICATIONS_DELIVERED_V2.about(said), NOTIFICATIONS_DELIVERED.about(said | words))
        confirms = [self.announcer.post(each, portion.nth, to=to) for each in both]

        def safe() -> None:
            for confirm in confirms:
                confirm()

        return safe

    def _tell_of_many(self, hour: datetime, news: News) -> None:
        """Tell of many once an hour. Only the first message to get here does it, again if it is interrupted."""
        id = identifiers.derived_id(f"{hour.isoformat()}/{news.notice['kind']}")
        role, many = domain.many(news, hour, self.lines_an_hour, id)
        following = self._having(role, but=None)
        first = self.told.once(many, following(domain.begin(id, hour)), clock.now())
        if first["message"] == news.message_id:
            self._tell(many, following)

    def _said(self, news: News) -> News:
        """The news without withdrawn words. Asked when the record is kept, which a later withdrawal then finds."""
        return _without_words(news) if news.withdrawable and self.told.is_withdrawn(news.subject) else news


def _news(telling: Telling, message: Envelope, heard: dict[str, Any]) -> News:
    subject = heard[telling.about]
    notice = domain.notice(
        telling.message.key,
        domain.facts(telling.facts, heard),
        telling.link_about(subject),
        subject,
        heard[telling.expires] if telling.expires else None,
    )
    many = Many(telling.to.name, telling.folded) if telling.folded and isinstance(telling.to, Role) else None
    return News(message.id, subject, message.id, notice, withdrawable=telling.withdrawn_by is not None, many=many)


def _without_words(news: News) -> News:
    return news._replace(notice=without_words(news.notice))


def _withdrawn_about(voice_id: str) -> dict[str, Notice]:
    """The notices that held the words of a voice, by their kinds, without the words."""
    had = [each for each in TELLINGS if each.withdrawn_by is FEEDBACK_TAKEN_DOWN]
    return {each.message.key: domain.notice(each.message.key, {}, each.link_about(voice_id), voice_id) for each in had}
