"""Time zones by their names in the IANA database, as far as this machine knows them."""

import zoneinfo
from functools import cache

from services.contracts.errors import Invalid

NO_PLACES = {"Factory", "localtime"}  # files of the database, or of the machine, that name no place


@cache  # some 600 files are looked at
def known() -> frozenset[str]:
    """The names of all zones."""
    return frozenset(zoneinfo.available_timezones() - NO_PLACES)


def check(name: str) -> None:
    """Raises Invalid, naming the field `zone`, unless this is the name of a zone."""
    if name not in known():
        raise Invalid.field("zone", "Must be the name of a time zone, such as Africa/Nairobi.")
