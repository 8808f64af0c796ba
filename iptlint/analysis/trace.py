"""What happens to packets, rule by rule, and who decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.bridge_way import ports_routed, with_own_named
from iptlint.analysis.chosen_values import ChosenValues
from iptlint.analysis.connection_way import ConnectionWay, End, direction, marks_since
from iptlint.analysis.martians import dropped_anyway
from iptlint.analysis.one_packet import image, one_of, values
from iptlint.analysis.shares import packet_count
from iptlint.analysis.trace_conditions import Chosen, conditions
from iptlint.analysis.trace_outcome import Followed, TraceOutcome
from iptlint.analysis.ways import neighbours_of, ways_of
from iptlint.model import Family, Field, Hook, Match, Ruleset
from iptlint.model.addresses import AddressKind, kind_of
from iptlint.model.host_addresses import HostAddresses, others, shown_by
from iptlint.netfilter.firewall import Firewall, is_early
from iptlint.netfilter.packet_group import Outcome
from iptlint.netfilter.routes import ROUTES
from iptlint.netfilter.routing import RunningConnection
from iptlint.netfilter.traversal import setting_out
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.address_types import LOCAL, TYPE_AT, ask_for_types, of_type
from iptlint.packets.bdd import union
from iptlint.packets.original import begun_by
from iptlint.packets.packet import Packet
from iptlint.packets.query import packets_like
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space
from iptlint.packets.witness import number_in, packet_of

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@dataclass(frozen=True, slots=True)
class Trace:
    """``space`` is the one that the outcomes' packets are of; ``asked``: all packets. ``bridged``:
    they were followed from port to port of a bridge; ``over_bridge``: by one port, to or from ip.
    ``notes``: what was not asked."""

    ruleset: Ruleset
    addresses: HostAddresses
    space: Space
    asked: PacketSet
    outcomes: tuple[TraceOutcome, ...]
    bridged: bool = False
    over_bridge: bool = False
    notes: tuple[str, ...] = ()


def trace(
    ruleset: Ruleset,
    packet: Packet,
    addresses: HostAddresses | None = None,
    bridge_ports: frozenset[str] = frozenset(),
    firewall: Firewall | None = None,
) -> Trace:
    """What happens to the packets like ``packet``, where None is anything; the outcomes with most
    packets first. ``packet.hook`` is input, forward or output; without it the interfaces and the
    destination tell. ``addresses``: the host's, or what the rules show of them. ``bridge_ports``:
    interfaces that no packet is shown at if it may come by another. QueryError where a value is
    none. ``firewall``: of the ruleset, where its space is shared."""
    addresses, firewall = addresses or shown_by(ruleset), firewall or Firewall(ruleset)
    space = firewall.space
    if packet.family not in space.families:
        return Trace(ruleset, addresses, space, space.false, ())
    chosen_values = ChosenValues(Family(packet.family), Unknowns(space), bridge_ports)
    tracers = [
        _Tracer(firewall, packet, hook, addresses, chosen_values)
        for hook in ways_of(packet, addresses, firewall)
    ]
    outcomes = _unless_alike(tracers, packet)
    outcomes.sort(key=lambda outcome: -packet_count(outcome.packets))
    asked = union([tracer.followed for tracer in tracers], space.false)
    return Trace(ruleset, addresses, space, asked, tuple(outcomes))


class Answered(NamedTuple):
    """A packet as it came to this host and as it was in the end, the mark that its connection then
    had, and the zone of that."""

    came: Packet
    arrived: Packet
    connection_mark: int
    zone: int | None

    @property
    def has_new_source(self) -> bool:
        came, last = self.came, self.arrived
        return (came.saddr, came.sport) != (last.saddr, last.sport)

    @property
    def has_new_destination(self) -> bool:
        came, last = self.came, self.arrived
        return (came.daddr, came.dport) != (last.daddr, last.dport)


def trace_answer(
    ruleset: Ruleset, packet: Packet, addresses: HostAddresses, answered: Answered
) -> Trace:
    """What happens to the packet, which answers another: addresses are translated back."""
    firewall = Firewall(ruleset)
    hook = Hook(packet.hook)
    chosen_values = ChosenValues(Family(packet.family), Unknowns(firewall.space))
    tracer = _Tracer(firewall, packet, hook, addresses, chosen_values, answered)
    outcomes = tuple(tracer.outcomes.values())
    return Trace(ruleset, addresses, firewall.space, tracer.followed, outcomes)


def _unless_alike(tracers: list[_Tracer], packet: Packet) -> list[TraceOutcome]:
    """The outcomes on each way, with what it assumes; without, where it makes no difference."""
    if len(tracers) == 1:
        return [*tracers[0].outcomes.values()]
    outcomes = []
    one, other = tracers
    for tracer, beside in ((one, other), (other, one)):
        for key, outcome in tracer.outcomes.items():
            if not _alike(outcome, beside.outcomes.get(key)):
                outcomes.append(_assuming(outcome, tracer.hook, packet))
            elif tracer is one:
                outcomes.append(outcome)
    return outcomes


def _alike(outcome: TraceOutcome, other: TraceOutcome | None) -> bool:
    return other is not None and outcome.conditions == other.conditions


def _assuming(outcome: TraceOutcome, set_out: Hook, packet: Packet) -> TraceOutcome:
    is_or_not = "is" if set_out is Hook.INPUT else "is not"
    assumed = f"{packet.daddr} {is_or_not} an address of this host"
    return outcome.under((assumed, *outcome.conditions))


class _Tracer:
    """The packets that set out on one way."""

    def __init__(
        self,
        firewall: Firewall,
        packet: Packet,
        hook: Hook,
        addresses: HostAddresses,
        chosen_values: ChosenValues,
        answered: Answered | None = None,
    ) -> None:
        self.firewall = firewall
        self.packet = packet
        self.hook = hook
        self.space = firewall.space
        self.family = chosen_values.family
        self.unknowns = unknowns = chosen_values.unknowns
        self.ports = ports = ports_routed(firewall.ruleset, packet)
        if not (addresses.routed or ports):
            addresses = replace(addresses, behind=(*addresses.behind, *neighbours_of(packet)))
        self.addresses = addresses
        self.chosen_values = chosen_values
        self.way = ConnectionWay(
            firewall,
            self.family,
            unknowns,
            ROUTES[hook],
            addresses,
            bound=packet.oif is not None,
            ports=ports,
        )
        ends = [*together(self._ends() if answered is None else self._answers(answered))]
        with_luck = union([e.outcome.packets for each in ends for e in each], self.space.false)
        self.followed = self._told(with_luck)
        self.outcomes = {_key(each[0]): self._outcome(each, with_luck) for each in ends}

    def _told(self, packets: PacketSet) -> PacketSet:
        """Without luck; and what comes to this host has no interface that it leaves by."""
        packets = packets.exists(self.unknowns.cube)
        return self.space.forget(packets, (Field.OIF,)) if self.hook is Hook.INPUT else packets

    def _ends(self) -> Iterator[End]:
        asked = packets_like(self.space, self.packet) & self._setting_out()
        packets = direction(self.space, asked, self.packet)
        packets = packets._replace(later=packets.later & marks_since(self.firewall))
        opening = packets.first
        explicit = self.packet.ct_state is not None
        # What is asked of a later packet does not hold for the one that opened the connection.
        apart = explicit or self.packet.tcp_flags is not None
        if apart and packets.later.satisfiable():
            first = replace(self.packet, ct_state=None, tcp_flags=None)
            all_first = packets_like(self.space, first) & self._setting_out()
            opening = direction(self.space, all_first, first).first
        return self.way.ends(packets, opening, older=explicit)

    def _answers(self, answered: Answered) -> Iterator[End]:
        packets = packets_like(self.space, self.packet) & self.space.value(Field.MARK, 0)
        packets = packets & setting_out(self.space, self.family, self.hook)
        if self.hook in TYPE_AT:
            ask_for_types(self.space, self._matches())
            name = LOCAL if answered.has_new_source else TYPE_AT[self.hook]
            packets = packets & of_type(self.space, name)
        if answered.arrived.ct_state == "untracked":
            alone = packets & self.space.value(Field.CT_MARK, 0)
            return self.way.unconnected(alone & ~self.space.state("established"))
        replies = packets & self.space.value(Field.CT_DIRECTION, 1) & marks_since(self.firewall)
        running = RunningConnection(self._back(answered), self.hook is Hook.INPUT, answered.zone)
        return self.way.running(replies, running)

    def _matches(self) -> Iterator[Match]:
        rules = (rule for _, _, rule in self.firewall.ruleset.rules())
        return (match for rule in rules for match in rule.matches)

    def _back(self, answered: Answered) -> Rewrite:
        """What the kernel gives the answer: the addresses and ports of the question."""
        came, family, space = answered.came, self.family, self.space
        numbers = {
            family.daddr: _number(came.saddr),
            family.saddr: _number(came.daddr),
            Field.DPORT: came.sport or 0,
            Field.SPORT: came.dport or 0,
            Field.CT_SNAT: answered.has_new_source,
            Field.CT_DNAT: answered.has_new_destination,
            Field.CT_MARK: answered.connection_mark,
        }
        rewrite = Rewrite(space, begun_by(space, came))
        for changed, number in numbers.items():
            rewrite = rewrite.constant(changed, int(number))
        return rewrite

    def _setting_out(self) -> PacketSet:
        """What comes from a wire has no mark."""
        packets = setting_out(self.space, self.family, self.hook)
        if self.packet.mark is None:
            inside = self.space.no_interface(Field.IIF) | self.space.interface(Field.IIF, "lo")
            packets = packets & (inside | self.space.value(Field.MARK, 0))
        if self.hook is Hook.OUTPUT and self.packet.oif is None and self._is_to_itself():
            packets = packets & self.space.interface(Field.OIF, "lo")
        if self.hook not in TYPE_AT:
            return packets
        if self.packet.daddr is None:
            packets = packets & ~self._somebody_elses()
        elif _is_to_group(self.packet.daddr):
            return packets
        ask_for_types(self.space, self._matches())
        return packets & of_type(self.space, TYPE_AT[self.hook])

    def _is_to_itself(self) -> bool:
        """The table of local addresses is the first that is asked (ip_route_output_key_hash)."""
        if self.packet.daddr is None:
            return False
        destination = ip_network(self.packet.daddr, strict=False)
        is_loopback = kind_of(destination[0]) is AddressKind.LOOPBACK
        return is_loopback or self.addresses.has(destination)

    def _somebody_elses(self) -> PacketSet:
        """Where rules translate to, if that is not known to be an address of this host."""
        if self.hook is not Hook.INPUT:
            return self.space.false
        elsewhere = others(self.addresses, self.family, self.firewall.ruleset)
        return self.space.ranges(self.family.daddr, elsewhere)

    def _outcome(self, ends: list[End], followed: PacketSet) -> TraceOutcome:
        first = ends[0].outcome
        packets = union([end.outcome.packets for end in ends], self.space.false)
        return TraceOutcome(
            kind=first.kind,
            decision=first.decision,
            packets=self._told(packets),
            among=self.followed,
            way=_way(self.hook, first),
            expired=first.expired,
            follow=lambda: self._one(ends, packets, followed),
        )

    def _one(self, ends: list[End], packets: PacketSet, followed: PacketSet) -> Followed:
        space = self.space
        plain = self.chosen_values.plainly(self.chosen_values.off_bridges(packets))
        point = one_of(space, plain, self.hook, self.unknowns)
        end = next(end for end in ends if (point & end.outcome.packets).satisfiable())
        last, steps, traversal = self.way.steps(end, point)
        came = self._as_asked(packet_of(space, values(point), self.hook))
        in_the_end = image(point, last)
        arrived = packet_of(space, in_the_end, self.hook)
        arrived = self._as_asked(self._by_its_own_way(came, arrived))
        came = replace(came, oif=self._named(came.oif, arrived.oif))
        if last.decision is not None and is_early(last.decision.chain):
            arrived = replace(arrived, ct_state=came.ct_state)  # nobody has looked for it yet
        way = _way(self.hook, last)
        sent = way.value if way in ROUTES else came.hook
        arrived = replace(arrived, hook=sent, iif=arrived.iif or came.iif)
        chosen = Chosen(point, followed & ~packets, came, arrived)
        chosen = self.chosen_values.usual_port(last, chosen, traversal.matcher)
        shown = self.chosen_values.in_words(last, chosen, traversal.matcher)
        said = conditions(space, self.unknowns, traversal.matcher, chosen)
        return Followed(
            packet=came,
            arrived=chosen.arrived,
            becomes=None if shown == came else shown,
            conditions=with_own_named(space, self.ports, said),
            steps=tuple(steps),
            connection_mark=number_in(in_the_end, space.fields[Field.CT_MARK].variables),
            zone=last.zone,
            dropped_anyway=None if self.ports else dropped_anyway(came, chosen.arrived, way),
        )

    def _by_its_own_way(self, came: Packet, arrived: Packet) -> Packet:
        """With the name of the interface that is known to lead to its destination; where none is,
        and rules do not tell it from the one that it came by, with another name."""
        if arrived.oif is None or arrived.daddr is None:
            return arrived
        destination, interfaces = int(ip_address(arrived.daddr)), self.space.interfaces
        number = interfaces.class_of(arrived.oif)
        for way in self.addresses.ways(self.family):
            if way.low <= destination <= way.high:
                name = way.interface
                if name is None:
                    break
                return (
                    replace(arrived, oif=name) if interfaces.class_of(name) == number else arrived
                )
        return replace(arrived, oif=interfaces.example(number, but=came.iif))

    def _as_asked(self, packet: Packet) -> Packet:
        """With the names of the interfaces that were asked for, where it is at these, and without
        what its way says."""
        iif = self._named(packet.iif, self.packet.iif)
        oif = self._named(packet.oif, self.packet.oif)
        usual = f"addrtype --dst-type {TYPE_AT.get(self.hook)}"
        conditions = tuple(condition for condition in packet.conditions if condition != usual)
        return replace(packet, iif=iif, oif=oif, conditions=conditions)

    def _named(self, name: str | None, asked: str | None) -> str | None:
        class_of = self.space.interfaces.class_of
        return asked if name and asked and class_of(name) == class_of(asked) else name


_WAYS = {
    Hook.INPUT: Hook.INPUT,
    Hook.FORWARD: Hook.FORWARD,
    Hook.POSTROUTING: Hook.FORWARD,
    Hook.EGRESS: Hook.FORWARD,
    Hook.PREROUTING: Hook.PREROUTING,
    Hook.INGRESS: Hook.INGRESS,
}
"""Where a packet from outside went, by the last hook that it came to."""


def _way(set_out: Hook, last: Outcome) -> Hook:
    """Where packets went. What a host sends comes in again by lo if it is for itself."""
    if set_out is Hook.OUTPUT and last.hook not in (Hook.PREROUTING, Hook.INPUT):
        return Hook.OUTPUT
    return _WAYS[last.hook]


def together(ends: Iterable[End]) -> Iterable[list[End]]:
    """Those with the same verdict, who decides, and translation."""
    by_key: dict[object, list[End]] = {}
    for end in ends:
        by_key.setdefault(_key(end), []).append(end)
    return by_key.values()


def _key(end: End) -> object:
    outcome = end.outcome
    return outcome.kind, outcome.decision, _WAYS.get(outcome.hook), end.translation


def _number(address: str | None) -> int:
    return int(ip_address(address)) if address else 0


def _is_to_group(destination: str) -> bool:
    return kind_of(ip_network(destination, strict=False)[0]) is AddressKind.NOBODY
