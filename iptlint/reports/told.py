"""The findings of a report with what every format says of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from iptlint.findings import Confidence, Finding
from iptlint.findings.fingerprint import fingerprints
from iptlint.linter.report import Report
from iptlint.rules.registry import RuleModule, rule_of


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, its rule, and what stays the same of it when lines move."""

    finding: Finding
    rule: RuleModule
    fingerprint: str

    @property
    def title(self) -> str:
        """``IPT101 shadowed-rule``"""
        return f"{self.finding.code} {self.rule.meta.name}"

    @property
    def sentence(self) -> str:
        """The message, with a word of doubt where it is not proved."""
        possible = self.finding.confidence is Confidence.POSSIBLE
        return f"{'possibly: ' if possible else ''}{self.finding.message}"

    @property
    def lines(self) -> tuple[str, ...]:
        """The sentence and, if there is any, what to do."""
        return (self.sentence, *self.finding.to_do)


def told(report: Report) -> tuple[Told, ...]:
    """In the order of the report."""
    findings = zip(report.findings, fingerprints(report.findings), strict=True)
    return tuple(Told(finding, rule_of(finding.code), mark) for finding, mark in findings)


def worst_first(several: Iterable[Told]) -> list[Told]:
    """By severity, then what is proved; else in their order."""
    return sorted(
        several,
        key=lambda e: (e.finding.severity.rank, e.finding.confidence is Confidence.POSSIBLE),
    )
