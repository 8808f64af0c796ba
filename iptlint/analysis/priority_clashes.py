"""Base chains of the same priority whose order matters, which is that of loading alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.shares import shares_in
from iptlint.model import (
    AnyOf,
    Chain,
    EffectKind,
    Family,
    Field,
    Hook,
    Interface,
    Masked,
    Match,
    Rule,
    Verdict,
    VerdictKind,
    Within,
)
from iptlint.model.owners import owner_of_table
from iptlint.model.ownership import made_by_iptables
from iptlint.model.writes import writes_of
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Firewall
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_LAYERS = (Family.INET, Family.BRIDGE)
_PORTS = (Field.SPORT, Field.DPORT)


class Clash(NamedTuple):
    """Two base chains of the same priority, in the order of the text. ``reason``: why their order
    matters; ``rules``: those to look at."""

    one: BaseChain
    other: BaseChain
    reason: str
    rules: tuple[Rule, ...]


class _Reason(NamedTuple):
    text: str
    rules: tuple[Rule, ...]


def clashes(firewall: Firewall) -> Iterator[Clash]:
    for family, hook in product(_LAYERS, Hook):
        by_priority: dict[int | None, list[BaseChain]] = {}
        for base_chain in sorted(firewall.base_chains(family, hook), key=_place):
            by_priority.setdefault(base_chain.chain.priority, []).append(base_chain)
        pairs = (combinations(several, 2) for several in by_priority.values())
        for one, other in chain.from_iterable(pairs):
            reason = _reason(one, other) if _may_clash(one, other) else None
            if reason is not None:
                yield Clash(one, other, *reason)


def _place(base_chain: BaseChain) -> int:
    """Where the chain stands in the text."""
    return base_chain.analysis.declaration_of(base_chain.chain).start


def _may_clash(one: BaseChain, other: BaseChain) -> bool:
    tables = one.analysis.table, other.analysis.table
    return (
        not _on_other_devices(one.chain, other.chain)
        and not (one.is_open or other.is_open)
        and not {*tables[0].family.packets}.isdisjoint(tables[1].family.packets)
        and not all(made_by_iptables(t) or owner_of_table(t.name) for t in tables)
    )


def _on_other_devices(one: Chain, other: Chain) -> bool:
    """Whether they listen at different interfaces (ingress, egress)."""
    return bool(one.devices and other.devices) and {*one.devices}.isdisjoint(other.devices)


def _reason(one: BaseChain, other: BaseChain) -> _Reason | None:
    return (
        _translated_twice(one, other)
        or _changed(one, other)
        or _changed(other, one)
        or _recorded(one, other)
        or _recorded(other, one)
    )


# -- who translates -------------------------------------------------------------------------


def _translated_twice(one: BaseChain, other: BaseChain) -> _Reason | None:
    kind = VerdictKind.NAT
    if not (one.end(kind) & other.end(kind)).satisfiable():
        return None
    theirs = [d for d in shares_in(other, other.end(kind)) if d.kind is kind]
    for mine in shares_in(one, one.seen & other.end(kind)):
        if mine.kind is kind and mine.rule is not None:
            for each in theirs:
                if each.rule is None or _alike(each.rule.verdict, mine.rule.verdict):
                    continue
                if (mine.packets & each.packets).satisfiable():
                    lines = f"{mine.name} and {each.name}"
                    reason = f"{lines} translate the same packets differently, and the first wins"
                    return _Reason(reason, (mine.rule, each.rule))
    return None


def _alike(one: Verdict, other: Verdict) -> bool:
    """Whoever masquerades gives the address of the interface."""
    both_masquerade = {one.name.lower(), other.name.lower()} == {"masquerade"}
    return one == other or both_masquerade


# -- who changes ----------------------------------------------------------------------------


def _changed(writer: BaseChain, reader: BaseChain) -> _Reason | None:
    """A field that rules of the one change and rules of the other test."""
    space = writer.analysis.space
    both_translate = writer.chain.type == reader.chain.type == "nat"
    readings: dict[frozenset[Field], _Readings] = {}
    for _, rule in writer.rules_testing(lambda rule: bool(_written(rule))):
        if both_translate and rule.verdict.kind is VerdictKind.NAT:
            continue
        written = _written(rule)
        if written not in readings:
            readings[written] = _Readings(reader, written)
        changed = space.forget(_matched(writer, rule), written)
        test = readings[written].first(changed)
        if test is not None:
            field = min(field.value for field in written & {*_tested(test.matches)})
            what = field.replace("_", " ")
            return _Reason(
                f"{_line(rule)} changes the {what} that {_line(test)} tests", (rule, test)
            )
    return None


class _Readings:
    """The rules that test any of the fields, with the packets that match them but for these."""

    def __init__(self, reader: BaseChain, fields: frozenset[Field]) -> None:
        space = reader.analysis.space
        self.rules = [
            (rule, space.forget(_matched(reader, rule), fields))
            for _, rule in reader.rules_testing(
                lambda rule: not fields.isdisjoint(_tested(rule.matches))
            )
        ]
        self.packets = union([packets for _, packets in self.rules], space.false)

    def first(self, packets: PacketSet) -> Rule | None:
        """The first of the rules that some of the packets match."""
        if not (packets & self.packets).satisfiable():
            return None
        met = (rule for rule, matched in self.rules if (packets & matched).satisfiable())
        return next(met, None)


def _written(rule: Rule) -> frozenset[Field]:
    """What the rule changes for certain: a translation need not change the port."""
    fields = writes_of((rule,)).fields
    if rule.verdict.kind is VerdictKind.NAT:
        fields -= {e.field for e in rule.effects if e.field in _PORTS and e.value is None}
    return fields


def _tested(matches: tuple[Match, ...]) -> Iterator[Field]:
    for match in matches:
        match match:
            case Within(field) | Masked(field) | Interface(field):
                yield field
            case AnyOf(alternatives):
                for alternative in alternatives:
                    yield from _tested(alternative)


# -- who keeps record -----------------------------------------------------------------------


def _recorded(dropping: BaseChain, recording: BaseChain) -> _Reason | None:
    """Packets that the one drops and the other logs or adds to a set."""
    for _, rule in recording.rules_testing(lambda rule: any(_records(rule))):
        done = next(_records(rule))
        if (dropping.denied & _matched(recording, rule)).satisfiable():
            reason = f"{_line(rule)} {done} packets that {dropping.title} drops"
            return _Reason(reason, (rule,))
    return None


_RECORDS = {EffectKind.LOG: "logs", EffectKind.SET: "puts into a set"}


def _records(rule: Rule) -> Iterator[str]:
    return (_RECORDS[effect.kind] for effect in rule.effects if effect.kind in _RECORDS)


def _matched(base_chain: BaseChain, rule: Rule) -> PacketSet:
    """The packets of the base chain that match the rule, whoever is asked before."""
    return base_chain.analysis.intended(rule) & base_chain.seen


def _line(rule: Rule) -> str:
    return f"line {rule.origin.span.line}"
