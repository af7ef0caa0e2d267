"""Parts of which the shapes of every service are made."""

import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate

from services.contracts import moments
from services.contracts.roles import ROLES
from services.contracts.shapes.advice import advise

LANGUAGES = ("en", "de")  # BCP 47; the platform can speak to members in these
TOUCHPOINTS = ("cafe", "kitchenette", "idea_board", "app", "focus_group", "brainstorm", "workshop", "online", "other")


_has_control = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]").search

CURSOR = "WyIwMThmMmQ2ZS01YjdjLTdhM2UtOWM0MS0wZjJiNmQ3ZThhOTAiXQ"  # as an example


class Shape(Schema):
    """The base of all shapes. A shape refuses unknown fields, and says of each wrong value what would be right."""

    class Meta:
        unknown = RAISE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        advise(self)


class Text(fields.String):
    """Text from a person: trimmed, without control characters (newlines and tabs may stay), of bounded length.

    `least` and `most` count characters after trimming.
    """

    def __init__(self, *, least: int = 1, most: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(min=least, max=most), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if _has_control(text):
            raise ValidationError("Leave out the control characters, which can't be seen.")
        return text.strip()


class Chosen(fields.String):
    """A chosen word, or "" for no choice. null also means no choice, and is read as ""."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, **kwargs)

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **kwargs: Any) -> Any:
        return super().deserialize("" if value is None else value, attr, data, **kwargs)


class Flag(fields.Boolean):
    """True or false. Values that only look like one (0, "yes") are refused."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class AllRows(Flag):
    """True if a whole list is wanted at once, for a spreadsheet. Older gateways do not say it."""

    def __init__(self) -> None:
        super().__init__(load_default=False)


_BLANK_FOR_PLUS = re.compile(r"(T\d\d:\d\d\S*) (?=\d\d:?\d\d\Z)")


def _with_plus(value: Any) -> Any:
    return _BLANK_FOR_PLUS.sub(r"\1+", value) if isinstance(value, str) else value


class Moment(fields.AwareDateTime):
    """A moment in time: RFC 3339 with an offset, read and written in UTC, cut to the millisecond.

    A blank for the sign of the offset is a `+`: a query turns one into the other.
    One that may stand for a whole day of UTC is `universal`: on another clock it could read as the day before.
    """

    def __init__(self, *, universal: bool = False, **kwargs: Any) -> None:
        self.universal = universal
        super().__init__(format="iso", default_timezone=None, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, datetime) and value.tzinfo:
            return moments.cut(value.astimezone(UTC))
        try:
            found = super()._deserialize(_with_plus(value), attr, data, **kwargs)
            return moments.cut(found.astimezone(UTC))
        except OverflowError as error:
            raise ValidationError("Write a moment in the years 1 to 9999, in UTC.") from error

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else moments.to_text(value)


class Tag(Text):
    """A tag: 2 to 40 characters, compared in lower case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=2, most=40, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return " ".join(super()._deserialize(value, attr, data, **kwargs).casefold().split())


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


class Id(fields.String):
    """An identifier: a UUID in its usual text form. New ones are version 7, so that they sort by time."""

    def __init__(self, **kwargs: Any) -> None:
        check = validate.Regexp(_ID, error="Must be an identifier such as 018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90.")
        super().__init__(validate=check, **kwargs)


class Ids(fields.List[str]):
    """Identifiers, perhaps a thousand. Good ones are checked together, in a fifth of the time."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Id(), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list) and all(isinstance(each, str) and _ID.match(each) for each in value):
            return list(value)
        return super()._deserialize(value, attr, data, **kwargs)


class Few(fields.List[Any]):
    """A list with a bounded number of items. The items of a longer list are not checked, as each could be an error."""

    def __init__(self, each: fields.Field[Any], *, least: int | None = None, most: int, **kwargs: Any) -> None:
        self._size = validate.Length(min=least, max=most)
        self._most = most
        super().__init__(each, validate=self._size, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list) and len(value) > self._most:
            self._size(value)
        return super()._deserialize(value, attr, data, **kwargs)


A_ZONE = "Must be the name of a time zone, such as Africa/Nairobi."
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9+_/-]{0,63}\Z")  # the domain knows which zones there are


def zone(**kwargs: Any) -> fields.String:
    """The name of a time zone in the IANA database."""
    check = validate.Regexp(_ZONE, error=A_ZONE)
    return fields.String(validate=check, **kwargs)


def own_id() -> Id:
    """The `id` of a thing in an answer. The store keeps it as `_id`."""
    return Id(required=True, attribute="_id")


def name_beside(id: str) -> fields.String:
    """The name of the member whose id stands in the field `id`. It is joined when it is read."""
    says = f"The present name of the member in `{id}`; null if there is none, or none is known yet."
    return fields.String(allow_none=True, required=True, metadata={"description": says, "example": "Amara Okafor"})


def tags(**kwargs: Any) -> "fields.List[Any]":
    """A list of at most 20 tags."""
    return Few(Tag(), most=20, **kwargs)


def roles(least: int = 0, **kwargs: Any) -> "fields.List[Any]":
    """A list of roles, each from the hub's six."""
    return Few(fields.String(validate=validate.OneOf(ROLES)), least=least or None, most=6, **kwargs)


class Identified(Shape):
    """What is answered begins with its `id`. Stands last among the bases of a shape."""

    id = own_id()


def partial(draft: type[Schema]) -> type[Schema]:
    """The base of a change: the fields of a draft, none of which has to be there."""
    return _like(draft, f"Partial{draft.__name__}", required=False)


def answered(draft: type[Schema]) -> type[Schema]:
    """The base of what is answered: the fields of a draft, all of which are there."""
    return _like(draft, f"Answered{draft.__name__}", required=True)


def picked(shape: type[Schema], *names: str) -> type[Schema]:
    """The base of a message's body: these fields of a shape, without their limits.

    An older reader then takes what a newer version of the platform may say.
    """
    made = {name: deepcopy(_declared(shape)[name]) for name in names}
    for field in made.values():
        field.validate, field.validators = None, []
    return Shape.from_dict(made, name=f"Picked{shape.__name__}")


def _like(draft: type[Schema], name: str, *, required: bool) -> type[Schema]:
    made = {each: deepcopy(field) for each, field in _declared(draft).items()}
    for field in made.values():
        field.required, field.load_default = required, missing
    return Shape.from_dict(made, name=name)


def _declared(shape: type[Schema]) -> dict[str, fields.Field[Any]]:
    return dict(shape._declared_fields)


class Page(Shape):
    """A query for one page of a list."""

    limit = fields.Integer(
        load_default=20,
        validate=validate.Range(1, 100),
        metadata={"description": "Items a page.", "example": 20},
    )
    cursor = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=200),
        metadata={"description": "The `next` of the page before. It is opaque.", "example": CURSOR},
    )


def page_of(item: type[Schema]) -> type[Schema]:
    """The shape of one page of a list: `{"items": […], "next": cursor or null}`."""
    return Shape.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next": fields.String(
                allow_none=True, required=True, metadata={"description": "Cursor of the next page.", "example": CURSOR}
            ),
        },
        name=f"{item.__name__}Page",
    )
