"""The line that counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.report import Report
from iptlint.reports.formats import Look
from iptlint.reports.headline import head
from iptlint.reports.safe import wrapped
from iptlint.rules.registry import names

NOUNS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def summary(report: Report) -> str:
    """``3 findings (1 error, 2 info), 1 suppressed, in 2 files; 1 can be fixed with --fix``"""
    each = Counter(finding.severity for finding in report.findings)
    listed = ", ".join(count(each[s], NOUNS[s]) for s in Severity if each[s])
    total = count(len(report.findings), "finding") + (f" ({listed})" if listed else "")
    hidden = f", {report.suppressed} suppressed," if report.suppressed else ""
    return f"{total}{hidden} in {count(len(report.files), 'file')}{_fixable(report)}"


def _fixable(report: Report) -> str:
    safe, others = fixable(report)
    counts = ((safe, "--fix"), (others, "--unsafe-fixes"))
    said = [f"{number} can be fixed with {option}" for number, option in counts if number]
    return "".join(f"; {each}" for each in said)


def fixable(report: Report) -> tuple[int, int]:
    """How many findings have a fix that is safe, and how many one that is not."""
    fixes = [finding.fix for finding in report.each if finding.fix is not None]
    safe = sum(fix.safe for fix in fixes)
    return safe, len(fixes) - safe


_FEW = 4
_BEFORE_OTHERS = ("IPT0", "IPT3", "IPT2", "IPT6", "IPT7", "IPT8")
"""Of findings that are as grave: a file that is not loaded protects nobody, and who is locked out
mends nothing; then what cuts connections off, and what stands open."""


def start_with(report: Report) -> Iterator[str]:
    """Which of many findings comes first, for somebody at the end of a long text."""
    if len(report.findings) > _FEW:
        first = min(report.findings, key=_urgency)
        name = names().get(first.code, "")
        place = f"{first.span.source.path}:{first.span.line}"
        yield f"start with {place}: {first.severity.value} {first.code} {name}".rstrip()


def _urgency(finding: Finding) -> tuple[int, bool, int]:
    group = finding.code[:4]
    return (
        finding.severity.rank,
        finding.confidence is Confidence.POSSIBLE,
        _BEFORE_OTHERS.index(group) if group in _BEFORE_OTHERS else len(_BEFORE_OTHERS),
    )


def closing(report: Report, look: Look) -> list[str]:
    """The same as the last block of a text, with what no rule follows; nothing where that is to be
    quiet."""
    if look.quiet:
        return []
    hidden = (f"suppressed: {head(finding)}" for finding in report.hidden)
    notes = (f"{file.path}: {note}" for file in report.files for note in file.notes)
    lines = (
        wrapped(line, look.columns)
        for line in (*hidden, summary(report), *start_with(report), *notes)
    )
    return ["\n".join(part for line in lines for part in line)]


def count(number: int, noun: str) -> str:
    plural = "" if number == 1 or noun == "info" else "s"
    return f"{number or 'no'} {noun}{plural}"
