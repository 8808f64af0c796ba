"""The tree that tree-sitter's grammar of bash makes of a text, where it takes lines together that
the shell does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tree_sitter import Node as SyntaxNode

from iptlint.dialects.script.bash_grammar import syntax_tree
from iptlint.dialects.script.grammar_text import with_plain_tests, without_signs


def parsed(text: str) -> tuple[str, SyntaxNode, list[tuple[int, int]]]:
    """The text, with what the grammar took for a test over several lines made words of, and its
    tree. And the signs of redirections to nothing, which are letters in it: the grammar takes the
    next line for the file's name."""
    root = syntax_tree(text.encode())
    nowhere: list[tuple[int, int]] = []
    for _ in range(_MOST_SWALLOWED):
        nodes = [*_nodes(root)]
        found = list(_leading_nowhere(nodes, text))
        plain = without_signs(with_plain_tests(text, _swallowing(nodes)), found)
        nowhere += found
        if plain == text:
            break
        text, root = plain, syntax_tree(plain.encode())
    return text, root, nowhere


_MOST_SWALLOWED = 20


_TO_FILES = frozenset({"<", ">", ">>", ">|", "&>", "&>>", "<>"})


def _nodes(root: SyntaxNode) -> Iterator[SyntaxNode]:
    """Those of tests and of redirections, in order. A query of tree-sitter takes the square of
    their number where what is around them fits nowhere."""
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is not None and node.type in ("test_command", "file_redirect"):
            yield node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _swallowing(nodes: Iterable[SyntaxNode]) -> list[int]:
    """Where tests begin that the grammar has a whole command in, with redirections."""
    return [
        node.start_byte
        for node in nodes
        if node.type == "test_command"
        and node.children[0].type == "["
        and any(child.type == "redirected_statement" for child in node.children)
    ]


def _leading_nowhere(nodes: Iterable[SyntaxNode], text: str) -> Iterator[tuple[int, int]]:
    """Where signs of redirections stand that have no file's name on their line."""
    for node in nodes:
        file = node.child_by_field_name("destination")
        sign = next((each for each in node.children if each.type in _TO_FILES), None)
        if file is None or sign is None or node.type != "file_redirect":
            continue
        if "\n" in text[sign.end_byte : file.start_byte].replace("\\\n", ""):
            yield sign.start_byte, sign.end_byte
