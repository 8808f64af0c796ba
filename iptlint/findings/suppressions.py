"""Comments that say a finding is known and meant.

``# iptlint: ignore``, ``# iptlint: ignore=IPT101,IPT501 reason`` and ``# iptlint: ignore[IPT101]
reason`` speak for the next statement, or, behind a statement or in the comment of a rule, for
that one; ``ignore-chain`` speaks for the chain of the statement, ``ignore-file`` for the whole
file. A code may be a rule's name, or a prefix (``IPT1``).
"""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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

    def names(self, finding: Finding, names: Mapping[str, str]) -> bool:
        """Whether it means such findings; ``names`` maps the codes of rules to their names."""
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


class _Places:
    """Comments by the place that they speak for: there may be as many as findings."""

    def __init__(self, comments: Iterable[Suppression]) -> None:
        self._wide = defaultdict[SourceFile, list[Suppression]](list)
        self._by_line = defaultdict[tuple[SourceFile, int], list[Suppression]](list)
        self._inside = defaultdict[SourceFile, list[int]](list)
        for comment in comments:
            source, lines = comment.span.source, comment.lines
            if lines is None or len(lines) > 1:
                self._wide[source].append(comment)
                continue
            for line in lines:
                self._by_line[source, line].append(comment)
                if comment.inside:
                    insort(self._inside[source], line)

    def speaking_for(self, span: Span) -> Iterator[Suppression]:
        source, first, last = span.source, span.line, span.end_line
        yield from (c for c in self._wide.get(source, ()) if c.lines is None or first in c.lines)
        yield from self._by_line.get((source, first), ())
        # A statement of several lines is told at its first one, and its comment is behind the last.
        inside = self._inside.get(source, [])
        for line in inside[bisect_right(inside, first) : bisect_right(inside, last)]:
            yield from (c for c in self._by_line[source, line] if c.inside)


def _in_source(source: SourceFile, names: Collection[str]) -> Iterator[Directive | Suppression]:
    """Its comments, those that are faulty as they were written."""
    written = [*directives(source, names)]
    lines = range(1, len(source.line_starts) + 1) if written else ()
    statements = [n for n in lines if not _NO_STATEMENT.fullmatch(source.line_text(n))]
    for each in written:
        yield each if each.fault else _suppression(each, statements)


def _suppression(directive: Directive, statements: Sequence[int]) -> Suppression:
    """What a directive speaks for: behind, or above, one of the lines with statements."""
    source, line = directive.span.source, directive.span.line
    after = bisect_right(statements, line)
    below = statements[after] if after < len(statements) else len(source.line_starts)
    statement = line if directive.inside else below
    match directive.reach:
        case Reach.FILE:
            lines = None
        case Reach.CHAIN:
            lines = frozenset(_chain_around(source, statement))
        case Reach.STATEMENT:
            lines = frozenset({statement})
    inside = directive.inside and directive.reach is Reach.STATEMENT
    return Suppression(directive.span, directive.codes, lines, directive.reason, inside)


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
    written = [each for source in sources for each in _in_source(source, {*names.values()})]
    comments = [each for each in written if isinstance(each, Suppression)]
    places = _Places(comments)

    def meant(finding: Finding, span: Span) -> list[Suppression]:
        return [each for each in places.speaking_for(span) if each.names(finding, names)]

    hiding = [meant(finding, finding.span) for finding in findings]
    kept = tuple(f for f, hidden_by in zip(findings, hiding, strict=True) if not hidden_by)
    hidden = tuple(f for f, hidden_by in zip(findings, hiding, strict=True) if hidden_by)
    used = {comment for hidden_by in hiding for comment in hidden_by}
    # The other one of two equal rules has an equal comment.
    used.update(c for f in hidden for label in f.related for c in meant(f, label.span))
    unused = tuple(comment for comment in comments if comment not in used)
    faulty = tuple(each for each in written if isinstance(each, Directive))
    return Suppressed(tuple(comments), kept, hidden, unused, faulty)
