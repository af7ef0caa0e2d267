"""Names: what refers to a row by its id is answered with the row's present name beside that id."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.chassis.rows import Rows

Names = Mapping[str, str]


def names_of(rows: Rows[Any], ids: Iterable[str | None]) -> Names:
    """The names of the rows with these ids, by one query; by none if there is no id. An unknown id has no name."""
    wanted = sorted({id for id in ids if id is not None})
    found = rows.documents.find({"_id": {"$in": wanted}}, {"name": True}) if wanted else ()
    return {each["_id"]: each["name"] for each in found}


def named(rows: Rows[Any], found: Iterable[Mapping[str, Any]], **names: str) -> list[dict[str, Any]]:
    """The documents with names: `host_name="host_id"` adds the name of the row whose id is in `host_id`.

    An id that is missing or unknown gives None. All names come by one query.
    """
    documents = list(found)
    known = names_of(rows, (each.get(id) for each in documents for id in names.values()))
    return [{**each, **{name: known.get(each.get(id) or "") for name, id in names.items()}} for each in documents]
