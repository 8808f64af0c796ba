"""What a lint rule says of a host's IPv4 and IPv6 packets, as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from iptlint.analysis.includes import has_unseen_includes
from iptlint.analysis.script_lockouts import leaves_rules
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import IP_VERSIONS, Family, Ruleset
from iptlint.netfilter.firewall import Hooks
from iptlint.source import Span


def for_each_family(
    context: Context, check: Callable[[Hooks], Iterator[Finding]]
) -> Iterator[Finding]:
    """What ``check`` says of the packets of each family of each ruleset. Where tables are for
    both families, what holds for one of them only says so; and where the text includes files
    that are not there to be read, nothing is certain."""
    for ruleset in context.rulesets:
        findings = [*_findings(context, ruleset, check)]
        if findings and _lacks_files(ruleset):
            findings = [*map(_unless_included, findings)]
        elif findings and leaves_rules(ruleset):
            findings = [*map(_unless_before, findings)]
        yield from findings


def gravest(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Without those that stand where a graver one does and are mended by the same, as what is of
    some packets over IPv4 and of all over IPv6."""
    found = tuple(findings)
    ranks: dict[tuple[Span, str], int] = {}
    for each in found:
        place = (each.span, each.help)
        ranks[place] = min(each.severity.rank, ranks.get(place, each.severity.rank))
    yield from (each for each in found if each.severity.rank == ranks[each.span, each.help])


def _lacks_files(ruleset: Ruleset) -> bool:
    script = ruleset.script
    return (script is not None and script.lacks_rules) or has_unseen_includes(ruleset)


def _findings(
    context: Context, ruleset: Ruleset, check: Callable[[Hooks], Iterator[Finding]]
) -> Iterator[Finding]:
    all_hooks = {family: context.hooks(ruleset, family) for family in IP_VERSIONS}
    by_family = {
        family: [*check(hooks)] for family, hooks in all_hooks.items() if hooks is not None
    }
    shared = Family.INET in ruleset.families
    for family, findings in by_family.items():
        others = (f for other, several in by_family.items() if other is not family for f in several)
        both = {(other.span, other.message) for other in others}
        for finding in findings:
            if not shared or (finding.span, finding.message) in both:
                yield finding
            else:
                yield replace(finding, message=f"over {IP_VERSIONS[family]}, {finding.message}")


def _unless_before(finding: Finding) -> Finding:
    """A script that takes nothing away puts its rules behind, or before, those that are there."""
    if "unless" in finding.message:
        return finding
    message = f"{finding.message}, unless a rule from before the script decides otherwise"
    return replace(finding, message=message)


_LESS = {Severity.ERROR: Severity.WARNING, Severity.WARNING: Severity.INFO}


def _unless_included(finding: Finding) -> Finding:
    return replace(
        finding,
        message=f"{finding.message}, unless one of the included files, which are not here, says "
        "otherwise",
        severity=_LESS.get(finding.severity, finding.severity),
        confidence=Confidence.POSSIBLE,
    )
