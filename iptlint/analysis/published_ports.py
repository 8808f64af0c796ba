"""What becomes of packets to the ports that docker or podman publishes, thousands at a time.

Ports fare alike whose packets differ in nothing but the port and what the rules write: what else
becomes of them is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.hook_verdicts import may_be_dropped, surely_accepted
from iptlint.analysis.nat import DestinationNat
from iptlint.memo import memo
from iptlint.model import Field, Hook, Interface, Rule
from iptlint.model.matches import AddressType
from iptlint.model.writes import writes_of
from iptlint.packets.bdd import union
from iptlint.packets.ordinary import typically_holds
from iptlint.packets.original import knowing_original

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet


class Alike(NamedTuple):
    """What ports that fare alike have in common. ``coming``: of each caller the packets that come
    to the rule for certain; ``accepted``: those that FORWARD accepts for certain of what the rule
    sends on; both free in what the rule writes, and in what is otherwise at FORWARD."""

    coming: tuple[PacketSet, ...]
    accepted: PacketSet


@dataclass(frozen=True, slots=True, eq=False)
class SentOn:
    """A port whose packets a rule sends on. ``packets``: the first caller's that come to the rule
    for certain. ``written``: those that have what the rule writes; ``accepted``: what is for
    certain, whoever it is from, of what comes to FORWARD."""

    translation: DestinationNat
    port: int
    alike: Alike
    packets: PacketSet
    written: PacketSet
    accepted: PacketSet

    def through(self, hooks: Hooks, caller: int) -> PacketSet:
        """The caller's packets that are accepted for certain, as they come to FORWARD."""
        return _as_forwarded(hooks, self.alike.coming[caller]) & self.written & self.accepted


@memo
def may_be_through(hooks: Hooks, alike: Alike, caller: int, packets: PacketSet) -> bool:
    """Whether some of the packets may be the caller's ``through`` one of the ports."""
    accepted = _as_forwarded(hooks, alike.coming[caller]) & alike.accepted
    return (accepted & packets).satisfiable()


def interfaces_coming(hooks: Hooks, alike: Alike) -> list[PacketSet]:
    """By which interfaces packets of each caller come to the rule for certain."""
    return [hooks.space.project(coming, Field.IIF) for coming in alike.coming]


def interfaces_through(hooks: Hooks, alike: Alike) -> list[PacketSet]:
    """By which interfaces those came that are accepted for certain once they are sent on."""
    accepted = [_as_forwarded(hooks, coming) & alike.accepted for coming in alike.coming]
    return [hooks.space.project(through, Field.IIF) for through in accepted]


def sent_on(
    hooks: Hooks, published: Sequence[DestinationNat], callers: Sequence[PacketSet]
) -> Iterator[SentOn]:
    """The ports of the rules, each with what becomes of the callers' packets to it."""
    several = [_Callers(hooks, published, each) for each in _asked_together(hooks, callers)]
    gone = {translation.rule: _gone(hooks, translation) for translation in published}
    coming: list[tuple[DestinationNat, int, PacketSet, tuple[PacketSet, ...]]] = []
    for translation in published:
        for port in sorted(translation.ports):
            packets = [each.coming_to(translation, port) for each in several]
            apart = tuple(
                part
                for each, some in zip(several, packets, strict=True)
                for part in each.apart(hooks.space.forget(some, gone[translation.rule]))
            )
            coming.append((translation, port, packets[0] & several[0].sides[0], apart))
    written = {translation.rule: _written(hooks, translation) for translation in published}
    accepted = _accepted(hooks, [(apart, written[t.rule]) for t, _, _, apart in coming])
    whatever = _whatever_is_written(hooks, gone, written, accepted)
    for translation, port, packets_, apart in coming:
        rule = translation.rule
        alike = Alike(apart, whatever[rule])
        yield SentOn(translation, port, alike, packets_, written[rule], accepted)


def _whatever_is_written(
    hooks: Hooks,
    gone: Mapping[Rule, frozenset[Field]],
    written: Mapping[Rule, PacketSet],
    accepted: PacketSet,
) -> Mapping[Rule, PacketSet]:
    """For each rule what is accepted of packets with what it writes, free in what is ``gone``.
    Rules that write the same fields, and send packets to the same interface, are asked together."""
    asked_together: dict[tuple[frozenset[Field], PacketSet], list[Rule]] = {}
    for rule, then in written.items():
        fields = frozenset(effect.field for effect in rule.effects if effect.field is not None)
        beside = hooks.space.forget(then, fields)
        asked_together.setdefault((fields, beside), []).append(rule)
    whatever: dict[Rule, PacketSet] = {}
    for (fields, _), rules in asked_together.items():
        pending = [rules]
        while pending:
            some = pending.pop()
            one = union([written[rule] for rule in some], hooks.space.false)
            arriving = one & accepted
            if len(some) == 1 or arriving == one & hooks.space.forget(arriving, fields):
                # Which of the values it has makes no difference to what is accepted.
                free = hooks.space.forget(arriving, gone[some[0]])
                whatever |= dict.fromkeys(some, free)
            else:
                half = len(some) // 2
                pending += [some[:half], some[half:]]
    return whatever


def _accepted(hooks: Hooks, coming: Sequence[tuple[tuple[PacketSet, ...], PacketSet]]) -> PacketSet:
    """What FORWARD accepts for certain of packets that come to the rules, sent on with what is
    written of them."""
    by_coming: dict[tuple[PacketSet, ...], list[PacketSet]] = {}
    for apart, written in coming:
        by_coming.setdefault(apart, []).append(written)
    nothing = hooks.space.false
    arriving = [
        union([_as_forwarded(hooks, each) for each in apart], nothing) & union(written, nothing)
        for apart, written in by_coming.items()
    ]
    return surely_accepted(hooks, Hook.FORWARD, union(arriving, nothing))


class _Callers:
    """Callers whose packets are followed together. ``sides``: what tells them apart by their
    address, which nothing changes before FORWARD."""

    def __init__(
        self, hooks: Hooks, published: Sequence[DestinationNat], callers: Sequence[PacketSet]
    ) -> None:
        space, source = hooks.space, hooks.family.saddr
        self._space = space
        self._untouched = _untouched(hooks, published, union(callers, space.false))
        alone = len(callers) == 1
        self.sides = [space.true if alone else space.project(each, source) for each in callers]
        self._apart: dict[PacketSet, tuple[PacketSet, ...]] = {}

    def coming_to(self, translation: DestinationNat, port: int) -> PacketSet:
        """Their packets to the port that come to the rule for certain."""
        return self._untouched[translation.rule] & self._space.value(Field.DPORT, port)

    def apart(self, packets: PacketSet) -> tuple[PacketSet, ...]:
        """Those of each caller."""
        known = self._apart.get(packets)
        if known is None:
            known = self._apart[packets] = tuple(packets & side for side in self.sides)
        return known


def _asked_together(hooks: Hooks, callers: Sequence[PacketSet]) -> Sequence[Sequence[PacketSet]]:
    """All at once where their addresses tell them apart whatever is done to them on the way."""
    source = hooks.family.saddr
    changing = [each for each in hooks.base_chains(Hook.PREROUTING) if not each.is_open]
    writes = writes_of(rule for each in changing for rule in each.examples())
    sides = [hooks.space.project(caller, source) for caller in callers]
    mixed = any((one & other).satisfiable() for one, other in combinations(sides, 2))
    if mixed or source in writes.fields or any(each.rewrites for each in changing[:-1]):
        return [[caller] for caller in callers]
    return [callers]


def _untouched(
    hooks: Hooks, published: Sequence[DestinationNat], packets: PacketSet
) -> Mapping[Rule, PacketSet]:
    """For each of the rules those of the packets that come to it for certain."""
    coming = knowing_original(hooks.space, packets & hooks.hook_packets(Hook.PREROUTING))
    coming = coming & ~may_be_dropped(hooks, Hook.PREROUTING, coming)
    untouched = {translation.rule: hooks.space.false for translation in published}
    for analysis, name in dict.fromkeys((t.analysis, t.chain) for t in published):
        flow, entering = analysis.flows[name], coming & analysis.entries[name].reachable
        rules = (t.rule for t in published if (t.analysis, t.chain) == (analysis, name))
        numbers = sorted(analysis.place(rule).number for rule in rules)
        for number, matched in flow.matched_of(numbers, entering):
            sure = matched if flow.is_certain(number) else matched & flow.tests[number].sure
            untouched[flow.chain.rules[number]] = sure
    return untouched


def _gone(hooks: Hooks, translation: DestinationNat) -> frozenset[Field]:
    """What packets may have otherwise when they come to FORWARD."""
    effects = translation.rule.effects
    written = (e.field for e in effects if e.field is not None and e.field in hooks.space.fields)
    return frozenset((*written, Field.OIF, *_marks(hooks)))


def _written(hooks: Hooks, translation: DestinationNat) -> PacketSet:
    """The packets that have what the rule writes, and leave by its container's interface."""
    space, then = hooks.space, hooks.space.true
    for effect in translation.rule.effects:
        if effect.field in space.fields and effect.value is not None:
            then = then & space.value(effect.field, effect.value)
    for name in bridges_of(translation)[:1]:
        then = then & space.interface(Field.OIF, name)
    return then


@memo
def _as_forwarded(hooks: Hooks, packets: PacketSet) -> PacketSet:
    """Tests of the types of addresses are asked anew at FORWARD."""
    asked, ordinary = _ordinary_types(hooks)
    return packets.exists(asked) & ordinary


@memo
def _ordinary_types(hooks: Hooks) -> tuple[PacketSet, PacketSet]:
    """The tests of the types of addresses (a cube), and the packets for which these are what they
    are for most that come to FORWARD."""
    asked = ordinary = hooks.space.true
    for test, variable in hooks.space.opaques.items():
        if isinstance(test.asks, AddressType):
            asked = asked & variable
            ordinary = ordinary & (variable if typically_holds(test, Hook.FORWARD) else ~variable)
    return asked, ordinary


@memo
def _marks(hooks: Hooks) -> tuple[Field, ...]:
    """The marks that rules may have given to packets before FORWARD."""
    changed = writes_of(hooks.examples()).fields
    return tuple(field for field in (Field.MARK, Field.CT_MARK) if field in changed)


def bridges_of(translation: DestinationNat) -> list[str]:
    """The container's interface: the one from which docker's rule does not take any."""
    return [
        match.name
        for match in translation.rule.matches
        if isinstance(match, Interface) and match.field is Field.IIF and match.negated
    ]
