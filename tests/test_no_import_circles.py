"""No file imports another that, by however many steps, imports it: not while it is loaded, not
for the type checker alone, not inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "iptlint").rglob("*.py"))


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.AST, modules: Mapping[str, ast.Module]) -> Iterator[str]:
    """The modules that are named; a package only where something is taken from it itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in modules else node.module


def _circle(imports: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        modules: list[str] = error.args[1]
        return modules[::-1]
    return []


def test_no_file_imports_itself_by_way_of_others() -> None:
    modules = {_module(path): ast.parse(path.read_text()) for path in FILES}
    imports = {
        name: {other for other in _imports(tree, modules) if other in modules}
        for name, tree in modules.items()
    }
    circle = _circle(imports)
    assert not circle, " imports ".join(circle)
