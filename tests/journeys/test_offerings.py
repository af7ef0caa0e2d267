"""The catalogue of offerings: staff keep it, and the audience of an offering hears of it."""

import secrets

from tests.rig.processes import Member, Platform, until


def titles(member: Member) -> list[str]:
    return [each["title"] for each in member.get("/v1/notifications")["items"] if "/v1/offerings/" in each["link"]]


def test_its_audience_hears_of_an_offering_of_its_change_and_of_its_end(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    host, maker, other = platform.join("Hanna", ("host",)), platform.join("Mia", tags_want=[tag]), platform.join("Otto")
    printer = host.post("/v1/offerings", {"name": "3D printer", "place": "Workshop", "audience": {"tags": [tag]}})
    until(lambda: titles(maker) == ["New at the hub: 3D printer"])
    assert [each["id"] for each in other.get("/v1/offerings?limit=100")["items"]][-1] == printer["id"]
    address = f"/v1/offerings/{printer['id']}"
    host.ask("PATCH", address, json={"how": "Ask Hanna for the key."})
    until(lambda: titles(maker)[0] == "Changed: 3D printer")
    host.post(f"{address}/close", {"reason": "It goes to the school."}, status=200)
    until(lambda: titles(maker)[0] == "No longer offered: 3D printer")
    (line, *_) = maker.get("/v1/notifications")["items"]
    assert (line["body"], line["link"]) == ("It goes to the school.", address)
    assert line["reason"] == f"Because it was for people who offer or look for {tag}."
    until(lambda: other.get(address)["status"] == "closed")
    assert titles(other) == []
    other.post("/v1/offerings", {"name": "My desk", "audience": {"everyone": True}}, status=403)
