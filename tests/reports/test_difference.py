"""A change in one line, as a table of hosts has it."""

from __future__ import annotations

import iptlint
from iptlint.reports.difference import change_line

CLOSED = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"


def changed(*rules: str) -> list[str]:
    opened = CLOSED.replace("COMMIT", "\n".join((*rules, "COMMIT")))
    found = iptlint.diff(iptlint.read(opened), iptlint.read(CLOSED))
    return [change_line(found, each) for each in found.changes]


def test_what_does_not_fit_a_line_is_said_to_be_there() -> None:
    web = "-A INPUT -s 192.0.2.1 -p tcp --dport 80 -j ACCEPT"
    assert changed(web) == ["input, ip: accept → drop: tcp from 192.0.2.1 to port 80"]
    (line,) = changed(web, "-A INPUT -s 192.0.2.9 -p udp --dport 53 -j ACCEPT")
    assert line.startswith("input, ip: accept → drop: ")
    assert line.endswith(", and more")
