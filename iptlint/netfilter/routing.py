"""Where packets go behind a hook that may have given them another destination."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from iptlint.memo import memo
from iptlint.model import Family, Field
from iptlint.model.addresses import LOOPBACK
from iptlint.model.host_addresses import HostAddresses
from iptlint.model.matches import Ranges
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

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

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


class _Way(NamedTuple):
    """Destinations, and the number of the interface behind which they are, where it is known."""

    low: int
    high: int
    destinations: PacketSet
    number: int | None


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
        written = group.rewrite.number(self.family.daddr)
        if written is not None:
            return ~self.space.value(self.family.daddr, written)
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
        for _, _, destinations, number in self._ways:
            behind = destinations & ~seen
            seen = seen | behind
            if number is not None:
                packets = packets & (~behind | self.space.value(Field.OIF, number))
        return packets

    def unrouted(self, group: PacketGroup) -> PacketSet:
        """Those of the packets that no route of the host is for, where all of them are known."""
        if self.bound or not self.addresses.routed:
            return self.space.false
        routed = union([way.destinations for way in self._ways], self.space.false)
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
            leaving = group.having(group.packets & ~home)
            if (leaving.packets & moved).satisfiable():
                leaving = self._leaving(leaving, moved, *self._known_way(group))
            rerouted.add(leaving)
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
        address = group.rewrite.number(self.family.daddr)
        if address is not None:
            return self._known_way_to(address)
        seen = known = self.space.false
        bits = [self.space.false] * self._out.width
        for _, _, destinations, number in self._ways:
            behind = group.rewrite.now(destinations) & ~seen
            seen = seen | behind
            if number is None:
                continue
            known = known | behind
            bits = [
                bit | (behind & its) for bit, its in zip(bits, self._bits_of(number), strict=True)
            ]
        return known, bits

    @memo
    def _known_way_to(self, address: int) -> tuple[PacketSet, list[PacketSet]]:
        """The same of packets that are all sent to one address."""
        leading = (way.number for way in self._ways if way.low <= address <= way.high)
        number = next(leading, None)
        if number is None:
            return self.space.false, self._bits_of(0)
        return self.space.true, self._bits_of(number)

    @cached_property
    def _ways(self) -> tuple[_Way, ...]:
        return self._leading(self.addresses)

    def _leading(self, addresses: HostAddresses) -> tuple[_Way, ...]:
        return tuple(
            _Way(
                way.low,
                way.high,
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
    def _ways(self) -> tuple[_Way, ...]:
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
