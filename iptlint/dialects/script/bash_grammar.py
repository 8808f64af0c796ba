"""The grammar of bash that tree-sitter has, asked for no longer than a script may take."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import tree_sitter_bash
from tree_sitter import Language, Parser, Point, Range
from tree_sitter import Node as SyntaxNode

_PIECE = 256
"""Octets that the grammar is given at a time."""

_MOST_LOOKS = 50
"""How often it may ask for each. It asks three times for those of real scripts; where it is at a
loss (300,000 brackets that nothing closes) it goes back as often as there are any, for hours, and
nothing else ends that."""

_ALWAYS = 5_000


class LostError(Exception):
    """The grammar looks at a text again and again."""


@cache
def language() -> Language:
    return Language(tree_sitter_bash.language())


def syntax_tree(octets: bytes, ranges: Sequence[Range] | None = None) -> SyntaxNode:
    """The root of the tree of a text, or of some ranges of it alone; LostError.

    Nobody may ask a node of it for its ``text``: of a tree that was read in pieces the binding asks
    for the pieces again, and writes them behind the end of what it has room for.
    """
    looks = 0
    most = len(octets) // _PIECE * _MOST_LOOKS + _ALWAYS

    def piece(start: int, _: Point) -> bytes:
        nonlocal looks
        looks += 1
        return octets[start : start + _PIECE] if looks <= most else b""

    tree = Parser(language(), included_ranges=ranges).parse(piece)
    if looks > most or tree is None:
        raise LostError
    return tree.root_node
