"""The store of the copy: one row."""

import time
from contextlib import suppress
from typing import Any

from pymongo.errors import DuplicateKeyError

from services.chassis.rows import Rows
from services.notifications.house.domain import ID, UNTOLD, House

SECONDS = 3.0


class HouseStore(Rows[House]):
    """The copy of the house."""

    collection = "house"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._seen, self._until = UNTOLD, 0.0

    def keep(self, house: House) -> None:
        """Remember the house, unless a younger row is there."""
        with suppress(DuplicateKeyError):  # a younger row is there: no older one was found, and no second can be added
            self.rows.replace_one({"_id": ID, "sequence": {"$lt": house["sequence"]}}, house, upsert=True)

    def present(self) -> House:
        """The house as last announced; before that, the defaults of a new hub."""
        return self.rows.find_one({"_id": ID}) or UNTOLD

    def seen(self) -> House:
        """The house as this process read it at most SECONDS ago."""
        if self._until <= time.monotonic():
            self._seen, self._until = self.present(), time.monotonic() + SECONDS
        return self._seen
