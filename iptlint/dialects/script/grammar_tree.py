"""The tree that tree-sitter's grammar of bash makes of a text, where it takes lines together that
the shell does not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import tree_sitter_bash
from tree_sitter import Language, Parser, Query, QueryCursor
from tree_sitter import Node as SyntaxNode

from iptlint.dialects.script.grammar_text import with_plain_tests, without_signs


@cache
def language() -> Language:
    return Language(tree_sitter_bash.language())


def parsed(text: str) -> tuple[str, SyntaxNode, list[tuple[int, int]]]:
    """The text, with what the grammar took for a test over several lines made words of, and its
    tree. And the signs of redirections to nothing, which are letters in it: the grammar takes the
    next line for the file's name."""
    root = Parser(language()).parse(text.encode()).root_node
    nowhere: list[tuple[int, int]] = []
    for _ in range(_MOST_SWALLOWED):
        found = list(_leading_nowhere(root, text))
        plain = without_signs(with_plain_tests(text, _swallowing(root)), found)
        nowhere += found
        if plain == text:
            break
        text, root = plain, Parser(language()).parse(plain.encode()).root_node
    return text, root, nowhere


_MOST_SWALLOWED = 20


def _swallowing(root: SyntaxNode) -> list[int]:
    """Where tests begin that the grammar has a whole command in, with redirections."""
    return [node.start_byte for node in _found(_SWALLOWED, root)]


_SWALLOWED = '(test_command "[" (redirected_statement)) @found'
_REDIRECTED = "(file_redirect destination: (_)) @found"
_TO_FILES = frozenset({"<", ">", ">>", ">|", "&>", "&>>", "<>"})


def _found(pattern: str, root: SyntaxNode) -> list[SyntaxNode]:
    return QueryCursor(_query(pattern)).captures(root).get("found", [])


@cache
def _query(pattern: str) -> Query:
    return Query(language(), pattern)


def _leading_nowhere(root: SyntaxNode, text: str) -> Iterator[tuple[int, int]]:
    """Where signs of redirections stand that have no file's name on their line."""
    for node in _found(_REDIRECTED, root):
        file = node.child_by_field_name("destination")
        sign = next((each for each in node.children if each.type in _TO_FILES), None)
        if file is None or sign is None:
            continue
        if "\n" in text[sign.end_byte : file.start_byte].replace("\\\n", ""):
            yield sign.start_byte, sign.end_byte
