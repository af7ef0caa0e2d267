"""The app's languages say the same things, with the same values in them."""

import json
import re
from pathlib import Path

import pytest

from deploy.local.platform import ROOT

WORDS = sorted((ROOT / "gateway" / "web" / "src").glob("*/words/en.json"))


@pytest.mark.parametrize("english", WORDS, ids=[file.parents[1].name for file in WORDS])
def test_each_language_has_each_sentence_and_its_values(english: Path) -> None:
    said = json.loads(english.read_text())
    others = [file for file in english.parent.glob("*.json") if file != english]
    assert others
    for file in others:
        translated = json.loads(file.read_text())
        assert translated.keys() == said.keys(), file
        for key, sentence in said.items():
            assert set(re.findall(r"\{(\w+)(?=[,}])", translated[key])) == set(
                re.findall(r"\{(\w+)(?=[,}])", sentence)
            ), f"{file}: {key}"


def test_each_sentence_is_used() -> None:
    source = "".join(file.read_text() for file in (ROOT / "gateway" / "web" / "src").rglob("*.tsx"))
    source += (ROOT / "services/contracts/shapes/feedback.py").read_text() + (
        ROOT / "services/contracts/roles.py"
    ).read_text()
    source += (ROOT / "services/contracts/shapes/events.py").read_text()
    unused = [
        f"{file.parents[1].name}.{key}"
        for file in WORDS
        for key in json.loads(file.read_text())
        if f'"{key}"' not in source
    ]
    assert unused == []
