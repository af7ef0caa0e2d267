"""Aggregates: documents that announce their changes.

An aggregate is one document: what is true of it, its `version` (it counts saves), its `sequence` (it counts what was
announced), and its unsent messages (`outbox`). One write saves and announces: no transaction, no replica set is needed.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.chassis import context
from services.chassis.outbox import OUTBOX, UNSENT, pack
from services.chassis.rows import HIDDEN, Document, Row, Rows
from services.contracts.catalogue import PRIVATE, Announcement, exchange_of
from services.contracts.errors import Conflict, NotFound, Refusal, Stale

Told = Announcement | Sequence[Announcement] | None  # what a write announces
Telling = Told | Callable[[Any, Any], Told]  # or a function of the aggregate before and after
PAUSE = 0.01  # seconds after a first lost race, at most; then twice as long each time
LONGEST_PAUSE = 0.1
CLAIM_TRIES = 100
CHANGED_MEANWHILE = "changed_meanwhile"  # the only conflict that another try may solve


class Aggregates(Rows[Row]):
    """A collection of aggregates. They announce their changes; if `announces` is False they never do.

    `taken` says to a person that another aggregate has the same unique field, and what to do.
    """

    announces = True
    taken = "This was saved before. Read it again."

    def prepare(self) -> None:
        unsent = [IndexModel([(UNSENT, 1)], sparse=True)] if self.announces else []
        self.rows.create_indexes([*self.indexes, *unsent])

    def find(self, id: str) -> Row | None:
        """The aggregate of this id, or None."""
        return self.first({"_id": id})

    def first(self, query: Mapping[str, Any]) -> Row | None:
        """An aggregate that fits a query, or None."""
        return self.rows.find_one(query, HIDDEN)

    def get(self, id: str, *, asked_for: bool = False) -> Row:
        """The aggregate of this id. Raises NotFound.

        `asked_for`: an expected version (`If-Match`) of the caller is a version of this aggregate.
        """
        if asked_for:
            context.ask_for(self.collection, id)
        found = self.find(id)
        if found is None:
            raise NotFound.of(id)
        return found

    def add(self, document: Row, announcing: Told = None, noting: Told = None) -> Row:
        """Save a new aggregate as version 1, announce it, note the deed. Raises Conflict if a unique field is taken."""
        sequence = 1 if announcing else 0
        outgoing = self._outgoing(announcing, noting, sequence)
        saved = {**document, "version": 1, "sequence": sequence}
        try:
            self.documents.insert_one({**saved, **_riding(outgoing)})
        except DuplicateKeyError as error:
            raise Conflict("already_exists", self.taken) from error
        self._kick(saved["_id"], outgoing)
        return cast(Row, saved)

    def save(
        self,
        document: Row,
        announcing: Told = None,
        noting: Told = None,
        *,
        instead: bool = False,
    ) -> Row:
        """Save a changed aggregate, announce it, and note the deed. Its `version` is the one it was read with.

        Several announcements of one save have the same `sequence`: all of them tell of the same state.
        A call may expect a version (`If-Match`) of the aggregate that it asked for (`get`): only that is compared.
        `instead`: these announcements replace the unsent ones, which are not sent unless they are already on their way.
        Raises Conflict when somebody else changed the aggregate in between, Stale when the caller builds on another
        version; nothing is saved then.
        """
        version, sequence = document["version"], document["sequence"] + (1 if announcing else 0)
        expected = context.expected_versions(self.collection, document["_id"])
        if expected is not None and version not in expected:
            raise changed_meanwhile(Stale)
        outgoing = self._outgoing(announcing, noting, sequence)
        changed = {**document, "version": version + 1, "sequence": sequence}
        update: Document = {"$set": {name: value for name, value in changed.items() if name not in ("_id", *HIDDEN)}}
        if outgoing:
            riding = [*self._noted(document["_id"]), *outgoing] if instead else outgoing
            update = _riding_along(update["$set"], riding, instead=instead)
        try:
            found = self.rows.update_one({"_id": document["_id"], "version": version}, update).matched_count
        except DuplicateKeyError as error:
            raise Conflict("already_exists", self.taken) from error
        if not found:
            raise changed_meanwhile(Conflict if expected is None else Stale)
        context.saved(self.collection, document["_id"])
        self._kick(document["_id"], outgoing)
        return cast(Row, changed)

    def change(
        self,
        id: str,
        decide: Callable[[Row], Row],
        announcing: Telling = None,
        noting: Telling = None,
        *,
        asked_for: bool = False,
        tries: int = 5,
    ) -> Row:
        """Read an aggregate, decide about it and save it; repeat all this when somebody else changed it in between.

        `decide` is pure, as it may run several times. If it returns its own argument, nothing is saved.
        Use it for changes that may follow one another in any order; for scarce things see `claim`.
        Raises NotFound, Stale, the errors of `decide`, and Conflict when each of the tries lost a race.
        """
        for lost in range(tries):
            if lost:
                _pause(lost)
            before = self.get(id, asked_for=asked_for)
            if (after := decide(before)) is before:
                return before
            try:
                return self.save(after, _told(announcing, before, after), _told(noting, before, after))
            except Conflict as refused:
                if refused.code != CHANGED_MEANWHILE:
                    raise
        raise changed_meanwhile(Conflict)

    def claim(
        self, id: str, *, holds: Mapping[str, Any], update: Mapping[str, Any], announcing: Told = None
    ) -> Row | None:
        """Change an aggregate by MongoDB operators if a query holds. Returns the changed aggregate, or None.

        Use it for scarce things that many want at once: `holds={"left": {"$gt": 0}}, update={"$inc": {"left": -1}}`.
        One write checks, changes and announces. An expected version does not matter, as `holds` states the condition.
        Raises Conflict when too many others announced something in between.
        """
        query: Document = {"$and": [{"_id": id}, holds]}
        if announcing is None:
            return self._claimed(query, _with(update, "$inc", {"version": 1}))
        for lost in range(CLAIM_TRIES):
            if lost:
                _pause(lost)
            seen = self.rows.find_one(query, {"sequence": True})
            if seen is None:
                return None
            outgoing = self._outgoing(announcing, None, seen["sequence"] + 1)
            counted = _with(update, "$inc", {"version": 1, "sequence": 1})
            riding = _with(_with(counted, "$set", {UNSENT: True}), "$push", {OUTBOX: {"$each": outgoing}})
            # The message holds its sequence, so nobody else may have announced since that was read.
            after = self._claimed({**query, "sequence": seen["sequence"]}, riding)
            if after is not None:
                self._kick(id, outgoing)
                return after
        raise changed_meanwhile(Conflict)

    def _claimed(self, query: Document, update: Document) -> Row | None:
        found = self.rows.find_one_and_update(query, update, HIDDEN, return_document=ReturnDocument.AFTER)
        return cast(Row | None, found)

    def repeat(self, document: Row, announcing: Told) -> None:
        """Announce an unchanged aggregate again, under the sequence of its last announcement."""
        outgoing = self._outgoing(announcing, None, document["sequence"])
        self.rows.update_one({"_id": document["_id"]}, {"$set": {UNSENT: True}, "$push": {OUTBOX: {"$each": outgoing}}})
        self._kick(document["_id"], outgoing)

    def _outgoing(self, announcing: Told, noting: Told, sequence: int) -> list[Document]:
        """The messages that ride in a write. A noted deed isn't counted: it has the last announcement's `sequence`."""
        told = [*_each(announcing), *_each(noting)]
        assert self.announces or not told, f"nobody would look for what {self.collection} announces"
        return [pack(each, self._service, sequence) for each in told]

    def _noted(self, id: str) -> list[Document]:
        """The noted deeds that ride in an aggregate. No other message replaces them."""
        found = self.documents.find_one({"_id": id}, {OUTBOX: True}) or {}
        return [each for each in found.get(OUTBOX, []) if exchange_of(each["type"]) == PRIVATE]

    def _kick(self, id: str, outgoing: list[Document]) -> None:
        if self._relay is not None and outgoing:
            self._relay.kick(self.documents, id, outgoing)


def _each(told: Told) -> Sequence[Announcement]:
    if told is None:
        return ()
    return (told,) if isinstance(told, Announcement) else told


def changed_meanwhile(family: type[Refusal]) -> Refusal:
    """The refusal of a save that builds on a version that is no longer there."""
    return family(CHANGED_MEANWHILE, "Somebody else changed this meanwhile. Read it again, then change it.")


def _told(told: Telling, before: Any, after: Any) -> Told:
    return told(before, after) if callable(told) else told


def _pause(lost: int) -> None:
    """Wait a random moment, so that the losers of one race do not meet again."""
    time.sleep(random.uniform(0, min(PAUSE * 2**lost, LONGEST_PAUSE)))  # noqa: S311


def _with(update: Mapping[str, Any], operator: str, more: Document) -> Document:
    """The update with more under one of its operators."""
    return {**update, operator: {**update.get(operator, {}), **more}}


def _riding(outgoing: list[Document]) -> Document:
    return {OUTBOX: outgoing, UNSENT: True} if outgoing else {}


def _riding_along(changes: Document, outgoing: list[Document], *, instead: bool) -> Document:
    """The update that makes these changes and announces them, after the messages that ride there or `instead`."""
    if instead:
        return {"$set": {**changes, **_riding(outgoing)}}
    return {"$set": {**changes, UNSENT: True}, "$push": {OUTBOX: {"$each": outgoing}}}
