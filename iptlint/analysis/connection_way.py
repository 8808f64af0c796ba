"""The packets of a connection that go one way: the first, and those that follow it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.bridge_way import Ports, RoutedTraversal
from iptlint.model import EffectKind, Field, Hook
from iptlint.model.host_addresses import HostAddresses
from iptlint.model.protocols import TCP, tcp_flag_bits
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.packet_group import Outcome, TraversalStep
from iptlint.netfilter.rewriting import DESTINATION, SOURCE
from iptlint.netfilter.routes import Route
from iptlint.netfilter.routing import ANY_WAY_ON, Routing, RunningConnection
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import DECIDED, OF_HOST, Unknown, Unknowns
from iptlint.packets.conntrack import untracked_anyway
from iptlint.packets.packet import Packet
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptlint.model import Family
    from iptlint.packets.bdd import PacketSet

_NOT_OF_THE_TUPLE = (
    *(Field.CT_STATE, Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT, Field.CT_MARK),
    *(Field.TCP_FLAGS, Field.MARK, Field.LENGTH, Field.TTL, Field.TOS, Field.PKTTYPE),
    Field.FRAGMENT,
)
"""What packets of one connection that go the same way may differ in."""

_OF_HOST = {
    key.text for key in (ANY_WAY_ON, *(k for s in (SOURCE, DESTINATION) for k in (s.own, s.kept)))
}
"""What is left open of a host, and is the same for all packets of a connection."""

_WHERE_TO = (
    *(Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6),
    *(Field.SPORT, Field.DPORT),
)


def _lasts(key: Unknown) -> bool:
    return key.text in _OF_HOST or key.kind == OF_HOST or key.ordinal == DECIDED


class Direction(NamedTuple):
    """``first``: packets that may open a connection; ``later``: those that follow them in it;
    ``others``: what is in no connection, or answers in one."""

    first: PacketSet
    later: PacketSet
    others: PacketSet


@dataclass(frozen=True, slots=True)
class End:
    """What becomes of some packets, and how they were followed there."""

    outcome: Outcome
    running: RunningConnection | None

    @property
    def translation(self) -> tuple[object, ...]:
        """What tells apart where packets were sent."""
        rewrite = self.outcome.rewrite
        fields = (rewrite.space.fields.get(field) for field in _WHERE_TO)
        numbers = (number for bits in fields if bits for number in bits.variables)
        return tuple(rewrite.bits.get(number) for number in numbers)


def direction(space: Space, packets: PacketSet, asked: Packet) -> Direction:
    """The packets of a connection among those that are asked for. Who names no state means a
    connection: its first packet, and what follows it from the same side; of packets that open none,
    all that are like them, without those that only NOTRACK leaves untracked. Who names one may
    mean a connection that is older than the rules."""
    fresh = space.value(Field.CT_DIRECTION, 0)
    for field in (Field.CT_SNAT, Field.CT_DNAT):
        fresh = fresh & space.value(field, 0)
    opening = packets & space.state("new") & fresh & space.value(Field.CT_MARK, 0)
    # What the connection has of its first packet is given to later ones where they are followed.
    later = packets & space.state("established") & fresh
    if asked.ct_state is None:
        if asked.tcp_flags is None:
            opening = opening & _syn(space)
        if opening.satisfiable():
            return Direction(opening, later, space.false)
        packets = packets & (~space.state("untracked") | untracked_anyway(space))
    original = space.state("established") & space.value(Field.CT_DIRECTION, 0)
    others = packets & ~space.state("new") & ~original
    return Direction(opening, later, others)


def marks_since(firewall: Firewall) -> PacketSet:
    """The packets of running connections with the marks that those may have beside what their
    first packet left: none, or what a rule writes that later packets, or answers, meet."""
    space, bits = firewall.space, firewall.space.fields[Field.CT_MARK]
    marks = space.value(Field.CT_MARK, 0)
    for _, _, rule in firewall.ruleset.rules():
        for effect in rule.effects:
            if effect.kind is not EffectKind.WRITE or effect.field is not Field.CT_MARK:
                continue
            if not (firewall.plain(rule) & space.state("established")).satisfiable():
                continue
            if effect.value is None or effect.source or effect.mask != bits.maximum:
                return space.true
            marks = marks | space.value(Field.CT_MARK, effect.value)
    return marks


def _syn(space: Space) -> PacketSet:
    flags = space.value(Field.TCP_FLAGS, tcp_flag_bits("syn"))
    return ~space.value(Field.PROTO, TCP) | flags


class ConnectionWay:
    """Follows packets along one route of one ruleset. ``bound``: they leave by the interfaces that
    they have. ``ports``: the one of a bridge that they come or leave by."""

    def __init__(
        self,
        firewall: Firewall,
        family: Family,
        unknowns: Unknowns,
        route: Route,
        addresses: HostAddresses,
        *,
        bound: bool,
        ports: Ports | None = None,
    ) -> None:
        self.firewall = firewall
        self.family = family
        self.unknowns = unknowns
        self.route = route
        self.routing = Routing(family, addresses, unknowns, bound=bound)
        self.space = firewall.space
        self._kind = Traversal if ports is None else partial(RoutedTraversal, ports=ports)

    def ends(self, packets: Direction, opening: PacketSet, *, older: bool) -> Iterator[End]:
        """``opening``: the packets that may have opened the connections of the later ones.
        ``older``: those connections may as well be older than the rules, and untranslated."""
        asked = packets.first | packets.others
        outcomes = self._follow(asked, None)
        yield from (End(outcome, None) for outcome in outcomes)
        if packets.later.satisfiable():
            # Mostly they are the packets that are asked for, which have been followed.
            opened = outcomes if opening == asked else self._follow(opening, None)
            yield from self._of_later(packets.later, opened, older=older)

    def unconnected(self, packets: PacketSet) -> Iterator[End]:
        """Of packets that follow none, or none that this host has changed."""
        return (End(outcome, None) for outcome in self._follow(packets, None))

    def running(self, packets: PacketSet, connection: RunningConnection) -> Iterator[End]:
        return (End(outcome, connection) for outcome in self._follow(packets, connection))

    def _of_later(
        self, later: PacketSet, outcomes: Iterable[Outcome], *, older: bool
    ) -> Iterator[End]:
        """``outcomes``: what became of the packets that may have opened the connections."""
        left = later
        opened = [(running, packets & left) for running, packets in self._opened(outcomes)]
        others = self._behind_each([packets for _, packets in opened])
        for number, (running, packets) in enumerate(opened):
            mine = self._settled(number, packets & left, others[number])
            left = left & ~mine
            yield from self.running(mine, running)
        if older and left.satisfiable():
            yield from self.unconnected(left)

    def _behind_each(self, each: Sequence[PacketSet]) -> list[PacketSet]:
        """Of each of the sets, the union of those behind it."""
        unions = accumulate(reversed(each[1:]), or_, initial=self.space.false)
        return [*reversed([*unions])]

    def _settled(self, number: int, packets: PacketSet, others: PacketSet) -> PacketSet:
        """Where more than one translation is possible, any may have been made."""
        chosen = self.unknowns.variable(Unknown("how the connection was translated", number))
        return packets & (~others | chosen)

    def _opened(self, outcomes: Iterable[Outcome]) -> Iterator[tuple[RunningConnection, PacketSet]]:
        """The connections that were let through, by what became of their first packets."""
        together: dict[object, tuple[RunningConnection, PacketSet]] = {}
        of_one_packet = self._of_one_packet
        for outcome in outcomes:
            if not outcome.kind.may_pass:
                continue
            to_host = outcome.hook is Hook.INPUT
            running = RunningConnection(outcome.rewrite, to_host, outcome.zone)
            key = (outcome.rewrite, to_host, outcome.zone)
            _, known = together.get(key, (running, self.space.false))
            packets = outcome.packets.exists(of_one_packet)
            packets = self.space.forget(packets, _NOT_OF_THE_TUPLE)
            together[key] = running, known | packets
        return iter(together.values())

    @property
    def _of_one_packet(self) -> PacketSet:
        """What is left open and may be otherwise for the next packet, as a cube."""
        return self.unknowns.cube_of(key for key in self.unknowns.variables if not _lasts(key))

    def _follow(self, packets: PacketSet, running: RunningConnection | None) -> list[Outcome]:
        return self._traversal(running, None).follow(self.route, packets)

    def steps(self, end: End, point: PacketSet) -> tuple[Outcome, list[TraversalStep], Traversal]:
        """The way of one packet."""
        steps: list[TraversalStep] = []
        traversal = self._traversal(end.running, steps.append)
        (outcome,) = traversal.follow(self.route, point)
        return outcome, steps, traversal

    def _traversal(
        self, running: RunningConnection | None, on_step: Callable[[TraversalStep], None] | None
    ) -> Traversal:
        return self._kind(
            self.firewall,
            self.family,
            self.unknowns,
            by_rule=True,
            routing=self.routing,
            running=running,
            on_step=on_step,
        )
