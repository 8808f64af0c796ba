"""Text of something else in a file of rules is one mistake."""

from __future__ import annotations

import pytest

from iptlint.findings.blocks import as_blocks
from iptlint.linter.run import lint
from iptlint.source import SourceFile

CHAIN = "table inet host {\n\tchain input {\n\t\ttcp dport 22 accept\n%s\t}\n}\n"


def unread(*lines: str) -> list[tuple[int, int]]:
    """The line of each finding, and how many others it names."""
    text = CHAIN % "".join(f"\t\t{line}\n" for line in lines)
    found = lint([SourceFile("host.nft", text)], select=["IPT001"]).findings
    return [(finding.span.line, len(finding.related)) for finding in found]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("hello there", "this is junk", "more of it, really"), [(4, 2)]),
        (("hello there", "this is junk"), [(4, 0), (5, 0)]),
        (("hello", "tcp dport 25 accept", "this", "more"), [(4, 0), (6, 0), (7, 0)]),
        (("tcp dprot 1 drop", "udp sprot 2 drop", "ip sadr ::1 drop"), [(4, 0), (5, 0), (6, 0)]),
        (("hello", "this", "more", "drop", "hello"), [(4, 3)]),
    ],
)
def test_lines_of_other_text_are_one_mistake(
    lines: tuple[str, ...], told: list[tuple[int, int]]
) -> None:
    """nft refuses each of them; lines of rules with faults of their own are told one by one."""
    assert unread(*lines) == told


def test_what_is_no_text_that_cannot_be_read_stays_as_it_is() -> None:
    rules = "*filter\n:INPUT ACCEPT [0:0]\n" + "-A INPUT -s 192.0.2.1/24 -j DROP\n" * 4 + "COMMIT\n"
    findings = lint([SourceFile("rules.v4", rules)]).findings
    assert sorted(as_blocks(findings), key=str) == sorted(findings, key=str)
