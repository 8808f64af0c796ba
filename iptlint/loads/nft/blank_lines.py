"""A blank line between the braces of a set, where nft takes one end of line and no second.

``opt_newline`` of src/parser_bison.y; a line that is a comment and nothing else has no end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.walking import everything
from iptlint.loads.nft import checks
from iptlint.loads.nft.trial import Trial
from iptlint.source import SourceFile

_END = re.compile(r"(?<!\\)\n(?:[ \t]*#[^\n]*\n)*(?P<second>[ \t]*\n)?")
"""With the comments below it, so that no line of many is looked at again for the one above."""
_WITH_SETS = (t.Command, t.Rule, t.Elements, t.Define, t.Include)
_LINES = ("rule", "element")
"""Kinds of commands that have no block."""


def check_blank_lines(source: SourceFile, items: Sequence[t.Item], trial: Trial) -> None:
    """Of the text, and of those that it includes."""
    has_any = _two_ends(source.text, 0, len(source.text)) is not None
    for item in _statements(items):
        if isinstance(item, t.Include):
            for file in item.files:
                check_blank_lines(file.source, file.items, trial)
        elif has_any:
            _check(source, item, trial)


def _statements(items: Sequence[t.Item]) -> Iterator[t.Item]:
    """Those that hold no others."""
    for item in items:
        if isinstance(item, t.Command) and item.kind not in _LINES:
            yield from _statements(item.body or ())
        elif isinstance(item, _WITH_SETS):
            yield item


def _two_ends(text: str, start: int, end: int) -> re.Match[str] | None:
    return next((each for each in _END.finditer(text, start, end) if each["second"]), None)


def _check(source: SourceFile, item: t.Item, trial: Trial) -> None:
    ends = _two_ends(source.text, item.start, item.end)
    if ends is None or any(isinstance(node, t.JumpBlock) for node in everything(item)):
        return
    at = Node(start=ends.end() - 1, end=ends.end())
    cause = "a blank line stands between the braces of a set"
    trial.refuse(checks.BLANK_LINE, source, at, cause, "delete the line, or begin it with `#`")
