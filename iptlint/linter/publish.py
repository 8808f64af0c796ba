"""Which of the findings are shown, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iptlint.findings import Finding
from iptlint.findings.grouping import Tell, grouped
from iptlint.findings.mirrored import mirrored
from iptlint.findings.suppressions import Suppressed, apply_suppressions, written
from iptlint.linter.applicability import applies_to, qualified
from iptlint.linter.selection import Selection
from iptlint.model.quotes import MOST_OF_A_WORD, shortened
from iptlint.rules.reading import left_out
from iptlint.rules.registry import meta_of, names, rules
from iptlint.source import SourceFile

if TYPE_CHECKING:
    from iptlint.model.host import Host


@dataclass(frozen=True, slots=True)
class Published:
    """``suppressed``: how many more there would be without comments. ``each``: the findings before
    those that are alike were made one. ``hidden``: what comments hide. ``yielded``: those that
    another finding of the same cause takes the place of."""

    findings: tuple[Finding, ...]
    suppressed: int
    each: tuple[Finding, ...]
    hidden: tuple[Finding, ...] = ()
    yielded: tuple[Finding, ...] = ()


def publish(
    findings: Sequence[Finding],
    crashes: Sequence[Finding],
    sources: Sequence[SourceFile],
    selection: Selection,
    host: Host | None,
    tell: Tell,
    most: int | None = None,
) -> Published:
    """The findings that no other takes the place of, that concern the host, and that neither a
    comment nor the selection hides. ``sources``: those that may hold such comments; ``most``: as
    for ``as_shown``."""
    unheard = selection.running - selection.heard
    shown, yielded = _parted(findings)
    findings = [each for each in shown if each.code not in unheard]
    if host is not None:
        findings = [qualified(host, each) for each in findings if applies_to(host, each, tell)]
    once = _once(_own_first((*findings, *crashes), sources), tell)
    suppressed = _suppressed(once, sources, selection.heard)
    kept = in_order(f for f in suppressed.kept if f.code in selection.shown)
    hidden = in_order(f for f in suppressed.hidden if f.code in selection.shown)
    return Published(
        as_shown(kept, tell, most),
        len(hidden),
        tuple(kept),
        tuple(_readable(tell(each)) for each in hidden),
        tuple(each for each in yielded if each.code in selection.shown),
    )


def as_shown(
    each: Iterable[Finding], tell: Tell = Finding.told, most: int | None = None
) -> tuple[Finding, ...]:
    """The findings that are shown: of those that are alike, also over both families, the first.
    ``most``: no more are wanted of rules for one family, the gravest of them."""
    return tuple(map(_readable, mirrored(grouped(each, tell, most))))


def _readable(finding: Finding) -> Finding:
    """What it quotes of the text is no longer than anybody reads."""
    texts = (finding.message, finding.help, *(label.message for label in finding.related))
    if all(len(text) <= MOST_OF_A_WORD for text in texts):
        return finding
    related = tuple(replace(each, message=shortened(each.message)) for each in finding.related)
    return replace(
        finding,
        message=shortened(finding.message),
        advice=shortened(finding.advice),
        fix=finding.fix and replace(finding.fix, says=shortened(finding.fix.says)),
        related=related,
    )


def fewer(findings: Sequence[Finding], most: int | None) -> tuple[Finding, ...]:
    """No more than ``most``, the gravest of them, and one more that says which are missing."""
    if most is None or len(findings) <= most:
        return tuple(findings)
    ranked = sorted(range(len(findings)), key=lambda number: findings[number].severity.rank)
    shown = [findings[number] for number in sorted(ranked[:most])]
    hidden = [findings[number] for number in sorted(ranked[most:])]
    return (*shown, left_out(shown, hidden))


def _parted(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """One cause is one finding: those that are told, and those of a cause that a rule they yield to
    tells of, whether that finding is shown or not."""
    reported = {(finding.code, cause) for finding in findings for cause in finding.causes}
    shown: list[Finding] = []
    yielded: list[Finding] = []
    for finding in findings:
        yields = any(
            (code, cause) in reported
            for code in meta_of(finding).yields_to
            for cause in finding.causes
        )
        (yielded if yields else shown).append(finding)
    return shown, yielded


def _suppressed(
    findings: Sequence[Finding], sources: Sequence[SourceFile], ran: Collection[str]
) -> Suppressed:
    """What the comments leave of the findings, and of those about the comments."""
    comments = written(sources, names())
    first = apply_suppressions(findings, comments, names())
    checks = (rule.check_comments for rule in rules())
    about_comments = [f for check in checks if check is not None for f in check(first, ran)]
    second = apply_suppressions(about_comments, comments, names())
    return Suppressed(
        first.comments,
        (*first.kept, *second.kept),
        (*first.hidden, *second.hidden),
        first.unused,
        first.faulty,
    )


def _own_first(findings: Sequence[Finding], sources: Sequence[SourceFile]) -> list[Finding]:
    """Before those of a file as some script of the run loads it stand those of the file itself."""
    return sorted(findings, key=lambda finding: finding.span.source not in sources)


def _once(findings: Sequence[Finding], tell: Tell) -> list[Finding]:
    """Without those that say the same of the same place: a fault of an inet table is one of ip
    and of ip6, and one of a file that a script of the run loads is told of the file."""
    places = Counter((f.code, f.place) for f in findings)
    told = (f if places[f.code, f.place] == 1 else tell(f) for f in findings)
    return list({(f.code, f.place, f.message): f for f in reversed([*told])}.values())[::-1]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By path, line and code."""
    return sorted(findings, key=_order)


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those of one severity stay in their order."""
    return tuple(sorted(findings, key=lambda finding: finding.severity.rank))


def _order(finding: Finding) -> tuple[str, int, str, int]:
    return finding.span.source.path, finding.span.line, finding.code, finding.span.start
