"""What each format says, and that nothing of a file means anything in any of them."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.fix import Fix
from iptlint.linter.report import LintedFile, Report
from iptlint.reports.csv_report import HEADERS
from iptlint.reports.formats import FORMATS, Look, written
from iptlint.reports.github import SHOWN
from iptlint.reports.markdown import MOST
from iptlint.reports.safe import is_hidden, width
from iptlint.source import Edit, SourceFile, Span
from tests.reports.test_text import FINDING, WITNESS, report

ERROR = dataclasses.replace(FINDING, severity=Severity.ERROR)
INFO = dataclasses.replace(FINDING, severity=Severity.INFO, advice="")
SCHEMA = json.loads((Path(__file__).parent / "code_scanning.json").read_text("utf-8"))
CODE_SCANNING = jsonschema.Draft202012Validator(SCHEMA)

NASTY = [
    *("\x1b[31m", "\x1b]0;x\x07", "\x9b", "\0", "\r", "\n", "\r\n", "\u2028", "\x85", "\t"),
    *("\u202e", "\u2066", "\u200b", "\ufeff", "\ud800", "\udcff", "\ufffe", "\U000e0041"),
    *("::error::x", "##[error]", "::stop-commands::x", "%0A::warning::y"),
    *(
        "<script>",
        "</failure>",
        "]]>",
        "&amp;",
        "<!--",
        "-->",
        '"',
        "'",
        "`",
        "``",
        "|",
        "\\",
        "~~",
    ),
    *(
        "[x](javascript:y)",
        "![x](http://z)",
        "@all",
        "#1",
        "!2",
        "http://z",
        "www.z.example",
        "$x$",
    ),
    *("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\uff1d1", " =1", ",", ";", "\ue000"),
]
HOSTILE = st.lists(
    st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec=None), max_size=6)), max_size=6
).map("".join)


@st.composite
def hostile_reports(draw: st.DrawFn) -> Report:
    path, text = draw(HOSTILE) or "x", draw(HOSTILE)
    source = SourceFile(path, text)
    span = source.line_span(1)
    finding = Finding(
        "IPT001",
        draw(st.sampled_from(Severity)),
        span,
        draw(HOSTILE) or "x",
        draw(HOSTILE),
        (Label(span, draw(HOSTILE)),),
        dataclasses.replace(WITNESS, conditions=(draw(HOSTILE),)),
        draw(st.sampled_from(Confidence)),
    )
    return Report((LintedFile(path, "iptables-save", "ip", 2, 0),), (finding,), 0, False)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, deadline=None)
@given(hostile=hostile_reports())
def test_nothing_of_a_file_is_acted_upon(name: str, hostile: Report) -> None:
    shown = written(name, hostile)
    lines = shown.replace("\r\n", "\n") if name == "csv" else shown
    assert not [c for c in lines if c != "\n" and is_hidden(c) and c not in "\u200c\u200d"]
    shown.encode()


@settings(max_examples=60, deadline=None)
@given(hostile_reports())
def test_xml_stays_xml(hostile: Report) -> None:
    checkstyle = ElementTree.fromstring(written("checkstyle", hostile))
    assert [(e.tag, [c.tag for c in e]) for e in checkstyle] == [("file", ["error"])]
    junit = ElementTree.fromstring(written("junit", hostile))
    (case,) = junit.findall("testsuite/testcase")
    assert [child.tag for child in case] in (["failure"], ["system-out"])
    assert all(len(child) == 0 for child in case)


@settings(max_examples=60, deadline=None)
@given(hostile_reports())
def test_no_line_of_github_is_a_command_but_the_annotation(hostile: Report) -> None:
    (line,) = written("github", hostile).splitlines()
    found = re.fullmatch(r"::(error|warning|notice) ([^:\n]*)::(.*)", line)
    assert found
    assert len(found[2].split(",")) == 6
    assert "##[" not in line


@settings(max_examples=60, deadline=None)
@given(hostile_reports())
def test_no_cell_is_a_formula(hostile: Report) -> None:
    head, row = csv.reader(io.StringIO(written("csv", hostile), newline=""))
    assert tuple(head) == HEADERS
    assert len(row) == len(HEADERS)
    assert not [cell for cell in row if cell.strip().startswith(("=", "+", "-", "@", "\uff1d"))]


@settings(max_examples=60, deadline=None)
@given(hostile_reports())
def test_markdown_has_no_markup_but_its_own(hostile: Report) -> None:
    shown = written("markdown", hostile)
    mark, head, empty, point = shown.rstrip("\n").split("\n")
    assert (mark, empty, head[:13]) == ("<!-- iptlint -->", "", "### iptlint: ")
    # Escaped marks and code spans, whichever begins first: in a code span nothing is escaped.
    prose = re.sub(r"\\[\\`*_{}\[\]<>|~&$!]|(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", point)
    assert set(re.findall(r"<[^>]*>", prose)) <= {"<br>"}
    assert prose.replace("<br>", "").count("<") == 0
    assert re.findall(r"\[[^\]]*\]", prose) == ["[IPT001]"]
    assert not re.search(r"[@#](?!&#8203;|8203)", prose)
    assert "://" not in prose.replace("(https://iptlint.readthedocs.io", "")


@settings(max_examples=60, deadline=None)
@given(hostile_reports())
def test_sarif_is_what_code_scanning_takes(hostile: Report) -> None:
    CODE_SCANNING.validate(json.loads(written("sarif", hostile)))


@settings(max_examples=60, deadline=None)
@given(hostile_reports())
def test_a_finding_is_one_line_of_the_formats_with_lines(hostile: Report) -> None:
    assert len(written("concise", hostile).splitlines()) == 1
    assert json.loads(written("json-lines", hostile))["code"] == "IPT001"
    assert written("json-lines", hostile).count("\n") == 1


@settings(max_examples=40, deadline=None)
@given(hostile_reports(), st.integers(40, 120))
def test_what_is_for_people_is_as_wide_as_asked_for(hostile: Report, columns: int) -> None:
    for name in ("text", "grouped"):
        lines = written(name, hostile, Look(columns=columns)).split("\n")
        assert max(map(width, lines)) <= columns


def test_without_findings_each_format_is_complete() -> None:
    empty = report()
    assert (
        written("concise", empty) == written("json-lines", empty) == written("github", empty) == ""
    )
    assert written("grouped", empty) == "no findings in 1 file\n"
    assert json.loads(written("gitlab", empty)) == []
    assert ElementTree.fromstring(written("junit", empty)).attrib["failures"] == "0"
    assert len(ElementTree.fromstring(written("checkstyle", empty))) == 0
    CODE_SCANNING.validate(json.loads(written("sarif", empty)))
    assert written("markdown", empty) == "<!-- iptlint -->\n### iptlint: no findings in 1 file\n"


def test_concise() -> None:
    shown = written("concise", report(ERROR))
    assert shown == "rules.v4:4:1: error IPT001 syntax-error: no packet can reach this rule\n"
    assert "\x1b[31m" in written("concise", report(ERROR), Look(colour=True))


def test_grouped_names_a_file_once() -> None:
    assert written("grouped", report(ERROR, INFO)) == (
        "rules.v4:\n"
        "  4:1  error IPT001 syntax-error: no packet can reach this rule\n"
        "  4:1  info IPT001 syntax-error: no packet can reach this rule\n"
        "\n"
        "2 findings (1 error, 1 info) in 1 file\n"
    )


def test_github_annotates_the_worst_first_and_ten_of_a_kind() -> None:
    lines = written("github", report(*[INFO] * 3, *[ERROR] * 12, FINDING)).splitlines()
    kinds = [line.split(" ")[0] for line in lines if line.startswith("::")]
    assert kinds == ["::error"] * SHOWN + ["::warning"] + ["::notice"] * 3
    more = lines.index("+2 more errors without an annotation:")
    assert lines[more + 1].startswith("+ rules.v4:4:1: IPT001 syntax-error: ")


def test_what_is_not_proved_says_so() -> None:
    possible = report(dataclasses.replace(FINDING, confidence=Confidence.POSSIBLE))
    for name in FORMATS:
        assert "possib" in written(name, possible).lower(), name


def test_gitlab() -> None:
    (issue,) = json.loads(written("gitlab", report(ERROR)))
    assert re.fullmatch("[0-9a-f]{16}", issue.pop("fingerprint"))
    assert issue == {
        "description": "IPT001 syntax-error: no packet can reach this rule; advice: put it before "
        "line 3",
        "check_name": "IPT001",
        "severity": "critical",
        "location": {"path": "rules.v4", "lines": {"begin": 4, "end": 4}},
    }


def test_an_info_is_no_failure_of_junit() -> None:
    suites = ElementTree.fromstring(written("junit", report(ERROR, INFO)))
    assert (suites.attrib["tests"], suites.attrib["failures"]) == ("2", "1")
    failure, told = suites.findall("testsuite/testcase/*")
    assert (failure.tag, told.tag) == ("failure", "system-out")


def test_markdown_says_how_many_it_has_no_room_for() -> None:
    long = dataclasses.replace(FINDING, message="x" * 500)
    shown = written("markdown", report(*[long] * 200))
    assert len(shown) < MOST + 1000
    assert re.search(r"^\+\d+ more findings$", shown, re.MULTILINE)


def test_sarif_says_what_a_finding_rests_on() -> None:
    log = json.loads(written("sarif", report(ERROR, dataclasses.replace(FINDING, related=()))))
    CODE_SCANNING.validate(log)
    (run,) = log["runs"]
    first, second = run["results"]
    assert (first["level"], second["level"]) == ("error", "warning")
    (related,) = first["relatedLocations"]
    assert related["message"]["text"] == "accepts them here"
    assert related["physicalLocation"]["region"]["startLine"] == 3
    assert "relatedLocations" not in second
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len({*prints}) == 2
    assert "for example: tcp 10.1.2.3:40000" in first["message"]["text"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["help"]["markdown"].startswith("# IPT001 syntax-error")


def test_sarif_has_the_edit_of_a_safe_fix() -> None:
    line = Span(FINDING.span.source, FINDING.span.start, FINDING.span.end + 1)
    for safe in (True, False):
        fix = Fix("delete [it]", (Edit(line, ""),), safe)
        log = json.loads(written("sarif", report(dataclasses.replace(FINDING, fix=fix))))
        CODE_SCANNING.validate(log)
        (result,) = log["runs"][0]["results"]
        assert ("fixes" in result) is safe
        if safe:
            (change,) = result["fixes"][0]["artifactChanges"]
            (replacement,) = change["replacements"]
            assert replacement["insertedContent"] == {"text": ""}
            whole = {"startLine": 4, "startColumn": 1, "endLine": 5, "endColumn": 1}
            assert replacement["deletedRegion"] == whole


def test_sarif_scores_what_is_about_security() -> None:
    found = [dataclasses.replace(FINDING, code=code) for code in ("IPT701", "IPT902")]
    log = json.loads(written("sarif", report(*found)))
    open_rule, hygiene = (rule["properties"] for rule in log["runs"][0]["tool"]["driver"]["rules"])
    assert float(open_rule["security-severity"]) >= 7
    assert "security" in open_rule["tags"]
    assert "security-severity" not in hygiene


def test_every_rule_is_one_that_code_scanning_shows() -> None:
    from iptlint.rules.registry import names

    found = [dataclasses.replace(FINDING, code=code) for code in names()]
    CODE_SCANNING.validate(json.loads(written("sarif", report(*found))))


@pytest.mark.parametrize("name", ["sarif", "github", "gitlab", "markdown"])
def test_paths_are_from_the_root_of_the_checkout(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / "ho st" / "etc"
    deep.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (deep / "rules.v4").write_text("*filter\nCOMMIT\n")
    monkeypatch.chdir(deep.parent)
    for path in ("etc/rules.v4", str(deep / "rules.v4"), "../ho st/./etc/rules.v4"):
        source = SourceFile(path, "*filter\nCOMMIT\n")
        shown = written(name, report(dataclasses.replace(ERROR, span=Span(source, 0, 7))))
        assert ("ho%20st/etc/rules.v4" if name == "sarif" else "ho st/etc/rules.v4") in shown
        assert str(tmp_path) not in shown
        assert "../" not in shown


def test_a_file_outside_of_the_checkout_is_a_file_uri(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "rules.v4").write_text("*filter\n")
    monkeypatch.chdir(inside)
    (inside / ".git").write_text("gitdir: elsewhere\n")
    source = SourceFile("../rules.v4", "*filter\n")
    log = json.loads(written("sarif", report(dataclasses.replace(ERROR, span=Span(source, 0, 7)))))
    (location,) = log["runs"][0]["results"][0]["locations"]
    uri = location["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == (tmp_path / "rules.v4").as_uri()
