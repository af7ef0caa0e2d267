"""The table of codes has what the code sends, and nothing else."""

import ast
from collections.abc import Iterator
from pathlib import Path

from services.contracts.calls import CALLS
from services.contracts.codes import CODES, family_of
from services.contracts.errors import FAMILIES, Stale

ROOT = Path(__file__).parents[3]
UNKNOWN = "…"  # a code that is made when it is sent


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for folder in ("services", "gateway"):
        for file in (ROOT / folder).rglob("*.py"):
            yield file, ast.parse(file.read_text())


def sent() -> Iterator[tuple[str, str, str]]:
    """File, family and code of each refusal that is made, such as `Conflict("final", …)` or `NotFound.of(…)`."""
    constants = {
        target.id: node.value.value
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for file, tree in trees():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            match call.func, call.args:
                case ast.Name(id=family), [ast.Constant(value=str(code)), *_] if family in FAMILIES:
                    yield file.name, family, code
                case ast.Name(id=family), [ast.Name(id=name), *_] if family in FAMILIES:
                    yield file.name, family, str(constants.get(name, UNKNOWN))
                case ast.Attribute(value=ast.Name(id=family), attr="field"), _ if family in FAMILIES:
                    yield file.name, family, "invalid"
                case ast.Attribute(value=ast.Name(id=family), attr="of"), _ if family in FAMILIES:
                    yield file.name, family.replace("Hidden", "NotFound"), "not_found"
                case ast.Name(id="changed_meanwhile"), [ast.Name(id=family)]:
                    yield file.name, family, "changed_meanwhile"
                case ast.Name(id="changed_meanwhile"), [ast.IfExp()]:
                    yield from ((file.name, family, "changed_meanwhile") for family in ("Conflict", "Stale"))
                case _:
                    pass


def test_the_table_has_what_is_sent_and_nothing_else() -> None:
    found = list(sent())
    assert [each for each in found if each[2] == UNKNOWN] == []
    known = {(family.__name__, code) for family, codes in CODES.items() for code in codes}
    assert {(family, code) for _, family, code in found} == known


def test_a_code_that_a_call_declares_has_one_family() -> None:
    named = [code for family, codes in CODES.items() if family is not Stale for code in codes]
    assert len(set(named)) == len(named)
    declared = {code for each in CALLS.values() for code in each.refuses}
    assert all(code in CODES[family_of(code)] for code in declared)
    assert len(declared) > 25
    assert all(says.endswith(".") for codes in CODES.values() for says in codes.values())
