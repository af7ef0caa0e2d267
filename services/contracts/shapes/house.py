"""The house: the name, place, looks and promises of the hub itself."""

from typing import Any

from marshmallow import fields, validate

from services.contracts.shapes.parts import LANGUAGES, Few, Flag, Shape, Text, zone

JOINING = ("invitation",)


def _colour(example: str) -> fields.String:
    check = validate.Regexp(r"#[0-9a-f]{6}\Z", error="Must be a colour such as #0b5c4b, in small letters.")
    return fields.String(required=True, validate=check, metadata={"example": example})


def _hour(example: str) -> fields.String:
    check = validate.Regexp(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z", error="Must be a time of day such as 20:00.")
    return fields.String(required=True, validate=check, metadata={"example": example})


class Colours(Shape):
    """The colours of the hub's pages. Text and accent must be readable on the background (WCAG 2.2, 4.5:1)."""

    background = _colour("#ffffff")
    text = _colour("#1c1c1c")
    accent = _colour("#0b5c4b")


class Promises(Shape):
    """The hub's promises to members who give feedback."""

    days_to_answer = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 90),
        metadata={"description": "The days within which a person answers.", "example": 14},
    )
    share_kept = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 100),
        metadata={"description": "The percentage of voices for which this promise is kept.", "example": 80},
    )


class Quiet(Shape):
    """The quiet hours of members who choose no others, each in their own time zone."""

    begins = _hour("20:00")
    ends = _hour("08:00")


def house_fields(*, required: bool) -> dict[str, Any]:
    """The fields of the hub that everybody may know."""
    return {
        "name": Text(most=80, required=required, metadata={"example": "Lake Hub"}),
        "address": Text(
            least=0,
            most=300,
            required=required,
            metadata={"description": "Its address; empty if it is not given.", "example": "1 Lake Road, Kisumu"},
        ),
        "zone": zone(
            required=required,
            metadata={
                "description": "Its time zone (IANA), also for members who choose none.",
                "example": "Africa/Nairobi",
            },
        ),
        "languages": Few(
            fields.String(validate=validate.OneOf(LANGUAGES)),
            least=1,
            most=len(LANGUAGES),
            required=required,
            metadata={
                "description": "Its languages (BCP 47). Members who choose none are written to in the first.",
                "example": ["en", "de"],
            },
        ),
        "colours": fields.Nested(Colours, required=required),
        "joining": fields.String(
            required=required,
            validate=validate.OneOf(JOINING),
            metadata={"description": "The way in which a person joins.", "example": "invitation"},
        ),
        "promises": fields.Nested(Promises, required=required),
        "quiet": fields.Nested(
            Quiet,
            required=required,
            allow_none=True,
            metadata={
                "description": "The quiet hours; null if there are none.",
                "example": {"begins": "20:00", "ends": "08:00"},
            },
        ),
        "public_pages": Flag(
            required=required, metadata={"description": "Its pages can be read without signing in.", "example": False}
        ),
    }


House = Shape.from_dict(
    {
        **house_fields(required=True),
        "version": fields.Integer(
            required=True, metadata={"description": "Rises by one with every change; 0 before the first."}
        ),
    },
    name="House",
)
HouseChange = Shape.from_dict(house_fields(required=False), name="HouseChange")
