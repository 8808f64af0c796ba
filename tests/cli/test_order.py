"""What comes first of many findings, and where somebody begins who sees the last lines only."""

from __future__ import annotations

import re

import pytest

from tests.cli.test_manners import check

MANY = """\
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:EMPTY - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 10.0.0.0/8 -p tcp --dport 80 -j ACCEPT
-A INPUT -s 10.1.0.0/16 -p tcp --dport 80 -j DROP
-A INPUT -s 10.0.0.0/8 -p tcp --dport 80 -j ACCEPT
-A INPUT -p tcp --dport 3306 -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
"""
_HEAD = re.compile(r"^-:(\d+):\d+: (error|warning|info) (IPT\d+)", re.MULTILINE)


def heads(*options: str) -> list[tuple[int, str]]:
    _, shown = check("--output-format", "concise", *options, text=MANY)
    return [(int(line), severity) for line, severity, _ in _HEAD.findall(shown)]


def test_the_gravest_come_first_and_then_the_place_counts() -> None:
    shown = heads()
    assert {severity for _, severity in shown} == {"error", "warning", "info"}
    assert shown == sorted(shown, key=lambda e: (["error", "warning", "info"].index(e[1]), e[0]))
    assert [line for line, _ in shown] != sorted(line for line, _ in shown)


def test_the_place_alone_where_that_is_asked_for() -> None:
    shown = heads("--sort", "path")
    assert [line for line, _ in shown] == sorted(line for line, _ in shown)
    assert sorted(shown) == sorted(heads())


@pytest.mark.parametrize("order", ["severity", "path"])
def test_the_end_says_where_to_begin(order: str) -> None:
    _, shown = check("--sort", order, text=MANY)
    assert shown.splitlines()[-1] == "start with -:11: error IPT603 service-exposed"


def test_a_few_findings_need_no_beginning() -> None:
    assert "start with" not in check()[1]
