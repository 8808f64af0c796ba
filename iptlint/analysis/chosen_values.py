"""What a translated packet becomes where the kernel chooses: in words, as no number is certain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from iptlint.analysis.trace_conditions import Chosen
from iptlint.model import Family, Field
from iptlint.model.verdicts import Choice
from iptlint.netfilter.packet_group import Outcome
from iptlint.netfilter.rewriting import DESTINATION, SOURCE, Side
from iptlint.netfilter.unknowns import ExactMatcher, Unknown, Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.packet import Packet

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_EXAMPLE = {Family.IP: ip_address("192.0.2.1"), Family.IP6: ip_address("2001:db8:1::1")}


class ChosenValues:
    """Of packets of one family. ``bridge_ports``: what they are not shown at without need."""

    def __init__(
        self, family: Family, unknowns: Unknowns, bridge_ports: frozenset[str] = frozenset()
    ) -> None:
        self.family = family
        self.unknowns = unknowns
        self.bridge_ports = bridge_ports
        self.space = unknowns.space

    def plainly(self, packets: PacketSet) -> PacketSet:
        """Those for which the address of an interface is one that documentation uses."""
        width, number = self.family.address_bits, int(_EXAMPLE[self.family])
        for side in (DESTINATION, SOURCE):
            plain = packets
            for bit, key in enumerate(side.own_bits(width)):
                if key in self.unknowns.variables:
                    one = self.unknowns.variable(key)
                    plain = plain & (one if number >> (width - 1 - bit) & 1 else ~one)
            packets = plain if plain.satisfiable() else packets
        return packets

    def off_bridges(self, packets: PacketSet) -> PacketSet:
        """Those of no bridge's port: what is so is seen by the bridge's tables, too."""
        for field in (Field.IIF, Field.OIF):
            ports = (self.space.interface(field, name) for name in sorted(self.bridge_ports))
            others = packets & ~union([*ports], self.space.false)
            packets = others if others.satisfiable() else packets
        return packets

    def usual_port(self, last: Outcome, chosen: Chosen, matcher: ExactMatcher) -> Chosen:
        """The kernel takes another port only where this one is taken."""
        free = self._choices(last, chosen.point, Field.SPORT, matcher) == [None]
        if not free:
            return chosen
        return chosen._replace(arrived=replace(chosen.arrived, sport=chosen.came.sport))

    def in_words(self, last: Outcome, chosen: Chosen, matcher: ExactMatcher) -> Packet:
        """What the packet becomes."""
        packet, family = chosen.arrived, self.family
        conditions = packet.conditions

        for side, name, field, interface in (
            (DESTINATION, "daddr", family.daddr, chosen.came.iif),
            (SOURCE, "saddr", family.saddr, chosen.arrived.oif),
        ):
            choices = self._choices(last, chosen.point, field, matcher)
            if self._hangs_on(last, chosen.point, field, self._own(side)):
                packet = _with(packet, name, f"the address of {self._named(interface)}")
            elif choices:
                packet = _with(packet, name, self._range(choices[0]))
        for name, field in (("dport", Field.DPORT), ("sport", Field.SPORT)):
            choices = self._choices(last, chosen.point, field, matcher)
            known = [choice for choice in choices if choice is not None]
            if known:
                conditions = (*conditions, f"{name} is one of {known[0].low}-{known[0].high}")
                packet = _without(packet, name)
            elif choices and field is Field.DPORT:
                packet = _without(packet, name)
        return replace(packet, conditions=conditions)

    def _named(self, interface: str | None) -> str:
        """A port has no address: the bridge has."""
        return "the bridge" if interface in self.bridge_ports else str(interface)

    def _own(self, side: Side) -> tuple[Unknown, ...]:
        return side.own_bits(self.family.address_bits)

    def _range(self, choice: Choice | None) -> str:
        if choice is None:
            return "an unknown address"
        kind = IPv4Address if self.family is Family.IP else IPv6Address
        return f"one of {kind(choice.low or 0)}-{kind(choice.high or 0)}"

    def _choices(
        self, last: Outcome, point: PacketSet, field: Field, matcher: ExactMatcher
    ) -> list[Choice | None]:
        """From what the kernel chose what the packet has there in the end, if it did; None: from
        anything."""
        choices: list[Choice | None] = []
        for key, numbers in self.unknowns.together().items():
            rule = matcher.left_open.rule_of(key)
            keys = [key._replace(bit=bit) for bit in range(len(numbers))]
            if key.bit is None or rule is None or not self._hangs_on(last, point, field, keys):
                continue
            choices += [effect.choice for effect in rule.effects if effect.field is field]
        return choices

    def _hangs_on(
        self, last: Outcome, point: PacketSet, field: Field, keys: Iterable[Unknown]
    ) -> bool:
        """Whether the field is in the end what the unknown numbers say."""
        # What the field came with, or was given for certain, hangs on nothing.
        changed = [bit for bit in last.rewrite.of(field) if bit is not None]
        changed = [bit for bit in changed if bit.satisfiable() and not bit.valid()]
        if not changed:
            return False
        for key in keys:
            if key in self.unknowns.variables:
                point = point.exists(self.unknowns.variable(key))
        return any((point & b).satisfiable() and (point & ~b).satisfiable() for b in changed)


def _with(packet: Packet, name: str, address: str) -> Packet:
    if name == "daddr":
        return replace(packet, daddr=address)
    return replace(packet, saddr=address)


def _without(packet: Packet, name: str) -> Packet:
    return replace(packet, dport=None) if name == "dport" else replace(packet, sport=None)
