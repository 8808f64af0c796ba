"""What the lexers of lark compile their regular expressions with.

lark makes one expression of all terminals that can come next, for each set of them that it meets.
In a dozen of these is SELECTOR, which takes longer to compile than all the others together: here
it is compiled once.
"""

from __future__ import annotations

import re
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lark import Lark


class _Either(NamedTuple):
    """What one expression with both as its alternatives would find."""

    first: re.Pattern[str]
    second: re.Pattern[str]

    def match(self, *where: Any) -> re.Match[str] | None:
        return self.first.match(*where) or self.second.match(*where)

    def fullmatch(self, *where: Any) -> re.Match[str] | None:
        return self.first.fullmatch(*where) or self.second.fullmatch(*where)


def share(parser: Lark, name: str, pattern: str) -> None:
    """Has the terminal ``name`` compiled once; it is the first of all where it may come, as lark
    sorts them by their length."""
    alone = f"(?P<{name}>{pattern})"
    compiled = cache(re.compile)

    def parted(expression: str, flags: int) -> re.Pattern[str] | _Either:
        before, _, others = expression.partition(f"{alone}|")
        if before or not others:
            return re.compile(expression, flags)
        return _Either(compiled(alone, flags), re.compile(others, flags))

    def match(expression: str, text: str, flags: int) -> re.Match[str] | None:
        return compiled(alone if expression == pattern else expression, flags).match(text)

    lexer: Any = parser.parser.lexer
    for each in (*lexer.lexers.values(), lexer.root_lexer):
        each.re = SimpleNamespace(compile=parted, match=match)
