"""Whose connection a packet is part of (nf_conntrack_core.c, nf_nat_core.c)."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.diff import difference
from iptlint.analysis.trace import trace
from iptlint.model import Field, Hook, VerdictKind
from iptlint.netfilter.packet_group import PacketGroup, PacketGroups
from iptlint.netfilter.routing import RunningConnection
from iptlint.netfilter.tracking import TRANSLATION, Tracking
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.packet import Packet
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space

RAW = "*raw\n:PREROUTING ACCEPT [0:0]\n{}\nCOMMIT\n"
FILTER = """*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
COMMIT
"""


@pytest.mark.parametrize(
    ("rules", "untracked"),
    [
        ("-A PREROUTING -j CT --notrack\n-A PREROUTING -j CT --zone 2", True),
        ("-A PREROUTING -j CT --zone 2\n-A PREROUTING -j CT --notrack", False),
        ("-A PREROUTING -j CT --zone 2\n-A PREROUTING -j NOTRACK", False),
    ],
)
def test_of_zone_and_notrack_the_first_counts(rules: str, untracked: bool) -> None:
    """xt_CT leaves alone what has a template, or is untracked already."""
    asked = Packet("ip", None, iif="eth0", proto="udp", ct_state="new")
    (outcome,) = trace(iptlint.read(RAW.format(rules) + FILTER), asked).outcomes
    assert (outcome.kind is VerdictKind.ACCEPT) is untracked


def test_another_zone_has_other_connections() -> None:
    zone = RAW.format("-A PREROUTING -i out0 -j CT --zone 1")
    assert not difference(iptlint.read(zone + FILTER), iptlint.read(FILTER)).equivalent
    assert difference(iptlint.read(zone + FILTER), iptlint.read(zone + FILTER)).equivalent


def test_a_running_connection_gets_what_its_first_packet_got() -> None:
    space = Space(("ip",), (), defragmented=True)
    given = Rewrite(space, {}).constant(Field.DADDR, 0x0A000005).constant(Field.CT_DNAT, 1)
    tracking = Tracking(Unknowns(space), RunningConnection(given, to_host=False))
    came = PacketGroups([PacketGroup(Rewrite(space, {}), space.universe)])
    (group,) = tracking.translated(tracking.tracked(came), Hook.PREROUTING)
    assert group.rewrite.number(Field.DADDR) == 0x0A000005
    assert group.rewrite.number(Field.CT_DNAT) == 1
    assert TRANSLATION[Hook.PREROUTING] == -100


def test_what_is_in_another_zone_is_no_part_of_it() -> None:
    space = Space(("ip",), (), defragmented=True)
    given = Rewrite(space, {}).constant(Field.DADDR, 0x0A000005)
    tracking = Tracking(Unknowns(space), RunningConnection(given, to_host=False, zone=1))
    came = PacketGroups([PacketGroup(Rewrite(space, {}), space.universe)])
    (group,) = tracking.translated(tracking.tracked(came), Hook.PREROUTING)
    assert group.stray
    assert group.rewrite.number(Field.DADDR) is None
    established = group.rewrite.now(space.state("established"))
    assert not (group.packets & established).satisfiable()


def test_what_has_no_connection_on_lo_can_be_left_untracked() -> None:
    """A packet keeps the connection that it was sent with; one that had none gets none, so that
    NOTRACK in PREROUTING takes it (nft_notrack.c, xt_CT.c)."""
    raw = "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -i lo -j NOTRACK\nCOMMIT\n"
    invalid = "-A INPUT -m conntrack --ctstate INVALID -j DROP"
    text = f"{raw}*filter\n:INPUT ACCEPT\n{invalid}\nCOMMIT\n"
    asked = Packet("ip", "input", iif="lo", proto="udp", ct_state="invalid")
    outcomes = trace(iptlint.read(text), asked).outcomes
    assert {outcome.kind for outcome in outcomes} == {VerdictKind.ACCEPT}
