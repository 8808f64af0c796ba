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
    "maker",
    "workers",
    "model",
    "dialects",
    "loads",
    "packets",
    "netfilter",
    "analysis",
    "findings",
    "benchmark",
    "rules",
    "linter",
    "fixes",
    "convert",
    "policy",
    "reports",
    "host",
    "apply",
    "editor",
    "fleet",
    "cli",
)
DOORS = {"__init__", "__main__"}
"""The package's own two files open onto every room."""

SHUT = {
    "packets": {"dialects", "loads"},
    "netfilter": {"dialects", "loads"},
    "analysis": {"dialects", "loads"},
    "findings": {"dialects", "loads"},
    "rules": {"dialects", "loads"},
    "benchmark": {"dialects", "loads"},
    "policy": {"dialects", "loads"},
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


# -- one door ---------------------------------------------------------------------------------

ASKING = ("rules", "benchmark")
"""Their files ask ``analysis/`` what becomes of packets, nobody else."""

FATES = {
    "afterwards",
    "beforehand",
    "decides_alone",
    "end",
    "ends_of",
    "flow",
    "follow",
    "may_drop",
    "may_survive",
    "surviving",
}
"""What netfilter's classes know of the fates of packets. The end of a span is never called."""


def asking() -> list[Path]:
    return [path for path in FILES if room_of(path) in ASKING]


def runs(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case _:
                yield node
                yield from runs(node)


def entered_at_run_time(tree: ast.AST) -> set[str]:
    modules = (node.module or "" for node in runs(tree) if isinstance(node, ast.ImportFrom))
    return {".".join(module.split(".")[:2]) for module in modules}


def fates_asked(tree: ast.AST) -> set[str]:
    called = {node.func for node in runs(tree) if isinstance(node, ast.Call)}
    return {
        node.attr
        for node in runs(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in FATES
        and (node in called or node.attr.startswith("may_"))
    }


@pytest.mark.parametrize("path", asking(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_rule_asks_analysis_what_becomes_of_packets(path: Path) -> None:
    """Who asks one hook where another one on the way translates is wrong sooner or later. Types of
    netfilter may be named; nothing of it runs from here."""
    tree = ast.parse(path.read_text("utf-8"))
    assert "iptlint.netfilter" not in entered_at_run_time(tree)
    assert not fates_asked(tree)


def test_the_test_sees_questions() -> None:
    tree = ast.parse((PACKAGE / "analysis" / "hook_verdicts.py").read_text("utf-8"))
    assert fates_asked(tree) == {"afterwards", "beforehand", "end", "ends_of", "surviving"}
    assert "iptlint.netfilter" in entered_at_run_time(tree)
