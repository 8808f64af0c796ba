"""Whether the rules of nft, read again, say what those of iptables said.

Two proofs, which know nothing of each other. ``RuleProof`` compares the rules one by one: they have
to take the same packets, of all that there are, and to do the same. ``difference``
(analysis/diff.py) follows all packets through both firewalls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from iptlint.convert.asking import Meanings
from iptlint.convert.meanings import said
from iptlint.convert.rendering import NewTable, Rendering
from iptlint.model import (
    AnyOf,
    Effect,
    EffectKind,
    Family,
    Field,
    Match,
    Opaque,
    Rule,
    Ruleset,
    Uncertain,
    VerdictKind,
)
from iptlint.model.writes import Writes
from iptlint.netfilter.firewall import space_of
from iptlint.packets.bdd import union
from iptlint.packets.conntrack import connected
from iptlint.packets.match import Matcher
from iptlint.packets.witness import packet_of
from iptlint.source import Origin

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_TOLD = (VerdictKind.REJECT, VerdictKind.QUEUE, VerdictKind.NAT, VerdictKind.UNKNOWN)
"""Verdicts that have more to them than their kind."""


class RuleProof:
    """Rules of some rulesets compared with those of another one."""

    def __init__(self, olds: Sequence[Ruleset], new: Ruleset) -> None:
        self.space = space_of(*olds, new)
        self.matcher = Matcher(self.space, Writes())
        self.connected = connected(self.space)
        self.families: Sequence[Family] = ()
        self.meanings = Meanings()
        self.names: Mapping[str, str] = {}
        self.rests: frozenset[str] = frozenset()

    def enter(self, table: NewTable) -> None:
        """The rules that follow are those of the table."""
        self.families = tuple(table.olds)
        self.meanings = table.meanings
        self.names = {old.name: c.name for c in table.chains for old in c.olds.values()}
        self.rests = frozenset(part.rest for c in table.chains for part in c.parts if part.rest)

    def objection(self, entry: Rendering, new: Sequence[Rule]) -> str | None:
        """Why the rules ``new`` do not say the same as the entry's; None is the proof."""
        for family in self.families:
            olds = [each for rule in entry.olds.get(family, ()) for each in self._said(rule)]
            packets = self.space.universe & self.space.family(family.value)
            of_family = [_of_family(rule, family) for rule in new]
            before, after = self._done(olds, packets), self._done(of_family, packets)
            if before is None or after is None:
                return "several of its rules may take the same packet"
            why = self._unlike(before, after)
            if why is not None:
                return why
        return None

    def _said(self, rule: Rule) -> Iterator[Rule]:
        """As nft says it: with the names of its chains."""
        for each in said(rule, self.meanings.words, self.meanings.rules):
            chain = each.verdict.chain
            if chain is not None:
                verdict = replace(each.verdict, chain=self.names.get(chain, chain))
                each = replace(each, verdict=verdict)
            yield each

    def _done(self, rules: Sequence[Rule], here: PacketSet) -> dict[Action, PacketSet] | None:
        """What is done, and with which packets; None where that depends on the order of things."""
        done: dict[Action, PacketSet] = {}
        left, called = here, self.space.false
        statement: Origin | None = None
        for rule in rules:
            packets = self.matcher.all_of(map(settled, rule.matches), left).may
            verdict = rule.verdict
            if verdict.kind is VerdictKind.GOTO and verdict.chain in self.rests:
                left = left & ~packets  # they go on behind this entry
                continue
            for action in _actions(rule):
                marked = packets & self.connected if _needs_connection(action) else packets
                before = done.get(action, self.space.false)
                same = rule.statement is statement  # which does one thing after another
                if not same and (packets & (called | before)).satisfiable():
                    return None
                done[action] = before | marked
            statement = rule.statement
            if verdict.kind.terminates or verdict.kind is VerdictKind.RETURN:
                left = left & ~packets
            elif verdict.chain is not None:
                called = called | packets
        return {action: packets for action, packets in done.items() if packets.satisfiable()}

    def _unlike(
        self, old: Mapping[Action, PacketSet], new: Mapping[Action, PacketSet]
    ) -> str | None:
        if _is_of_socket(old) and {action.kind for action in new} <= _OF_SOCKETS:
            old, new = ({_ANY: union([*side.values()], self.space.false)} for side in (old, new))
        if [*old] and [*new] and {*old} != {*new}:
            return f"the rule of nft does something else: {_shown(old)}, then {_shown(new)}"
        for action in {*old, *new}:
            before, after = (side.get(action, self.space.false) for side in (old, new))
            for more, which in ((before & ~after, "fewer"), (after & ~before, "more")):
                if more.satisfiable():
                    return f"the rule of nft takes {which} packets: {self._example(more)}"
        return None

    def _example(self, packets: PacketSet) -> str:
        packet = packet_of(self.space, packets.pick_cube() or [], None)
        return f"{packet.proto or 'any protocol'} from {packet.saddr or 'anywhere'}"


def _of_family(rule: Rule, family: Family) -> Rule:
    """What the rule does with packets of the family: a translation in a table of both writes the
    address that they have."""
    (other,) = {Family.IP, Family.IP6} - {family}
    foreign = {other.saddr, other.daddr}
    if not any(effect.field in foreign for effect in rule.effects):
        return rule
    kept = tuple(effect for effect in rule.effects if effect.field not in foreign)
    return replace(rule, effects=kept)


_OF_SOCKETS = {VerdictKind.ACCEPT, VerdictKind.DROP}


def settled(match: Match) -> Match:
    """What depends on more than the packet, as a test that has one answer: the same for equal
    ones."""
    match match:
        case Uncertain(kind, key):
            return Opaque(f"? {key}", kind=kind)
        case AnyOf(alternatives, negated):
            return AnyOf(tuple(tuple(map(settled, tests)) for tests in alternatives), negated)
        case _:
            return match


class Action(NamedTuple):
    """``words``: what there is to say beside its kind; ``effects``: what is written with it."""

    kind: VerdictKind
    words: str = ""
    effects: frozenset[Effect] = frozenset()


def _actions(rule: Rule) -> Iterator[Action]:
    """What is done on the way, each for itself, and the verdict, if it is one."""
    verdict, effects = rule.verdict, [*_joined(rule.effects)]
    alone = [e for e in effects if verdict.kind is _GOES_ON or e.kind is EffectKind.SET]
    yield from (Action(_GOES_ON, effects=frozenset((effect,))) for effect in alone)
    if verdict.kind is not _GOES_ON:
        rest = frozenset(effect for effect in effects if effect not in alone)
        words = verdict.chain or (verdict.meaning if verdict.kind in _TOLD else "")
        yield Action(verdict.kind, words, rest)
    elif verdict.name and not alone:
        # What it does, no field of the model says; to which packets, does.
        yield Action(_GOES_ON, "its target")


def _joined(effects: Iterable[Effect]) -> Iterator[Effect]:
    """Writes to parts of one field, one behind the other, are one write."""
    last: Effect | None = None
    for effect in effects:
        if (
            last is not None
            and _is_known(last)
            and _is_known(effect)
            and last.field is effect.field
        ):
            mask, value = last.mask or 0, last.value or 0
            new_mask, new_value = effect.mask or 0, effect.value or 0
            last = replace(last, mask=mask | new_mask, value=value & ~new_mask ^ new_value)
            continue
        if last is not None:
            yield last
        last = effect
    if last is not None:
        yield last


def _is_known(effect: Effect) -> bool:
    return effect.kind is EffectKind.WRITE and effect.mask is not None and effect.source is None


_GOES_ON = VerdictKind.CONTINUE
_ANY = Action(VerdictKind.QUEUE)


def _shown(done: Iterable[Action]) -> str:
    return " and ".join(f"{action.kind.value} {action.words}".rstrip() for action in done)


def _needs_connection(action: Action) -> bool:
    """Without one nothing is written (xt_connmark.c, nft_ct.c)."""
    of_mark = [Field.CT_MARK in (effect.field, effect.source) for effect in action.effects]
    return action.kind is _GOES_ON and bool(of_mark) and all(of_mark)


def _is_of_socket(done: Mapping[Action, PacketSet]) -> bool:
    """xt_TPROXY accepts what a socket is there for and drops the rest."""
    return len(done) == 1 and next(iter(done)).words.startswith("TPROXY")
