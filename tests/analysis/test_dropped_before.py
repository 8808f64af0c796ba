"""Which accepting rules get nothing because chains at prerouting drop all of their packets."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.dropped_before import DroppedBefore, dropped_before
from iptlint.model import Family
from iptlint.netfilter.firewall import Firewall, Hooks

FILTER = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A {}
COMMIT
"""
WEB = "INPUT -s 198.51.100.7/32 -p tcp -m tcp --dport 443 -j ACCEPT"


def lost(before: str, rule: str = WEB, table: str = "raw") -> list[DroppedBefore]:
    head = "".join(f"-A PREROUTING {each}\n" for each in before.split("; "))
    text = f"*{table}\n:PREROUTING ACCEPT [0:0]\n{head}COMMIT\n{FILTER.format(rule)}"
    ruleset = iptlint.read(text)
    return list(dropped_before(Hooks(Firewall(ruleset), Family.IP)))


@pytest.mark.parametrize(
    ("before", "by"),
    [
        ("-s 198.51.100.0/24 -j DROP", 1),
        ("-p tcp -m tcp --dport 443 -j DROP", 1),
        ("-s 198.51.100.7/32 -p tcp -m tcp --dport 1:1000 -j DROP; -s 10.0.0.0/8 -j DROP", 1),
        ("-s 198.51.100.7/32 -i eth0 -j DROP; -s 198.51.100.7/32 ! -i eth0 -j DROP", 2),
    ],
)
def test_what_is_dropped_at_prerouting_comes_to_no_later_rule(before: str, by: int) -> None:
    (found,) = lost(before)
    assert len(found.by) == by
    assert found.packets.satisfiable()


@pytest.mark.parametrize(
    "before",
    [
        "-i eth0 -s 198.51.100.0/24 -j DROP",  # it may come by another interface
        "-s 198.51.100.0/24 -m limit --limit 5/s -j DROP",
        "-s 198.51.100.7/32 -p tcp -m tcp --dport 443 -j ACCEPT; -s 198.51.100.0/24 -j DROP",
        "-s 198.51.100.0/24 -p udp -j DROP",
        "-j DROP",  # nothing comes in at all
    ],
)
def test_what_may_come_past_prerouting_is_not_lost(before: str) -> None:
    assert not lost(before)


def test_a_state_that_a_packet_has_only_later_is_no_matter() -> None:
    """Before connection tracking every packet is invalid: such a test says nothing of later."""
    rule = "INPUT -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT"
    assert not lost("-p tcp -m conntrack --ctstate INVALID -j DROP", rule, "mangle")
    assert lost("-p tcp -m tcp --dport 443 -j DROP", rule, "mangle")


def test_a_port_that_a_translation_changes_is_no_matter() -> None:
    """What is sent to port 443 here came with port 8443."""
    nat = "*nat\n-A PREROUTING -p tcp -m tcp --dport 8443 -j REDIRECT --to-ports 443\nCOMMIT\n"
    raw = (
        "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 443 -j DROP\nCOMMIT\n"
    )
    ruleset = iptlint.read(raw + nat + FILTER.format(WEB))
    assert not list(dropped_before(Hooks(Firewall(ruleset), Family.IP)))
    ruleset = iptlint.read(raw + FILTER.format(WEB))
    assert list(dropped_before(Hooks(Firewall(ruleset), Family.IP)))


def test_what_goes_out_was_never_at_prerouting() -> None:
    assert not lost("-s 198.51.100.0/24 -j DROP", "OUTPUT -s 198.51.100.7/32 -j ACCEPT")


def test_nothing_is_said_behind_a_chain_that_changes_packets() -> None:
    """What comes to INPUT is then not as it was when the chain at prerouting saw it."""
    drop = "-s 198.51.100.0/24 -j DROP"
    assert lost(drop, table="mangle")
    assert not lost(f"{drop}; -p udp -j TTL --ttl-set 64", table="mangle")
