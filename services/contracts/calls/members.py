"""The calls that members answers."""

from services.contracts.calling import ask
from services.contracts.roles import ADMINISTRATORS, MEMBERS
from services.contracts.shapes.audit import AuditEntryPage, AuditQuery
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
    Replayed,
    RolesChange,
    RollPage,
    RollQuery,
    SentInvitationPage,
    Suspension,
)
from services.contracts.shapes.parts import AllRows, Id

SHOW_ME = ask(
    "members.accounts.me",
    operation="show_me",
    says="Show my profile, with my roles and tags.",
    gives=Profile,
    may=MEMBERS,
    refuses=("not_found",),
)
CHANGE_ME = ask(
    "members.accounts.change_me",
    operation="change_me",
    says="Change my profile: only the fields that are sent.",
    takes={"change": ProfileChange},
    gives=Profile,
    may=MEMBERS,
    refuses=("not_found",),
)
LIST_MEMBERS = ask(
    "members.accounts.browse",
    operation="list_members",
    says="List members in the order in which they joined.",
    more="The whole list at once, as a spreadsheet (`Accept: text/csv`), is for administrators, and noted in the audit "
    "log. The suspended members are for administrators, too.",
    takes={"query": MemberQuery, "all_rows": AllRows},
    gives=MemberPage,
    may=MEMBERS,
    refuses=("administrators_only",),
)
SHOW_MEMBER = ask(
    "members.accounts.show",
    operation="show_member",
    says="Show a member as other members see them.",
    takes={"member_id": Id},
    gives=MemberCard,
    may=MEMBERS,
    refuses=("not_found",),
)
SET_MEMBER_ROLES = ask(
    "members.accounts.set_roles",
    operation="set_member_roles",
    says="Set the roles that a member has from now on.",
    takes={"member_id": Id, "change": RolesChange},
    gives=MemberCard,
    may=ADMINISTRATORS,
    refuses=("not_found", "administrators_only", "own_role", "last_administrator"),
)
SUSPEND_MEMBER = ask(
    "members.accounts.suspend",
    operation="suspend_member",
    says="Shut a member out until they are reinstated: their sessions and access tokens end within a minute.",
    takes={"member_id": Id, "suspension": Suspension},
    gives=MemberCard,
    may=ADMINISTRATORS,
    refuses=("not_found", "administrators_only", "own_account", "already_suspended", "last_administrator"),
)
REINSTATE_MEMBER = ask(
    "members.accounts.reinstate",
    operation="reinstate_member",
    says="Let a suspended member in again, with the roles that they had.",
    takes={"member_id": Id},
    gives=MemberCard,
    may=ADMINISTRATORS,
    refuses=("not_found", "administrators_only", "not_suspended"),
)
REMOVE_MEMBER = ask(
    "members.accounts.remove",
    operation="remove_member",
    says="Remove a member for good: they can't sign in and have no profile; their name stays beside what they said.",
    takes={"member_id": Id},
    may=ADMINISTRATORS,
    refuses=("not_found", "administrators_only", "own_account", "last_administrator", "changed_meanwhile"),
)
REPLAY_MEMBERS = ask(
    "members.accounts.replay",
    says="Announce the state of every member again, so that copies can be rebuilt.",
    gives=Replayed,
    operator=True,
    seconds=60,
)
CALL_ROLL = ask(
    "members.accounts.roll",
    says="List all accounts in the order of joining, with their addresses, also suspended and removed ones.",
    takes={"query": RollQuery},
    gives=RollPage,
    operator=True,
)

INVITE_MEMBER = ask(
    "members.invitations.invite",
    operation="invite_member",
    says="Invite somebody, and get the code to hand over.",
    more="An address has at most one open invitation. Inviting it again changes that invitation, which keeps its code.",
    takes={"invitation": InvitationDraft},
    makes=Invitation,
    may=ADMINISTRATORS,
    refuses=("administrators_only", "already_a_member", "already_exists", "changed_meanwhile"),
)
LIST_INVITATIONS = ask(
    "members.invitations.browse",
    operation="list_invitations",
    says="List the invitations, youngest first, without their codes.",
    takes={"query": InvitationQuery},
    gives=SentInvitationPage,
    may=ADMINISTRATORS,
    refuses=("administrators_only",),
)
RESEND_INVITATION = ask(
    "members.invitations.resend",
    operation="resend_invitation",
    says="Let an open invitation last longer, and show its code again.",
    takes={"invitation_id": Id},
    gives=Invitation,
    may=ADMINISTRATORS,
    refuses=("not_found", "administrators_only", "not_open", "changed_meanwhile"),
)
WITHDRAW_INVITATION = ask(
    "members.invitations.withdraw",
    operation="withdraw_invitation",
    says="Withdraw an open invitation: its code is dead at once.",
    takes={"invitation_id": Id},
    may=ADMINISTRATORS,
    refuses=("not_found", "administrators_only", "not_open", "changed_meanwhile"),
)
REGISTER_MEMBER = ask(
    "members.invitations.register",
    operation="register_member",
    says="Join the hub with an invitation.",
    takes={"registration": Registration},
    makes=Profile,
    public=True,
    refuses=("already_exists", "changed_meanwhile"),
)

CHANGE_PASSWORD = ask(
    "members.credentials.change",
    operation="change_password",
    says="Change my password, knowing the present one; all my other sessions end.",
    takes={"change": PasswordChange},
    may=MEMBERS,
    refuses=("not_found", "password_refused", "too_many_attempts", "changed_meanwhile"),
)
ISSUE_PASSWORD_RESET = ask(
    "members.credentials.issue",
    operation="issue_password_reset",
    says="Make a code by which a member sets a new password; an earlier code no longer works.",
    takes={"member_id": Id},
    makes=PasswordReset,
    may=ADMINISTRATORS,
    refuses=("not_found", "administrators_only", "not_active", "changed_meanwhile"),
)
RESET_PASSWORD = ask(
    "members.credentials.reset",
    operation="reset_password",
    says="Set a new password with the code that an administrator handed over; all sessions end.",
    takes={"reset": NewPassword},
    public=True,
    refuses=("changed_meanwhile",),
)
END_MEMBER_SESSIONS = ask(
    "members.credentials.end_sessions",
    operation="end_member_sessions",
    says="Sign a member out on all devices: their access tokens end within a minute.",
    takes={"member_id": Id},
    may=ADMINISTRATORS,
    refuses=("not_found", "administrators_only", "changed_meanwhile"),
)

LIST_AUDIT_ENTRIES = ask(
    "members.audit.browse",
    operation="list_audit_entries",
    says="List the audit log of the last 365 days, newest first; reading it is noted there, too.",
    takes={"query": AuditQuery},
    gives=AuditEntryPage,
    may=ADMINISTRATORS,
    refuses=("administrators_only",),
)
