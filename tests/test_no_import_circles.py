"""No file imports another that, by however many steps, imports it: not while it is loaded, not
inside a function, and among the languages not even for the type checker alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(p): ast.parse(p.read_text("utf-8")) for p in (ROOT / "iptlint").rglob("*.py")}


def _imports(node: ast.AST, *, types: bool) -> Iterator[str]:
    """The modules that are named; with ``types``, those that only the type checker reads too."""
    match node:
        case ast.Import(names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names):
            for alias in names:
                submodule = f"{module}.{alias.name}"
                yield submodule if submodule in MODULES else module
        case ast.If(test=ast.Name("TYPE_CHECKING")) if not types:
            return
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, types=types)


def _circle(imports: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return []


@pytest.mark.parametrize(("room", "types"), [("iptlint", False), ("iptlint.dialects", True)])
def test_no_file_imports_itself_by_way_of_others(room: str, types: bool) -> None:
    inside = {name: tree for name, tree in MODULES.items() if f"{name}.".startswith(f"{room}.")}
    imports = {name: {*_imports(tree, types=types)} for name, tree in inside.items()}
    circle = _circle(imports)
    assert not circle, " imports ".join(circle)


def test_a_circle_is_shown() -> None:
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()}) in (
        ["a", "b", "c", "a"],
        ["b", "c", "a", "b"],
        ["c", "a", "b", "c"],
    )
