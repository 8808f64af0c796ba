"""The packets that two rulesets treat differently.

What a ruleset leaves open (a limit, a rate) has the same variables on both sides, so equal
limits in equal places are the same, and a difference that no value of them undoes is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from itertools import chain, product
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.bridge_ports import not_followed
from iptlint.analysis.delivery import left
from iptlint.analysis.one_packet import image, one_of
from iptlint.analysis.shares import packet_count
from iptlint.model import Family, Field, Hook, Rule, Ruleset, VerdictKind
from iptlint.model.host_addresses import HostAddresses, others, shown_by
from iptlint.model.verdicts import INTERFACE_ADDRESS
from iptlint.netfilter.firewall import Firewall, space_of
from iptlint.netfilter.packet_group import Decision, Outcome, TraversalStep
from iptlint.netfilter.routes import ROUTES, WAYS, AssumingRouting
from iptlint.netfilter.traversal import Traversal, setting_out
from iptlint.netfilter.unknowns import Unknown, Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.conntrack import untracked_anyway
from iptlint.packets.packet import Packet
from iptlint.packets.space import Space
from iptlint.packets.witness import packet_of

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_ASPECTS = {
    "source": (Field.SADDR, Field.SADDR6, Field.SPORT),
    "destination": (Field.DADDR, Field.DADDR6, Field.DPORT),
    **{field.value: (field,) for field in (Field.MARK, Field.TTL, Field.TOS)},
}
"""What is different of a packet that is accepted either way."""
_REWRITTEN = tuple(chain.from_iterable(_ASPECTS.values()))

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


@dataclass(frozen=True, slots=True)
class Difference:
    """``certain`` is false where only limits, or what the tool does not know, may tell the two
    apart: then they are neither surely equivalent nor surely different. ``families``: whose
    packets were compared; an iptables file says nothing of those of the other family. ``assumed``:
    addresses that packets are sent to by translation, and that are taken for other hosts'.
    ``notes``: what was not followed."""

    space: Space
    changes: tuple[Divergence, ...]
    certain: bool
    families: tuple[Family, ...]
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def equivalent(self) -> bool:
        return not self.changes and self.certain


def _speaks_of(family: Family, ruleset: Ruleset) -> bool:
    return ruleset.syntax.is_of_all_families or ruleset.sees(family)


def difference(
    old: Ruleset,
    new: Ruleset,
    hooks: tuple[Hook, ...] = (),
    addresses: HostAddresses | None = None,
) -> Difference:
    """What the change from ``old`` to ``new`` does, the largest first, at ``hooks`` or at all.
    ``addresses``: the host's; without them, what the rules show, and any others."""
    sides = _Sides(old, new, addresses or shown_by(old, new))
    changes: list[Divergence] = []
    certain = True
    families = tuple(f for f in WAYS if all(_speaks_of(f, ruleset) for ruleset in (old, new)))
    for family in families:
        for hook, route in WAYS[family].items():
            if hooks and not {*hooks} & {*route}:
                continue
            divergences, same_unknowns = sides.compare(family, hook)
            changes += divergences
            certain = certain and same_unknowns
    for is_told in (sides.is_told_of_device, sides.is_told_of_way):
        changes = [change for change in changes if not is_told(change, changes)]
    changes.sort(key=lambda change: -packet_count(change.packets))
    certain = certain and all(change.certain for change in changes)
    assumed = [address for each in sides.routings.values() for address in each.assumed]
    notes = tuple(dict.fromkeys((*not_followed(old), *not_followed(new))))
    return Difference(sides.space, tuple(changes), certain, families, tuple(assumed), notes)


def compared(space: Space, family: Family, hook: Hook) -> PacketSet:
    """The packets that are followed on the way with the hook: no rule has untracked any yet."""
    tracked = ~space.state("untracked") | untracked_anyway(space)
    return setting_out(space, family, hook) & tracked


class _Sides:
    def __init__(self, old: Ruleset, new: Ruleset, addresses: HostAddresses) -> None:
        self.space = space_of(old, new)
        self.unknowns = Unknowns(self.space)
        self.routings = {
            family: AssumingRouting(
                family, addresses, self.unknowns, others(addresses, family, old, new)
            )
            for family in (Family.IP, Family.IP6)
            if family.value in self.space.families
        }
        self.stacks = Firewall(old, self.space), Firewall(new, self.space)

    def compare(self, family: Family, hook: Hook) -> tuple[list[Divergence], bool]:
        """What differs on the way with the hook, and whether both leave the same open."""
        route = WAYS[family][hook]
        bases = (base for s in self.stacks for at in route for base in s.base_chains(family, at))
        if not any(family is not Family.BRIDGE or base.table.family is family for base in bases):
            return [], True
        start = compared(self.space, family, hook)
        routing = self.routings.get(family)
        traversals = [
            Traversal(firewall, family, self.unknowns, routing=routing) for firewall in self.stacks
        ]
        old, new = (_joined(hook, each.follow(route, start)) for each in traversals)
        changes = list(self._changes(family, hook, old, new))
        asked, asked_now = (traversal.matcher.asked for traversal in traversals)
        unlike = [key for key in asked | asked_now if asked.get(key) != asked_now.get(key)]
        return changes, not any(self._decides(key, (*old, *new)) for key in unlike)

    def is_told_of_device(self, change: Divergence, changes: Iterable[Divergence]) -> bool:
        """Whether another change says the same, of all that comes or leaves by a device."""
        return change.family is not Family.NETDEV and any(
            not (change.packets & ~self.space.forget(each.packets, (away,))).satisfiable()
            for each in changes
            if each.family is Family.NETDEV
            and (change.old.kind, change.new.kind) == (each.old.kind, each.new.kind)
            for away in (Field.OIF if each.hook is Hook.INGRESS else Field.IIF,)
        )

    def is_told_of_way(self, change: Divergence, changes: Iterable[Divergence]) -> bool:
        """Whether others say the same of all packets on the way that these go on."""
        if not change.elsewhere:
            return False
        alike = [
            each.packets
            for each in changes
            if not each.elsewhere and each.certain >= change.certain
            if each.hook is not change.hook and each.kind == change.kind
        ]
        alike_packets = self.space.forget(union(alike, self.space.false), (Field.OIF,))
        packets = self.space.forget(change.packets, (Field.OIF,))
        return not (packets & ~alike_packets).satisfiable()

    def _decides(self, key: Unknown, outcomes: Iterable[Outcome]) -> bool:
        """Whether what becomes of some packet depends on it."""
        variable = self.unknowns.variable(key)
        sets = chain.from_iterable((e.packets, *e.rewrite.bits.values()) for e in outcomes)
        return any(packets.exists(variable) != packets for packets in sets)

    def _changes(
        self, family: Family, hook: Hook, old: list[Outcome], new: list[Outcome]
    ) -> Iterator[Divergence]:
        by_fates: dict[tuple[_End, _End, bool, tuple[str, ...]], PacketSet] = {}
        for one, other in product(old, new):
            both = one.packets & other.packets
            if both.satisfiable():
                for aspects, packets in self._otherwise(one, other, both):
                    elsewhere = all(left(hook, each) for each in (one, other))
                    key = _End.of(one), _End.of(other), elsewhere, aspects
                    by_fates[key] = by_fates.get(key, self.space.false) | packets
        for (_, _, elsewhere, aspects), packets in by_fates.items():
            surely = packets.forall(self.unknowns.luck)
            for part, certain in ((surely, True), (packets & ~surely, False)):
                if part.satisfiable():
                    change = self._change(family, hook, part, aspects, certain=certain)
                    yield replace(change, elsewhere=elsewhere)

    def _otherwise(
        self, one: Outcome, other: Outcome, packets: PacketSet
    ) -> Iterator[tuple[tuple[str, ...], PacketSet]]:
        """Of the packets, which have both outcomes, those that have another end with each, or are
        accepted by both and come out different: by what of them is different."""
        ends = _End.of(one), _End.of(other)
        parts: dict[tuple[str, ...], PacketSet] = {(): packets}
        if ends[0] != ends[1]:
            named = (_TOLD[one.kind],) if one.kind is other.kind else ()
            parts = {named: packets}
        elif one.kind is VerdictKind.ACCEPT:
            for aspect, fields in _ASPECTS.items():
                differs = one.rewrite.differs(other.rewrite, self.unknowns.cube, *fields)
                if differs.satisfiable():
                    apart = {(*key, aspect): part & differs for key, part in parts.items()}
                    parts = {key: part & ~differs for key, part in parts.items()} | apart
            del parts[()]
        else:
            return
        yield from ((key, part) for key, part in parts.items() if part.satisfiable())

    def _change(
        self,
        family: Family,
        hook: Hook,
        packets: PacketSet,
        aspects: tuple[str, ...],
        *,
        certain: bool,
    ) -> Divergence:
        point = one_of(self.space, packets, hook, self.unknowns)
        old, new = (self._journey(firewall, family, hook, point) for firewall in self.stacks)
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
        return Fate(outcome.kind, decision, becomes, _End.of(outcome).answer, way)

    def _contrasts(
        self, old: _Journey, new: _Journey, differing: tuple[Field, ...]
    ) -> Iterator[Contrast]:
        for field in differing:
            yield Contrast(_NAMES[field], *(self._value(each, field) for each in (old, new)))
        ends = [_End.of(each.outcome) for each in (old, new)]
        if ends[0].kind is ends[1].kind and ends[0] != ends[1]:
            yield Contrast(_TOLD[ends[0].kind], ends[0].answer, ends[1].answer)

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


class _End(NamedTuple):
    """What is the same end of a packet: a program of its own reads each queue, and a sender learns
    what it is answered."""

    kind: VerdictKind
    answer: str

    @classmethod
    def of(cls, outcome: Outcome) -> _End:
        rule = None if outcome.decision is None else outcome.decision.rule
        is_answered = outcome.kind in _TOLD and rule is not None
        return cls(outcome.kind, rule.verdict.meaning if is_answered and rule else "")


_TOLD = {VerdictKind.REJECT: "answer", VerdictKind.QUEUE: "queue"}
"""What tells two ends of one kind apart."""


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


def _joined(hook: Hook, ends: list[Outcome]) -> list[Outcome]:
    """Ends of one kind with the same changes are one, on the way with the hook or off it."""
    together: dict[object, Outcome] = {}
    for end in ends:
        # Of what dies it does not matter how it was changed.
        changes = end.rewrite.key if end.kind is VerdictKind.ACCEPT else ()
        key = _End.of(end), left(hook, end), changes
        known = together.get(key, end)
        together[key] = end._replace(packets=known.packets | end.packets)
    return list(together.values())
