"""Sessions: signing in, staying signed in, and losing access."""

from marshmallow import fields, validate

from services.contracts.shapes.members import PHRASE
from services.contracts.shapes.parts import Id, Moment, Shape, roles

DEVICE = "dGhlIGRlc2sgYnkgdGhlIHdpbmRvdywgYWdhaW4h"
TICKET = "YSBzZWF0IGJ5IHRoZSB3aW5kb3csIGp1c3QgdGhpcyBvbmNl"
REFRESH = "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90.bW9ybmluZyBjb2ZmZWUgYXQgdGhlIGh1Yg"


class BrowserCredentials(Shape):
    """Signing in with a browser. It keeps its device token in a cookie."""

    email = fields.String(required=True, validate=validate.Length(max=254), metadata={"example": "amara@hub.example"})
    password = fields.String(
        required=True,
        load_only=True,
        validate=validate.Length(max=128),
        metadata={"format": "password", "example": PHRASE},
    )


class Credentials(BrowserCredentials):
    """Signing in."""

    device_token = fields.String(
        load_only=True,
        allow_none=True,
        validate=validate.Length(max=200),
        metadata={
            "description": "The token from this member's last sign-in on this device, if there was one. With it, the "
            "wrong guesses of others do not shut the device out.",
            "example": DEVICE,
        },
    )


class RefreshRequest(Shape):
    """Exchanging a refresh token for fresh tokens."""

    refresh_token = fields.String(
        required=True, load_only=True, validate=validate.Length(max=200), metadata={"example": REFRESH}
    )


class BrowserTokens(Shape):
    """The access token of a signed-in browser. Its other tokens are in cookies that no script can read."""

    access_token = fields.String(
        required=True,
        metadata={"description": "JWT, EdDSA; send as `Authorization: Bearer`.", "example": "eyJhbGciOiJFZERTQSJ9.…"},
    )
    token_type = fields.String(required=True, metadata={"example": "Bearer"})
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds.", "example": 900})
    member_id = Id(required=True)


class Tokens(BrowserTokens):
    """The tokens of a signed-in client."""

    refresh_token = fields.String(
        required=True, metadata={"description": "Exchange it for the next within 30 days.", "example": REFRESH}
    )


class SignedIn(Tokens):
    """The tokens of a client that has just signed in."""

    device_token = fields.String(
        required=True,
        metadata={
            "description": "A secret. Keep it on this device, also after signing out, and send it with this member's "
            "next sign-in. It lasts for 180 days after its last use. It alone opens nothing.",
            "example": DEVICE,
        },
    )


class StreamTicket(Shape):
    """A ticket for one live stream."""

    ticket = fields.String(
        required=True,
        metadata={"description": "A secret. Send it as `ticket` in the query of the live stream.", "example": TICKET},
    )
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds.", "example": 30})


class Admission(Shape):
    """The access token to which a ticket leads."""

    access_token = fields.String(required=True)


class Access(Shape):
    """The valid access tokens of a member: those with these roles, of sessions opened after `since` or the kept one."""

    id = Id(required=True)
    roles = roles(required=True)
    since = Moment(required=True, allow_none=True)
    kept_session = fields.String(required=True, allow_none=True)


class LostAccess(Shape):
    """The access tokens that are void before they expire: those of these members and of these sessions."""

    members = fields.List(fields.Nested(Access), required=True)
    sessions = fields.List(fields.String(), required=True)
