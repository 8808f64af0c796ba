"""What happens to packets, rule by rule, and who decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from iptlint.analysis.shares import packet_count
from iptlint.model import Family, Field, Hook, Ruleset, VerdictKind
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.packet_group import Decision
from iptlint.netfilter.routes import ROUTES
from iptlint.netfilter.traversal import Outcome, Traversal, TraversalStep, setting_out
from iptlint.netfilter.unknowns import ExactMatcher, Unknown, Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.packet import Packet
from iptlint.packets.query import packets_like
from iptlint.packets.space import Space
from iptlint.packets.witness import packet_of, plainest

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@dataclass(frozen=True, slots=True)
class TraceOutcome:
    """``packets``: those it is the outcome of, as they came, whatever is left open;
    ``steps``: the way of the witness. ``becomes``: the witness in the end, where it was changed.
    ``conditions``: what had to hold, or not, that the packet does not decide."""

    kind: VerdictKind
    decision: Decision | None
    packets: PacketSet
    witness: Packet
    becomes: Packet | None
    conditions: tuple[str, ...]
    steps: tuple[TraversalStep, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """``space`` is the one that the outcomes' packets are of; ``asked``: all packets."""

    ruleset: Ruleset
    hook: Hook
    space: Space
    asked: PacketSet
    outcomes: tuple[TraceOutcome, ...]


def trace(ruleset: Ruleset, packet: Packet) -> Trace:
    """What happens to the packets like ``packet``, where None is anything; the outcomes with most
    packets first. ``packet.hook`` is input, forward or output; without it the interfaces tell.
    QueryError where a value is none."""
    hook = route_of(packet)
    firewall, family = Firewall(ruleset), Family(packet.family)
    if packet.family not in firewall.space.families:
        return Trace(ruleset, hook, firewall.space, firewall.space.false, ())
    path_packets = setting_out(firewall.space, family, hook) & packets_like(firewall.space, packet)
    unknowns = Unknowns(firewall.space)
    ends = Traversal(firewall, family, unknowns, by_rule=True).follow(ROUTES[hook], path_packets)
    tracer = _Tracer(firewall, family, unknowns, hook, path_packets)
    traced = [tracer.outcome(together) for together in _by_decider(ends)]
    traced.sort(key=lambda outcome: -packet_count(outcome.packets))
    return Trace(ruleset, hook, firewall.space, path_packets, tuple(traced))


@dataclass(frozen=True, slots=True)
class Connection:
    """The answers to what was accepted. ``works``: None where it depends on the packet."""

    replies: tuple[Trace, ...]
    works: bool | None

    @property
    def verdict(self) -> str:
        match self.works:
            case True:
                return "the connection works: packets come through, and so do the answers"
            case False:
                return "the connection does not work"
            case _:
                return "some such connections work, and some do not"


def connection(traced: Trace) -> Connection:
    """Whether answers come back: the witnesses of what was accepted, the other way round."""
    accepted = [o for o in traced.outcomes if o.kind.passes]
    replies = tuple(trace(traced.ruleset, reply_to(o, traced.hook)) for o in accepted)
    fates = [o.kind for o in (*traced.outcomes, *(o for r in replies for o in r.outcomes))]
    passing = [kind.passes for kind in fates]
    answered = [any(o.kind.passes for o in r.outcomes) for r in replies]
    if not any(answered):
        return Connection(replies, False)
    return Connection(replies, True if all(passing) else None)


_ANSWERS = {Hook.INPUT: Hook.OUTPUT, Hook.OUTPUT: Hook.INPUT, Hook.FORWARD: Hook.FORWARD}
_ECHO = {("icmp", 8): 0, ("ipv6-icmp", 128): 129}


def reply_to(outcome: TraceOutcome, hook: Hook) -> Packet:
    """The answer to the witness as filter chains see it: to the address that it came from, before
    any source translation, and from the one that it went to in the end."""
    first, last = outcome.witness, outcome.becomes or outcome.witness
    flags = first.tcp_flags
    return Packet(
        family=first.family,
        hook=_ANSWERS[hook].value,
        iif=first.oif,
        oif=first.iif,
        saddr=last.daddr,
        daddr=first.saddr,
        proto=first.proto,
        sport=last.dport,
        dport=first.sport,
        tcp_flags=flags and (("syn", "ack") if flags == ("syn",) else ("ack",)),
        icmp_type=_ECHO.get((first.proto or "", first.icmp_type or 0), first.icmp_type),
        icmp_code=first.icmp_code,
        ct_state="untracked" if last.ct_state == "untracked" else "established",
    )


def route_of(packet: Packet) -> Hook:
    """To this host, unless an interface that it leaves by says otherwise."""
    if packet.hook is not None:
        return Hook(packet.hook)
    if packet.oif is None:
        return Hook.INPUT
    return Hook.OUTPUT if packet.iif is None else Hook.FORWARD


def _by_decider(ends: list[Outcome]) -> Iterator[list[Outcome]]:
    together: dict[tuple[VerdictKind, Decision | None], list[Outcome]] = {}
    for end in ends:
        together.setdefault((end.kind, end.decision), []).append(end)
    return iter(together.values())


class _Tracer:
    def __init__(
        self, firewall: Firewall, family: Family, unknowns: Unknowns, hook: Hook, asked: PacketSet
    ) -> None:
        self.firewall = firewall
        self.family = family
        self.unknowns = unknowns
        self.hook = hook
        self.asked = asked

    def outcome(self, ends: list[Outcome]) -> TraceOutcome:
        space = self.firewall.space
        packets = union([end.packets for end in ends], space.false)
        point = one_of(space, packets, self.hook)
        steps: list[TraversalStep] = []
        traversal = Traversal(
            self.firewall, self.family, self.unknowns, by_rule=True, on_step=steps.append
        )
        (last,) = traversal.follow(ROUTES[self.hook], point)
        witness = packet_of(space, _values(space, point), self.hook)
        becomes = packet_of(space, image(space, point, last), self.hook)
        return TraceOutcome(
            ends[0].kind,
            ends[0].decision,
            packets.exists(self.unknowns.cube),
            witness,
            None if becomes == witness else becomes,
            tuple(self._conditions(traversal.matcher, packets, point)),
            tuple(steps),
        )

    def _conditions(
        self, matcher: ExactMatcher, packets: PacketSet, point: PacketSet
    ) -> Iterator[str]:
        """What of a packet could not be otherwise: of what is left open, and of the fields that
        ``Packet`` has not."""
        others = self.asked & ~packets
        for key, numbers in self.unknowns.together().items():
            if _matter(numbers, point, others):
                rule = matcher.rule_of(key)
                where = f"line {rule.statement.span.line}: " if rule else ""
                yield f"{where}{key.text} {_said(key, numbers, point)}"
        for field in _UNSEEN:
            bits = self.firewall.space.fields.get(field)
            if bits is not None and _matter(bits.variables, point, others):
                yield f"{field.value} is {_number(bits.variables, point)}"


def _said(key: Unknown, numbers: Sequence[int], point: PacketSet) -> str:
    """Of a test whether it holds, of what is written its value."""
    value = _number(numbers, point)
    if key.bit is None:
        return "holds" if value else "does not hold"
    return f"is {_SHOWN.get(key.text.split()[0], str)(value)}"


def _matter(numbers: Sequence[int], point: PacketSet, others: PacketSet) -> bool:
    """Whether the packet is one of ``others`` with other values of the variables."""
    for number in numbers:
        point = point.exists(point.manager.var(number))
    return bool((point & others).satisfiable())


def _number(numbers: Sequence[int], point: PacketSet) -> int:
    """The most significant bit comes first."""
    value = 0
    for number in numbers:
        value = value << 1 | (point & point.manager.var(number)).satisfiable()
    return value


_SHOWN: dict[str, Callable[[int], object]] = {
    **{field.value: IPv4Address for field in (Field.SADDR, Field.DADDR)},
    **{field.value: IPv6Address for field in (Field.SADDR6, Field.DADDR6)},
}
"""How what is written to a field is shown; the others are numbers."""

_UNSEEN = (
    *(Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT, Field.CT_MARK),
    *(Field.MAC_SOURCE, Field.LENGTH, Field.TTL, Field.TOS, Field.PKTTYPE),
)
"""Fields that ``Packet`` does not have."""


def one_of(space: Space, packets: PacketSet, hook: Hook) -> PacketSet:
    """One packet of the set, the plainest, with a value for all that is left open."""
    cube = plainest(space, packets, hook).pick_cube() or []
    point = space.true
    for number in reversed(range(len(cube))):
        one = space.manager.var(number)
        point = (one if cube[number] else ~one) & point
    return point


def _values(space: Space, point: PacketSet) -> list[bool | None]:
    return point.pick_cube() or []


def image(space: Space, point: PacketSet, end: Outcome) -> list[bool | None]:
    """The values of the variables of the one packet in the end."""
    count = space.manager.num_vars()
    return [(point & end.rewrite.variable(number)).satisfiable() for number in range(count)]
