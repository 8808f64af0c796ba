"""Where statements end and blocks begin, found before the grammar sees them.

A mistake thus never reaches past its statement, and blocks nest without recursion of lark's.
"""

from __future__ import annotations

import re

SPACE = re.compile(r"(?:[ \t\r\n;]|\\\n|#[^\n]*)+")
BLANKS = re.compile(r"(?:[ \t\r]|\\\n)+")
_VERB = r"(?:(?:add|create|insert|replace|delete|destroy|flush|list|reset|rename)\s+)?"
_KIND = (
    r"(table|chain|set|map|flowtable|counter|quota|limit|secmark|synproxy|tunnel"
    r"|ct\s+helper|ct\s+timeout|ct\s+expectation)(?=\s)"
)
_HEADERS = {"top": re.compile(_VERB + _KIND), "table": re.compile(_KIND)}
BLOCK_LINE = re.compile(
    rf"[ \t]*{_VERB}{_KIND}[ \t]+(?!(?:jump|goto)\b)[^\s{{}}]+[ \t]*\{{[ \t]*$", re.MULTILINE
)
"""A line that neither a set literal nor a chain has: what was not closed ends before it."""
_JUMP = re.compile(r"(?<![\w./-])(?:jump|goto)(?:[ \t]|\\\n)*$")

STRICT = frozenset({"top", "table", "chain"})
"""Blocks in which every statement needs a separator after it, even before the brace."""

MAX_BLOCKS = 24
"""Blocks in blocks; the kernel follows 16 jumps."""
MAX_BRACKETS = 48
"""Braces and parentheses of one statement."""


def block_kind(context: str, text: str, start: int, brace: int) -> str | None:
    """Which block a brace opens after the header at ``start``; None for the brace of a set."""
    pattern = _HEADERS.get(context)
    words = pattern.match(text, start, brace) if pattern else None
    return " ".join(words[1].split()) if words else None


def opens_chain(text: str, start: int, brace: int) -> bool:
    """Whether the brace is that of ``jump {``."""
    return bool(_JUMP.search(text, max(start, brace - 100), brace))
