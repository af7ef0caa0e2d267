"""Audit: what was denied, and what was done that only some may do."""

from typing import Any

from gateway.api import Blueprint
from gateway.bus.rpc import call
from services.contracts.errors import Forbidden
from services.contracts.shapes.audit import AuditEntryPage, AuditQuery

routes = Blueprint("audit", __name__, description="Who was denied something, and who did what only some may do.")


@routes.route("/audit")
@routes.arguments(AuditQuery, location="query")
@routes.response(200, AuditEntryPage, sheet=True)
@routes.refuses(Forbidden)
@routes.may("administrator")
def list_audit_entries(query: dict[str, Any]) -> Any:
    """List the audit log of the last 365 days, newest first; to read it is noted there, too."""
    return call("members.audit", "browse", query=query)
