"""Members: invitations, registration, directory, one's own profile."""

from gateway.api import Blueprint
from gateway.sheets import wants_sheet
from services.contracts.calls.members import (
    CHANGE_ME,
    CHANGE_PASSWORD,
    END_MEMBER_SESSIONS,
    INVITE_MEMBER,
    ISSUE_PASSWORD_RESET,
    LIST_INVITATIONS,
    LIST_MEMBERS,
    REGISTER_MEMBER,
    REINSTATE_MEMBER,
    REMOVE_MEMBER,
    RESEND_INVITATION,
    RESET_PASSWORD,
    SET_MEMBER_ROLES,
    SHOW_ME,
    SHOW_MEMBER,
    SUSPEND_MEMBER,
    WITHDRAW_INVITATION,
)

routes = Blueprint("members", __name__, description="The members of the hub, with their offers and interests.")

routes.post("/invitations", INVITE_MEMBER)
routes.get("/invitations", LIST_INVITATIONS)
routes.post("/invitations/<id:invitation_id>/resend", RESEND_INVITATION)
routes.delete("/invitations/<id:invitation_id>", WITHDRAW_INVITATION)
routes.post("/members", REGISTER_MEMBER, location="/v1/members/{id}")
routes.get("/members", LIST_MEMBERS, sheet=True, all_rows=wants_sheet)
routes.get("/members/<id:member_id>", SHOW_MEMBER)
routes.put("/members/<id:member_id>/roles", SET_MEMBER_ROLES)
routes.put("/members/<id:member_id>/suspension", SUSPEND_MEMBER)
routes.delete("/members/<id:member_id>/suspension", REINSTATE_MEMBER)
routes.delete("/members/<id:member_id>", REMOVE_MEMBER)
routes.post("/members/<id:member_id>/password-reset", ISSUE_PASSWORD_RESET)
routes.post("/password-resets", RESET_PASSWORD)
routes.delete("/members/<id:member_id>/sessions", END_MEMBER_SESSIONS)
routes.get("/me", SHOW_ME)
routes.patch("/me", CHANGE_ME)
routes.put("/me/password", CHANGE_PASSWORD)
