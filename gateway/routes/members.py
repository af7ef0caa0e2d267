"""Members: invitations, registration, directory, one's own profile."""

from typing import Any

from gateway.api import Blueprint
from gateway.bus.rpc import call
from gateway.door.auth import public
from services.contracts.errors import Conflict, Forbidden, NotFound
from services.contracts.shapes.members import (
    Invitation,
    InvitationDraft,
    InvitationQuery,
    MemberCard,
    MemberPage,
    MemberQuery,
    NewPassword,
    PasswordChange,
    PasswordReset,
    Profile,
    ProfileChange,
    Registration,
    RolesChange,
    SentInvitationPage,
    Suspension,
)
from services.contracts.shapes.parts import ROLES

routes = Blueprint("members", __name__, description="Who belongs to the hub, what they offer and what they look for.")


@routes.route("/invitations", methods=["POST"])
@routes.arguments(InvitationDraft)
@routes.response(201, Invitation)
@routes.refuses(Forbidden, Conflict)
@routes.may("administrator")
def invite_member(invitation: dict[str, Any]) -> Any:
    """Invite somebody, and be shown the code to hand over.

    An address has one open invitation at most: to invite it again changes that one, which keeps its code.
    """
    return call("members.invitations", "invite", invitation=invitation)


@routes.route("/invitations")
@routes.arguments(InvitationQuery, location="query")
@routes.response(200, SentInvitationPage)
@routes.refuses(Forbidden)
@routes.may("administrator")
def list_invitations(query: dict[str, Any]) -> Any:
    """List the invitations, youngest first, without their codes."""
    return call("members.invitations", "browse", query=query)


@routes.route("/invitations/<id:invitation_id>/resend", methods=["POST"])
@routes.response(200, Invitation)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator")
def resend_invitation(invitation_id: str) -> Any:
    """Let an open invitation last longer, and show its code again."""
    return call("members.invitations", "resend", invitation_id=invitation_id)


@routes.route("/invitations/<id:invitation_id>", methods=["DELETE"])
@routes.response(204)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator")
def withdraw_invitation(invitation_id: str) -> Any:
    """Withdraw an open invitation: its code is dead at once."""
    return call("members.invitations", "withdraw", invitation_id=invitation_id)


@routes.route("/members", methods=["POST"])
@routes.arguments(Registration)
@routes.response(201, Profile, location="/v1/members/{id}")
@routes.refuses(Conflict)
@public
def register_member(registration: dict[str, Any]) -> Any:
    """Join the hub with an invitation."""
    return call("members.invitations", "register", registration=registration)


@routes.route("/members")
@routes.arguments(MemberQuery, location="query")
@routes.response(200, MemberPage, sheet=True)
@routes.may(*ROLES)
def list_members(query: dict[str, Any]) -> Any:
    """List members in the order in which they joined."""
    return call("members.accounts", "browse", query=query)


@routes.route("/members/<id:member_id>")
@routes.response(200, MemberCard)
@routes.refuses(NotFound)
@routes.may(*ROLES)
def show_member(member_id: str) -> Any:
    """Show a member as other members see them."""
    return call("members.accounts", "show", member_id=member_id)


@routes.route("/members/<id:member_id>/roles", methods=["PUT"])
@routes.arguments(RolesChange)
@routes.response(200, MemberCard)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator")
def set_member_roles(change: dict[str, Any], member_id: str) -> Any:
    """Say which roles a member has from now on."""
    return call("members.accounts", "set_roles", member_id=member_id, change=change)


@routes.route("/members/<id:member_id>/suspension", methods=["PUT"])
@routes.arguments(Suspension)
@routes.response(200, MemberCard)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator")
def suspend_member(suspension: dict[str, Any], member_id: str) -> Any:
    """Shut a member out until they are reinstated: their sessions and access tokens end within a minute."""
    return call("members.accounts", "suspend", member_id=member_id, suspension=suspension)


@routes.route("/members/<id:member_id>/suspension", methods=["DELETE"])
@routes.response(200, MemberCard)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator")
def reinstate_member(member_id: str) -> Any:
    """Let a suspended member in again, with the roles that they had."""
    return call("members.accounts", "reinstate", member_id=member_id)


@routes.route("/members/<id:member_id>", methods=["DELETE"])
@routes.response(204)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator")
def remove_member(member_id: str) -> Any:
    """Take a member from the hub for good: no way in, no profile; their name stays beside what they said."""
    return call("members.accounts", "remove", member_id=member_id)


@routes.route("/members/<id:member_id>/password-reset", methods=["POST"])
@routes.response(201, PasswordReset)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator")
def issue_password_reset(member_id: str) -> Any:
    """Make a code by which a member sets a new password; an earlier code works no more."""
    return call("members.credentials", "issue", member_id=member_id)


@routes.route("/password-resets", methods=["POST"])
@routes.arguments(NewPassword)
@routes.response(204)
@routes.refuses(Conflict)
@public
def reset_password(reset: dict[str, Any]) -> Any:
    """Set a new password with the code that an administrator handed over; all sessions end."""
    return call("members.credentials", "reset", reset=reset)


@routes.route("/members/<id:member_id>/sessions", methods=["DELETE"])
@routes.response(204)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator")
def end_member_sessions(member_id: str) -> Any:
    """Sign a member out on all devices: their access tokens end within a minute."""
    return call("members.credentials", "end_sessions", member_id=member_id)


@routes.route("/me")
@routes.response(200, Profile)
@routes.may(*ROLES)
def show_me() -> Any:
    """Show my profile, with my roles and tags."""
    return call("members.accounts", "me")


@routes.route("/me", methods=["PATCH"])
@routes.arguments(ProfileChange)
@routes.response(200, Profile)
@routes.refuses(Conflict)
@routes.may(*ROLES)
def change_me(change: dict[str, Any]) -> Any:
    """Change my profile: only the fields that are sent."""
    return call("members.accounts", "change_me", change=change)


@routes.route("/me/password", methods=["PUT"])
@routes.arguments(PasswordChange)
@routes.response(204)
@routes.refuses(Conflict)
@routes.may(*ROLES)
def change_password(change: dict[str, Any]) -> Any:
    """Change my password, knowing the present one; all my other sessions end."""
    return call("members.credentials", "change", change=change)
