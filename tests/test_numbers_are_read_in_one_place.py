"""No reader makes a number of a text by itself: see ``iptlint/model/numbers.py``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import iptlint

PACKAGE = Path(iptlint.__file__).parent
READERS = sorted(path for room in ("dialects", "host") for path in (PACKAGE / room).rglob("*.py"))
BY_HAND = {"isdigit", "isdecimal", "isnumeric"}


def by_hand(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, lineno=line) if name in BY_HAND:
                yield line
            case ast.Call(func=ast.Name(id="int"), args=[_, *_], lineno=line):
                yield line


@pytest.mark.parametrize("path", READERS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_reader_has_one_of_its_own(path: Path) -> None:
    assert not [*by_hand(ast.parse(path.read_text("utf-8")))]
