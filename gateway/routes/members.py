"""Members: invitations, registration, directory, one's own profile."""

from typing import Any

from gateway.api import Blueprint
from gateway.auth import public
from gateway.rpc import call
from services.contracts.errors import Conflict, Forbidden, NotFound
from services.contracts.shapes.members import (
    Invitation,
    InvitationDraft,
    MemberCard,
    MemberPage,
    MemberQuery,
    Profile,
    ProfileChange,
    Registration,
    RolesChange,
)
from services.contracts.shapes.parts import ROLES

routes = Blueprint("members", __name__, description="Who belongs to the hub, what they offer and what they look for.")


@routes.route("/invitations", methods=["POST"])
@routes.arguments(InvitationDraft)
@routes.response(201, Invitation)
@routes.refuses(Forbidden, Conflict)
@routes.may("administrator")
def invite_member(invitation: dict[str, Any]) -> Any:
    """Invite somebody; the code is shown this once, to be handed over."""
    return call("members.accounts", "invite", invitation=invitation)


@routes.route("/members", methods=["POST"])
@routes.arguments(Registration)
@routes.response(201, Profile, location="/v1/members/{id}")
@routes.refuses(Conflict)
@public
def register_member(registration: dict[str, Any]) -> Any:
    """Join the hub with an invitation."""
    return call("members.accounts", "register", registration=registration)


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
