"""Where statements end and blocks begin, found before the grammar sees them.

A mistake thus never reaches past its statement, and blocks nest without recursion of lark's.
"""

from __future__ import annotations

import re

SPACE = re.compile(r"(?:[ \t\r\n;]|\\\n|#[^\n]*)+")
BLANKS = re.compile(r"(?:[ \t\r]|\\\n)+")
STOP = re.compile(r'"[^"\n]*"?|#|\\\r?\n|[{}();\n]')
"""What may end a statement or hide its end."""

_VERB = r"(?:(?:add|create|insert|replace|delete|destroy|flush|list|reset|rename)\s+)?"
_KIND = (
    r"(table|chain|set|map|flowtable|counter|quota|limit|secmark|synproxy|tunnel"
    r"|ct\s+helper|ct\s+timeout|ct\s+expectation)(?=\s)"
)
_HEADERS = {"top": re.compile(_VERB + _KIND), "table": re.compile(_KIND)}
BLOCK_LINE = re.compile(rf"[ \t]*{_VERB}{_KIND}[^\n{{]*\{{")
"""A line that no set literal has: where one is never closed, it ends before this."""
JUMP = re.compile(r"(?<![\w./-])(?:jump|goto)(?:[ \t]|\\\n)*$")

STRICT = frozenset({"top", "table", "chain"})
"""Blocks in which every statement needs a separator after it, even before the brace."""

MAX_BLOCKS = 24
"""Blocks in blocks; the kernel follows 16 jumps."""
MAX_BRACKETS = 48
"""Braces and parentheses of one statement."""


def block_kind(context: str, header: str) -> str | None:
    """Which block a brace opens after this header; None for the brace of a set."""
    pattern = _HEADERS.get(context)
    found = pattern.match(header) if pattern else None
    return " ".join(found[1].split()) if found else None
