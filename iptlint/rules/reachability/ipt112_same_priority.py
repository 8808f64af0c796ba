"""Two base chains of nft have the same hook and priority, and their order matters.

## What it does
Finds base chains that are asked at the same hook with the same priority, and for which it
matters who is first: both translate the same packets differently, one changes what the other
tests (a mark, an address), or one drops packets that the other logs or adds to a set.

## Why it matters
The kernel asks chains of one priority in an order that no line of the text fixes: it depends on
which was loaded last. After a reload of one of them, or a boot in another order, a packet goes
to another address, or a log falls silent.

## Example
```
table ip web {
    chain prerouting {
        type nat hook prerouting priority dstnat;
        tcp dport 80 dnat to 10.0.0.2
    }
}
table ip lab {
    chain prerouting {
        type nat hook prerouting priority dstnat;
        tcp dport 80 dnat to 10.0.0.3
    }
}
```

## Fix
Give the one that is to be asked last a higher priority: `priority dstnat + 1;`.

## When it is wrong
Where the packets in question never come. Chains that only accept and drop are not reported,
whatever their priorities: a packet passes if all of them let it pass, in any order.

## References
- nft(8), "CHAINS" (priority): https://www.netfilter.org/projects/nftables/manpage.html
- net/netfilter/core.c, nf_hook_entries_grow()
- net/netfilter/nf_nat_core.c, nf_nat_inet_fn(): the first chain that translates is the last asked
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
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
    VerdictKind,
    Within,
)
from iptlint.model.owners import owner_of_table
from iptlint.model.ownership import made_by_iptables
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.decision import at_station
from iptlint.packets.bdd import union
from iptlint.packets.match import writes_of
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT112",
    name="same-priority",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
)

_LAYERS = (Family.INET, Family.BRIDGE)
_PORTS = (Field.SPORT, Field.DPORT)


class Clash(NamedTuple):
    """Why the order matters, and the rules to look at."""

    reason: str
    rules: tuple[Rule, ...]


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if not ruleset.is_nft:
            continue
        firewall = context.firewall(ruleset)
        for family in _LAYERS:
            for hook in Hook:
                base_chains = sorted(firewall.base_chains(family, hook), key=_place)
                for one, other in combinations(base_chains, 2):
                    clash = _clash(one, other) if _may_clash(one, other) else None
                    if clash is not None:
                        yield _finding(one, other, clash)


def _place(base_chain: BaseChain) -> int:
    """Where the chain stands in the text."""
    return base_chain.analysis.declaration_of(base_chain.chain).start


def _may_clash(one: BaseChain, other: BaseChain) -> bool:
    tables = one.analysis.table, other.analysis.table
    return (
        one.chain.priority == other.chain.priority
        and not _on_other_devices(one.chain, other.chain)
        and not (one.is_open or other.is_open)
        and not {*tables[0].family.packets}.isdisjoint(tables[1].family.packets)
        and not all(made_by_iptables(t) or owner_of_table(t.name) for t in tables)
    )


def _on_other_devices(one: Chain, other: Chain) -> bool:
    """Whether they listen at different interfaces (ingress, egress)."""
    return bool(one.devices and other.devices) and {*one.devices}.isdisjoint(other.devices)


def _clash(one: BaseChain, other: BaseChain) -> Clash | None:
    return (
        _translated_twice(one, other)
        or _changed(one, other)
        or _changed(other, one)
        or _recorded(one, other)
        or _recorded(other, one)
    )


# -- who translates -------------------------------------------------------------------------


def _translated_twice(one: BaseChain, other: BaseChain) -> Clash | None:
    kind = VerdictKind.NAT
    if not (one.end(kind) & other.end(kind)).satisfiable():
        return None
    theirs = [d for d in at_station(other, other.end(kind)) if d.kind is kind]
    for mine in at_station(one, one.seen & other.end(kind)):
        if mine.kind is kind and mine.rule is not None:
            for each in theirs:
                if each.rule is None or each.rule.verdict == mine.rule.verdict:
                    continue
                if (mine.packets & each.packets).satisfiable():
                    lines = f"{mine.name} and {each.name}"
                    reason = f"{lines} translate the same packets differently, and the first wins"
                    return Clash(reason, (mine.rule, each.rule))
    return None


# -- who changes ----------------------------------------------------------------------------


def _changed(writer: BaseChain, reader: BaseChain) -> Clash | None:
    """A field that rules of the one change and rules of the other test."""
    space = writer.analysis.space
    both_translate = writer.chain.type == reader.chain.type == "nat"
    readings: dict[frozenset[Field], _Readings] = {}
    for _, rule in writer.rules():
        if both_translate and rule.verdict.kind is VerdictKind.NAT:
            continue
        written = _written(rule)
        if not written:
            continue
        if written not in readings:
            readings[written] = _Readings(reader, written)
        changed = space.forget(_matched(writer, rule), written)
        test = readings[written].first(changed)
        if test is not None:
            field = min(field.value for field in written & {*_tested(test.matches)})
            what = field.replace("_", " ")
            return Clash(f"{_line(rule)} changes the {what} that {_line(test)} tests", (rule, test))
    return None


class _Readings:
    """The rules that test any of the fields, with the packets that match them but for these."""

    def __init__(self, reader: BaseChain, fields: frozenset[Field]) -> None:
        space = reader.analysis.space
        self.rules = [
            (rule, space.forget(_matched(reader, rule), fields))
            for _, rule in reader.rules()
            if not fields.isdisjoint(_tested(rule.matches))
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


def _recorded(dropping: BaseChain, recording: BaseChain) -> Clash | None:
    """Packets that the one drops and the other logs or adds to a set."""
    for _, rule in recording.rules():
        done = next((_RECORDS[e.kind] for e in rule.effects if e.kind in _RECORDS), None)
        if done is not None and (dropping.denied & _matched(recording, rule)).satisfiable():
            reason = f"{_line(rule)} {done} packets that {_name(dropping)} drops"
            return Clash(reason, (rule,))
    return None


_RECORDS = {EffectKind.LOG: "logs", EffectKind.SET: "puts into a set"}


def _matched(base_chain: BaseChain, rule: Rule) -> PacketSet:
    """The packets of the base chain that match the rule, whoever is asked before."""
    return base_chain.analysis.intended(rule) & base_chain.seen


def _line(rule: Rule) -> str:
    return f"line {rule.origin.span.line}"


def _finding(one: BaseChain, other: BaseChain, clash: Clash) -> Finding:
    chain = other.chain
    assert chain.hook is not None
    priority = chain.priority or 0
    places = [Label(one.analysis.declaration_of(one.chain), "the other chain")]
    places += [Label(rule.origin.span, "here") for rule in clash.rules]
    return META.finding(
        other.analysis.declaration_of(chain),
        f"{_name(other)} and {_name(one)} are asked at the same priority {priority} of the"
        f" {chain.hook.value} hook, in the order of loading; it matters, as {clash.reason}",
        f"write `priority {priority + 1};` in the one that is to be asked last",
        related=tuple(places),
    )


def _name(base_chain: BaseChain) -> str:
    table = base_chain.analysis.table
    return f"the chain {base_chain.chain.name} of table {table.family.value} {table.name}"
