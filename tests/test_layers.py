"""A room imports only the rooms above it, at the top of a file or inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import iptlint

PACKAGE = Path(iptlint.__file__).parent
ROOMS = (
    "source",
    "grammar",
    "memo",
    "model",
    "dialects",
    "packets",
    "netfilter",
    "analysis",
    "findings",
    "benchmark",
    "rules",
    "linter",
    "reports",
    "host",
    "cli",
)
DOORS = {"__init__", "__main__"}
"""The package's own two files open onto every room."""

SHUT = {
    "packets": {"dialects"},
    "netfilter": {"dialects"},
    "analysis": {"dialects"},
    "findings": {"dialects"},
    "rules": {"dialects"},
    "benchmark": {"dialects"},
}
"""Above, and yet not to be seen: what analyses a ruleset must not know its language."""

FILES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import(names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
                yield from (f"{module}.{name.name}" for name in node.names if module == "iptlint")
            case ast.ImportFrom():
                pytest.fail(f"{path}: a relative import hides which room is entered")


def rooms_entered(path: Path) -> set[str]:
    parts = (name.split(".") for name in imported(path))
    return {part[1] for part in parts if part[0] == "iptlint" and len(part) > 1} & set(ROOMS)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_looks_down(path: Path) -> None:
    room = room_of(path)
    if room in DOORS:
        return
    assert room in ROOMS, f"{room} is no room of the house: add it to ROOMS, where it belongs"
    above = set(ROOMS[: ROOMS.index(room) + 1]) - SHUT.get(room, set())
    assert rooms_entered(path) <= above


def test_the_test_sees_imports() -> None:
    assert "model" in rooms_entered(PACKAGE / "dialects" / "reading.py")
    assert "dialects" in rooms_entered(PACKAGE / "linter" / "collect.py")
