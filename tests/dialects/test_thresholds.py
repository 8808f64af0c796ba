"""Tests that count: how they are keyed, and where they are written."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.dialects.thresholds import Rate, one_in, prefix, random

MATCHES = [
    "-m quota ! --quota 5",
    "-m limit --limit 3/min --limit-burst 9",
    "-m connlimit --connlimit-above 3 --connlimit-mask 24 --connlimit-saddr",
    "-m hashlimit --hashlimit-upto 5/sec --hashlimit-mode srcip --hashlimit-name a",
    "-m connbytes --connbytes 1:5 --connbytes-mode bytes --connbytes-dir both",
    "-m statistic --mode random --probability 0.5",
    "-m statistic --mode nth --every 5 --packet 2",
]


@pytest.mark.parametrize("match", MATCHES)
def test_every_match_is_written_where_it_stands(match: str) -> None:
    text = (
        f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp {match} -m tcp --dport 22 -j DROP\nCOMMIT\n"
    )
    ((_, _, rule),) = iptlint.read(text).rules()
    parts = [rule.origin.part(number).text for number in range(len(rule.matches))]
    assert parts[0] == "-p tcp"
    assert match in parts
    assert parts[-1] == "--dport 22"


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Rate(60, 60), "limit rate 1/second burst 5 packets"),
        (Rate(1000, 3600, over=True, burst=1), "limit rate over 1000/hour burst 1 packets"),
        (Rate(1, 86400), "limit rate 1/day burst 5 packets"),
        (Rate(2048, 1, of_bytes=True, burst=0), "limit rate 2048 bytes/second"),
    ],
)
def test_a_rate_is_said_in_the_shortest_unit(rate: Rate, words: str) -> None:
    assert rate.words == words


def test_what_is_above_something_is_the_rest_of_what_is_not() -> None:
    assert random(1 << 30).key == "meta random & 0x7fffffff 0-1073741823"
    assert random(1 << 30, negated=True).key == "! meta random & 0x7fffffff 0-1073741823"
    assert one_in(5, 2).key == "numgen inc mod 5 2"


@pytest.mark.parametrize(
    ("mask", "shown"), [(0xFFFFFFFF, ""), (0xFFFFFF00, "/24"), (0, "/0"), (0xFF00FF, " & 0xff00ff")]
)
def test_bits_of_an_address(mask: int, shown: str) -> None:
    assert prefix(mask, 32) == shown
