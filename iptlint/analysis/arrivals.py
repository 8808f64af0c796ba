"""Which packets arrive, and as what, wherever translation sends them: followed to the end.

``delivery`` asks of one way alone; here what a translation sends elsewhere is followed there, since
who asks "may they reach it" does not care how.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from iptlint.analysis.delivery import delivery
from iptlint.analysis.one_packet import image, one_of, values
from iptlint.analysis.trace_conditions import Chosen, conditions
from iptlint.model import Hook, Opaque, VerdictKind
from iptlint.model.matches import HostName, SetLookup
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Outcome
from iptlint.netfilter.routes import ROUTES
from iptlint.netfilter.routing import ANY_WAY_ON, OpenRouting
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import Unknown, Unknowns
from iptlint.packets.bdd import BitField, union
from iptlint.packets.describe.lists import listed
from iptlint.packets.ordinary import ordinary
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.witness import packet_of

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.space import Space


_ANY_WAY = ANY_WAY_ON._replace(bit=0)


class Where(Enum):
    """On which host that has the rules: on any, or on the likely one, where an address that nobody
    knows is another host's."""

    ANY_HOST = "any host"
    LIKELY_HOST = "the likely host"


Wanted = Callable[[Outcome], "PacketSet"]
"""Of an outcome, the packets as they came that count."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """``outcomes``: what becomes of the packets; where one hook tells it all, an outcome of no
    decision, and an unknown one of those that may be lost or not. ``assumed``: addresses that are
    taken to be other hosts'."""

    packets: PacketSet
    unknowns: Unknowns
    outcomes: tuple[Outcome, ...]
    assumed: tuple[str, ...] = ()

    def may_arrive(self, wanted: Wanted, *, by_lists: bool = False) -> PacketSet:
        """The packets that may come through so, whatever is left open. ``by_lists``: told apart by
        the lists that they are on."""
        passing = [each.packets & wanted(each) for each in self.outcomes if not each.kind.denies]
        open_ = self._open(by_ways=False, by_lists=by_lists)
        return union(passing, self.unknowns.space.false).exists(open_) & self.packets

    def surely_arrive(
        self, wanted: Wanted, *, by_ways: bool = False, by_lists: bool = False
    ) -> PacketSet:
        """The packets that come through so in every case; ``by_ways``: told apart by the interface
        that leads to where translation sends them, by the variables ``ways``."""
        kind = VerdictKind.ACCEPT
        passing = [each.packets & wanted(each) for each in self.outcomes if each.kind is kind]
        others = self.packets & ~union(passing, self.unknowns.space.false)
        return self.packets & ~others.exists(self._open(by_ways=by_ways, by_lists=by_lists))

    @property
    def open(self) -> PacketSet:
        """What decides and is not known, as a cube: what the rules leave open, and whether a packet
        is on lists whose contents are not there."""
        return self._open(by_ways=False, by_lists=False)

    @property
    def ways(self) -> PacketSet:
        """The bits of the interface that packets leave by where that is not known, as a cube."""
        return self.unknowns.cube_of(self._keys(of_ways=True))

    def ways_in(self, packets: PacketSet) -> str:
        """By which interfaces they leave then, in words; empty where it does not matter. Those that
        no rule names are told by the others; nothing leaves this host by lo."""
        bits = [self.unknowns.variables[key] for key in self._keys(of_ways=True)]
        field = BitField(self.unknowns.space.manager, bits)
        if not bits or packets.exists(field.cube) == packets:
            return ""
        by: dict[str, bool] = {
            cls.name + "*" * cls.wildcard: (packets & field.within(number, number)).satisfiable()
            for number, cls in enumerate(self.unknowns.space.interfaces.classes, start=1)
            if cls.name != "lo"
        }
        others = by.pop("*")
        names = [name for name, fits in by.items() if fits is not others]
        return f"{'any but ' if others and names else ''}{listed(names, 'or')}"

    def _keys(self, *, of_ways: bool) -> list[Unknown]:
        variables = self.unknowns.variables
        return [key for key in variables if (key._replace(bit=0) == _ANY_WAY) is of_ways]

    def _open(self, *, by_ways: bool, by_lists: bool) -> PacketSet:
        cube = self.unknowns.cube_of(self._keys(of_ways=False))
        if not by_ways:
            cube = cube & self.ways
        lookups = {} if by_lists else _lookups(self.unknowns.space)
        for variable in reversed([*lookups.values()]):
            cube = variable & cube
        return cube


def usual(space: Space, way: Hook) -> PacketSet:
    """The packets that fare as ordinary ones do with all tests that are not interpreted, be they on
    lists that nobody knows or not."""
    cube = space.true
    for variable in reversed([*_lookups(space).values()]):
        cube = variable & cube
    return ordinary(space, way).exists(cube)


def _lookups(space: Space) -> dict[Opaque, PacketSet]:
    return {t: v for t, v in space.opaques.items() if isinstance(t.asks, SetLookup | HostName)}


def arrivals(hooks: Hooks, way: Hook, packets: PacketSet, where: Where) -> Arrivals:
    """What becomes of packets that set out on the way: input, forward or output."""
    unknowns = Unknowns(hooks.space)
    routing = _routing(hooks, unknowns, where)
    packets = packets & hooks.hook_packets(way)
    if way is not Hook.OUTPUT:
        packets = routing.setting_out(packets, to_host=way is Hook.INPUT)
    if way is not Hook.INPUT:
        packets = routing.leaving(packets)
    if hooks.decides_alone(way):
        return Arrivals(packets, unknowns, _at_one_hook(hooks, way, packets))
    traversal = Traversal(hooks.firewall, hooks.family, unknowns, routing=routing)
    outcomes = tuple(traversal.follow(ROUTES[way], packets))
    return Arrivals(packets, unknowns, outcomes, tuple(getattr(routing, "assumed", ())))


def _at_one_hook(hooks: Hooks, way: Hook, packets: PacketSet) -> tuple[Outcome, ...]:
    delivered, same = delivery(hooks, way, packets), Rewrite(hooks.space, {})
    parts = (
        (VerdictKind.ACCEPT, delivered.through & ~delivered.lost),
        (VerdictKind.UNKNOWN, delivered.through & delivered.lost),
        (VerdictKind.DROP, delivered.lost & ~delivered.through),
    )
    last = ROUTES[way][-1]
    return tuple(Outcome(kind, None, same, part, last) for kind, part in parts)


class OutcomesOfOne:
    """What becomes of one packet, each time with who decides; several outcomes where something is
    left open."""

    def __init__(self, hooks: Hooks, way: Hook, point: PacketSet, where: Where) -> None:
        self._space = hooks.space
        self._way = way
        self._unknowns = Unknowns(hooks.space)
        self._traversal = Traversal(
            hooks.firewall,
            hooks.family,
            self._unknowns,
            by_rule=True,
            routing=_routing(hooks, self._unknowns, where),
        )
        self.outcomes = self._traversal.follow(ROUTES[way], point)

    def conditions(self, outcome: Outcome) -> tuple[str, ...]:
        """What has to hold for it that the packet does not decide."""
        others = [other.packets for other in self.outcomes if other is not outcome]
        if not others:
            return ()
        space, way = self._space, self._way
        one = one_of(space, outcome.packets, way, self._unknowns)
        came = packet_of(space, values(one), way)
        last = packet_of(space, image(one, outcome), way)
        elsewhere = union(others, space.false) & ~outcome.packets
        chosen = Chosen(one, elsewhere, came, last)
        return tuple(conditions(space, self._unknowns, self._traversal.matcher, chosen))


def _routing(hooks: Hooks, unknowns: Unknowns, where: Where) -> OpenRouting:
    if where is Where.ANY_HOST:
        return hooks.on_any_host(unknowns)
    return hooks.on_likely_host(unknowns, stays=False)
