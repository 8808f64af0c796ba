"""What an outcome says of what the packet does not decide."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.trace import trace
from iptlint.analysis.trace_conditions import Chosen, conditions
from iptlint.model import Field, Hook, VerdictKind
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.unknowns import ExactMatcher, LeftOpen, Unknown, Unknowns
from iptlint.packets.packet import Packet

FORWARDED = """*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -o eth1 -m limit --limit 3/min -j ACCEPT
COMMIT
"""


def test_each_is_a_sentence() -> None:
    asked = Packet("ip", None, iif="eth0", proto="tcp", dport=80, ct_state="new")
    said = {c for o in trace(iptlint.read(FORWARDED), asked).outcomes for c in o.conditions}
    assert "it leaves by eth1" in said
    assert "line 7: limit rate 3/minute burst 5 packets holds" in said


CHOSEN = """table ip x {
    chain pre { type nat hook prerouting priority -100
        tcp dport 80 dnat to 10.0.0.2:1000-2000
    }
    chain fw { type filter hook forward priority 0; policy drop
        ip ttl != 255 tcp dport 1500-1600 accept
    }
}
"""


def test_the_values_that_lead_there_are_said_and_no_other() -> None:
    """The kernel chooses one of 1000-2000: never 0, nor one that the rules tell from 1500 as one
    that they do not."""
    asked = Packet("ip", None, iif="eth0", proto="tcp", dport=80, ct_state="new")
    chosen = "line 3: dport after dnat to 10.0.0.2 port 1000-2000 is"
    for outcome in trace(iptlint.read(CHOSEN), asked).outcomes:
        accepted = outcome.kind is VerdictKind.ACCEPT
        if accepted:
            assert outcome.conditions == (f"{chosen} 1500-1600", "ttl 0-254")
        else:
            assert f"{chosen} not 1500-1600" in outcome.conditions


def test_a_number_by_chance_is_said_once_with_what_it_is_written_to() -> None:
    text = """table ip x {
    chain c { type filter hook input priority 0
        meta mark set numgen random mod 16
        meta mark 3 drop
    }
}
"""
    outcomes = trace(iptlint.read(text), Packet("ip", None, iif="eth0", ct_state="new")).outcomes
    assert {outcome.conditions for outcome in outcomes} == {
        ("line 3: mark after meta mark set numgen random 16 is 0x3",),
        ("line 3: mark after meta mark set numgen random 16 is not 0x3",),
    }


def test_that_a_line_could_not_be_read_is_said_in_words() -> None:
    text = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tpc -j ACCEPT\nCOMMIT\n"
    with pytest.warns(UserWarning, match="tpc"):
        ruleset = iptlint.read(text)
    outcomes = trace(ruleset, Packet("ip", None, iif="eth0", ct_state="new")).outcomes
    (unknown,) = (o for o in outcomes if o.kind is VerdictKind.UNKNOWN)
    assert unknown.conditions == ("line 3, which could not be read, does so",)


def test_of_a_ruleset_that_leaves_much_open_the_value_of_the_example_is_said() -> None:
    """More than a thousand limits: the bits of a number stand in another order (``expect``)."""
    limits = "".join(
        f"        udp dport {port} limit rate {port}/minute accept\n" for port in range(1, 1010)
    )
    text = CHOSEN.replace("        ip ttl", f"{limits}        ip ttl")
    asked = Packet("ip", None, iif="eth0", proto="tcp", dport=80, ct_state="new")
    (accepted,) = (o for o in trace(iptlint.read(text), asked).outcomes if o.kind.passes)
    said, *_ = accepted.conditions
    assert 1500 <= int(said.rpartition(" ")[2]) <= 1600


def test_what_makes_no_difference_is_not_said() -> None:
    space = Firewall(iptlint.read(FORWARDED)).space
    unknowns = Unknowns(space)
    luck = unknowns.variable(Unknown("a limit", 0))
    matcher = ExactMatcher(unknowns, LeftOpen((), frozenset()))
    packet = Packet("ip", Hook.FORWARD.value)
    for others, said in ((space.false, []), (~luck, ["a limit holds"])):
        chosen = Chosen(luck, others, packet, packet)
        assert [*conditions(space, unknowns, matcher, chosen)][:1] == said


def test_what_comes_to_this_host_leaves_by_no_interface_and_what_is_forwarded_by_one() -> None:
    """So nothing is said of one, or of those by which it leaves."""
    text = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A {} -p tcp -j ACCEPT\nCOMMIT\n"
    for hook, rule, free in (("input", "INPUT", True), ("forward", "FORWARD -o eth1", False)):
        told = trace(iptlint.read(text.format(rule)), Packet("ip", hook, proto="tcp"))
        (accepted,) = (o for o in told.outcomes if o.kind is VerdictKind.ACCEPT)
        other = told.space.interface(Field.OIF, "lo")
        assert (accepted.packets & other).satisfiable() is free
