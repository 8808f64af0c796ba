"""The line that counts."""

from __future__ import annotations

from collections import Counter

from iptlint.findings import Severity
from iptlint.linter.report import Report
from iptlint.reports.formats import Look
from iptlint.reports.headline import head
from iptlint.reports.safe import wrapped

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


def closing(report: Report, look: Look) -> list[str]:
    """The same as the last block of a text, with what no rule follows; nothing where that is to be
    quiet."""
    if look.quiet:
        return []
    hidden = (f"suppressed: {head(finding)}" for finding in report.hidden)
    notes = (f"{file.path}: {note}" for file in report.files for note in file.notes)
    lines = (wrapped(line, look.columns) for line in (*hidden, summary(report), *notes))
    return ["\n".join(part for line in lines for part in line)]


def count(number: int, noun: str) -> str:
    plural = "" if number == 1 or noun == "info" else "s"
    return f"{number or 'no'} {noun}{plural}"
