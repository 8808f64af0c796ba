"""How a packet fares under two rulesets: one packet, which stands for all that fare so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.delivery import left
from iptlint.analysis.one_packet import image, one_of
from iptlint.model import Family, Field, Hook, Rule, VerdictKind
from iptlint.model.verdicts import INTERFACE_ADDRESS
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.packet_group import Decision, Outcome, TraversalStep
from iptlint.netfilter.routes import ROUTES, WAYS
from iptlint.netfilter.routing import AssumingRouting
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.packet import Packet
from iptlint.packets.witness import packet_of

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

ASPECTS = {
    "source": (Field.SADDR, Field.SADDR6, Field.SPORT),
    "destination": (Field.DADDR, Field.DADDR6, Field.DPORT),
    **{field.value: (field,) for field in (Field.MARK, Field.TTL, Field.TOS)},
}
"""What is different of a packet that is accepted either way."""
_REWRITTEN = tuple(chain.from_iterable(ASPECTS.values()))

_NAMES = {
    **dict.fromkeys((Field.SADDR, Field.SADDR6), "source address"),
    **dict.fromkeys((Field.DADDR, Field.DADDR6), "destination address"),
    Field.SPORT: "source port",
    Field.DPORT: "destination port",
    **{field: field.value for field in (Field.MARK, Field.TTL, Field.TOS)},
}
_SHOWN: Mapping[Field, Callable[[int], object]] = {
    **dict.fromkeys((Field.SADDR, Field.DADDR), IPv4Address),
    **dict.fromkeys((Field.SADDR6, Field.DADDR6), IPv6Address),
    **dict.fromkeys((Field.MARK, Field.TOS), hex),
}


class Fate(NamedTuple):
    """``becomes``: the packet in the end, where it is accepted and changed. ``decision``: who
    decides; where packets are accepted either way, who makes of them what they become.
    ``answer``: what is sent back, or what a program gets them from, in words. ``way``: where it
    went once it was translated, if not where it set out to."""

    kind: VerdictKind
    decision: Decision | None
    becomes: Packet | None
    answer: str = ""
    way: Hook | None = None


class Contrast(NamedTuple):
    """What is another thing of the same packet: ``name`` a field, in words, or its answer."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Divergence:
    """Packets that had one fate and have another; ``old`` and ``new`` are those of the witness.
    ``certain``: whatever is left open. ``elsewhere``: they go another way than they set out on.
    ``aspects``: what differs of all of them where the verdict does not, as ``destination``;
    ``contrasts``: how, for the witness."""

    hook: Hook
    family: Family
    packets: PacketSet
    certain: bool
    witness: Packet
    old: Fate
    new: Fate
    aspects: tuple[str, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    elsewhere: bool = False

    @property
    def kind(self) -> object:
        """What is different, whatever packets it is of."""
        return self.family, self.old.kind, self.new.kind, self.aspects


TOLD_APART = {VerdictKind.REJECT: "answer", VerdictKind.QUEUE: "queue"}
"""What tells two ends of one kind apart."""


class End(NamedTuple):
    """What is the same end of a packet: a program of its own reads each queue, and a sender learns
    what it is answered."""

    kind: VerdictKind
    answer: str

    @classmethod
    def of(cls, outcome: Outcome) -> End:
        rule = None if outcome.decision is None else outcome.decision.rule
        is_answered = outcome.kind in TOLD_APART and rule is not None
        return cls(outcome.kind, rule.verdict.meaning if is_answered and rule else "")


class _Journey(NamedTuple):
    """One packet on its whole way."""

    hook: Hook
    point: PacketSet
    outcome: Outcome
    steps: tuple[TraversalStep, ...]

    def writer(self, field: Field) -> Decision | None:
        """The last that wrote to the field."""
        writers = (
            step.decision
            for step in reversed(self.steps)
            if step.decision.rule is not None
            if any(effect.field is field for effect in step.decision.rule.effects)
        )
        return next(writers, None)


class Telling:
    """What is told of packets that differ under two firewalls."""

    def __init__(
        self,
        firewalls: tuple[Firewall, Firewall],
        unknowns: Unknowns,
        routings: Mapping[Family, AssumingRouting],
    ) -> None:
        self.space = unknowns.space
        self.unknowns = unknowns
        self.firewalls = firewalls
        self.routings = routings

    def divergence(
        self,
        family: Family,
        hook: Hook,
        packets: PacketSet,
        aspects: tuple[str, ...],
        *,
        certain: bool,
        elsewhere: bool,
    ) -> Divergence:
        point = one_of(self.space, packets, hook, self.unknowns)
        old, new = (self._journey(firewall, family, hook, point) for firewall in self.firewalls)
        differing = self._differing(old.outcome, new.outcome)
        witness = packet_of(self.space, point.pick_cube() or [], hook)
        others = self.unknowns.other_connections(point)
        return Divergence(
            hook,
            family,
            packets.exists(self.unknowns.cube),
            certain,
            replace(witness, conditions=(*witness.conditions, *others)),
            self._fate(old, differing),
            self._fate(new, differing),
            aspects,
            tuple(self._contrasts(old, new, differing)),
            elsewhere,
        )

    def _journey(
        self, firewall: Firewall, family: Family, hook: Hook, point: PacketSet
    ) -> _Journey:
        steps: list[TraversalStep] = []
        traversal = Traversal(
            firewall,
            family,
            self.unknowns,
            by_rule=True,
            routing=self.routings.get(family),
            on_step=steps.append,
        )
        (outcome,) = traversal.follow(WAYS[family][hook], point)
        return _Journey(hook, point, outcome, tuple(steps))

    def _differing(self, old: Outcome, new: Outcome) -> tuple[Field, ...]:
        """The fields that are not the same in the end, where both accept."""
        if not old.kind is new.kind is VerdictKind.ACCEPT:
            return ()
        cube = self.unknowns.cube
        packets = old.packets & new.packets
        return tuple(
            field
            for field in _REWRITTEN
            if (packets & old.rewrite.differs(new.rewrite, cube, field)).satisfiable()
        )

    def _fate(self, journey: _Journey, differing: tuple[Field, ...]) -> Fate:
        outcome = journey.outcome
        writers = [journey.writer(field) for field in differing]
        decision = next(filter(None, writers), outcome.decision)
        becomes = None
        if outcome.kind is VerdictKind.ACCEPT:
            values = image(journey.point, outcome)
            becomes = packet_of(self.space, values, journey.hook)
        went = Hook.INPUT if outcome.hook in ROUTES[Hook.INPUT] else Hook.FORWARD
        way = went if left(journey.hook, outcome) else None
        return Fate(outcome.kind, decision, becomes, End.of(outcome).answer, way)

    def _contrasts(
        self, old: _Journey, new: _Journey, differing: tuple[Field, ...]
    ) -> Iterator[Contrast]:
        for field in differing:
            yield Contrast(_NAMES[field], *(self._value(each, field) for each in (old, new)))
        ends = [End.of(each.outcome) for each in (old, new)]
        if ends[0].kind is ends[1].kind and ends[0] != ends[1]:
            yield Contrast(TOLD_APART[ends[0].kind], ends[0].answer, ends[1].answer)

    def _value(self, journey: _Journey, field: Field) -> str:
        """What the field has in the end; where nobody knows, who gave it that."""
        point = journey.point.exists(self.unknowns.cube)
        bits = [journey.outcome.rewrite.variable(n) for n in self.space.fields[field].variables]
        writer = journey.writer(field)
        if any((point & b).satisfiable() and (point & ~b).satisfiable() for b in bits):
            rule = None if writer is None else writer.rule
            return self._chosen(journey, field, rule) if rule else "not known"
        number = sum(1 << n for n, b in enumerate(reversed(bits)) if (point & b).satisfiable())
        return str(_SHOWN.get(field, int)(number))

    def _chosen(self, journey: _Journey, field: Field, rule: Rule) -> str:
        """A value that the kernel chooses, by where it has it from."""
        if not any(e.field is field and e.choice == INTERFACE_ADDRESS for e in rule.effects):
            return f"what `{rule.verdict.meaning}` gives it"
        packet = packet_of(self.space, image(journey.point, journey.outcome), journey.hook)
        to_it = field in (Field.DADDR, Field.DADDR6)
        return f"the address of {packet.iif if to_it else packet.oif}"
