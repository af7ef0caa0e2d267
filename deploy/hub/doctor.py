"""`hub doctor`: check the platform and advise on faults."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Any

import amqp
import click
import requests
from rich.text import Text

from deploy.hub import Trouble, bus, due, known, orphans, policies, screen, settings, store
from deploy.hub.finding import Finding, Findings
from deploy.hub.letters import DEAD
from deploy.hub.management import harmless
from deploy.local.door import EVERYWHERE
from deploy.local.given import MANAGEMENT
from deploy.local.platform import ABANDONED
from services.contracts.errors import Refusal

PING = 1.0  # seconds that a capability has for an answer
LATE = 3.0  # seconds after which an unsent message should have been sent
BACKLOG = 1000  # waiting messages from which on a handler counts as behind
COLOURS = {"ok": "green", "watch": "yellow", "wrong": "red"}


@click.command()
@click.option("--management", metavar="URL", help="RabbitMQ's management API, if not AMQP_MANAGEMENT_URI; no password.")
@screen.as_json
def doctor(management: str | None, as_json: bool) -> None:
    """Check the platform and advise on faults. Exit code 0: healthy, 1: not."""
    checks: list[tuple[str, Callable[[], Findings]]] = [
        ("platform", _supervised),
        ("broker", _queues),
        ("broker", _capabilities),
        ("store", _store),
        ("store", due.check),
        ("gateway", _gateway),
    ]
    management = harmless(management) or settings.environment().get(MANAGEMENT)
    checks.append(("management" if management else "broker", partial(orphans.check, management)))
    if management:
        checks.append(("management", partial(policies.check, management)))
    found = [finding for about, check in checks for finding in _run(about, check)]
    found = list(dict.fromkeys(found))  # several checks find a missing broker
    healthy = all(finding.state != "wrong" for finding in found)
    if as_json:
        screen.dump({"healthy": healthy, "findings": [asdict(finding) for finding in found]})
    else:
        for finding in found:
            _print(finding)
        click.echo("Healthy." if healthy else "Not healthy.")
    sys.exit(0 if healthy else 1)


def _run(about: str, check: Callable[[], Findings]) -> Findings:
    try:
        yield from check()
    except Trouble as trouble:
        yield Finding("wrong", about, trouble.says, trouble.do or "Run hub doctor again.")


def _print(finding: Finding) -> None:
    line = Text.assemble((f"{finding.state:6}", COLOURS[finding.state]), (f"{finding.about}: ", "bold"), finding.says)
    screen.console().print(line, soft_wrap=True)
    if finding.do:
        screen.console().print(Text(f"      → {finding.do}"), soft_wrap=True)


def _serve(name: str) -> str:
    service = name.partition(".")[0]
    return f"Start {service} (python -m services.{service}), or read in its log why it does not come up."


def _supervised() -> Findings:
    """Find that the platform of this checkout has lost its supervisor, if it is the one to check."""
    here = settings.checkout()
    if (remains := here.remains) and here.settings().get("AMQP_URI") == settings.environment().get("AMQP_URI"):
        says = f"its supervisor was killed, so nobody starts anew what dies of {', '.join(remains)}."
        yield Finding("wrong", "platform", says, ABANDONED)


def _queues() -> Findings:
    """Check the broker, each handler's queue, and the dead letters."""
    with bus.connection() as opened:
        server, uri = opened.server_properties, settings.need("AMQP_URI")
        name = f"{server.get('product')} {server.get('version')}"
        yield Finding("ok", "broker", f"{name} answers at {bus.where(uri)}, to its user {bus.user_of(uri)}.")
        wrong = [finding for queue in known.handlers() for finding in _queue(opened, queue)]
        if not any(finding.state == "wrong" for finding in wrong):
            yield Finding(
                "ok", "queues", f"all {len(known.handlers())} handlers' queues are quorum queues and consumed."
            )
        yield from wrong
        letters = bus.look(opened, DEAD)
    if letters is None:
        yield Finding("wrong", DEAD, "this queue is not there: what can't be handled has no place.", _serve("members"))
    elif letters.ready:
        yield Finding(
            "wrong",
            DEAD,
            f"{screen.counted(letters.ready, 'message')} could not be handled.",
            "hub dead list says why; after the fix, hub dead replay tries again (hub dead remove throws away).",
        )
    else:
        yield Finding("ok", DEAD, "no dead letters.")


def _queue(opened: amqp.Connection, name: str) -> Findings:
    queue, about = bus.look(opened, name), f"queue {name}"
    if queue is None:
        yield Finding("wrong", about, "is not there: its messages are lost until it is.", _serve(name))
        return
    if drift := bus.differs(opened, name):
        yield Finding(
            "wrong",
            about,
            f"is not the quorum queue that it should be: {drift}.",
            "Drain it, delete it, start its service.",
        )
    waiting = f"waiting: {screen.counted(queue.ready, 'message')}"
    if not queue.consumers:
        yield Finding("wrong", about, f"nobody consumes it; {waiting}.", _serve(name))
    elif queue.ready >= BACKLOG:
        yield Finding(
            "watch",
            about,
            f"its handler is behind; {waiting}.",
            "If it grows, run a second process.",
        )


def _capabilities() -> Findings:
    """Check that each capability answers. The calls also reveal an alarm, for the broker blocks only publishers."""
    blocked: list[str] = []
    with bus.connection(on_blocked=blocked.append) as opened:
        answers = bus.ask(opened, [f"{name}.ping" for name in known.capabilities()], PING)
        if not answers:
            with suppress(TimeoutError):
                opened.drain_events(timeout=0.2)
    if blocked:
        yield Finding(
            "wrong",
            "broker",
            "it takes no messages: its alarm for memory or disk is on.",
            "Free memory or disk on its machine (rabbitmq-diagnostics alarms); then all goes on by itself.",
        )
        return
    silent = []
    for name in known.capabilities():
        answer = answers.get(f"{name}.ping")
        if answer is None or isinstance(answer, Refusal):
            silent.append(name)
            says = answer.says if isinstance(answer, Refusal) else f"no answer within {PING:g} s."
            yield Finding("wrong", name, says, _serve(name))
    if not silent:
        yield Finding("ok", "capabilities", f"all {len(known.capabilities())} answer.")


def _gateway() -> Findings:
    """Check that the gateway reports ready, if we know its address."""
    host, port = settings.environment().get("HOST"), settings.environment().get("PORT")
    if not (host and port):
        yield Finding("ok", "gateway", "not asked: HOST and PORT do not say where it is.")
        return
    url = f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}/readyz"
    try:
        answer = requests.get(url, timeout=5)
    except requests.RequestException:
        yield Finding("wrong", "gateway", f"no answer at {url}.", "Start it, or correct HOST and PORT.")
        return
    if answer.ok:
        yield Finding("ok", "gateway", f"ready at {url}.")
    else:
        missing = ", ".join(_missing(answer)) or answer.reason
        yield Finding("wrong", "gateway", f"not ready at {url}; it misses: {missing}.", "Bring up what it misses.")


def _missing(answer: requests.Response) -> list[str]:
    try:
        return [screen.plain(each) for each in answer.json()["missing"]]
    except (ValueError, KeyError, TypeError):
        return []


def _store() -> Findings:
    """Check the store, and for overdue messages: those unsent at two looks LATE seconds apart."""
    with store.client() as client:
        yield Finding("ok", "store", f"MongoDB {client.server_info()['version']} answers.")
        late = _unsent(client)
        if any(late.values()):
            time.sleep(LATE)
            now = _unsent(client)
            late = {name: ids & now.get(name, set()) for name, ids in late.items()}
    for name, ids in late.items():
        if ids:
            yield Finding(
                "wrong",
                f"outbox {name}",
                f"not announced for more than {LATE:g} s: {screen.counted(len(ids), 'change')}.",
                "They are sent as soon as their service and the broker are up; if both are, read the service's log.",
            )
    if not any(late.values()):
        yield Finding("ok", "outbox", "all that was saved has been announced.")


def _unsent(client: store.Client) -> dict[str, set[Any]]:
    """The aggregates with unsent messages, by collection."""
    found = {}
    for service in known.services():
        database = client[settings.database(service)]
        for name in store.announcing(database):
            rows = database[name].find({store.UNSENT: True}, {"_id": True})
            found[f"{service}.{name}"] = {row["_id"] for row in rows}
    return found
