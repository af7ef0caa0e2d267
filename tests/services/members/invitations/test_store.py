"""Invitations on a real store."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.contracts.errors import Conflict
from services.members.invitations import domain as invitations
from services.members.invitations.domain import Invitation
from services.members.invitations.store import InvitationStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def test_an_invitation_is_found_by_its_code_only(make_store: Any) -> None:
    store = make_store(InvitationStore)
    store.add(invited("i"))
    assert store.by_code("hash of i")["_id"] == "i"
    assert store.by_code("i") is None


def invited(id: str, email: str = "a@hub.example", by: str = "root") -> Invitation:
    return invitations.invite({"roles": ["coworker"]}, email, f"hash of {id}", by=by, id=id, now=NOW)


def test_an_invitation_of_an_earlier_version_names_who_sent_it_too(make_store: Any) -> None:
    store = make_store(InvitationStore)
    store.add(invited("1"))
    store.rows.update_one({"_id": "1"}, {"$unset": {"by": ""}})
    store.prepare()
    assert store.get("1")["by"] == "root"
    store.close("root", NOW)
    assert invitations.state(store.get("1"), NOW) == "withdrawn"


def test_an_address_has_one_open_invitation(make_store: Any) -> None:
    store = make_store(InvitationStore)
    first = store.add(invited("1"))
    store.add(invited("2", "b@hub.example"))
    with pytest.raises(Conflict):
        store.add(invited("3"))
    assert store.open_for("a@hub.example")["_id"] == "1"
    store.save(invitations.withdraw(first, by="root", now=NOW))
    assert store.open_for("a@hub.example") is None
    store.add(invited("3"))
    early = {name: value for name, value in invited("4").items() if name not in ("open_for", "withdrawn_at", "by")}
    store.rows.insert_many([early | {"_id": id, "code_hash": id} for id in ("e1", "e2")])
    assert len(store.youngest(after=None, limit=9)[0]) == 5, "those of earlier versions are in nobody's way"


def test_invitations_end_with_who_sent_them_and_with_who_leaves(make_store: Any) -> None:
    store = make_store(InvitationStore)
    for id, email, by in (("1", "a@h.example", "x"), ("2", "b@h.example", "x"), ("3", "c@h.example", "y")):
        store.add(invited(id, email, by))
    store.save(invitations.use(store.get("2"), "m", NOW))
    store.close("x", NOW)
    assert [invitations.state(store.get(id), NOW) for id in "123"] == ["withdrawn", "used", "open"]
    store.close_for("b@h.example", NOW)
    assert [invitations.state(store.get(id), NOW) for id in "123"] == ["withdrawn", "withdrawn", "open"]
