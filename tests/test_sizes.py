"""Files and functions are of a size that is read at one sitting. How much may happen in a function
ruff checks (C901, PLR0915)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.test_layers import FILES, PACKAGE

MAX_LINES_OF_A_FILE = 400
MAX_LINES_OF_A_FUNCTION = 40
"""From its name to its last line; decorators and the docstring do not count."""


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or 0) - docstring.lineno + 1)


def long_functions(path: Path) -> dict[str, int]:
    functions = (
        node
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    lengths = {function.name: length(function) for function in functions}
    return {name: lines for name, lines in lengths.items() if lines > MAX_LINES_OF_A_FUNCTION}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_too_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES_OF_A_FILE
    assert long_functions(path) == {}


def test_the_test_sees_lines() -> None:
    (function,) = ast.parse(
        'def f(\n    x: int,\n) -> int:\n    """A\n    B."""\n    return x\n'
    ).body
    assert isinstance(function, ast.FunctionDef)
    assert length(function) == 4
