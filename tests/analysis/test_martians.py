"""That the kernel drops some packets by itself is said, and no rule is dead for it."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.martians import dropped_anyway
from iptlint.analysis.reach import Status, reach
from iptlint.analysis.trace import trace
from iptlint.model import Family, Hook
from iptlint.packets.packet import Packet

SPOOFED = """*filter
:INPUT ACCEPT [0:0]
-A INPUT -s {} ! -i lo -j DROP
COMMIT
"""


@pytest.mark.parametrize(
    ("family", "source", "unless"),
    [("ip", "127.0.0.1", True), ("ip6", "::1", False), ("ip", "224.0.0.0/4", False)],
)
def test_a_rule_against_forged_addresses_is_alive(family: str, source: str, unless: bool) -> None:
    """An interface may be of a VRF, or have route_localnet on: the rule is no mistake."""
    ruleset = iptlint.read(SPOOFED.format(source), Family(family))
    (answer,) = reach(ruleset)
    assert answer.status is Status.REACHABLE
    assert answer.unless is not None
    assert ("unless route_localnet" in answer.unless) is unless
    (outcome,) = trace(ruleset, Packet(family, None, iif="eth0", saddr=source)).outcomes
    assert outcome.dropped_anyway is not None


def test_nothing_is_said_of_what_comes_by_lo_or_is_an_ordinary_packet() -> None:
    local = Packet("ip", "input", iif="lo", saddr="127.0.0.1", daddr="127.0.0.1")
    plain = Packet("ip", "input", iif="eth0", saddr="198.51.100.7", daddr="192.0.2.10")
    sent = Packet("ip", "output", oif="eth0", saddr="127.0.0.1", daddr="192.0.2.10")
    for packet in (local, plain, sent):
        assert dropped_anyway(packet, packet, Hook.INPUT) is None


def test_where_a_translation_leads_counts() -> None:
    """A redirect to the loopback address is for hosts with route_localnet."""
    came = Packet("ip", "input", iif="eth0", saddr="198.51.100.7", daddr="192.0.2.10")
    chosen = Packet("ip", "input", iif="eth0", saddr="198.51.100.7", daddr="the address of eth0")
    moved = Packet("ip", "input", iif="eth0", saddr="198.51.100.7", daddr="127.0.0.1")
    assert dropped_anyway(came, chosen, Hook.INPUT) is None
    assert "route_localnet" in (dropped_anyway(came, moved, Hook.INPUT) or "")


def test_an_example_to_a_group_has_a_scope_that_is_on_a_wire() -> None:
    """ff00::/16 and ff01::/16 are dropped before any rule (ip6_rcv_core)."""
    text = "*filter\n:INPUT DROP [0:0]\n-A INPUT -d ff00::/8 -j ACCEPT\nCOMMIT\n"
    (answer,) = reach(iptlint.read(text, Family.IP6))
    assert answer.witness is not None
    assert (answer.witness.daddr or "").startswith("ff02:")
