"""The stores of the probe and the bakery."""

from typing import Any

from pymongo import IndexModel
from pymongo.collection import Collection

from services.chassis.aggregates import Aggregates
from services.chassis.rows import Rows
from services.ground import clock


class Effects(Rows):
    collection = "effects"

    def add(self, handler: str, id: str, **more: Any) -> None:
        self.rows.insert_one({"handler": handler, "message": id, "at": clock.now(), **more})

    def tries(self, id: str) -> int:
        found = self.rows.find_one_and_update(
            {"_id": f"try:{id}"}, {"$inc": {"n": 1}}, upsert=True, return_document=True
        )
        return int(found["n"])


class Things(Aggregates):
    collection = "things"


class Loaves(Aggregates):
    """Loaves of bread, which are done at a moment."""

    collection = "loaves"
    indexes = (IndexModel([("done_due_at", 1)], sparse=True),)


class Days(Rows):
    """The days that the bakery has counted."""

    collection = "days"


def heard(effects: Collection[dict[str, Any]], id: str, handler: str = "hear") -> int:
    """The number of effects that a message had."""
    return effects.count_documents({"handler": handler, "message": id})
