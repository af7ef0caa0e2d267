"""`hub tail`: show messages as they pass."""

from datetime import datetime
from typing import Any

import amqp
import click
import orjson
from rich.text import Text

from deploy.hub import Trouble, screen
from deploy.hub.bus import connection
from deploy.hub.patterns import matching
from services.contracts.catalogue import EXCHANGE

FACTS = 4  # shown of each message
BACKLOG = 10_000  # messages that wait for a slow terminal, until the oldest are skipped


@click.command()
@click.argument("pattern", default="#")
@click.option("--count", type=click.IntRange(1), help="Stop after so many messages.")
@screen.as_json
def tail(pattern: str, count: int | None, as_json: bool) -> None:
    """Show messages as they pass, from now on: all, or those whose type matches a PATTERN like feedback.* or #.

    With --json each message is printed as its CloudEvent, one per line. Ctrl-C ends it.
    """
    matching(pattern)
    left = [count] if count else []
    screen_ = screen.console()

    def take(message: amqp.Message) -> None:
        if not left or left[0] > 0:
            click.echo(message.body) if as_json else screen_.print(_line(message), soft_wrap=True)
            left[:] = [each - 1 for each in left]
        message.channel.basic_ack(message.delivery_tag)

    with connection() as opened:
        channel = opened.channel()
        channel.auto_decode = False
        arguments = {"x-max-length": BACKLOG, "x-overflow": "drop-head"}
        queue = channel.queue_declare("", exclusive=True, arguments=arguments).queue
        try:
            channel.queue_bind(queue, EXCHANGE, pattern)
        except amqp.NotFound:
            raise Trouble(f"There is no exchange {EXCHANGE} here: no service has ever run on this broker.") from None
        channel.basic_qos(0, 100, False)
        channel.basic_consume(queue, callback=take)
        click.echo(f"Listening to {pattern} …", err=True)
        while not left or left[0] > 0:
            try:
                opened.drain_events(timeout=1)
            except TimeoutError:
                continue


def _line(message: amqp.Message) -> Text:
    """Time, type, sequence, subject and a few facts."""
    try:
        event = orjson.loads(message.body)
        at = datetime.fromisoformat(event["time"]).astimezone()
        data = event["data"]
        told = "  ".join(f"{screen.plain(k, 30)}={screen.plain(_said(v), 40)}" for k, v in _facts(data).items())
        head = (screen.plain(event["type"], 40), str(int(event.get("sequence", 0))), screen.plain(event["subject"], 40))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        key = screen.plain(message.delivery_info["routing_key"], 40)
        return Text(f"{key}: {len(message.body):,} bytes that are no message: {screen.plain(message.body[:80])}", "red")
    return Text.assemble(
        (f"{at:%H:%M:%S}", "dim"), "  ", (f"{head[0]:24}", "bold"), f" {head[1]:>4}  ", (head[2], "dim"), "  ", told
    )


def _facts(data: dict[str, Any]) -> dict[str, Any]:
    """The facts that tell a person most, without identifiers and empty values."""
    spoken = {name: value for name, value in data.items() if value and not name.endswith(("_id", "_ids"))}
    return dict(list(spoken.items())[:FACTS])


def _said(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
