"""Remarks (``#``) about rules, which both languages write alike."""

from __future__ import annotations

import re
from functools import lru_cache

from iptlint.dialects.written_lists import bare
from iptlint.model import Rule
from iptlint.source import SourceFile

_BLOCK_ENDS = re.compile(r"\s*(?:$|[*:]|COMMIT\b|[{}]|(?:table|chain|set|map|type|policy)\b)")
_STAMP = re.compile(r"\s*# (?:Generated|Completed) (?:by|on) ")


def of_block(rule: Rule) -> bool:
    """Whether a remark is on the rule's line, or above the block of lines that it is in."""
    span = rule.statement.span
    return _remarked(span.source)[span.line - 1]


def of_rule(rule: Rule) -> bool:
    """Whether a remark is on the rule's line, or on the one above it."""
    span = rule.origin.span
    above = span.source.line_text(span.line - 1).lstrip() if span.line > 1 else ""
    behind = span.source.line_text(span.end_line)[span.end_column - 1 :].lstrip(" \t;")
    return above.startswith("#") or behind.startswith("#")


@lru_cache(maxsize=8)
def _remarked(source: SourceFile) -> tuple[bool, ...]:
    """For each line, whether a remark is on it, or above the block of lines that it is in."""
    remarked: list[bool] = []
    above = False
    for line in source.text.split("\n"):
        if line.lstrip().startswith("#"):
            above = _STAMP.match(line) is None
        elif _BLOCK_ENDS.match(line):
            above = False
        behind = "#" in line and "#" not in bare(line)
        remarked.append(above or behind)
    return tuple(remarked)
