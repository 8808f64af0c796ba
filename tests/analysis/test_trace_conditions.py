"""What an outcome says of what the packet does not decide."""

from __future__ import annotations

import iptlint
from iptlint.analysis.trace import trace
from iptlint.analysis.trace_conditions import Chosen, conditions
from iptlint.model import Hook
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


def test_what_makes_no_difference_is_not_said() -> None:
    space = Firewall(iptlint.read(FORWARDED)).space
    unknowns = Unknowns(space)
    luck = unknowns.variable(Unknown("a limit", 0))
    matcher = ExactMatcher(unknowns, LeftOpen((), frozenset()))
    packet = Packet("ip", Hook.FORWARD.value)
    for others, said in ((space.false, []), (~luck, ["a limit holds"])):
        chosen = Chosen(luck, others, packet, packet)
        assert [*conditions(space, unknowns, matcher, chosen)][:1] == said
