"""Names: what refers to a row by its id is answered with the row's present name beside that id."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.chassis.rows import Rows

Names = Mapping[str, str]
Naming = Callable[[Mapping[str, Any]], dict[str, Any]]


def names_of(rows: Rows[Any], ids: Iterable[str | None]) -> Names:
    """The names of the rows with these ids, by one query; by none if there is no id. An unknown id has no name."""
    wanted = sorted({id for id in ids if id is not None})
    found = rows.documents.find({"_id": {"$in": wanted}}, {"name": True}) if wanted else ()
    return {each["_id"]: each["name"] for each in found}


def naming(rows: Rows[Any], documents: Iterable[Mapping[str, Any]], **names: str) -> Naming:
    """What adds names to these documents: `host_name="host_id"` adds the name of the row whose id is in `host_id`.

    An id that is missing or unknown gives None. All names are read now, by one query, so that nothing has to be read
    for the answer when a document has been saved.
    """
    known = names_of(rows, (each.get(id) for each in documents for id in names.values()))
    return lambda document: {**document, **{name: known.get(document.get(id) or "") for name, id in names.items()}}


def named(rows: Rows[Any], found: Iterable[Mapping[str, Any]], **names: str) -> list[dict[str, Any]]:
    """The documents of a page with names, as `naming` adds them."""
    documents = list(found)
    return list(map(naming(rows, documents, **names), documents))
