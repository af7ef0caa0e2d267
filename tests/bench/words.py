"""What the benchmark's own service hears."""

from marshmallow import fields

from services.contracts.catalogue import announce
from services.contracts.shapes.parts import Shape


class Said(Shape):
    text = fields.String(required=True)


BENCH_SAID = announce(
    "bench.said", by="bench", says="Something was said to be heard.", body=Said, example={"text": "x"}, private=True
)
BENCH_KEPT = announce(
    "bench.kept", by="bench", says="Something was said to be kept.", body=Said, example={"text": "x"}, private=True
)
