"""Comments that say a finding is known and meant.

``# iptlint: ignore`` and ``# iptlint: ignore=IPT101,IPT501 reason`` speak for the next
statement; ``# iptlint: ignore-file`` and ``# iptlint: ignore-file=IPT101`` for the whole
file. A code may be a rule's name, or a prefix (``IPT1``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from iptlint.findings.finding import Finding
from iptlint.source import SourceFile, Span

_COMMENT = re.compile(
    r"^[ \t]*#[ \t]*iptlint:[ \t]*ignore(?P<file>-file)?"
    r"(?:[ \t]*=[ \t]*(?P<codes>[\w-]+(?:[ \t]*,[ \t]*[\w-]+)*))?"
    r"(?:[ \t]+(?P<reason>\S.*?))?[ \t\r]*$",
    re.MULTILINE,
)
_NO_STATEMENT = re.compile(r"[ \t]*(?:#.*)?")


@dataclass(frozen=True, slots=True)
class Suppression:
    """``codes`` empty: every finding. ``line``: of the statement; None: the whole file."""

    span: Span
    codes: tuple[str, ...]
    line: int | None
    reason: str | None

    def covers(self, finding: Finding, names: Mapping[str, str]) -> bool:
        """Whether it hides the finding; ``names`` maps the codes of rules to their names."""
        if finding.span.source is not self.span.source:
            return False
        if self.line is not None and self.line != finding.span.line:
            return False
        return not self.codes or any(
            finding.code.startswith(code.upper()) or names.get(finding.code) == code
            for code in self.codes
        )


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What ``comments`` left of the findings, what they hid, and which hid none."""

    comments: tuple[Suppression, ...]
    kept: tuple[Finding, ...]
    hidden: tuple[Finding, ...]
    unused: tuple[Suppression, ...]


def suppressions(source: SourceFile) -> Iterator[Suppression]:
    """The suppression comments of a source, in order."""
    for match in _COMMENT.finditer(source.text):
        span = Span(source, match.start(), match.end())
        codes = tuple(code.strip() for code in (match["codes"] or "").split(",") if code.strip())
        line = None if match["file"] else _next_statement(source, span.line)
        yield Suppression(span, codes, line, match["reason"])


def _next_statement(source: SourceFile, line: int) -> int:
    """The first line below that is neither blank nor a comment, if there is one."""
    last = len(source.line_starts)
    below = range(line + 1, last + 1)
    return next((n for n in below if not _NO_STATEMENT.fullmatch(source.line_text(n))), last)


def apply_suppressions(
    findings: Sequence[Finding], sources: Iterable[SourceFile], names: Mapping[str, str]
) -> Suppressed:
    """The findings that no comment hides."""
    comments = [comment for source in sources for comment in suppressions(source)]
    hiding = [[c for c in comments if c.covers(finding, names)] for finding in findings]
    kept = tuple(f for f, hidden_by in zip(findings, hiding, strict=True) if not hidden_by)
    hidden = tuple(f for f, hidden_by in zip(findings, hiding, strict=True) if hidden_by)
    used = {comment for hidden_by in hiding for comment in hidden_by}
    unused = tuple(comment for comment in comments if comment not in used)
    return Suppressed(tuple(comments), kept, hidden, unused)
