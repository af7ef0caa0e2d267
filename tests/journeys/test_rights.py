"""The rights are those that the OpenAPI document declares, for each operation and role (`-s` shows the table)."""

from collections.abc import Iterator

import pytest
from rich.console import Console

from services.contracts.roles import ROLES
from tests.rig.processes import Platform
from tests.rig.recipes import Recipes
from tests.rig.rights import COLUMNS, Cell, Matrix, table


@pytest.fixture(scope="module")
def matrix(platform: Platform) -> Matrix:
    return Matrix(platform)


@pytest.fixture(scope="module")
def cells(matrix: Matrix) -> Iterator[list[Cell]]:
    found = matrix.cells()
    Console(width=150).print(table(found))
    return found


def test_each_operation_has_a_recipe(matrix: Matrix) -> None:
    assert [name for name in matrix.operations if not hasattr(Recipes, name)] == []


def test_every_cell_is_as_declared(cells: list[Cell]) -> None:
    assert [str(cell) for cell in cells if not cell.as_declared] == []


def test_each_operation_is_asked_by_each_role_for_own_and_foreign(matrix: Matrix, cells: list[Cell]) -> None:
    asked = {(cell.operation, cell.role, cell.whose) for cell in cells}
    assert len(asked) == len(cells)
    for name, (_, path, _) in matrix.operations.items():
        whose = ("own", "foreign") if "{" in path else ("any",)
        assert {(name, role, each) for role in ROLES for each in whose} <= asked
        assert {role for operation, role, _ in asked if operation == name} == set(COLUMNS)


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("show_voice", {"any": ["administrator", "host"], "own": []}),
        ("answer_voice", {"any": ["administrator", "host"], "own": list(ROLES)}),
        ("mark_read", {"any": ["coworker"], "own": list(ROLES)}),
        ("list_members", {"any": ["administrator"], "own": []}),
    ],
)
def test_another_declaration_is_noticed(
    matrix: Matrix, monkeypatch: pytest.MonkeyPatch, name: str, may: dict[str, list[str]]
) -> None:
    monkeypatch.setitem(matrix.operations[name][2], "x-may", may)
    assert not all(cell.as_declared for cell in matrix.row(name, matrix.party("coworker")))


def test_a_change_by_somebody_who_was_refused_is_noticed() -> None:
    assert Cell("a", "coworker", "foreign", False, (404,)).as_declared
    assert not Cell("a", "coworker", "foreign", False, (404,), changed=True).as_declared
    assert not Cell("a", "nobody", "foreign", False, (401, 404)).as_declared
