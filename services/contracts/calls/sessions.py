"""The calls about sessions that members answers."""

from marshmallow import fields

from services.contracts.calling import ask
from services.contracts.roles import MEMBERS
from services.contracts.shapes.sessions import (
    Admission,
    BrowserCredentials,
    Credentials,
    LostAccess,
    RefreshRequest,
    SignedIn,
    StreamTicket,
    Tokens,
)

SIGN_IN = ask(
    "members.sessions.open",
    operation="sign_in",
    says="Sign in with address and password.",
    more="Too many wrong passwords are refused with `too_many_attempts`: 5 in 15 minutes at an account from one "
    "address, and more from many. A device that sends its `device_token` is counted for itself. So it is not shut out "
    "when others guess, be it from the same address.",
    takes={"credentials": Credentials, "origin": fields.String},
    makes=SignedIn,
    public=True,
    refuses=("sign_in_refused", "suspended", "too_many_attempts"),
)
REFRESH_SESSION = ask(
    "members.sessions.refresh",
    operation="refresh_session",
    says="Exchange a refresh token for fresh tokens.",
    more="A token that is sent again within 30 seconds gives the same next refresh token and a fresh access token. So "
    "tabs can share one token, and a client can ask again for a lost answer. A token that is sent again later ends the "
    "session. A session lasts 90 days at most. Then sign in again.",
    takes={"request": RefreshRequest},
    makes=Tokens,
    public=True,
    refuses=("refresh_refused",),
)
SIGN_IN_WITH_BROWSER = ask(
    "members.sessions.open_for_browser",
    operation="sign_in_with_browser",
    says="Sign in with a browser: the refresh token and the device token are set as cookies.",
    more="Only pages of the same origin may ask for this.",
    takes={"credentials": BrowserCredentials, "origin": fields.String, "device_token": fields.String},
    makes=SignedIn,
    public=True,
    refuses=("sign_in_refused", "suspended", "too_many_attempts", "foreign_origin"),
)
REFRESH_BROWSER_SESSION = ask(
    "members.sessions.refresh_for_browser",
    operation="refresh_browser_session",
    says="Get a fresh access token by the session's cookie.",
    more="A cookie whose answer was lost works again for a day at most, until the next one is used.",
    takes={"refresh_token": fields.String},
    makes=Tokens,
    public=True,
    refuses=("session_missing", "refresh_refused", "foreign_origin"),
)
SIGN_OUT_OF_BROWSER = ask(
    "members.sessions.close_for_browser",
    operation="sign_out_of_browser",
    says="Sign out with this browser: its session ends and its cookie is deleted.",
    may=MEMBERS,
    refuses=("foreign_origin",),
)
SIGN_OUT = ask(
    "members.sessions.close",
    operation="sign_out",
    says="Sign out here.",
    may=MEMBERS,
)
SIGN_OUT_EVERYWHERE = ask(
    "members.sessions.close_all",
    operation="sign_out_everywhere",
    says="Sign out on all devices. Their device tokens are forgotten, too.",
    may=MEMBERS,
)
TELL_LOST_ACCESS = ask(
    "members.sessions.revoked",
    says="Tell gateways which access tokens are void before they expire.",
    gives=LostAccess,
    public=True,
)
ISSUE_STREAM_TICKET = ask(
    "members.tickets.issue",
    operation="issue_stream_ticket",
    says="Make a ticket that opens my live stream once, within 30 seconds.",
    more="For a browser's `EventSource`, which can't send an access token. A stream that was opened with a ticket ends "
    "with a fresh access token of the same session, or earlier. Come back with a new ticket.",
    makes=StreamTicket,
    may=MEMBERS,
)
REDEEM_STREAM_TICKET = ask(
    "members.tickets.redeem",
    says="Use a ticket up, and get an access token of its session.",
    takes={"ticket": fields.String},
    gives=Admission,
    public=True,
    refuses=("ticket_refused",),
)
