"""Rules about the code itself that no linter of ours knows."""

import ast
from pathlib import Path

import pytest

import sim

ROOMS = ("routing", "simulated")
MODULES = [path for room in ROOMS for path in sorted((Path(sim.__file__).parent / room).rglob("*.py"))]


def uses_of_identity(source: str) -> list[int]:
    """Return the lines in which the built-in `id` or `hash` is used: each differs from process to process."""
    names = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))
    return [name.lineno for name in names if name.id in ("id", "hash") and isinstance(name.ctx, ast.Load)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: "/".join(path.parts[-3:]))
def test_nothing_that_decides_uses_id_or_hash(path: Path) -> None:
    assert uses_of_identity(path.read_text()) == []


@pytest.mark.parametrize(
    "planted",
    ["sorted(rows, key=id)", "min(rows, key=lambda row: (row.in_flight, id(row)))", "hash(row.key) % 2", "by = hash"],
)
def test_a_planted_use_is_found(planted: str) -> None:
    assert uses_of_identity(planted) == [1]


def test_fields_of_that_name_are_no_use() -> None:
    assert uses_of_identity("row.id; replica.hash(); Request(id=3)\nclass Row:\n    id: str") == []
