"""Workflow commands that GitHub shows as annotations beside the lines.

Of one step GitHub shows ten errors, ten warnings and ten notices; the rest is told in the log.
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.findings import Severity
from iptlint.linter.report import Report
from iptlint.reports.from_root import shown_from_root
from iptlint.reports.safe import visible
from iptlint.reports.summary import NOUNS, count
from iptlint.reports.told import Told, told, worst_first

SHOWN = 10
"""Annotations of one kind."""

_KINDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_IN_TEXT = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
_OLD_COMMAND = "##["
"""Anywhere in a line the runner takes it for the beginning of a command."""


def github_report(report: Report) -> str:
    """The worst first; nothing of a file can be a command of its own."""
    ranked = worst_first(told(report))
    by_severity = ((s, [e for e in ranked if e.finding.severity is s]) for s in Severity)
    lines = [line for severity, several in by_severity for line in _of_kind(severity, several)]
    return "".join(f"{line}\n" for line in lines)


def _of_kind(severity: Severity, several: Sequence[Told]) -> Iterator[str]:
    yield from map(_annotation, several[:SHOWN])
    left = several[SHOWN:]
    if left:
        yield f"+{count(len(left), f'more {NOUNS[severity]}')} without an annotation:"
        yield from (f"+ {_safe(_in_the_log(entry))}" for entry in left)


def _annotation(entry: Told) -> str:
    span = entry.finding.span
    properties = {
        "file": shown_from_root(span.source.path),
        "line": str(span.line),
        "endLine": str(span.end_line),
        "col": str(span.column),
        "endColumn": str(span.end_column),
        "title": entry.title,
    }
    listed = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
    text = "\n".join(map(visible, entry.lines)).translate(_IN_TEXT)
    return f"::{_KINDS[entry.finding.severity]} {listed}::{_safe(text)}"


def _in_the_log(entry: Told) -> str:
    span = entry.finding.span
    place = f"{shown_from_root(span.source.path)}:{span.line}:{span.column}"
    return f"{place}: {entry.title}: {visible(entry.sentence)}"


def _property(text: str) -> str:
    return _safe(text).translate(_IN_PROPERTY)


def _safe(text: str) -> str:
    return text.replace(_OLD_COMMAND, "#\\x23[")
