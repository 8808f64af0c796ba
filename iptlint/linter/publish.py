"""Which of the findings are shown, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from iptlint.findings import Finding
from iptlint.findings.grouping import grouped
from iptlint.findings.suppressions import Suppressed, apply_suppressions
from iptlint.linter.applicability import applies_to, qualified
from iptlint.linter.selection import Selection
from iptlint.model.host import Host
from iptlint.rules.reading import left_out
from iptlint.rules.registry import meta_of, names, rules
from iptlint.source import SourceFile


@dataclass(frozen=True, slots=True)
class Published:
    """``suppressed``: how many more there would be without comments."""

    findings: tuple[Finding, ...]
    suppressed: int


def publish(
    findings: Sequence[Finding],
    crashes: Sequence[Finding],
    sources: Sequence[SourceFile],
    selection: Selection,
    host: Host | None,
) -> Published:
    """The findings that no other takes the place of, that concern the host, and that neither a
    comment nor the selection hides. ``sources``: those that may hold such comments."""
    unheard = selection.running - selection.heard
    findings = [each for each in _without_yielding(findings) if each.code not in unheard]
    if host is not None:
        findings = [qualified(host, each) for each in findings if applies_to(host, each)]
    suppressed = _suppressed(_once((*findings, *crashes)), sources, selection.heard)
    kept = [each for each in suppressed.kept if each.code in selection.shown]
    return Published(
        tuple(grouped(sorted(kept, key=_order))),
        sum(each.code in selection.shown for each in suppressed.hidden),
    )


def fewer(findings: Sequence[Finding], most: int | None) -> tuple[Finding, ...]:
    """No more than ``most``, the gravest of them, and one more that says which are missing."""
    if most is None or len(findings) <= most:
        return tuple(findings)
    ranked = sorted(range(len(findings)), key=lambda number: findings[number].severity.rank)
    shown = [findings[number] for number in sorted(ranked[:most])]
    hidden = [findings[number] for number in sorted(ranked[most:])]
    return (*shown, left_out(shown, hidden))


def _without_yielding(findings: Sequence[Finding]) -> list[Finding]:
    """One cause is one finding: without those of a cause that a rule they yield to tells of,
    whether that finding is shown or not."""
    reported = {(finding.code, cause) for finding in findings for cause in finding.causes}
    return [
        finding
        for finding in findings
        if not any(
            (code, cause) in reported
            for code in meta_of(finding).yields_to
            for cause in finding.causes
        )
    ]


def _suppressed(
    findings: Sequence[Finding], sources: Sequence[SourceFile], ran: Collection[str]
) -> Suppressed:
    """What the comments leave of the findings, and of those about the comments."""
    first = apply_suppressions(findings, sources, names())
    checks = (rule.check_comments for rule in rules())
    about_comments = [f for check in checks if check is not None for f in check(first, ran)]
    second = apply_suppressions(about_comments, sources, names())
    return Suppressed(
        first.comments,
        (*first.kept, *second.kept),
        (*first.hidden, *second.hidden),
        first.unused,
    )


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """Without those that say the same of the same place: a fault of an inet table is one of ip
    and of ip6."""
    return list({(f.code, f.span, f.message): f for f in reversed([*findings])}.values())[::-1]


def _order(finding: Finding) -> tuple[str, int, str, int]:
    return finding.span.source.path, finding.span.line, finding.code, finding.span.start
