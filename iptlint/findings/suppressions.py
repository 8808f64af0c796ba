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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from iptlint.findings.chain_lines import ChainLines, Lines
from iptlint.findings.directives import Directive, Reach, directives
from iptlint.findings.finding import Finding
from iptlint.source import SourceFile, Span

_NO_STATEMENT = re.compile(r"[ \t]*(?:#.*)?")


@dataclass(frozen=True, slots=True)
class Suppression:
    """``codes`` empty: every finding. ``lines``: of the statements, or the line of one that it
    stands in (``inside``); None: the whole file."""

    span: Span
    codes: tuple[str, ...]
    lines: Lines | None
    reason: str | None
    inside: bool = False

    def names(self, found: str, names: Mapping[str, str]) -> bool:
        """Whether it means findings of that code; ``names`` maps the codes of rules to names."""
        return not self.codes or any(
            found.startswith(code.upper()) or names.get(found) == code for code in self.codes
        )


Written = tuple[Directive | Suppression, ...]
"""Comments, those that are faulty as they were written."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What ``comments`` left of the findings, what they hid, and which hid none. ``faulty`` look
    like such comments and are none."""

    comments: tuple[Suppression, ...]
    kept: tuple[Finding, ...]
    hidden: tuple[Finding, ...]
    unused: tuple[Suppression, ...]
    faulty: tuple[Directive, ...] = ()


_Spoken = tuple[SourceFile, Lines | int | None]
"""What a comment speaks for: the whole source, lines of a chain, or the statement on a line."""


class _Comments:
    """By what they speak for: there may be as many as findings, and all of them for each."""

    def __init__(self, comments: Iterable[Suppression], names: Mapping[str, str]) -> None:
        self._names = names
        self._speaking = defaultdict[_Spoken, list[Suppression]](list)
        self._chains = defaultdict[tuple[SourceFile, int], list[Lines]](list)
        self._inside = defaultdict[SourceFile, list[int]](list)
        self._hide: dict[tuple[_Spoken, str, bool], bool] = {}
        self.used: set[Suppression] = set()
        """Those that hid something."""
        for comment in comments:
            source, lines = comment.span.source, comment.lines
            if lines is not None and len(lines) == 1:
                (line,) = lines
                self._speaking[source, line].append(comment)
                if comment.inside:
                    insort(self._inside[source], line)
                continue
            speaking = self._speaking[source, lines]
            if lines is not None and not speaking:
                for line in lines:
                    self._chains[source, line].append(lines)
            speaking.append(comment)

    def hide(self, finding: Finding, span: Span) -> bool:
        """Whether comments hide the finding, at this place; all that do are used then."""
        return any([*self._hidden(finding.code, span)])

    def _hidden(self, code: str, span: Span) -> Iterator[bool]:
        source, first, last = span.source, span.line, span.end_line
        yield self._by((source, None), code)
        yield from (
            self._by((source, lines), code) for lines in self._chains.get((source, first), ())
        )
        yield self._by((source, first), code)
        # A statement of several lines is told at its first one, and its comment is behind the last.
        inside = self._inside.get(source, [])
        for line in dict.fromkeys(inside[bisect_right(inside, first) : bisect_right(inside, last)]):
            yield self._by((source, line), code, inside=True)

    def _by(self, spoken: _Spoken, code: str, *, inside: bool = False) -> bool:
        key = spoken, code, inside
        if key not in self._hide:
            speaking = (c for c in self._speaking.get(spoken, ()) if c.inside or not inside)
            hiding = [each for each in speaking if each.names(code, self._names)]
            self.used.update(hiding)
            self._hide[key] = bool(hiding)
        return self._hide[key]


def _in_source(source: SourceFile, names: Collection[str]) -> Iterator[Directive | Suppression]:
    found = [*directives(source, names)]
    lines = range(1, len(source.line_starts) + 1) if found else ()
    statements = [n for n in lines if not _NO_STATEMENT.fullmatch(source.line_text(n))]
    chains = cache(lambda: ChainLines(source))
    for each in found:
        yield each if each.fault else _suppression(each, statements, chains)


def _suppression(
    directive: Directive, statements: Sequence[int], chains: Callable[[], ChainLines]
) -> Suppression:
    """What a directive speaks for: behind, or above, one of the lines with statements."""
    source, line = directive.span.source, directive.span.line
    after = bisect_right(statements, line)
    below = statements[after] if after < len(statements) else len(source.line_starts)
    statement = line if directive.inside else below
    match directive.reach:
        case Reach.FILE:
            lines = None
        case Reach.CHAIN:
            lines = chains().around(statement)
        case Reach.STATEMENT:
            lines = frozenset({statement})
    inside = directive.inside and directive.reach is Reach.STATEMENT
    return Suppression(directive.span, directive.codes, lines, directive.reason, inside)


def written(sources: Iterable[SourceFile], names: Mapping[str, str]) -> Written:
    """All comments of the sources."""
    return tuple(each for source in sources for each in _in_source(source, {*names.values()}))


def apply_suppressions(
    findings: Sequence[Finding], written: Written, names: Mapping[str, str]
) -> Suppressed:
    """The findings that no comment hides."""
    comments = [each for each in written if isinstance(each, Suppression)]
    speaking = _Comments(comments, names)
    kept, hidden = list[Finding](), list[Finding]()
    for finding in findings:
        (hidden if speaking.hide(finding, finding.span) else kept).append(finding)
    # The other one of two equal rules has an equal comment.
    for finding in hidden:
        for label in finding.related:
            speaking.hide(finding, label.span)
    unused = tuple(comment for comment in comments if comment not in speaking.used)
    faulty = tuple(each for each in written if isinstance(each, Directive))
    return Suppressed(tuple(comments), tuple(kept), tuple(hidden), unused, faulty)
