"""Private networks that are written too wide."""

from __future__ import annotations

import pytest

from iptlint.analysis.wide_networks import WideNetwork, wide_networks
from tests.firewalls import hooked, hooks_of, saved


def found(*rules: str) -> list[WideNetwork]:
    return [*wide_networks(hooks_of(saved(*rules)))]


@pytest.mark.parametrize(
    ("source", "private"),
    [
        ("172.0.0.0/8", "172.16.0.0/12"),
        ("172.16.0.0/11", "172.16.0.0/12"),
        ("192.0.0.0/8", "192.168.0.0/16"),
        ("100.0.0.0/8", "100.64.0.0/10"),
        ("172.16.0.0/12", None),
        ("172.20.0.0/16", None),
        ("173.0.0.0/8", None),
        ("0.0.0.0/1", None),
    ],
)
def test_which_are(source: str, private: str | None) -> None:
    wide = found(f"-A INPUT -s {source} -p tcp -m tcp --dport 3306 -j ACCEPT")
    assert [str(each.private) for each in wide] == ([] if private is None else [private])
    assert all(each.packet.dport == 3306 for each in wide)


def test_a_rule_that_no_stranger_gets_to_lets_none_in() -> None:
    rules = ("-A INPUT -s 172.0.0.0/8 -j DROP", "-A INPUT -s 172.0.0.0/8 -j ACCEPT")
    assert not found(*rules)
    assert len(found(*rules[1:])) == 1
    assert not found("-A INPUT ! -s 172.0.0.0/8 -j ACCEPT")


@pytest.mark.parametrize(
    ("beside", "count"),
    [
        ("198.51.100.1, 198.51.100.2", 1),
        ("198.51.0.0/16, 203.0.0.0/16", 1),
        ("20.0.0.0/15, 30.0.0.0/8", 0),
    ],
)
def test_who_lists_several_as_wide_networks_means_strangers(beside: str, count: int) -> None:
    rule = f"ip saddr {{ 172.0.0.0/8, {beside} }} tcp dport 3306 accept"
    assert len([*wide_networks(hooks_of(hooked(rule)))]) == count


def test_a_stranger_that_is_let_in_has_no_private_address() -> None:
    """Not the last of them either, where only that and public ones are left by other rules."""
    before = "-A INPUT -s 192.168.0.0/16 ! -d 192.0.2.1 -j DROP"
    beside = "-A INPUT -m iprange --src-range 192.169.1.0-192.169.255.255 -j DROP"
    wide = found(before, beside, "-A INPUT -s 192.168.0.0/15 -j ACCEPT")
    assert [str(each.packet.saddr)[:10] for each in wide] == ["192.169.0."]
