"""Hours, days and dates of xt_time and of nft's meta are one test where they are the same."""

from __future__ import annotations

import pytest

from iptlint.dialects import Reader, read
from iptlint.dialects.clock import shown_date
from iptlint.model import Match
from iptlint.source import SourceFile


def of_iptables(options: str) -> tuple[Match, ...]:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m time {options} -j ACCEPT\nCOMMIT\n"
    return matches_of(text, "INPUT")


def of_nft(tests: str) -> tuple[Match, ...]:
    return matches_of(f"table ip t {{\n\tchain c {{\n\t\t{tests} accept\n\t}}\n}}\n", "c")


def matches_of(text: str, chain: str) -> tuple[Match, ...]:
    (table,) = read(SourceFile("rules", text), Reader()).ruleset.tables
    return table.chains[chain].rules[0].matches


SAME = [
    ("--timestart 09:00 --timestop 17:30", "meta hour 32400-63000"),
    ("--timestart 09:00:01 --timestop 23:59:59", "meta hour 32401-86399"),
    ("--weekdays Mon,Fri --kerneltz", "meta day { 1, 5 }"),
    ("! --weekdays Mon,Tue,Wed,Thu,Fri,Sat --kerneltz", "meta day 0"),
    # The last second that is given is one of them.
    ("--datestart 2001-09-09T01:46:40", "meta time >= 1000000000"),
    ("--datestop 2001-09-09T01:46:39", "meta time < 1000000000"),
    # What goes without saying, and is printed all the same.
    ("--timestart 09:00 --datestop 2038-01-19T03:14:07", "meta hour 32400-86399"),
]


@pytest.mark.parametrize(("options", "tests"), SAME)
def test_both_ask_the_same(options: str, tests: str) -> None:
    assert of_iptables(options) == of_nft(tests)


OTHERS = [
    # nft counts days in the time zone of the kernel (nft_meta_weekday), xt_time in UTC.
    ("--weekdays Mon", "meta day 1"),
    # A text is read in the time zone of who runs nft.
    ("--timestart 09:00 --timestop 17:30", 'meta hour "09:00"-"17:30"'),
    ("--timestart 09:00 --timestop 17:30 --kerneltz", "meta hour 32400-63000"),
    ("--timestart 09:00 --timestop 17:30 --monthdays 1", "meta hour 32400-63000"),
]


@pytest.mark.parametrize(("options", "tests"), OTHERS)
def test_what_is_like_it_and_not_the_same(options: str, tests: str) -> None:
    assert of_iptables(options) != of_nft(tests)


def test_behind_midnight_it_is_the_day_before_only_where_it_is_said() -> None:
    night = "--timestart 23:00 --timestop 01:00 --weekdays Mon --kerneltz"
    assert of_iptables(night) != of_iptables(f"{night} --contiguous")


def test_what_no_calendar_has_is_a_number() -> None:
    assert shown_date(10**18) == f"{10**18} s"
    assert of_nft(f"meta time < {10**18}")
