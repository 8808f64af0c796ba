"""A fault that several places share is one finding, with the lines of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from iptlint.findings.finding import Finding, Label, Severity
from iptlint.findings.fix import Fix
from iptlint.packets.describe.lists import listed

SHOWN = 5
"""So many of the other places are shown, and so many of their lines named."""


Tell = Callable[[Finding], Finding]
"""Makes of a finding that is shown one with all that it says."""


def grouped(
    findings: Iterable[Finding], tell: Tell = Finding.told, most: int | None = None
) -> list[Finding]:
    """The first of several findings that are alike stands for all of them. ``findings`` come in
    the order they are reported in, and keep it. ``most``: so many are shown, the gravest of them;
    the others need not say all that there is."""
    several = _groups(findings)
    shown = range(len(several)) if most is None else _gravest(several, most)
    return [
        _together(alike, tell(alike[0]) if number in shown else alike[0])
        for number, alike in enumerate(several)
    ]


def _groups(findings: Iterable[Finding]) -> list[list[Finding]]:
    groups: list[list[Finding]] = []
    by_key: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        known = by_key.get(_key(finding)) if finding.likeness else None
        if known is not None:
            known.append(finding)
            continue
        groups.append([finding])
        if finding.likeness:
            by_key[_key(finding)] = groups[-1]
    return groups


def _gravest(groups: Sequence[Sequence[Finding]], most: int) -> frozenset[int]:
    ranked = sorted(range(len(groups)), key=lambda number: _gravity(groups[number]).rank)
    return frozenset(ranked[:most])


def _gravity(alike: Sequence[Finding]) -> Severity:
    return min((finding.severity for finding in alike), key=lambda severity: severity.rank)


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.span.source.path, finding.likeness


def _together(alike: Sequence[Finding], first: Finding) -> Finding:
    """``first``: the first of them, with what is said of it."""
    if len(alike) == 1:
        return first
    gravest = _gravity(alike)
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
