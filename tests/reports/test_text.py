from __future__ import annotations

import dataclasses

import click

from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.linter.report import LintedFile, Report
from iptlint.packets.packet import Packet
from iptlint.reports.formats import Look
from iptlint.reports.text import COLUMNS, MOST_LABELS, text_report
from iptlint.source import SourceFile, Span

TEXT = """\
*filter
:INPUT DROP [0:0]
-A INPUT -s 10.0.0.0/8 -j ACCEPT
-A INPUT -s 10.1.2.0/24 -p tcp -m tcp --dport 22 -j DROP
COMMIT
"""
SOURCE = SourceFile("rules.v4", TEXT)
WITNESS = Packet(
    family="ip",
    hook="input",
    iif="eth0",
    saddr="10.1.2.3",
    daddr="192.0.2.1",
    proto="tcp",
    sport=40000,
    dport=22,
    tcp_flags=("syn",),
    ct_state="new",
)
FINDING = Finding(
    "IPT001",
    Severity.WARNING,
    SOURCE.line_span(4),
    "no packet can reach this rule",
    "put it before line 3",
    (Label(SOURCE.line_span(3), "accepts them here"),),
    WITNESS,
)


def report(*findings: Finding, suppressed: int = 0) -> Report:
    file = LintedFile("rules.v4", "iptables-save", "ip", 2, 0)
    return Report((file,), findings, suppressed, False)


def test_a_finding_in_full() -> None:
    assert (
        text_report(report(FINDING, suppressed=1))
        == """\
rules.v4:4:1: warning IPT001 syntax-error: no packet can reach this rule
    4 | -A INPUT -s 10.1.2.0/24 -p tcp -m tcp --dport 22 -j DROP
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    3 | -A INPUT -s 10.0.0.0/8 -j ACCEPT
      | -------------------------------- accepts them here
      = for example: tcp 10.1.2.3:40000 -> 192.0.2.1:22 in eth0, new, syn
      = advice: put it before line 3

1 finding (1 warning), 1 suppressed, in 1 file
"""
    )


def test_a_part_of_a_line_is_underlined() -> None:
    span = Span(SOURCE, TEXT.index("--dport"), TEXT.index(" -j DROP"))
    shown = text_report(report(dataclasses.replace(FINDING, span=span))).splitlines()
    assert shown[0].startswith("rules.v4:4:39: ")
    assert shown[2] == "      | " + " " * 38 + "^" * len("--dport 22")


def test_a_label_in_another_file_says_which() -> None:
    other = SourceFile("rules.v6", TEXT)
    finding = dataclasses.replace(FINDING, related=(Label(other.line_span(2), "open"),))
    assert "      --> rules.v6:2:1\n    2 | :INPUT" in text_report(report(finding))


def test_what_is_only_possible_says_so() -> None:
    finding = dataclasses.replace(FINDING, confidence=Confidence.POSSIBLE)
    assert "warning IPT001 syntax-error (possible): " in text_report(report(finding))


def test_many_labels_are_counted() -> None:
    finding = dataclasses.replace(FINDING, related=FINDING.related * (MOST_LABELS + 3))
    assert "      = and 3 more places" in text_report(report(finding))


def test_the_last_lines_count_and_say_where_to_start() -> None:
    error = dataclasses.replace(FINDING, severity=Severity.ERROR)
    info = dataclasses.replace(FINDING, severity=Severity.INFO)
    last = text_report(report(error, FINDING, FINDING, info, info)).splitlines()[-2:]
    assert last == [
        "5 findings (1 error, 2 warnings, 2 info) in 1 file",
        "start with rules.v4:4: error IPT001 syntax-error",
    ]
    assert text_report(report()) == "no findings in 1 file\n"


def test_nothing_is_too_wide_and_nothing_speaks_to_the_terminal() -> None:
    evil = "\x1b]0;title\x07" + "x y" * 200 + "日本\u202e" * 100
    source = SourceFile(f"dir/{evil}.rules", f"{evil}\n")
    span = Span(source, 40, 60)
    packet = dataclasses.replace(WITNESS, conditions=(evil,))
    finding = Finding(
        "IPT001", Severity.ERROR, span, evil, evil, (Label(source.line_span(1), evil),), packet
    )
    shown = text_report(report(finding))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(map(len, shown.splitlines())) <= COLUMNS


def test_colour() -> None:
    shown = text_report(report(FINDING), Look(colour=True))
    assert "\x1b[33m\x1b[1mwarning IPT001\x1b[0m" in shown
    assert text_report(report(FINDING)) == click.unstyle(shown)
