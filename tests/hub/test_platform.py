"""The operator and the whole platform: what is healthy, what is not, what passes, who is there."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import amqp
import orjson
import pymongo
import pytest
import requests

from deploy.local.broker import DEFINITIONS
from services.ground import clock
from tests.hub.operator import Operator
from tests.rig.days import times, to_come
from tests.rig.processes import PASSWORD, Platform, forget_messages
from tests.rig.wire import connection


@pytest.fixture(scope="module")
def platform(own_platform: Platform) -> Platform:
    return own_platform


@pytest.fixture(scope="module")
def operator(platform: Platform) -> Operator:
    forget_messages(platform.processes.environment["AMQP_URI"])
    opened = connection(platform.processes.environment["AMQP_URI"])
    opened.channel().queue_purge("dead")
    opened.close()
    return Operator(platform.processes.environment | {"HOST": "127.0.0.1", "PORT": str(platform.port)})


def wrong(report: dict[str, Any]) -> dict[str, str]:
    """The findings of a report that are wrong: the explanation by subject."""
    assert all(each["do"] for each in report["findings"] if each["state"] == "wrong"), "each says what to do"
    return {each["about"]: each["says"] for each in report["findings"] if each["state"] == "wrong"}


def test_a_healthy_platform(operator: Operator) -> None:
    said = operator.hub("doctor")
    assert "Healthy." in said
    assert re.search(r"RabbitMQ \d+\.\d+", said)
    assert operator.json("doctor")["healthy"]


def test_a_killed_service_is_named(platform: Platform, operator: Operator) -> None:
    platform.processes.kill("notifications")
    begun = time.monotonic()
    report = operator.json("doctor", code=1)
    took = time.monotonic() - begun
    found = wrong(report)
    assert {"notifications.people", "notifications.inbox", "notifications.fanout", "gateway"} <= set(found)
    assert "nobody consumes it" in found["queue notifications.people.learn_of_a_new_member"]
    assert not any("members.accounts" in about for about in found)
    assert "Start notifications (python -m services.notifications)" in operator.hub("doctor", code=1)
    assert took < 15
    platform.serve("notifications")
    platform.ready()
    operator.hub("doctor")


def test_a_stuck_outbox_and_dead_letters_are_found(platform: Platform, operator: Operator) -> None:
    environment = platform.processes.environment
    opened = connection(environment["AMQP_URI"])
    channel = opened.channel()
    channel.basic_publish(amqp.Message(b"?", delivery_mode=2), "", "dead")
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        things = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].things
        things.create_index("unsent", sparse=True)
        things.insert_one({"_id": "stuck", "unsent": True})
        found = wrong(operator.json("doctor", code=1))
        things.drop()
    channel.queue_purge("dead")
    opened.close()
    assert set(found) == {"outbox feedback.things", "dead"}
    assert found["dead"] == "1 message could not be handled."


def test_what_is_late_is_found_also_while_it_waits_for_another_try(platform: Platform, operator: Operator) -> None:
    environment, now = platform.processes.environment, clock.now()
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        things = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].things
        things.create_index("done_due_at", sparse=True)
        soon, ago = now + timedelta(minutes=5), now - timedelta(hours=2)
        things.insert_many([{"_id": "on time", "done_due_at": soon}, {"_id": "never", "done_due_at": None}])
        assert "schedule feedback.things" not in str(operator.json("doctor"))
        taken = {"done_due_at": {"until": soon, "since": ago, "times": 4}}
        things.insert_many([{"_id": "late", "done_due_at": ago}, {"_id": "tried", "done_due_at": soon, "taken": taken}])
        found = wrong(operator.json("doctor", code=1))
        things.drop()
    assert found == {"schedule feedback.things": f"2 things should have been done, the oldest on {ago:%F at %R} UTC."}


def test_absent_servers_are_findings(operator: Operator) -> None:
    nowhere = {"AMQP_URI": "amqp://127.0.0.1:1", "MONGO_URI": "mongodb://127.0.0.1:1", "PORT": "1"}
    assert set(wrong(operator.json("doctor", code=1, **nowhere))) == {"broker", "store", "gateway"}
    assert "does not let us in" in operator.hub("members", "list", code=1, **nowhere)


@contextmanager
def management(policies: list[dict[str, Any]]) -> Iterator[str]:
    """A management API that knows these policies and has an alarm."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            alarm = self.path.endswith("alarms")
            self.send_response(503 if alarm else 200)
            self.end_headers()
            self.wfile.write(orjson.dumps({"status": "failed"} if alarm else policies))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_policies_and_alarms_are_asked_of_the_management_api(operator: Operator) -> None:
    policies = json.loads(DEFINITIONS.read_text())["policies"]
    with management(policies) as url:
        assert set(wrong(operator.json("doctor", "--management", url, code=1))) == {"alarms"}
    with management([policies[0] | {"definition": {}}, *policies[2:]]) as url:
        found = wrong(operator.json("doctor", "--management", url, code=1))
    assert "has been changed" in found[f"policy {policies[0]['name']}"]
    assert "is missing" in found[f"policy {policies[1]['name']}"]


def test_the_brokers_own_management_api(operator: Operator, management_uri: str) -> None:
    findings = operator.json("doctor", AMQP_MANAGEMENT_URI=management_uri)["findings"]
    assert {"policies": "all are as committed.", "alarms": "none."}.items() <= {
        each["about"]: each["says"] for each in findings
    }.items()


def test_a_password_is_not_taken_from_a_command_line(operator: Operator) -> None:
    said = operator.hub("doctor", "--management", "http://operator:correct-horse@127.0.0.1:1", code=1)
    assert "A password in a command line can be read by everybody on this machine." in said
    assert "AMQP_MANAGEMENT_URI" in said
    assert "correct-horse" not in said


def test_queues(operator: Operator) -> None:
    found = {each["queue"]: each for each in operator.json("queues")}
    assert found["notifications.fanout.tell_the_administrators"]["consumers"] == 1
    assert found["rpc-members.accounts"]["consumers"] == 1
    assert {"dead", "retry.1s", "retry.2s", "unheard"} <= set(found)
    assert "notifications.fanout.tell_the_administrators" in operator.hub("queues")


def heard(operator: Operator, deed: Callable[[], Any], *arguments: str) -> str:
    """Run `hub tail` while a deed is done; return its output."""
    process = operator.start("tail", *arguments)
    assert process.stderr
    assert "Listening" in process.stderr.readline()
    deed()
    return operator.ended(process)


def test_messages_are_seen_as_they_pass(platform: Platform, operator: Operator) -> None:
    said = heard(operator, lambda: platform.join("Tariq [b]Aziz"), "members.*", "--count", "1")
    assert re.match(r"\d\d:\d\d:\d\d  members.joined +1  [0-9a-f-]{36}  name=Tariq \[b\]Aziz  roles=coworker", said)
    event = json.loads(heard(operator, platform.join, "members.*", "--count", "1", "--json"))
    assert event["type"] == "members.joined"


def test_what_is_no_message_is_not_waited_for(operator: Operator) -> None:
    assert "nosuch.thing is no message. There are events.cancelled, " in operator.hub("tail", "nosuch.thing", code=1)
    said = operator.hub("tail", "feedback.submited", code=1)
    assert "feedback.submited is no message. These are like it: feedback.submitted" in said
    assert "gateway.noted is for the platform alone." in operator.hub("tail", "gateway.noted", code=1)


def test_a_service_announces_its_state_again(platform: Platform, operator: Operator) -> None:
    platform.join("Amara Okafor")
    ids = {each["id"] for each in operator.json("members", "list")}
    count = ("--count", str(len(ids)))
    said = heard(operator, lambda: operator.hub("replay", "members"), "members.*", *count, "--json")
    assert {json.loads(line)["subject"] for line in said.splitlines()} == ids
    assert "feedback has nothing to replay" in operator.hub("replay", "feedback", code=1)
    assert "There is no service bakery" in operator.hub("replay", "bakery", code=1)


def test_people_and_events(platform: Platform, operator: Operator) -> None:
    platform.join("Lena Fischer", roles=("mentor",))
    said = operator.hub("members", "list")
    assert "Lena Fischer" in said
    assert "@" not in said
    assert "argon2" not in operator.hub("members", "list", "--json")
    assert "root@hub.example" in operator.hub("members", "list", "--role", "administrator", "--addresses")
    assert operator.json("members", "roles")["mentor"] == ["Lena Fischer"]
    plan = {"title": "Café morning", "audience": {"everyone": True}, **times()}
    platform.administrator.post("/v1/events", plan)
    [event] = operator.json("events", "list", "--status", "draft")
    assert (event["title"], event["status"]) == ("Café morning", "draft")
    assert f"{to_come():%Y-%m-%d %H:%M}Z" in operator.hub("events", "list")
    assert operator.json("events", "list", "--status", "ended") == []


def test_lists_are_as_long_as_wanted_and_name_who_is_shut_out(platform: Platform, operator: Operator) -> None:
    shut_out = platform.join("Omar Said", roles=("trainer",))
    gone = platform.join("Wanjiru Kamau", roles=("trainer",))
    reason = {"reason": "Somebody else uses this account."}
    platform.administrator.ask("PUT", f"/v1/members/{shut_out.id}/suspension", json=reason)
    platform.administrator.ask("DELETE", f"/v1/members/{gone.id}", 204)
    accounts = {each["id"]: each["status"] for each in operator.json("members", "list")}
    assert (accounts[shut_out.id], accounts[gone.id]) == ("suspended", "removed")
    first = operator.json("members", "list", "--limit", "2")
    assert [each["id"] for each in first] == sorted(accounts)[:2]
    assert "2, and more: see --limit" in operator.hub("members", "list", "--limit", "2")
    assert "and more" not in operator.hub("members", "list")


def test_people_and_events_are_asked_of_their_services_and_not_of_the_store(operator: Operator) -> None:
    elsewhere = {"MONGO_URI": "mongodb://127.0.0.1:1"}
    assert operator.json("members", "list", **elsewhere)
    assert operator.json("members", "roles", **elsewhere)
    operator.json("events", "list", "--past", **elsewhere)


def test_an_administrator_is_made(platform: Platform, operator: Operator) -> None:
    create = ("admin", "add", "--email", "second@hub.example", "--name", "Second")
    operator.hub(*create, HEARTH_ADMIN_PASSWORD=PASSWORD)
    assert platform.sign_in("second@hub.example").profile["roles"] == ["administrator"]
    said = operator.hub(*create, code=1, HEARTH_ADMIN_PASSWORD=PASSWORD)
    assert "Second (active; administrator) belongs to the hub already, with this address." in said
    (remedy,) = re.findall(r"hub (members reset-password \S+@hub\.example)", said)
    answer = {"code": operator.hub(*remedy.split()).strip(), "password": PASSWORD[::-1]}
    assert requests.post(f"{platform.url}/v1/password-resets", json=answer, timeout=10).ok
