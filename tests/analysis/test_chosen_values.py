"""What the kernel chooses is told in words."""

from __future__ import annotations

import iptlint
from iptlint.analysis.chosen_values import ChosenValues
from iptlint.analysis.trace import trace
from iptlint.model import Family
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.rewriting import SOURCE
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.packet import Packet

MASQUERADE = """*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -o eth0 -j MASQUERADE
COMMIT
"""


def test_masquerade_has_the_address_of_the_interface_and_keeps_the_port() -> None:
    asked = Packet("ip", None, iif="eth1", oif="eth0", proto="tcp", sport=40000, ct_state="new")
    (outcome,) = trace(iptlint.read(MASQUERADE), asked).outcomes
    assert outcome.becomes
    assert (outcome.becomes.saddr, outcome.becomes.sport) == ("the address of eth0", 40000)


def test_an_example_address_is_one_of_documentation() -> None:
    space = Firewall(iptlint.read(MASQUERADE)).space
    unknowns = Unknowns(space)
    bits = [unknowns.variable(key) for key in SOURCE.own_bits(32)]
    plain = ChosenValues(Family.IP, unknowns).plainly(space.true)
    number = sum((not (plain & ~bit).satisfiable()) << (31 - n) for n, bit in enumerate(bits))
    assert number == 0xC0000201  # 192.0.2.1
