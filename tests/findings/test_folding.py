from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from iptlint.findings import Finding, Severity, Telling
from iptlint.findings.fix import Fix
from iptlint.findings.grouping import SHOWN, grouped
from iptlint.source import SourceFile

SOURCE = SourceFile("rules.v4", "-A INPUT -j LOG\n" * 20)


def finding(line: int, likeness: str, severity: Severity = Severity.INFO) -> Finding:
    return Finding("IPT901", severity, SOURCE.line_span(line), f"line {line}.", likeness=likeness)


def test_two_alike_are_one_at_the_first_place() -> None:
    (one,) = grouped([finding(3, "log"), finding(7, "log")])
    assert (one.span.line, one.message) == (3, "line 3; likewise line 7")
    assert [label.span.line for label in one.related] == [7]


def test_of_many_alike_the_first_places_are_named_and_the_others_counted() -> None:
    (one,) = grouped([finding(line, "log") for line in range(3, 13)])
    assert one.message == "line 3; likewise lines 4, 5, 6, 7, 8 and 4 more"
    assert [label.span.line for label in one.related] == [4, 5, 6, 7, 8]
    assert len(one.related) == SHOWN


def test_several_on_one_line_are_counted() -> None:
    (one,) = grouped([finding(3, "log"), finding(3, "log"), finding(4, "log")])
    assert one.message == "line 3; likewise 2 more"


def test_it_is_as_grave_as_the_gravest() -> None:
    (one,) = grouped([finding(1, "log"), finding(9, "log", Severity.ERROR)])
    assert one.severity is Severity.ERROR


def test_what_is_not_alike_is_told_each_in_order() -> None:
    each = [finding(line, "") for line in range(1, 9)]
    mixed = sorted([*each, *map(_logged, range(1, 9))], key=lambda found: found.span.start)
    assert [found.span.line for found in grouped(mixed)] == [1, *range(1, 9)]


def _logged(line: int) -> Finding:
    return finding(line, "log")


def test_two_files_have_one_each() -> None:
    other = SourceFile("rules.v6", SOURCE.text)
    both = [finding(line, "log") for line in (1, 2)]
    both += [
        Finding("IPT901", Severity.INFO, other.line_span(line), "m", likeness="log")
        for line in (1, 2)
    ]
    assert [found.span.source.path for found in grouped(both)] == ["rules.v4", "rules.v6"]


def test_all_that_is_said_is_worked_out_for_those_that_are_shown() -> None:
    asked: list[int] = []

    def later(line: int) -> Callable[[], Telling]:
        def tell() -> Telling:
            asked.append(line)
            return Telling(f"line {line}, in full.")

        return tell

    each = [replace(finding(line, "log"), later=later(line)) for line in (3, 7, 9)]
    (one,) = grouped(each)
    assert one.message == "line 3, in full; likewise lines 7 and 9"
    assert (one.later, asked) == (None, [3])


def test_a_fix_of_another_line_is_told_with_the_line() -> None:
    """What the first cannot have done to it is not told of it."""
    alike = [finding(line, likeness="log") for line in range(1, 8)]
    alike[3] = replace(alike[3], fix=Fix("delete it", ()))
    (one,) = grouped(alike)
    assert one.to_do == ("help: line 4: delete it",)
    alike[0] = replace(alike[0], fix=Fix("move it", ()))
    assert grouped(alike)[0].to_do == ("help: move it",)


def test_of_those_that_are_not_shown_no_more_is_worked_out() -> None:
    """Of three only the two gravest are shown: one is grave by another that is alike."""
    told: list[int] = []

    def tell(found: Finding) -> Finding:
        told.append(found.span.line)
        return found

    each = [finding(1, ""), finding(2, "log"), finding(3, "", Severity.WARNING)]
    each.append(finding(4, "log", Severity.ERROR))
    cut, whole = grouped(each, tell, most=2), grouped(each)
    assert told == [2, 3]
    assert [found.span.line for found in cut] == [found.span.line for found in whole] == [1, 2, 3]
