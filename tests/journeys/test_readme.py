"""The example on the page for frontends works as it stands, and what the bus tells is a CloudEvent to others too."""

import re
import subprocess
import sys

from cloudevents.core.bindings.amqp import AMQPMessage, from_amqp_event

from deploy.local.platform import ROOT
from tests.journeys.test_story import publish
from tests.rig.processes import PASSWORD, Platform
from tests.rig.wire import Listener


def test_the_example_signs_in_lists_raises_and_follows(platform: Platform) -> None:
    titles = {f"Event number {number}" for number in range(21)}  # more than a page
    for title in sorted(titles):
        publish(platform.administrator, title=title)
    amara = platform.join("Amara")
    environment = {"HUB": platform.url, "EMAIL": amara.profile["email"], "PASSWORD": PASSWORD}
    process = subprocess.Popen(
        [sys.executable, "-c", _example("import requests", most=30)],
        env=platform.processes.environment | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        listed = set()
        while not (line := process.stdout.readline().strip()).startswith("201 "):
            assert line, "it ended before it raised a voice"
            listed.add(line.partition(" ")[2])
        assert titles <= listed
        voice = line.partition(" ")[2]
        platform.administrator.post(f"{voice}/answers", {"text": "There is one in the cellar."})
        assert "I need a lamp." in process.stdout.readline()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait(10)


def test_the_sdk_reads_it(platform: Platform, amqp_uri: str) -> None:
    listener = Listener(amqp_uri, "feedback.submitted")
    voice = platform.join("Amara").post("/v1/feedback", {"text": "I need a quiet room for calls."})
    listener.wait(1)
    (raw,) = listener.raw
    body = raw.body if isinstance(raw.body, bytes) else raw.body.encode()
    event = from_amqp_event(AMQPMessage({"content-type": raw.properties["content_type"]}, {}, body))
    assert event.get_specversion() == "1.0"
    assert event.get_type() == "feedback.submitted"
    assert event.get_subject() == voice["id"]
    assert event.get_extension("sequence") == "000000000001"
    data = event.get_data()
    assert isinstance(data, dict)
    assert data["text"] == "I need a quiet room for calls."
    listener.close()


def _example(having: str, most: int) -> str:
    """The one example in Python that has these words, in so many lines."""
    found = re.findall(r"```python\n(.*?)```", (ROOT / "gateway" / "README.md").read_text(), re.DOTALL)
    (example,) = (each for each in found if having in each)
    assert len([line for line in example.splitlines() if line]) <= most
    return str(example)
