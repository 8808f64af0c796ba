"""Remarks (``#``) about rules, which both languages write alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile

from iptlint.dialects.written_lists import bare
from iptlint.model import Chain, Rule
from iptlint.source import SourceFile, Span

_BLOCK_ENDS = re.compile(r"\s*(?:$|[*:]|COMMIT\b|[{}]|(?:table|chain|set|map|type|policy)\b)")
_STAMP = re.compile(r"\s*# (?:Generated|Completed) (?:by|on) ")

_RULE_LEFT_OUT = re.compile(
    r"\s*+#++\s*+(?:-[AIDRN]\s|(?:\S*/)?(?:ip6?tables|nft)\b|\$\w+\s+-"
    r"|(?:tcp|udp|ip6?|[io]if(?:name)?|ct|meta|th)\s.*\b(?:accept|drop|reject|jump|goto)\b)"
)
"""A remark that is a rule which is not to count."""


def of_block(rule: Rule) -> bool:
    """Whether a remark is on the rule's line, or above the block of lines that it is in."""
    span = rule.statement.span
    return _remarked(span.source)[span.line - 1]


def has_rules_left_out(chain: Chain) -> bool:
    """Whether a remark has a rule for the chain: right below the line that declares it, where nft
    has its rules, or with its name, as iptables has them."""
    if chain.origin is None:
        return False
    source, line = chain.origin.span.source, chain.origin.span.end_line
    named = re.compile(rf"\s*#.*\s(?:-[AI]|--append|--insert)[ \t]+{re.escape(chain.name)}\s")
    return any(_RULE_LEFT_OUT.match(text) for text in _remarks_below(source, line)) or any(
        map(named.match, source.text.split("\n"))
    )


def _remarks_below(source: SourceFile, line: int) -> Iterator[str]:
    """In the block that opens on the line."""
    below = source.text.split("\n")[line:] if source.line_text(line).rstrip().endswith("{") else []
    return takewhile(lambda text: not text.strip() or text.lstrip().startswith("#"), below)


def paragraph(rule: Rule) -> int:
    """Equal for rules that people wrote together: without an empty line or a remark between, and
    without a remark behind one of them."""
    span = rule.origin.span
    return -span.line if _behind(span) else _paragraphs(span.source)[span.line - 1]


def beside(rule: Rule) -> str:
    """The words of the remarks on the rule's line and right above it, but for those on a rule that
    is left out, which stands between."""
    span = rule.origin.span
    if not _has_remarks(span.source):
        return ""
    above: list[str] = []
    for line in range(span.line - 1, 0, -1):
        text = span.source.line_text(line)
        if not text.lstrip().startswith("#") or _RULE_LEFT_OUT.match(text):
            break
        above.append(text)
    return "\n".join((*reversed(above), _behind(span)))


def _behind(span: Span) -> str:
    """The remark at the end of the rule's line, if there is one."""
    if not _has_remarks(span.source):
        return ""
    rest = span.source.line_text(span.end_line)[span.end_column - 1 :].lstrip(" \t;")
    return rest if rest.startswith("#") else ""


@lru_cache(maxsize=8)
def _has_remarks(source: SourceFile) -> bool:
    return "#" in source.text


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


@lru_cache(maxsize=8)
def _paragraphs(source: SourceFile) -> tuple[int, ...]:
    """For each line the first one of its paragraph."""
    first, numbers = 1, list[int]()
    for number, line in enumerate(source.text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            first = number
        numbers.append(first)
    return tuple(numbers)
