"""Connections to the broker end in every way; consumers go on consuming."""

import time
import uuid
from contextlib import suppress

import pymongo
import pytest

from tests.rig.processes import Processes, until
from tests.rig.proxy import Proxy
from tests.rig.wire import Caller, announce, connection
from tests.services.chassis.things import heard

OPENING_A_CHANNEL = b"\x00\x14\x00\x0a"  # class and method


@pytest.mark.parametrize("end", ["reset", "cut"])
def test_a_connection_that_ends_while_the_process_can_do_nothing_is_opened_again(
    processes: Processes, environment: dict[str, str], amqp_uri: str, end: str
) -> None:
    """The handler that acknowledges notices it first, not the greenlet that reads."""
    with (
        Proxy(amqp_uri) as proxy,
        connection(amqp_uri) as direct,
        pymongo.MongoClient(environment["MONGO_URI"]) as client,
    ):
        processes.start("probe", "-m", "tests.services.chassis.probe", AMQP_URI=proxy.uri)
        processes.until("probe", "serving")
        effects = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].effects
        held = announce(direct.channel(), "hold 3")
        until(lambda: heard(effects, held))
        getattr(proxy, end)()
        time.sleep(3)
        later = announce(direct.channel(), "ok")
        until(lambda: heard(effects, later), 30)


def test_who_is_done_after_the_connection_ended_opens_no_other(
    processes: Processes, environment: dict[str, str], amqp_uri: str
) -> None:
    with (
        Proxy(amqp_uri) as proxy,
        connection(amqp_uri) as direct,
        pymongo.MongoClient(environment["MONGO_URI"]) as client,
    ):
        own = f"test_{uuid.uuid4().hex}_"  # nothing waits there to be published
        processes.start("probe", "-m", "tests.services.chassis.probe", AMQP_URI=proxy.uri, MONGO_DATABASE_PREFIX=own)
        processes.until("probe", "serving")
        slow = announce(direct.channel(), "slow 3")
        time.sleep(1.5)
        proxy.cut()
        effects = client[f"{own}feedback"].effects
        # The second was delivered when the first could not be acknowledged any more, which was tried long since.
        until(lambda: heard(effects, slow) == 2, 30)
        assert proxy.accepted == 2
        client.drop_database(f"{own}feedback")


@pytest.mark.parametrize("before", ["1.1", "3"])  # seconds
def test_a_call_whose_connection_ended_before_it_began_runs_once(
    processes: Processes, environment: dict[str, str], amqp_uri: str, caller: Caller, before: str
) -> None:
    """The call is delivered and waits for the call before it. Its start can't be announced to the caller any more.

    At once after the end the socket still takes what is written.
    """
    with Proxy(amqp_uri) as proxy, pymongo.MongoClient(environment["MONGO_URI"]) as client:
        processes.start("probe", "-m", "tests.services.chassis.probe", AMQP_URI=proxy.uri, WORKERS="1")
        processes.until("probe", "serving")
        things, made = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].things, f"made {uuid.uuid4()}"
        for method, draft, seconds in ("sleep", {"text": before}, 0.3), ("make", {"name": made}, 0.7):
            with pytest.raises(TimeoutError):
                caller.call(f"feedback.probe.{method}", draft=draft, seconds=seconds)
        proxy.cut()
        until(lambda: things.count_documents({"text": made}))
        caller.call("feedback.probe.make", draft={"name": made})
        assert things.count_documents({"text": made}) == 2


@pytest.mark.parametrize("way", ["hears", "answers"])
def test_a_connection_over_which_nothing_comes_from_the_beginning_is_given_up(
    processes: Processes, amqp_uri: str, caller: Caller, way: str
) -> None:
    """The broker accepts the connection. Then nothing sent to it arrives, as in a network that drops all packets."""
    with Proxy(amqp_uri) as proxy:
        proxy.swallows = OPENING_A_CHANNEL if way == "hears" else b""
        processes.start("probe", "-m", "tests.services.chassis.probe", AMQP_URI=proxy.uri)
        processes.until("probe", "serving", 20)  # sooner than the broker gives up whom it does not hear
        proxy.swallows = OPENING_A_CHANNEL if way == "answers" else b""

        def answered(seconds: float) -> bool:
            with suppress(TimeoutError):
                return bool(caller.call("feedback.probe.echo", draft={"text": "a"}, seconds=seconds))
            return False

        assert way == "hears" or not answered(1)
        until(lambda: answered(5))


@pytest.mark.parametrize(
    ("server", "lost", "found"),
    [("AMQP_URI", "bus lost", "bus there again"), ("MONGO_URI", "store not there yet", "store there")],
)
def test_what_is_missing_at_the_start_is_told_once_and_told_when_it_is_there(
    processes: Processes, environment: dict[str, str], server: str, lost: str, found: str
) -> None:
    with Proxy(environment[server]) as proxy:
        proxy.refusing = True
        processes.start("probe", "-m", "tests.services.chassis.probe", **{server: proxy.uri})
        processes.until("probe", lost)
        time.sleep(4)  # for several attempts
        proxy.refusing = False
        processes.until("probe", found)
        assert processes.log("probe").count(lost) == 1
