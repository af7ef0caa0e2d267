"""The store of the copy: one row."""

import time
from typing import Any

from services.chassis.rows import Rows
from services.notifications.house.domain import ID, UNTOLD, House

SECONDS = 3.0


class HouseStore(Rows[House]):
    """The copy of the house."""

    collection = "house"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._seen, self._until = UNTOLD, 0.0

    def present(self) -> House:
        """The house as last announced; before that, the defaults of a new hub."""
        return self.rows.find_one({"_id": ID}) or UNTOLD

    def seen(self) -> House:
        """The house as this process read it at most SECONDS ago."""
        if self._until <= time.monotonic():
            self._seen, self._until = self.present(), time.monotonic() + SECONDS
        return self._seen
