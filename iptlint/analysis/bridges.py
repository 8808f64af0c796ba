"""What happens to packets that come by a bridge, and which tables were not asked of others.

Whether an interface is the port of a bridge is not for rules to say; but a rule of a bridge's table
that names one would match nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.analysis.bridge_ports import bridge_ports, is_shown_to_ip, tables_of_bridges
from iptlint.analysis.bridge_way import BridgeTraversal, Ports, ports_routed, with_own_named
from iptlint.analysis.connection_way import direction
from iptlint.analysis.one_packet import image, one_of, values
from iptlint.analysis.shares import packet_count
from iptlint.analysis.trace import Trace, trace
from iptlint.analysis.trace_conditions import Chosen, conditions
from iptlint.analysis.trace_outcome import Followed, TraceOutcome
from iptlint.model import Family, Field, Hook, Ruleset
from iptlint.model.host_addresses import HostAddresses, shown_by
from iptlint.netfilter.firewall import Firewall, Hooks, space_of
from iptlint.netfilter.packet_group import Outcome, TraversalStep
from iptlint.netfilter.routes import BRIDGED
from iptlint.netfilter.traversal import Traversal, setting_out
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.packet import Packet
from iptlint.packets.query import packets_like
from iptlint.packets.witness import packet_of

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def trace_with_bridges(
    ruleset: Ruleset, packet: Packet, addresses: HostAddresses | None = None
) -> Trace:
    """As ``trace``, with what was not asked of bridges; packets between interfaces that rules show
    to be ports are followed over the bridge. QueryError where a value is none."""
    hook = _way_over(ruleset, packet)
    if hook is not None and packet.family in space_of(ruleset).families:
        return _Bridged(ruleset, packet, hook).traced(addresses or shown_by(ruleset))
    traced = trace(ruleset, packet, addresses, bridge_ports(ruleset))
    names = ", ".join(f"bridge {table.name}" for table in tables_of_bridges(ruleset))
    if not names:
        return traced
    if ports_routed(ruleset, packet) is None:
        return replace(traced, notes=(_NOT_ASKED.format(names),))
    away = any(_leaves(outcome, packet) for outcome in traced.outcomes)
    return replace(traced, over_bridge=True, notes=(_NOT_LEAVING.format(names),) * away)


def _leaves(outcome: TraceOutcome, packet: Packet) -> bool:
    """By an interface that nobody has named."""
    forwarded = outcome.way is Hook.FORWARD and not outcome.kind.denies
    return forwarded and outcome.arrived.oif != packet.oif


_NOT_ASKED = (
    "not asked: {}, for what comes or leaves by the ports of a bridge; name such a port with --iif,"
    " --oif or both to ask it"
)
_NOT_LEAVING = "not asked: {}, for what leaves by the ports of a bridge"


def _way_over(ruleset: Ruleset, packet: Packet) -> Hook | None:
    """The way over the bridge from port to port; where br_netfilter shows it to ip, also that
    between a port and the bridge's interface."""
    ports, shown = bridge_ports(ruleset), is_shown_to_ip(ruleset)
    iif, oif = packet.iif in ports, packet.oif in ports
    if iif and oif:
        way = Hook.FORWARD
    elif shown and iif and packet.oif is None:
        way = Hook.INPUT
    elif shown and oif and packet.iif is None:
        way = Hook.OUTPUT
    else:
        return None
    return way if packet.hook in (None, way.value) else None


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
        shown = is_shown_to_ip(ruleset)
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
        packets = union([end.packets for end in together], self.space.false)
        return TraceOutcome(
            kind=together[0].kind,
            decision=together[0].decision,
            packets=packets.exists(self.unknowns.cube),
            among=self.asked,
            way=self.hook,
            expired=False,
            follow=lambda: self._one(packets),
        )

    def _one(self, packets: PacketSet) -> Followed:
        space = self.space
        point = one_of(space, packets, self.hook, self.unknowns)
        steps: list[TraversalStep] = []
        traversal = self._traversal(steps.append)
        (last,) = traversal.follow(BRIDGED[self.hook], point)
        came = self._as_asked(packet_of(space, values(point), self.hook))
        arrived = self._as_asked(packet_of(space, image(point, last), self.hook))
        chosen = Chosen(point, self.asked & ~packets, came, arrived)
        had_to_hold = conditions(space, self.unknowns, traversal.matcher, chosen)
        return Followed(
            packet=came,
            arrived=arrived,
            becomes=None if arrived == came or last.kind.denies else arrived,
            conditions=with_own_named(space, self.ports, had_to_hold),
            steps=tuple(steps),
            connection_mark=0,
            zone=last.zone,
        )

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
