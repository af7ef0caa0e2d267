"""Audit: the log of denials and privileged actions."""

from gateway.api import Blueprint
from services.contracts.calls.members import LIST_AUDIT_ENTRIES

routes = Blueprint("audit", __name__, description="The log of denials and privileged actions.")

routes.get("/audit", LIST_AUDIT_ENTRIES, sheet=True)
