"""Helpers of connections: said in raw, and given behind connection tracking."""

from __future__ import annotations

import pytest

from iptlint.convert.conversion import Conversion
from iptlint.convert.rendering import State
from tests.convert.test_conversion import files

HEAD = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:zone - [0:0]\n"
FTP = "-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\n"


def raw(text: str) -> str:
    return f"{HEAD}{text}COMMIT\n"


def test_a_helper_is_given_where_there_is_a_connection() -> None:
    made = files(raw(FTP))
    assert made.holds
    assert made.whole == "every packet fares alike in both"
    text = made.source.text
    assert 'ct helper ftp_tcp {\n\t\ttype "ftp" protocol tcp;' in text
    assert "hook prerouting priority -199; policy accept;" in text
    assert 'tcp dport 21 ct state new ct helper set "ftp_tcp"' in text
    assert "# in prerouting_helpers: -A PREROUTING -p tcp" in text
    assert made.count(State.PROVED) == 1


def test_packets_take_the_same_way_to_it() -> None:
    made = files(
        raw(
            "-A PREROUTING -i eth0 -g zone\n-A zone -s 192.0.2.0/24 -j ACCEPT\n"
            "-A zone -s 198.51.100.0/24 -j DROP\n-A zone -j LOG\n"
            "-A zone -p udp -m udp --dport 69 -j CT --helper tftp\n"
        )
    )
    assert made.holds
    behind = made.source.text.partition("chain zone_helpers {")[2]
    assert [line.strip() for line in behind.splitlines()[1:3]] == [
        "ip saddr 192.0.2.0/24 accept",
        'udp dport 69 ct state new ct helper set "tftp_udp"',
    ]
    assert 'iifname "eth0" goto zone_helpers' in made.source.text


def test_both_families_have_one() -> None:
    made = files(raw(FTP), raw(FTP))
    assert made.holds
    assert made.source.text.count("ct helper set") == 1
    assert "table inet raw {" in made.source.text


REFUSED = [
    ("-A PREROUTING -j CT --zone 5\n", "writes what a later one may ask for"),
    ("-A PREROUTING -m limit --limit 1/s -j ACCEPT\n", "would be asked twice"),
    ("-A PREROUTING -m state --state INVALID -j ACCEPT\n", "asks for more than the packet"),
]


def _reason(made: Conversion) -> str:
    (entry,) = made.of_state(State.NOT_CONVERTED)
    return entry.reason


@pytest.mark.parametrize(("before", "why"), REFUSED)
def test_where_the_way_cannot_be_taken_twice_it_is_named(before: str, why: str) -> None:
    assert why in _reason(files(raw(before + FTP)))


def test_a_rule_that_says_more_is_named() -> None:
    made = files(raw(FTP.replace("--helper", "--zone 5 --helper")))
    assert "more of the connection than its helper" in _reason(made)
