"""Packets followed through the chains of bridge, and through those of ip that belong to their way.

What comes to the bridge's own interface goes on to the chains of ip as if it came by that; what
leaves by it has passed them. With br_netfilter they are shown what goes from port to port, too,
with the bridge's own interface (net/bridge/br_netfilter_hooks.c).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from iptlint.analysis.bridge_ports import bridge_ports, is_shown_to_ip, port_tests
from iptlint.model import Family, Field, Hook, Ruleset
from iptlint.model.matches import BridgePort
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.packet_group import Outcome, PacketGroup, PacketGroups, TraversalStep
from iptlint.netfilter.routes import BRIDGED, INTERFACES_AT, ROUTES
from iptlint.netfilter.routing import Routing, RunningConnection
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import Unknown, Unknowns
from iptlint.packets.bdd import BitField, union
from iptlint.packets.interfaces import NO_INTERFACE
from iptlint.packets.packet import Packet
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

OWN_INTERFACE = Unknown("the bridge's own interface", 0)
_LAST = 1 << 31
_SHOWN_AT = {Hook.PREROUTING: 0, Hook.FORWARD: -1, Hook.POSTROUTING: _LAST}
"""The priority at which br_netfilter shows a packet to the same hook of ip."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The port that packets came by, and the one that they leave by; None: the bridge's own
    interface. ``names``: all that are known not to be that. ``shown_to_ip``: br_netfilter is
    there."""

    iif: str | None
    oif: str | None
    names: frozenset[str]
    shown_to_ip: bool


class BridgeTraversal(Traversal):
    """``family``: of the packets, ip or ip6."""

    def __init__(
        self,
        firewall: Firewall,
        family: Family,
        unknowns: Unknowns,
        ports: Ports,
        *,
        by_rule: bool = False,
        on_step: Callable[[TraversalStep], None] | None = None,
    ) -> None:
        super().__init__(firewall, Family.BRIDGE, unknowns, by_rule=by_rule, on_step=on_step)
        self.ports = ports
        self.ip = _IpTraversal(firewall, family, unknowns, by_rule=by_rule, on_step=on_step)
        self.ip.ports = ports

    def _at_hook(self, hook: Hook, groups: PacketGroups, *, to_host: bool) -> PacketGroups:
        if hook is Hook.OUTPUT:
            groups = self._by_ip(ROUTES[Hook.OUTPUT], groups)
        if self.ports.shown_to_ip and hook in _SHOWN_AT:
            return self._shown_to_ip(hook, groups)
        groups = super()._at_hook(hook, groups, to_host=to_host)
        if hook is Hook.INPUT:
            # What prerouting has shown to ip does not come there again (ip_sabotage_in).
            after = (Hook.INPUT,) if self.ports.shown_to_ip else ROUTES[Hook.INPUT]
            groups = self._by_ip(after, groups)
        return groups

    def _shown_to_ip(self, hook: Hook, groups: PacketGroups) -> PacketGroups:
        before, behind = list[BaseChain](), list[BaseChain]()
        for base_chain in self.firewall.base_chains(Family.BRIDGE, hook):
            earlier = (base_chain.chain.priority or 0) < _SHOWN_AT[hook]
            (before if earlier else behind).append(base_chain)
        groups = self._all_arrived(hook, groups)
        if hook is Hook.PREROUTING:
            groups = self.tracking.untracked_yet(groups, to_host=False)
        for base_chain in before:
            groups = self._at_base_chain(base_chain, hook, groups, is_main=False)
        if hook is Hook.PREROUTING:
            groups = self.tracking.tracked(groups)
        groups = self._all_arrived(hook, self._by_ip((hook,), groups))
        for base_chain in behind:
            groups = self._at_base_chain(base_chain, hook, groups, is_main=False)
        return groups

    def _all_arrived(self, hook: Hook, groups: PacketGroups) -> PacketGroups:
        return PacketGroups(g.rewritten(self._arrived(hook, g)) for g in groups)

    def _by_ip(self, hooks: Sequence[Hook], groups: PacketGroups) -> PacketGroups:
        return self.ip.between(hooks, groups, self.outcomes)


class _Part(Traversal):
    """Of a way, between hooks of another family."""

    def between(
        self, hooks: Sequence[Hook], groups: PacketGroups, outcomes: list[Outcome]
    ) -> PacketGroups:
        """What comes through the hooks."""
        self.outcomes = outcomes
        return self._through(hooks, groups, to_host=False)


class _IpTraversal(_Part):
    """The part of the way that the chains of ip see."""

    ports: Ports

    def between(
        self, hooks: Sequence[Hook], groups: PacketGroups, outcomes: list[Outcome]
    ) -> PacketGroups:
        """As the bridge sees it again."""
        passed = super().between(hooks, groups, outcomes)
        manager = self.space.manager
        before = {number: manager.var(number) for number, _ in self._port_tests}
        return PacketGroups(g.rewritten(g.rewrite.with_bits(before)) for g in passed)

    def _arrived(self, hook: Hook, group: PacketGroup) -> Rewrite:
        rewrite = super()._arrived(hook, group)
        for field, exists in INTERFACES_AT[hook].items():
            if exists:
                variables = self.space.fields[field].variables
                rewrite = rewrite.with_bits(dict(zip(variables, self._own, strict=True)))
        if hook is Hook.POSTROUTING:
            rewrite = rewrite.constant(Field.IIF, NO_INTERFACE)
        is_bridged = self.ports.iif is not None and hook in (Hook.FORWARD, Hook.POSTROUTING)
        at = {Field.IIF: self.ports.iif, Field.OIF: self.ports.oif if is_bridged else None}
        bits = {
            number: self.space.true if port.is_for(at[port.field]) else self.space.false
            for number, port in self._port_tests
        }
        return rewrite.with_bits(bits)

    @cached_property
    def _port_tests(self) -> tuple[tuple[int, BridgePort], ...]:
        """The variables of the tests for a port."""
        rules = (rule for _, _, rule in self.firewall.ruleset.rules())
        tests = {test for rule in rules for match in rule.matches for test in port_tests(match)}
        numbered = ((self.space.opaque(test.affirmed).node_var(), test.asks) for test in tests)
        return tuple(
            (number, port)
            for number, port in numbered
            if number is not None and isinstance(port, BridgePort)
        )

    @cached_property
    def _own(self) -> tuple[PacketSet, ...]:
        return _own_bits(self.matcher.unknowns, self.ports.names)


class RoutedTraversal(Traversal):
    """Of packets that come by a port to the bridge's own interface, or that ip sends to a port by
    it: the chains of bridge stand before those of ip, or behind them (br_pass_frame_up,
    br_dev_xmit)."""

    def __init__(
        self,
        firewall: Firewall,
        family: Family,
        unknowns: Unknowns,
        ports: Ports,
        *,
        by_rule: bool = False,
        routing: Routing | None = None,
        running: RunningConnection | None = None,
        on_step: Callable[[TraversalStep], None] | None = None,
    ) -> None:
        super().__init__(
            firewall,
            family,
            unknowns,
            by_rule=by_rule,
            routing=routing,
            running=running,
            on_step=on_step,
        )
        self.ports = ports
        self._own = _own_bits(unknowns, ports.names)
        frames = partial(_Part, firewall, Family.BRIDGE, unknowns, on_step=on_step)
        self._incoming, self._outgoing = frames(by_rule=by_rule), frames()

    def _at_hook(self, hook: Hook, groups: PacketGroups, *, to_host: bool) -> PacketGroups:
        if hook is Hook.INGRESS and self.ports.iif is not None:
            groups = self._over_bridge(self._incoming, Hook.INPUT, groups, Hook.PREROUTING)
        groups = super()._at_hook(hook, groups, to_host=to_host)
        if hook is not Hook.EGRESS or self.ports.oif is None:
            return groups
        passed, over_bridge = PacketGroups(), PacketGroups()
        for group in groups:
            away = self._elsewhere(group)
            passed.add(replace(group, packets=group.packets & away))
            over_bridge.add(replace(group, packets=group.packets & ~away))
        for group in self._over_bridge(self._outgoing, Hook.OUTPUT, over_bridge, hook):
            passed.add(group)
        return passed

    def _over_bridge(self, part: _Part, way: Hook, groups: PacketGroups, at: Hook) -> PacketGroups:
        """``at``: the hook of ip that what is dropped there has come to."""
        ended: list[Outcome] = []
        passed = part.between(BRIDGED[way], groups, ended)
        self.outcomes += (outcome._replace(hook=at) for outcome in ended)
        return passed

    def _elsewhere(self, group: PacketGroup) -> PacketSet:
        """Those of the packets that do not leave by the interface that they were to leave by."""
        if group.looped:
            return self.space.true
        variable = self.space.manager.var
        return union([bit ^ variable(number) for number, bit in group.out], self.space.false)

    def _arrived(self, hook: Hook, group: PacketGroup) -> Rewrite:
        """By the bridge's own interface, not by the port."""
        rewrite = super()._arrived(hook, group)
        away = {Field.IIF: self.space.false, Field.OIF: self._elsewhere(group)}
        for field, port in ((Field.IIF, self.ports.iif), (Field.OIF, self.ports.oif)):
            if port is None or INTERFACES_AT[hook].get(field) is False:
                continue
            bits = zip(self.space.fields[field].variables, self._own, strict=True)
            rewrite = rewrite.with_bits(dict(bits)).where(away[field], rewrite)
        return rewrite


def _own_bits(unknowns: Unknowns, ports: Collection[str]) -> tuple[PacketSet, ...]:
    """The bits of the number of the bridge's own interface, by which of all it may be."""
    space = unknowns.space
    width, numbers = space.fields[Field.IIF].width, own_interfaces(space, ports)
    bits = [unknowns.variable(OWN_INTERFACE._replace(bit=bit)) for bit in range(width)]
    variables = [number for bit in bits if (number := bit.node_var()) is not None]
    which = BitField(space.manager, variables)
    first, last = numbers[0], len(numbers) - 1
    is_index = which.within(0, last)
    return tuple(
        union(
            [which.within(n, n) for n, number in enumerate(numbers) if number >> place & 1],
            ~is_index if first >> place & 1 else space.false,
        )
        for place in reversed(range(width))
    )


def own_interfaces(space: Space, ports: Collection[str]) -> tuple[int, ...]:
    """The classes that the bridge's own interface may be of: first those that rules name."""
    numbered = enumerate(space.interfaces.classes, start=1)
    known = [(cls.wildcard, number) for number, cls in numbered if cls.name not in {*ports, "lo"}]
    return tuple(number for _, number in sorted(known))


def ports_routed(ruleset: Ruleset, packet: Packet) -> Ports | None:
    """The port that packets like it come by or leave by, if ip routes them at the other end. None
    where br_netfilter shows them to ip, which is another way, and where no port is named."""
    names = frozenset() if is_shown_to_ip(ruleset) else bridge_ports(ruleset)
    iif = packet.iif if packet.iif in names else None
    oif = packet.oif if packet.oif in names else None
    if (iif is None) is (oif is None):
        return None
    others = {name for name in (packet.iif, packet.oif) if name is not None}
    return Ports(iif, oif, names | others, shown_to_ip=False)


def with_own_named(space: Space, ports: Ports | None, conditions: Iterable[str]) -> tuple[str, ...]:
    """The conditions, with the name of the bridge's own interface."""
    if ports is None:
        return tuple(conditions)
    possible = own_interfaces(space, ports.names)
    return tuple(_named(space, possible, condition) for condition in conditions)


def _named(space: Space, possible: Sequence[int], condition: str) -> str:
    before, which, number = condition.partition(f"{OWN_INTERFACE.text} is ")
    if not which:
        return condition
    index = int(number) if int(number) < len(possible) else 0
    cls = space.interfaces.classes[possible[index] - 1]
    name = cls.name + "*" * cls.wildcard if cls.name else "one that no rule names"
    return f"{before}{which}{name}"
