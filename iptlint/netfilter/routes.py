"""The hooks on a packet's way, the packets there are at each, and where routing sends them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Chain, Family, Field, Hook, Table
from iptlint.model.addresses import LOOPBACK
from iptlint.model.host_addresses import HostAddresses
from iptlint.model.matches import Ranges
from iptlint.model.protocols import ICMP, ICMP6
from iptlint.netfilter.packet_group import PacketGroup, PacketGroups
from iptlint.netfilter.unknowns import (
    SENT_TO_OWN,
    Unknown,
    Unknowns,
    address_text,
    own_address,
)
from iptlint.packets.address_types import LOCAL, UNICAST, destination_types
from iptlint.packets.bdd import BitField, union
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Route = tuple[Hook, ...]
"""The hooks on a way, in order."""

ROUTES: dict[Hook, Route] = {
    Hook.INPUT: (Hook.INGRESS, Hook.PREROUTING, Hook.INPUT),
    Hook.FORWARD: (
        *(Hook.INGRESS, Hook.PREROUTING, Hook.FORWARD),
        *(Hook.POSTROUTING, Hook.EGRESS),
    ),
    Hook.OUTPUT: (Hook.OUTPUT, Hook.POSTROUTING, Hook.EGRESS),
}
"""The way of a packet to this host, through it, and from it: ingress and egress are those of the
devices that it comes in and leaves by."""

BRIDGED: dict[Hook, Route] = {
    Hook.INPUT: (Hook.INGRESS, Hook.PREROUTING, Hook.INPUT),
    Hook.FORWARD: ROUTES[Hook.FORWARD],
    Hook.OUTPUT: ROUTES[Hook.OUTPUT],
}
"""The way of a frame through the chains of bridge: to the interface of the bridge itself, from port
to port, and from the bridge's interface (net/bridge/br_input.c, br_forward.c)."""

WAYS: dict[Family, dict[Hook, Route]] = {
    Family.IP: ROUTES,
    Family.IP6: ROUTES,
    Family.ARP: {hook: (hook,) for hook in (Hook.INPUT, Hook.OUTPUT)},
    # Frames of a bridge's own protocols come to its input without prerouting (br_handle_frame).
    Family.BRIDGE: {
        **{hook: (hook,) for hook in (Hook.PREROUTING, Hook.INPUT)},
        **{hook: BRIDGED[hook] for hook in (Hook.FORWARD, Hook.OUTPUT)},
    },
    Family.NETDEV: {hook: (hook,) for hook in (Hook.INGRESS, Hook.EGRESS)},
}
"""By the hook that a way is known by. How a packet comes from a bridge to the chains of ip, or from
those to a bridge, is another question."""

INTERFACES_AT = {
    Hook.INGRESS: {Field.IIF: True, Field.OIF: False},
    Hook.PREROUTING: {Field.IIF: True, Field.OIF: False},
    Hook.INPUT: {Field.IIF: True, Field.OIF: False},
    Hook.FORWARD: {Field.IIF: True, Field.OIF: True},
    Hook.OUTPUT: {Field.IIF: False, Field.OIF: True},
    # POSTROUTING sees forwarded packets and the host's own; xtables gives it no way in.
    Hook.POSTROUTING: {Field.OIF: True},
    Hook.EGRESS: {Field.IIF: False, Field.OIF: True},  # nf_hook_egress knows no way in
}
"""Whether a packet at the hook has the interface; either way where it is not said."""


def at_hook(space: Space, hook: Hook) -> PacketSet:
    """The packets with the interfaces that packets have at the hook."""
    packets = space.universe
    if hook is Hook.INPUT:
        # ip_local_deliver puts datagrams of IPv4 together before it asks the hook.
        packets = packets & ~(space.family("ip") & space.value(Field.FRAGMENT, 1))
    for field, exists in INTERFACES_AT[hook].items():
        none = space.no_interface(field)
        packets = packets & (~none if exists else none)
    return packets


def shown_to(space: Space, table: Table, chain: Chain) -> PacketSet:
    """The packets that the kernel shows to the base chain, of those at its hook."""
    packets = space.family(*table.family.packets)
    if chain.devices:
        field = Field.OIF if chain.hook is Hook.EGRESS else Field.IIF
        names = [space.interface(field, name) for name in chain.devices]
        packets = packets & union(names, space.false)
    if chain.type == "nat":
        # nf_nat_inet_fn translates the first packet of a connection only; an expected
        # connection starts as related (net/netfilter/nf_nat_core.c). An error goes with the
        # connection that it is about (nf_nat_ipv4_fn, nf_nat_ipv6_fn in nf_nat_proto.c).
        packets = packets & (space.state("new") | (space.state("related") & ~_icmp(space)))
    return packets


def _icmp(space: Space) -> PacketSet:
    both = (("ip", ICMP), ("ip6", ICMP6))
    return union([space.family(f) & space.value(Field.PROTO, n) for f, n in both], space.false)


def base_packets(space: Space, table: Table, chain: Chain) -> PacketSet:
    """The packets that the base chain sees if no other takes them first."""
    assert chain.hook is not None
    return at_hook(space, chain.hook) & shown_to(space, table, chain)


ANY_WAY_ON = Unknown("the interface that it leaves by", 0)
_LO, _FIRST_BEHIND_LO = 1, 2
"""Of the numbers that interfaces have; 0 is none."""


class RunningConnection(NamedTuple):
    """What an earlier packet of the connection became, which later ones become too: as functions of
    the packet as it came. ``to_host``: that one was sent to this host. ``zone``: where conntrack
    has the connection."""

    rewrite: Rewrite
    to_host: bool
    zone: int | None = 0


class Routed(NamedTuple):
    to_host: PacketGroups
    onwards: PacketGroups


class Routing:
    """A packet whose destination is as it was goes where it was to go. One that was translated
    goes to this host if that is an address of its own, and on if it is not; ``bound``: by the
    interface that it was to leave by, else by the one that leads to its destination.
    ``stays``: what leaves the way that it set out on is not followed."""

    stays = False

    def __init__(
        self, family: Family, addresses: HostAddresses, unknowns: Unknowns, *, bound: bool = False
    ) -> None:
        self.family = family
        self.bound = bound
        self.addresses = addresses
        self.unknowns = unknowns
        self.space = unknowns.space
        self._same = Rewrite(self.space, {})
        self._own_addresses = self._known(addresses)

    def _known(self, addresses: HostAddresses) -> PacketSet:
        version = 4 if self.family is Family.IP else 6
        own = [network for network in addresses.own if network.version == version]
        ranges = [(int(each[0]), int(each[-1])) for each in (LOOPBACK[self.family], *own)]
        return self.space.ranges(self.family.daddr, tuple(ranges))

    def setting_out(self, packets: PacketSet, *, to_host: bool) -> PacketSet:
        """Those of the packets that may take the way, by where they are sent."""
        return packets

    def as_before(self, groups: PacketGroups, running: RunningConnection) -> Routed:
        """Of packets of a connection: they go where an earlier one went."""
        nobody = PacketGroups()
        name = LOCAL if running.to_host else UNICAST
        groups = PacketGroups(self._typed(g, g.packets, self._moved(g), name) for g in groups)
        if running.to_host:
            return Routed(groups, nobody)
        out = tuple((number, running.rewrite.variable(number)) for number in self._out.variables)
        return Routed(nobody, PacketGroups(replace(group, out=out) for group in groups))

    def routed(self, groups: PacketGroups, *, to_host: bool) -> Routed:
        """``to_host``: where packets go whose destination is as it was."""
        local, onwards = PacketGroups(), PacketGroups()
        for group in groups:
            moved = self._moved(group)
            own = self._own(group) if (group.packets & moved).satisfiable() else self.space.false
            addressed_here = (moved & own) | ~moved if to_host else moved & own
            if (here := group.packets & addressed_here).satisfiable():
                local.add(self._typed(group, here, moved, LOCAL))
            if to_host and self.stays:
                continue
            if (away := group.packets & ~addressed_here).satisfiable():
                sent_on = self._typed(group, away, moved, UNICAST)
                onwards.add(self._sent_on(sent_on, moved))
        return Routed(local, onwards)

    def _moved(self, group: PacketGroup) -> PacketSet:
        """The packets that have another destination than they came with."""
        if group.redirected:
            return self.space.true
        return group.rewrite.differs(self._same, self.unknowns.cube, self.family.daddr)

    def _own(self, group: PacketGroup) -> PacketSet:
        """The packets whose destination is the host's now."""
        own = self._own_addresses
        return self.space.true if group.redirected else group.rewrite.now_by(self.family.daddr, own)

    def _typed(
        self, group: PacketGroup, packets: PacketSet, moved: PacketSet, name: str
    ) -> PacketGroup:
        """With what ``addrtype`` says of the new destination."""
        bits: dict[int, PacketSet] = {}
        for each, asked in destination_types(self.space).items():
            if (number := asked.node_var()) is not None:
                fits = self.space.true if each == name else self.space.false
                bits[number] = (moved & fits) | (~moved & group.rewrite.variable(number))
        return replace(group, packets=packets, rewrite=group.rewrite.with_bits(bits))

    def _sent_on(self, group: PacketGroup, moved: PacketSet) -> PacketGroup:
        """With the interface that it is to leave by, where it had none or has another one now."""
        changing = self.space.no_interface(Field.OIF)
        if self.bound and not (group.packets & changing).satisfiable():
            return group
        known, bits = self._known_way(group)
        if not self.bound:
            changing = changing | moved
            if self.addresses.complete:
                changing = changing | known
        return self._leaving(group, changing, known, bits)

    def leaving(self, packets: PacketSet) -> PacketSet:
        """Those of the packets that leave by the interface which leads to their destination, where
        the routes of the host tell."""
        if self.bound or not self.addresses.routed:
            return packets
        seen = self.space.false
        for destinations, number in self._ways:
            behind = destinations & ~seen
            seen = seen | behind
            if number is not None:
                packets = packets & (~behind | self.space.value(Field.OIF, number))
        return packets

    def unrouted(self, group: PacketGroup) -> PacketSet:
        """Those of the packets that no route of the host is for, where all of them are known."""
        if self.bound or not self.addresses.routed:
            return self.space.false
        routed = union([destinations for destinations, _ in self._ways], self.space.false)
        return group.packets & ~group.rewrite.now(routed)

    def rerouted(self, groups: PacketGroups) -> PacketGroups:
        """Of packets that the host sends: what was translated is routed anew behind the hook, and
        comes back by lo if it is sent to the host itself (ip_route_me_harder)."""
        rerouted = PacketGroups()
        for group in groups:
            moved = self._moved(group)
            home = self.space.false
            if (group.packets & moved).satisfiable():
                home = moved & self._own(group)
            returning = self._leaving(group, home, self.space.true, self._bits_of(_LO))
            rerouted.add(replace(returning, packets=group.packets & home, looped=True))
            known, bits = self._known_way(group)
            rerouted.add(self._leaving(group.having(group.packets & ~home), moved, known, bits))
        return rerouted

    def _leaving(
        self, group: PacketGroup, changing: PacketSet, known: PacketSet, bits: list[PacketSet]
    ) -> PacketGroup:
        """``changing``: the packets that leave by another interface: by the one with the number
        that ``bits`` say if they are ``known`` packets, else by any."""
        if not (group.packets & changing).satisfiable():
            return group
        if (group.packets & changing & ~known).satisfiable():
            free = self._any_interface()
            bits = [one | (~known & any_) for one, any_ in zip(bits, free, strict=True)]
        out = [
            (number, (changing & bit) | (~changing & self.space.manager.var(number)))
            for number, bit in zip(self._out.variables, bits, strict=True)
        ]
        return replace(group, out=tuple(out))

    @property
    def _out(self) -> BitField:
        return self.space.fields[Field.OIF]

    def _known_way(self, group: PacketGroup) -> tuple[PacketSet, list[PacketSet]]:
        """The packets that a known interface leads to, and the bits of its number."""
        seen = known = self.space.false
        bits = [self.space.false] * self._out.width
        for destinations, number in self._ways:
            behind = group.rewrite.now(destinations) & ~seen
            seen = seen | behind
            if number is None:
                continue
            known = known | behind
            bits = [
                bit | (behind & its) for bit, its in zip(bits, self._bits_of(number), strict=True)
            ]
        return known, bits

    @cached_property
    def _ways(self) -> tuple[tuple[PacketSet, int | None], ...]:
        """Destinations, and the interface behind which they are, where it is known."""
        return self._leading(self.addresses)

    def _leading(self, addresses: HostAddresses) -> tuple[tuple[PacketSet, int | None], ...]:
        return tuple(
            (
                self.space.ranges(self.family.daddr, ((way.low, way.high),)),
                None if way.interface is None else self.space.interfaces.class_of(way.interface),
            )
            for way in addresses.ways(self.family)
        )

    def _any_interface(self) -> list[PacketSet]:
        """The bits of the number of any interface but lo."""
        keys = [ANY_WAY_ON._replace(bit=bit) for bit in range(self._out.width)]
        return self._some_interface([self.unknowns.variable(key) for key in keys])

    def _bits_of(self, number: int) -> list[PacketSet]:
        """Those of an interface's number, the most significant first."""
        places = reversed(range(self._out.width))
        return [self.space.true if number >> place & 1 else self.space.false for place in places]

    def _some_interface(self, bits: list[PacketSet]) -> list[PacketSet]:
        """The number itself where an interface has it, else that of all other names."""
        highest = self.space.interfaces.count - 1
        variables = [number for bit in bits if (number := bit.node_var()) is not None]
        fits = BitField(self.space.manager, variables).within(_FIRST_BEHIND_LO, highest)
        return [
            (fits & bit) | (~fits & its)
            for bit, its in zip(bits, self._bits_of(highest), strict=True)
        ]


class OpenRouting(Routing):
    """Of any host that may have the rules: whether an address is its own that nobody knows is left
    open. The interface that packets on their way through leave by is the one in the end."""

    def __init__(
        self, family: Family, addresses: HostAddresses, unknowns: Unknowns, *, stays: bool = False
    ) -> None:
        # What rules show of its own addresses is no proof.
        known = addresses if addresses.complete else replace(addresses, own=())
        super().__init__(family, known, unknowns, bound=True)
        self.stays = stays

    def setting_out(self, packets: PacketSet, *, to_host: bool) -> PacketSet:
        if to_host or not self.addresses.complete:
            return packets
        return packets & ~self._own_addresses

    def _own(self, group: PacketGroup) -> PacketSet:
        own = super()._own(group)
        if self.addresses.complete or own == self.space.true:
            return own
        return own | self._perhaps_own(group.rewrite)

    @cached_property
    def _ways(self) -> tuple[tuple[PacketSet, int | None], ...]:
        """A rule for a whole network does not say that all of it is behind the interface."""
        single = tuple(w for w in self.addresses.behind if w.low == w.high)
        return self._leading(replace(self.addresses, behind=single))

    def _perhaps_own(self, rewrite: Rewrite) -> PacketSet:
        """The packets whose destination is the host's if that is so of each address."""
        number = rewrite.number(self.family.daddr)
        if number is not None:
            return self.unknowns.variable(own_address(self.family, number))
        bits = self.space.fields[self.family.daddr].variables
        given = tuple(rewrite.variable(one) for one in bits)
        return self.unknowns.variable(SENT_TO_OWN._replace(ordinal=self.unknowns.number(given)))


class AssumingRouting(OpenRouting):
    """The same of the likely host: what rules show to be its address is, and one that nobody knows
    is another's, such as those that rules translate to (``others``). ``assumed``: of which it
    has been taken to be so."""

    def __init__(
        self,
        family: Family,
        addresses: HostAddresses,
        unknowns: Unknowns,
        others: Ranges,
        *,
        stays: bool = False,
    ) -> None:
        super().__init__(family, addresses, unknowns, stays=stays)
        self._own_addresses = self._known(addresses)
        self.assumed: dict[str, None] = {}
        self._others = self.space.ranges(family.daddr, others)

    def setting_out(self, packets: PacketSet, *, to_host: bool) -> PacketSet:
        packets = super().setting_out(packets, to_host=to_host)
        return packets & ~self._others if to_host else packets

    def _perhaps_own(self, rewrite: Rewrite) -> PacketSet:
        number = rewrite.number(self.family.daddr)
        self.assumed[SEVERAL if number is None else address_text(self.family, number)] = None
        return self.space.false


SEVERAL = "those of a range or a map"
"""The addresses of packets that are not all sent to the same one."""
