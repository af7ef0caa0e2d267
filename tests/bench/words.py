"""The messages and calls of the benchmark's own service."""

from marshmallow import fields

from services.contracts.calling import ask
from services.contracts.catalogue import announce
from services.contracts.shapes.parts import Shape


class Said(Shape):
    text = fields.String(required=True)


class Echo(Shape):
    text = fields.String(required=True, metadata={"example": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"})


BENCH_SAID = announce(
    "bench.said", by="bench", says="Something was said to be heard.", body=Said, example={"text": "x"}, private=True
)
BENCH_KEPT = announce(
    "bench.kept", by="bench", says="Something was said to be kept.", body=Said, example={"text": "x"}, private=True
)

ECHO = ask(
    "bench.echo.echo", operation="echo", says="Say it again.", takes={"text": fields.String}, gives=Echo, public=True
)
TELL_TAKEN = ask("bench.echo.taken", says="Tell when the handler began with each message.", operator=True)
