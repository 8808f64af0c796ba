"""A fault that several places share is one finding, with the lines of the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from iptlint.findings.finding import Finding, Label
from iptlint.findings.fix import Fix
from iptlint.packets.describe.lists import listed

SHOWN = 5
"""So many of the other places are shown, and so many of their lines named."""


Tell = Callable[[Finding], Finding]
"""Makes of a finding that is shown one with all that it says."""


def grouped(findings: Iterable[Finding], tell: Tell = Finding.told) -> list[Finding]:
    """The first of several findings that are alike stands for all of them. ``findings`` come in
    the order they are reported in, and keep it."""
    findings = tuple(findings)
    groups: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[_key(finding)].append(finding)
    reported: list[Finding] = []
    for finding in findings:
        alike = groups[_key(finding)]
        if not finding.likeness or len(alike) == 1:
            reported.append(tell(finding))
        elif finding is alike[0]:
            reported.append(_together((tell(finding), *alike[1:])))
    return reported


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.span.source.path, finding.likeness


def _together(alike: Sequence[Finding]) -> Finding:
    gravest = min(alike, key=lambda finding: finding.severity.rank).severity
    first = alike[0]
    others = [other for other in alike[1:] if not _is_read_again(first, other)]
    if not others:
        return replace(first, severity=gravest)
    labels = [Label(other.span, _likewise(first, other)) for other in others[:SHOWN]]
    message = f"{first.message.rstrip('.')}; likewise {_places(first, others)}"
    related = (*first.related, *labels)
    fix = first.fix or next(map(_of_another, (finding for finding in others if finding.fix)), None)
    return replace(first, severity=gravest, message=message, related=related, fix=fix)


def _is_read_again(first: Finding, other: Finding) -> bool:
    """Whether it is of the same place, in a file that a script of the run loads."""
    return other.place == first.place and other.span.source is not first.span.source


def _of_another(finding: Finding) -> Fix:
    assert finding.fix is not None
    return replace(finding.fix, says=f"line {finding.span.line}: {finding.fix.says}")


def _likewise(first: Finding, other: Finding) -> str:
    """With the line that the other one speaks of, where that is not the first one's."""
    known = {label.span for label in first.related}
    places = [label.span for label in other.related[:1] if label.span not in known]
    return f"likewise, see line {places[0].line}" if places else "likewise"


def _places(first: Finding, others: Sequence[Finding]) -> str:
    """``line 7``, ``lines 7, 8 and 12``, ``lines 7, 8, 9, 10, 11 and 30 more``."""
    lines = [line for line in dict.fromkeys(f.span.line for f in others) if line != first.span.line]
    if len(lines) < len(others):  # several on one line
        return f"{len(others)} more"
    named = [str(line) for line in lines[:SHOWN]]
    rest = len(lines) - len(named)
    return f"{'line' if len(lines) == 1 else 'lines'} {listed([*named, *_more(rest)])}"


def _more(rest: int) -> tuple[str, ...]:
    return (f"{rest} more",) if rest else ()
