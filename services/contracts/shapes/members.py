"""Members: invitations, registration, profiles, passwords."""

from marshmallow import fields, validate

from services.contracts.roles import ROLES
from services.contracts.shapes.parts import (
    A_ZONE,
    LANGUAGES,
    Chosen,
    Few,
    Id,
    Moment,
    Page,
    Shape,
    Tag,
    Text,
    answered,
    name_beside,
    own_id,
    page_of,
    roles,
    tags,
)
from services.contracts.shapes.pasted import Address, Code

CODE = "Yk0cXq3uVt8sZr5eWb2nHj7mKpA"
PHRASE = "a long sentence is fine"

STANDINGS = ("active", "suspended")
_LANGUAGE = validate.OneOf(("", *LANGUAGES))
_PRIVATE = '"" if I choose none: then the hub\'s is used. Only I see it. A change counts from the next access token on.'


def _password() -> fields.String:
    told = {"description": "12 to 128 characters.", "example": PHRASE, "format": "password"}
    return fields.String(required=True, load_only=True, validate=validate.Length(min=12, max=128), metadata=told)


class ProfileFields(Shape):
    """The part of a profile that a member writes."""

    name = Text(most=80, metadata={"example": "Amara Okafor"})
    pronouns = Text(least=0, most=40, metadata={"example": "she/her"})
    what_i_do = Text(least=0, most=400, metadata={"example": "Bookkeeping for small co-operatives"})
    organisation = Text(least=0, most=120, metadata={"example": "Lake Books"})
    country = fields.String(
        validate=validate.Regexp(r"([A-Z]{2})?\Z", error="Must be a country in two capital letters, such as KE."),
        metadata={"example": "KE"},
    )
    languages = Few(
        fields.String(
            validate=validate.Regexp(r"[a-z]{2,3}\Z", error="Must be a language in small letters, such as sw.")
        ),
        most=10,
        metadata={"example": ["en", "sw"]},
    )
    tags_have = tags(metadata={"description": "What I can offer.", "example": ["bookkeeping"]})
    tags_want = tags(metadata={"description": "What I want to learn or look for.", "example": ["3d printing"]})
    language: fields.String = Chosen(
        validate=_LANGUAGE,
        metadata={"description": f"The language in which I am written to. {_PRIVATE}", "example": "en"},
    )
    zone: fields.String = Chosen(
        validate=validate.Regexp(r"([A-Za-z][A-Za-z0-9+_/-]{0,63})?\Z", error=A_ZONE),
        metadata={
            "description": f"The time zone in which I read times, by its name in the IANA database. {_PRIVATE}",
            "example": "Africa/Nairobi",
        },
    )


class ProfileChange(ProfileFields):
    """A change of one's own profile: only the fields that change."""


class RolesChange(Shape):
    """The roles that a member has from now on."""

    roles = roles(least=1, required=True, metadata={"example": ["coworker", "mentor"]})


class InvitationDraft(Shape):
    """A person to invite, and their roles."""

    email = Address(required=True, metadata={"example": "amara@hub.example"})
    roles = roles(least=1, load_default=lambda: ["coworker"], metadata={"example": ["coworker"]})


class Invitation(Shape):
    """An invitation. Its code is shown when it is sent, and when it is sent again."""

    id = own_id()
    email = fields.String(required=True, metadata={"example": "amara@hub.example"})
    roles = roles(required=True)
    code = fields.String(
        required=True, metadata={"description": "To be handed to the invited person.", "example": CODE}
    )
    expires_at = Moment(required=True)


STATES = ("open", "used", "withdrawn", "expired")


class SentInvitation(Shape):
    """An invitation as administrators list it, without its code."""

    id = own_id()
    email = fields.String(required=True, metadata={"example": "amara@hub.example"})
    roles = roles(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES), metadata={"example": "open"})
    by = Id(required=True, metadata={"description": "Its last sender. It works while they are an administrator."})
    by_name = name_beside("by")
    used_by = Id(allow_none=True, required=True, metadata={"description": "The member who joined with it."})
    used_by_name = name_beside("used_by")
    expires_at = Moment(required=True)


SentInvitationPage = page_of(SentInvitation)


class InvitationQuery(Page):
    """A query for invitations, listed youngest first."""


class Suspension(Shape):
    """The reason why a member is shut out. It is kept with the account and not told to others."""

    reason = Text(least=4, most=400, required=True, metadata={"example": "Somebody else uses this account."})


class PasswordChange(Shape):
    """A new password for oneself, with the present one."""

    present = fields.String(
        required=True,
        load_only=True,
        validate=validate.Length(max=128),
        metadata={"description": "The present password.", "format": "password", "example": PHRASE},
    )
    password = _password()


class PasswordReset(Shape):
    """A code by which a member sets a new password. It works once, for 24 hours."""

    code = fields.String(
        required=True, metadata={"description": "Shown once; to be handed to the member.", "example": CODE}
    )
    expires_at = Moment(required=True)


class NewPassword(Shape):
    """A new password, with the code that an administrator handed over."""

    code = Code(required=True, load_only=True, metadata={"example": CODE})
    password = _password()


class Registration(ProfileFields):
    """Joining the hub with an invitation."""

    code = Code(required=True, load_only=True, metadata={"example": CODE})
    name = Text(most=80, required=True, metadata={"example": "Amara Okafor"})
    password = _password()


class Profile(answered(ProfileFields)):  # type: ignore[misc]
    """A member as they see themselves."""

    id = own_id()
    email = fields.String(required=True, metadata={"example": "amara@hub.example"})
    language = fields.String(required=True, validate=_LANGUAGE, metadata={"description": _PRIVATE, "example": "en"})
    zone = fields.String(required=True, metadata={"description": _PRIVATE, "example": "Africa/Nairobi"})
    roles = roles(required=True)
    joined_at = Moment(required=True)
    version = fields.Integer(required=True, metadata={"description": "Rises by one with every change."})


class MemberCard(Shape):
    """A member as other members see them."""

    id = own_id()
    name = fields.String(required=True, metadata={"example": "Amara Okafor"})
    pronouns = fields.String(required=True, metadata={"example": "she/her"})
    what_i_do = fields.String(
        required=True, metadata={"column": "What they do", "example": "Bookkeeping for small co-operatives"}
    )
    organisation = fields.String(required=True, metadata={"example": "Lake Books"})
    country = fields.String(required=True, metadata={"example": "KE"})
    languages = fields.List(fields.String(), required=True, metadata={"example": ["en", "sw"]})
    roles = roles(required=True)
    tags_have = fields.List(fields.String(), required=True, metadata={"column": "Offers", "example": ["bookkeeping"]})
    tags_want = fields.List(
        fields.String(), required=True, metadata={"column": "Looks for", "example": ["3d printing"]}
    )
    status = fields.String(required=True, validate=validate.OneOf(STANDINGS), metadata={"example": "active"})
    version = fields.Integer(required=True, metadata={"description": "Rises by one with every change."})


MemberPage = page_of(MemberCard)


class MemberQuery(Page):
    """A query for members."""

    role = fields.String(load_default=None, validate=validate.OneOf(ROLES), metadata={"example": "mentor"})
    tag = Tag(load_default=None, metadata={"example": "3d printing"})
    status = fields.String(
        load_default="active",
        validate=validate.OneOf(STANDINGS),
        metadata={"description": "Only administrators see suspended members.", "example": "active"},
    )


class RollQuery(Page):
    """Whose accounts an operator wants to see."""

    role = fields.String(load_default=None, validate=validate.OneOf(ROLES), metadata={"example": "mentor"})


class RollEntry(Shape):
    """An account as operators see it, also one that is suspended or removed."""

    id = own_id()
    name = fields.String(required=True, metadata={"example": "Amara Okafor"})
    email = fields.String(
        required=True, metadata={"description": "Of a removed member, the id.", "example": "amara@hub.example"}
    )
    roles = roles(required=True)
    status = fields.String(required=True, validate=validate.OneOf((*STANDINGS, "removed")))
    joined_at = Moment(required=True)


RollPage = page_of(RollEntry)


class Administrator(Shape):
    """The first administrator, as the command line asks for them."""

    email = Address(required=True)
    name = Text(most=80, required=True)
    password = _password()


class Replayed(Shape):
    """The number of things announced again."""

    announced = fields.Integer(required=True)
