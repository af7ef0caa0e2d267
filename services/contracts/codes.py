"""The code of each refusal, by its family, with what it means. A code that stands here is sent, and no other is.

A call declares the codes with which it refuses. The pages and the OpenAPI document are made from that.
"""

from services.contracts.errors import (
    TOO_MANY_VOICES,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotYet,
    Refusal,
    Stale,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unexpected,
)

CODES: dict[type[Refusal], dict[str, str]] = {
    Invalid: {
        "invalid": "A field is missing or wrong. `errors` names each, and says what would be right.",
        "idempotency_key_reused": "This `Idempotency-Key` came with another request before. Take a new one.",
        "malformed": "A call on the bus has other arguments than its declaration.",
    },
    Unauthenticated: {
        "token_missing": "There is no access token. Sign in first.",
        "token_invalid": "The access token is not one of ours. Sign in again.",
        "token_expired": "The access token has expired. Exchange the refresh token for the next one.",
        "token_revoked": "The access token counts no more. Exchange the refresh token, or sign in again.",
        "sign_in_refused": "Address and password do not belong together.",
        "session_missing": "This browser has no session. Sign in first.",
        "ticket_refused": "The ticket was used, or is too old. Ask for a new one.",
        "refresh_refused": "The refresh token does not work (any more). Sign in again.",
        "password_refused": "This is not the present password.",
    },
    Forbidden: {
        "administrators_only": "Only administrators may do this.",
        "staff_only": "Only administrators and hosts may do this.",
        "organisers_only": "Only administrators, trainers, mentors and hosts may do this.",
        "not_the_host": "Only the host of the event or an administrator may do this.",
        "foreign_origin": "Only the hub's own pages may ask for this.",
        "suspended": "The account is suspended. Ask an administrator.",
    },
    NotFound: {
        "not_found": "There is nothing with this id or code, or the caller may not see it.",
        "no_such_method": "The service does not know this call yet: it is of an earlier version.",
    },
    Stale: {"changed_meanwhile": "It is not the version that `If-Match` names. Read it again, then change it."},
    Conflict: {
        "changed_meanwhile": "Somebody else changed it in the same moment. Read it again, then change it.",
        "already_exists": "Somebody else made the same in the same moment. Read it.",
        "still_running": "The first request with this `Idempotency-Key` still runs. Send it again in a moment.",
        "outcome_unknown": "The first request with this `Idempotency-Key` was interrupted. Look if it took effect.",
        "not_a_draft": "Only a draft can be published. This event is published, cancelled or over.",
        "audience_was_told": "The audience of a published event was told of it, and can't change.",
        "already_cancelled": "The event is cancelled already.",
        "already_over": "The event is over, and stays as it was.",
        "not_over": "The event is not published, or goes on.",
        "closed": "The offering is closed. To change it, reopen it first.",
        "open": "The offering is open already.",
        "final": "The voice is done, declined or taken down. That is final.",
        "not_forward": "The voice is there already, or further. It never goes back.",
        "answered_enough": "The voice has as many answers as a voice can have.",
        "already_a_member": "Somebody with this address is a member already.",
        "not_open": "The invitation was used or withdrawn. Send a new one.",
        "not_active": "The member is suspended or was removed.",
        "already_suspended": "The member is suspended already.",
        "not_suspended": "The member is not suspended.",
        "own_role": "Administrators can't take this role from themselves. Ask another one.",
        "own_account": "Administrators can't do this to themselves. Ask another one.",
        "last_administrator": "The hub would have no administrator. Give the role to somebody else first.",
    },
    TooMany: {
        "too_many_requests": "The member, or the address without a token, asks too often.",
        "too_many_at_once": "The member, or the address without a token, asks too much at the same time.",
        "too_many_streams": "The member has as many live streams open as a member may have. Close one.",
        TOO_MANY_VOICES: "The member raised as many voices as a member may raise in a day.",
        "too_many_attempts": "There were too many wrong passwords.",
    },
    Unavailable: {
        "unavailable": "The platform does not answer in time, or its bus can't be reached.",
        "store_unavailable": "The store of a service can't be reached.",
        "resting": "This part of the platform did not answer several times, and is left alone for seconds.",
        "busy": "Too many ask this part of the platform.",
        "streams_full": "The gateway has as many live streams open as it may have.",
    },
    NotYet: {
        "nobody_to_tell": "A message came before the first member.",
        "not_told_yet": "A message came before the list of those who were told.",
        "no_record": "A message came before the record of those who are told.",
        "no_follower_yet": "A message came before the one that says who follows.",
    },
    Unexpected: {"unexpected": "Something went wrong on our side."},
}
_FAMILIES = {code: family for family, known in CODES.items() for code in known}


def family_of(code: str) -> type[Refusal]:
    """The family of a code that a call declares; never Stale, which comes with `If-Match`. Raises KeyError."""
    return _FAMILIES[code]
