"""Commands behind a semicolon on the line on which a text in place begins.

The grammar has no place for them. So they are blanked out of what it reads, and read by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tree_sitter import Language, Parser, Point, Range
from tree_sitter import Node as SyntaxNode

_LINE = re.compile(
    r"(?<!<)<<-?[ \t]*(?:\w+|'\w+'|\"\w+\"|\\\w+)"
    r"(?:[ \t|](?:[^\n;#\"'`()\\<]|\"[^\n\"<]*\"|'[^\n'<]*')*)?(;[^\n;][^\n]*)"
)
"""From ``<<`` on, with what is behind the first semicolon."""

_NOT_ALONE = re.compile(
    r"<<|\\$|(?:^|[;&|])[ \t]*(?:[;&|(){}]|(?:if|then|elif|else|fi|for|while|until|select|do|done"
    r"|case|esac|function)(?![\w-]))"
)
"""What goes on behind the line, or belongs to what began before it."""


def behind_heredocs(language: Language, text: str) -> tuple[str, Mapping[int, SyntaxNode]]:
    """The text without them, and each as a tree, by where the ``<<`` before it stands."""
    octets = text.encode()
    trees, pieces, at = {}, [], 0
    for line in _LINE.finditer(text):
        start, end = line.span(1)
        if _NOT_ALONE.search(text[start + 1 : end]):
            continue
        alone = Range(Point(0, start + 1), Point(0, end), start + 1, end)
        tree = Parser(language, included_ranges=[alone]).parse(octets).root_node
        if not tree.has_error:
            trees[line.start()] = tree
            pieces += [text[at:start], " " * (end - start)]
            at = end
    return "".join((*pieces, text[at:])), trees
