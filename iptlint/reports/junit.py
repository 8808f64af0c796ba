"""XML of JUnit: a suite for each file, a case for each finding. An info is no failure, and a file
without findings is a case that passed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from iptlint.findings import Severity
from iptlint.linter.report import Report
from iptlint.reports.told import Told, told
from iptlint.reports.xml import Element, document


def junit_report(report: Report) -> str:
    by_path: dict[str, list[Told]] = defaultdict(list)
    for file in report.files:
        by_path[file.path] = []
    for entry in told(report):
        by_path[entry.finding.span.source.path].append(entry)
    suites = tuple(_suite(path, several) for path, several in by_path.items())
    tests = sum(max(len(several), 1) for several in by_path.values())
    failures = sum(map(_failures, by_path.values()))
    counts = {"tests": tests, "failures": failures, "errors": 0}
    return document(Element("testsuites", {"name": "iptlint", **counts}, suites))


def _suite(path: str, several: Sequence[Told]) -> Element:
    cases = tuple(map(_case, several)) or (
        Element("testcase", {"name": "no findings", "classname": path, "time": 0}),
    )
    counts = {"tests": len(cases), "failures": _failures(several), "errors": 0, "skipped": 0}
    return Element("testsuite", {"name": path, **counts}, cases)


def _case(entry: Told) -> Element:
    finding = entry.finding
    span = finding.span
    name = f"{entry.title} {span.line}:{span.column}"
    path = span.source.path
    attributes: dict[str, str | int] = {
        "name": name,
        "classname": path,
        "file": path,
        "line": span.line,
        "time": 0,
    }
    text = "\n".join((f"line {span.line}, column {span.column}", *entry.lines, entry.rule.url))
    if not _fails(entry):
        return Element("testcase", attributes, (Element("system-out", text=text),))
    failure = {"message": entry.sentence, "type": finding.severity.value}
    return Element("testcase", attributes, (Element("failure", failure, text=text),))


def _failures(several: Sequence[Told]) -> int:
    return sum(map(_fails, several))


def _fails(entry: Told) -> bool:
    return entry.finding.severity is not Severity.INFO
