"""What happens to packets that come by a bridge, and which tables were not asked of others.

Whether an interface is the port of a bridge is not for rules to say; but a rule of a bridge's table
that names one would match nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.analysis.bridge_way import (
    OWN_INTERFACE,
    BridgeTraversal,
    Ports,
    own_interfaces,
    port_tests,
)
from iptlint.analysis.connection_way import direction
from iptlint.analysis.one_packet import image, one_of, values
from iptlint.analysis.shares import packet_count
from iptlint.analysis.trace import Trace, TraceOutcome, trace
from iptlint.analysis.trace_conditions import Chosen, conditions
from iptlint.model import AnyOf, Family, Field, Hook, Interface, Match, Ruleset, Table
from iptlint.model.host_addresses import HostAddresses, shown_by
from iptlint.model.matches import BridgePort
from iptlint.netfilter.firewall import Firewall, space_of
from iptlint.netfilter.hooks import Hooks
from iptlint.netfilter.packet_group import Outcome, TraversalStep
from iptlint.netfilter.routes import BRIDGED
from iptlint.netfilter.traversal import Traversal, setting_out
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.packet import Packet
from iptlint.packets.query import packets_like
from iptlint.packets.witness import packet_of

if TYPE_CHECKING:
    pass


def trace_with_bridges(
    ruleset: Ruleset, packet: Packet, addresses: HostAddresses | None = None
) -> Trace:
    """As ``trace``; packets between interfaces that rules show to be ports of a bridge are followed
    over it. QueryError where a value is none."""
    hook = _way_over(ruleset, packet)
    if hook is None or packet.family not in space_of(ruleset).families:
        traced, tables = trace(ruleset, packet, addresses, bridge_ports(ruleset)), _tables(ruleset)
        return replace(traced, notes=(_not_asked(tables),)) if tables else traced
    return _Bridged(ruleset, packet, hook).traced(addresses or shown_by(ruleset))


def _tables(ruleset: Ruleset) -> tuple[Table, ...]:
    """Those of bridges that may do something with packets."""
    return tuple(
        table
        for table in ruleset.tables
        if table.family is Family.BRIDGE and any(chain.rules for chain in table.base_chains())
    )


def _not_asked(tables: Iterable[Table]) -> str:
    names = ", ".join(f"bridge {table.name}" for table in tables)
    return (
        f"not asked: {names}, for what comes or leaves by the ports of a bridge; name such a port "
        "with --iif, --oif or both to ask it"
    )


def _way_over(ruleset: Ruleset, packet: Packet) -> Hook | None:
    """The way over the bridge: between two ports, or between one and the bridge's interface."""
    ports = bridge_ports(ruleset)
    iif, oif = packet.iif in ports, packet.oif in ports
    if iif and oif:
        ways = {Hook.FORWARD}
    elif iif and packet.oif is None:
        ways = {Hook.INPUT}
    elif oif and packet.iif is None:
        ways = {Hook.OUTPUT}
    else:
        return None
    return next((way for way in ways if packet.hook in (None, way.value)), None)


def bridge_ports(ruleset: Ruleset) -> frozenset[str]:
    """The interfaces that rules show to be ports of bridges."""
    rules = (rule for table in _tables(ruleset) for _, rule in table.rules())
    named = {name for rule in rules for match in rule.matches for name in _named(match)}
    asked = _asked_ports(ruleset)
    return frozenset(named | {port.name for port in asked if port.name and not port.wildcard})


def _asked_ports(ruleset: Ruleset) -> Iterator[BridgePort]:
    """What chains of ip ask of ports, which is in vain without br_netfilter."""
    for _, _, rule in ruleset.rules():
        for match in rule.matches:
            for test in port_tests(match):
                if isinstance(test.asks, BridgePort):
                    yield test.asks


def _named(match: Match) -> Iterator[str]:
    match match:
        case Interface(Field.IIF | Field.OIF, name, wildcard=False):
            yield name
        case AnyOf(alternatives):
            for tests in alternatives:
                for test in tests:
                    yield from _named(test)


class _Bridged:
    """Packets on one way over a bridge."""

    def __init__(self, ruleset: Ruleset, packet: Packet, hook: Hook) -> None:
        self.ruleset = ruleset
        self.packet = packet
        self.hook = hook
        self.firewall = Firewall(ruleset)
        self.space = self.firewall.space
        self.unknowns = Unknowns(self.space)
        self.family = Family(packet.family)
        self.translates = Hooks(self.firewall, self.family).translates
        shown = any(True for _ in _asked_ports(ruleset))
        self.ports = Ports(packet.iif, packet.oif, bridge_ports(ruleset), shown)
        like = packets_like(self.space, packet) & setting_out(self.space, Family.BRIDGE, hook)
        if packet.mark is None and hook is not Hook.OUTPUT:  # what comes from a wire has none
            like = like & self.space.value(Field.MARK, 0)
        asked = direction(self.space, like, packet)
        self.asked = asked.first | asked.later | asked.others

    def traced(self, addresses: HostAddresses) -> Trace:
        by_decision: dict[object, list[Outcome]] = {}
        for end in self._traversal(None).follow(BRIDGED[self.hook], self.asked):
            by_decision.setdefault((end.kind, end.decision), []).append(end)
        outcomes = [self._outcome(together) for together in by_decision.values()]
        outcomes.sort(key=lambda outcome: -packet_count(outcome.packets))
        return Trace(
            self.ruleset,
            addresses,
            self.space,
            self.asked,
            tuple(outcomes),
            bridged=True,
            notes=tuple(self._notes()),
        )

    def _traversal(self, on_step: Callable[[TraversalStep], None] | None) -> Traversal:
        if self.translates:  # where it is sent then is not followed
            return Traversal(
                self.firewall, Family.BRIDGE, self.unknowns, by_rule=True, on_step=on_step
            )
        return BridgeTraversal(
            self.firewall, self.family, self.unknowns, self.ports, by_rule=True, on_step=on_step
        )

    def _notes(self) -> Iterator[str]:
        seen = any(self.firewall.base_chains(self.family, hook) for hook in _SEEN_BY_IP)
        if self.hook in _BEYOND and self.translates:
            yield _BEYOND[self.hook]
        elif self.hook is Hook.INPUT and any(self.firewall.base_chains(self.family, Hook.FORWARD)):
            yield _ROUTED_ON
        if self.hook is Hook.FORWARD and seen and (self.translates or not self.ports.shown_to_ip):
            yield _BR_NETFILTER

    def _outcome(self, together: list[Outcome]) -> TraceOutcome:
        space = self.space
        packets = union([end.packets for end in together], space.false)
        point = one_of(space, packets, self.hook)
        steps: list[TraversalStep] = []
        traversal = self._traversal(steps.append)
        (last,) = traversal.follow(BRIDGED[self.hook], point)
        came = self._as_asked(packet_of(space, values(point), self.hook))
        arrived = self._as_asked(packet_of(space, image(space, point, last), self.hook))
        chosen = Chosen(point, self.asked & ~packets, came, arrived)
        had_to_hold = conditions(space, self.unknowns, traversal.matcher, chosen)
        return TraceOutcome(
            kind=last.kind,
            decision=last.decision,
            packets=packets.exists(self.unknowns.cube),
            among=self.asked,
            witness=came,
            arrived=arrived,
            becomes=None if arrived == came or last.kind.denies else arrived,
            way=self.hook,
            conditions=tuple(map(self._in_words, had_to_hold)),
            steps=tuple(steps),
            connection_mark=0,
            zone=last.zone,
            expired=False,
        )

    def _in_words(self, condition: str) -> str:
        """With the name of the bridge's own interface."""
        before, which, number = condition.partition(f"{OWN_INTERFACE.text} is ")
        if not which:
            return condition
        possible = own_interfaces(self.space, self.ports.names)
        index = int(number) if int(number) < len(possible) else 0
        cls = self.space.interfaces.classes[possible[index] - 1]
        name = cls.name + "*" * cls.wildcard if cls.name else "one that no rule names"
        return f"{before}{which}{name}"

    def _as_asked(self, packet: Packet) -> Packet:
        """With the interfaces of its whole way, whatever a hook knows of them."""
        return replace(packet, iif=self.packet.iif, oif=self.packet.oif)


_BEYOND = {
    Hook.INPUT: "this is its way to the bridge's own interface; for the rest of it, name that"
    " interface with --iif",
    Hook.OUTPUT: "this is its way from the bridge's own interface; for the way there, name that"
    " interface with --oif",
}
_ROUTED_ON = (
    "not asked: what becomes of it if it is routed on; for that, name the bridge's own interface"
    " with --iif"
)
_SEEN_BY_IP = (Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING)
_BR_NETFILTER = (
    "not asked: the chains of ip, ip6 and inet, which see it too where br_netfilter is loaded"
    " (net.bridge.bridge-nf-call-iptables=1), with the bridge's own interface"
)
