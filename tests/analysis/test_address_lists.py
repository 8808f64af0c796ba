"""Which rules are a list of addresses that one rule with a set could stand for."""

from __future__ import annotations

from iptlint.analysis.address_lists import FEWEST, AddressList, address_lists
from iptlint.model import Field
from tests.firewalls import analysis_of, saved


def lists(*rules: str) -> tuple[AddressList, ...]:
    return address_lists(analysis_of(saved(*rules)))


def drops(number: int, option: str = "-s") -> list[str]:
    return [f"-A INPUT {option} 198.51.100.{2 * n + 1}/32 -j DROP" for n in range(number)]


def test_a_list() -> None:
    (listed,) = lists(*drops(FEWEST))
    assert (listed.chain.name, listed.field) == ("INPUT", Field.SADDR)
    assert (listed.copies, listed.copies_left, len({*listed.ranges()})) == (FEWEST, 1, FEWEST)


def test_few_are_none() -> None:
    assert lists(*drops(FEWEST - 1)) == ()


def test_sources_and_destinations_are_two() -> None:
    found = lists(*drops(FEWEST), *drops(FEWEST, "-d"))
    assert sorted(listed.field.name for listed in found) == ["DADDR", "SADDR"]


def test_what_a_wider_prefix_covers_is_not_counted() -> None:
    covered = lists("-A INPUT -s 198.51.100.0/24 -j DROP", *drops(FEWEST))
    assert covered == ()


def test_what_is_written() -> None:
    (listed,) = lists(*drops(FEWEST))
    assert [[high - low for low, high in ranges] for ranges in listed.written] == [[0]] * FEWEST
