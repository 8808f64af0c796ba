"""Comments that say a finding is known and meant.

``# iptlint: ignore``, ``# iptlint: ignore=IPT101,IPT501 reason`` and ``# iptlint: ignore[IPT101]
reason`` speak for the next statement, or, behind a statement or in the comment of a rule, for
that one; ``ignore-chain`` speaks for the chain of the statement, ``ignore-file`` for the whole
file. A code may be a rule's name, or a prefix (``IPT1``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from iptlint.findings.directives import Directive, Reach, directives
from iptlint.findings.finding import Finding
from iptlint.source import SourceFile, Span

_NO_STATEMENT = re.compile(r"[ \t]*(?:#.*)?")
_IPTABLES_CHAIN = re.compile(r"(?::|(?:\[\d+:\d+\] )?-[AIP] )(\S+)")
_NFT_CHAIN = re.compile(r"\bchain\s+[^{]*\{")
_QUOTED = re.compile(r'"[^"\n]*"|#.*')


@dataclass(frozen=True, slots=True)
class Suppression:
    """``codes`` empty: every finding. ``lines``: of the statements, or the line of one that it
    stands in (``inside``); None: the whole file."""

    span: Span
    codes: tuple[str, ...]
    lines: frozenset[int] | None
    reason: str | None
    inside: bool = False

    def covers(self, finding: Finding, names: Mapping[str, str]) -> bool:
        """Whether it hides the finding; ``names`` maps the codes of rules to their names."""
        return self._names(finding, names) and self._is_for(finding.span)

    def is_beside(self, finding: Finding, names: Mapping[str, str]) -> bool:
        """Whether it speaks for something that the finding is about as well: the other one of two
        equal rules, whose comments are equal, too."""
        return self._names(finding, names) and any(
            self._is_for(each.span) for each in finding.related
        )

    def _is_for(self, span: Span) -> bool:
        if span.source is not self.span.source:
            return False
        if self.lines is None or span.line in self.lines:
            return True
        # A statement of several lines is told at its first one, and its comment is behind the last.
        return self.inside and any(span.line <= line <= span.end_line for line in self.lines)

    def _names(self, finding: Finding, names: Mapping[str, str]) -> bool:
        return not self.codes or any(
            finding.code.startswith(code.upper()) or names.get(finding.code) == code
            for code in self.codes
        )


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What ``comments`` left of the findings, what they hid, and which hid none. ``faulty`` look
    like such comments and are none."""

    comments: tuple[Suppression, ...]
    kept: tuple[Finding, ...]
    hidden: tuple[Finding, ...]
    unused: tuple[Suppression, ...]
    faulty: tuple[Directive, ...] = ()


def suppressions(directive: Directive) -> Suppression:
    """What a directive speaks for."""
    source, line = directive.span.source, directive.span.line
    statement = line if directive.inside else _next_statement(source, line)
    match directive.reach:
        case Reach.FILE:
            lines = None
        case Reach.CHAIN:
            lines = frozenset(_chain_around(source, statement))
        case Reach.STATEMENT:
            lines = frozenset({statement})
    inside = directive.inside and directive.reach is Reach.STATEMENT
    return Suppression(directive.span, directive.codes, lines, directive.reason, inside)


def _next_statement(source: SourceFile, line: int) -> int:
    """The first line below that is neither blank nor a comment, if there is one."""
    last = len(source.line_starts)
    below = range(line + 1, last + 1)
    return next((n for n in below if not _NO_STATEMENT.fullmatch(source.line_text(n))), last)


def _chain_around(source: SourceFile, line: int) -> Iterable[int]:
    """The lines of the chain that the statement on a line is of."""
    match = _IPTABLES_CHAIN.match(source.line_text(line).strip())
    return _of_iptables(source, line, match[1]) if match else _of_nft(source, line)


def _of_iptables(source: SourceFile, line: int, chain: str) -> Iterator[int]:
    """Every line of the table that begins with the chain."""
    last = len(source.line_starts)
    texts = {number: source.line_text(number).strip() for number in range(1, last + 1)}
    begin = max((n for n in range(1, line + 1) if texts[n].startswith("*")), default=1)
    end = min((n for n in range(line, last + 1) if texts[n] == "COMMIT"), default=last)
    for number in range(begin, end + 1):
        match = _IPTABLES_CHAIN.match(texts[number])
        if match and match[1] == chain:
            yield number


def _of_nft(source: SourceFile, line: int) -> Iterable[int]:
    """From ``chain x {`` to its closing brace; the line alone where it is in none."""
    plain = _QUOTED.sub(lambda match: " " * len(match[0]), source.text)
    start, end = source.line_starts[line - 1], source.line_starts[line - 1]
    end += len(source.line_text(line))
    for head in _NFT_CHAIN.finditer(plain):
        close = _closing(plain, head.end())
        if head.start() <= end and start <= close:
            return range(source.line_of(head.start()), source.line_of(close) + 1)
    return (line,)


def _closing(text: str, start: int) -> int:
    depth = 1
    for brace in re.finditer(r"[{}]", text[start:]):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return start + brace.start()
    return len(text)


def apply_suppressions(
    findings: Sequence[Finding], sources: Iterable[SourceFile], names: Mapping[str, str]
) -> Suppressed:
    """The findings that no comment hides."""
    written = [d for source in sources for d in directives(source, {*names.values()})]
    comments = [suppressions(each) for each in written if not each.fault]
    hiding = [[c for c in comments if c.covers(finding, names)] for finding in findings]
    kept = tuple(f for f, hidden_by in zip(findings, hiding, strict=True) if not hidden_by)
    hidden = tuple(f for f, hidden_by in zip(findings, hiding, strict=True) if hidden_by)
    used = {comment for hidden_by in hiding for comment in hidden_by}
    used |= {each for each in comments if any(each.is_beside(f, names) for f in hidden)}
    unused = tuple(comment for comment in comments if comment not in used)
    faulty = tuple(each for each in written if each.fault)
    return Suppressed(tuple(comments), kept, hidden, unused, faulty)
