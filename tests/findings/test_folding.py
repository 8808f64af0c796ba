from __future__ import annotations

from iptlint.findings import Finding, Severity
from iptlint.findings.grouping import MANY, grouped
from iptlint.source import SourceFile

SOURCE = SourceFile("rules.v4", "-A INPUT -j LOG\n" * 20)


def finding(line: int, likeness: str, severity: Severity = Severity.INFO) -> Finding:
    return Finding("IPT901", severity, SOURCE.line_span(line), f"line {line}.", likeness=likeness)


def test_many_alike_are_one_at_the_first_place() -> None:
    alike = [finding(line, "log") for line in range(3, 3 + MANY)]
    (one,) = grouped(alike)
    assert (one.span.line, one.message) == (3, f"line 3; {MANY - 1} more are like it")
    assert [label.span.line for label in one.related] == [4, 5, 6]


def test_it_is_as_grave_as_the_gravest() -> None:
    alike = [finding(line, "log") for line in range(1, MANY)]
    (one,) = grouped([*alike, finding(9, "log", Severity.ERROR)])
    assert one.severity is Severity.ERROR


def test_a_few_are_told_each() -> None:
    few = [finding(line, "log") for line in range(1, MANY)]
    assert grouped(few) == few


def test_what_is_not_alike_is_told_each_in_order() -> None:
    each = [finding(line, "") for line in range(1, 2 * MANY)]
    mixed = sorted(
        [*each, *(finding(line, "log") for line in range(1, 1 + MANY))],
        key=lambda found: found.span.start,
    )
    assert [found.span.line for found in grouped(mixed)] == [1, *range(1, 2 * MANY)]


def test_two_files_have_one_each() -> None:
    other = SourceFile("rules.v6", SOURCE.text)
    both = [finding(line, "log") for line in range(1, 1 + MANY)]
    both += [
        Finding("IPT901", Severity.INFO, other.line_span(line), "m", likeness="log")
        for line in range(1, 1 + MANY)
    ]
    assert [found.span.source.path for found in grouped(both)] == ["rules.v4", "rules.v6"]
