"""A fault that many places share is one finding, with the count and a few of the places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from iptlint.findings.finding import Finding, Label

MANY = 6
"""As many alike, or more, are reported as one."""

_SHOWN = 3


def grouped(findings: Iterable[Finding]) -> list[Finding]:
    """The first of many findings that are alike stands for all of them. ``findings`` come in the
    order they are reported in, and keep it."""
    findings = tuple(findings)
    groups: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[_key(finding)].append(finding)
    reported: list[Finding] = []
    for finding in findings:
        alike = groups[_key(finding)]
        if not _is_one(alike):
            reported.append(finding)
        elif finding is alike[0]:
            reported.append(_together(alike))
    return reported


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.span.source.path, finding.likeness


def _is_one(alike: Sequence[Finding]) -> bool:
    return len(alike) >= MANY and alike[0].likeness != ""


def _together(alike: Sequence[Finding]) -> Finding:
    gravest = min(alike, key=lambda finding: finding.severity.rank).severity
    first, *others = alike
    labels = [Label(other.span, "likewise") for other in others[:_SHOWN]]
    message = f"{first.message.rstrip('.')}; {len(others)} more are like it"
    return replace(first, severity=gravest, message=message, related=(*first.related, *labels))
