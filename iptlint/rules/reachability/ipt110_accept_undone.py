"""What a rule of nft accepts, a base chain that is asked later drops.

## What it does
Follows the new packets that a rule accepts to the base chains that are asked after its own at
the same hook, of whatever table. Reports the rule if all of them are dropped or rejected there
for certain, with the line that does it.

## Why it matters
In nft `accept` ends one base chain, not the hook. A packet passes only if every base chain of
every table lets it pass; one `drop` is the end. So a table beside firewalld's, or beside the
one of another file, opens nothing.

## Example
```
table inet mine {
    chain input {
        type filter hook input priority filter - 1; policy accept;
        tcp dport 8080 accept
    }
}
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "lo" accept
        tcp dport 22 accept
    }
}
```

## Fix
Accept the packets in the chain that drops them: `insert rule inet filter input tcp dport 8080
accept`, or have one base chain for each hook. firewalld: `firewall-cmd --add-port=8080/tcp`.

## When it is wrong
Where the later chain is meant to have the last word. Silent: chains that only drop what they
list, accepts that except something from the drops of their own chain, and rules only some of
whose packets are dropped later.

## References
- nft(8), "VERDICT STATEMENT" (accept): https://www.netfilter.org/projects/nftables/manpage.html
- net/netfilter/core.c, nf_hook_slow()
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.called_rules import rules_from
from iptlint.analysis.default_verdict import outside
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import is_ban
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.phrases import MAX_LABELS, counted
from iptlint.model import Family, Hook, Rule, VerdictKind
from iptlint.model.compat import made_by_iptables
from iptlint.model.ownership import owner_of, owner_of_table
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.decision import Share, at_station, largest_first
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.hooks import DECIDING_PRIORITIES
from iptlint.netfilter.table_analysis import at_hook
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT110",
    name="accept-undone",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
)

_HOOKS = (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)
_DENYING = (VerdictKind.DROP, VerdictKind.REJECT)
_SEPARATELY = 3
"""More accepts of one chain that another one undoes are one finding."""


class Undone(NamedTuple):
    """An accepting rule of ``station``; ``by`` decides most of its packets in ``later``."""

    rule: Rule
    packets: PacketSet
    station: BaseChain
    later: BaseChain
    by: Share


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if ruleset.is_nft:
            stack = context.stack(ruleset)
            for hook in _HOOKS:
                stations = stack.stations(Family.INET, hook)
                if sum(map(_decides, stations)) > 1:
                    yield from _at_hook(stack, hook, stations)


def _decides(station: BaseChain) -> bool:
    chain = station.chain
    return chain.type == "filter" and chain.priority in DECIDING_PRIORITIES and not station.is_open


def _at_hook(stack: Firewall, hook: Hook, stations: Sequence[BaseChain]) -> Iterator[Finding]:
    space = stack.space
    packets = at_hook(space, hook) & space.state("new") & outside(space)
    for _, equals in groupby(stations, key=_priority):
        several = tuple(equals)
        for station in several:
            if _decides(station) and _lets_in(station, packets):
                # What a chain of the same priority drops is dropped, whichever comes first.
                others = (s for s in stations if s is not station)
                later = [s for s in others if _priority(s) >= _priority(station)]
                yield from _findings(hook, _undone(station, later, packets))
        for station in several:
            packets = station.afterwards(packets & station.passing)


def _priority(station: BaseChain) -> int:
    return station.chain.priority or 0


def _lets_in(station: BaseChain, packets: PacketSet) -> bool:
    """Whether an accept of the chain is one that people wrote to let packets in, not to except
    them from what it drops."""
    table, chain = station.walk.table, station.chain
    if made_by_iptables(table) or owner_of_table(table.name) is not None:
        return False
    if chain.policy is not None and chain.policy.kind is not VerdictKind.ACCEPT:
        return True
    denying = any(rule.verdict.kind in _DENYING for rule in rules_from(station))
    return not denying or not (_undecided(station) & packets).satisfiable()


def _undecided(station: BaseChain) -> PacketSet:
    """The packets that come to the policy."""
    return station.walk.flows[station.chain.name].returns & station.seen


def _only_bans(station: BaseChain) -> bool:
    """Whether the chain drops what it lists and has nothing to say of the rest."""
    policy = station.chain.policy
    if policy is not None and policy.kind is not VerdictKind.ACCEPT:
        return False
    decisive = [rule for rule in rules_from(station) if rule.verdict.kind.ends_walk]
    return all(is_ban(rule) for rule in decisive)


def _undone(station: BaseChain, later: Sequence[BaseChain], packets: PacketSet) -> Iterator[Undone]:
    for decider in at_station(station, packets & station.seen):
        rule = decider.rule
        if rule is None or decider.kind is not VerdictKind.ACCEPT:
            continue
        if owner_of(decider.chain.name) is None:
            found = _killer(station.afterwards(decider.packets), later)
            if found is not None:
                yield Undone(rule, decider.packets, station, *found)


def _killer(packets: PacketSet, later: Sequence[BaseChain]) -> tuple[BaseChain, Share] | None:
    """Where the last of the packets die, and what decides most of them there."""
    for station in later:
        left = packets & station.passing
        if not left.satisfiable():
            if not _decides(station) or _only_bans(station):
                return None
            deciders = largest_first(at_station(station, packets & station.seen))
            by = next((each for each in deciders if each.kind in _DENYING), None)
            return None if by is None else (station, by)
        packets = station.afterwards(left)
    return None


def _findings(hook: Hook, undone: Iterator[Undone]) -> Iterator[Finding]:
    by_chain: dict[int, list[Undone]] = {}
    for each in undone:
        by_chain.setdefault(id(each.later), []).append(each)
    for several in by_chain.values():
        several.sort(key=lambda each: each.rule.origin.span.start)
        if len(several) > _SEPARATELY:
            yield _folded(hook, several)
        else:
            yield from (_finding(hook, each) for each in several)


def _finding(hook: Hook, undone: Undone) -> Finding:
    return META.finding(
        undone.rule.origin.span,
        f"what this accepts is {_past(undone.by)} after all: {_chain(undone.later)} is asked"
        f" {_when(undone)} and lets none of the new packets through that this rule lets through",
        _advice(undone),
        related=(_label(undone),),
        witness=witness(undone.station.walk.space, undone.packets, hook),
    )


def _folded(hook: Hook, several: Sequence[Undone]) -> Finding:
    first, *others = several
    places = [Label(each.rule.origin.span, "and this one") for each in others[: MAX_LABELS - 1]]
    more = len(others) - len(places)
    if more:
        places[-1] = Label(places[-1].span, f"and this one … and {more} more")
    return META.finding(
        first.rule.origin.span,
        f"what {counted(len(several), 'rule')} of {_chain(first.station)} accept is"
        f" {_past(first.by)} after all: {_chain(first.later)} is asked {_when(first)} and lets"
        " none of the new packets through that they let through",
        "move the rules into that chain, or make its policy accept if this one has to decide",
        related=(_label(first), *places),
        witness=witness(first.station.walk.space, first.packets, hook),
    )


def _past(by: Share) -> str:
    return "rejected" if by.kind is VerdictKind.REJECT else "dropped"


def _when(undone: Undone) -> str:
    """Chains of one priority are asked in the order in which they happened to be loaded."""
    same = undone.station.chain.priority == undone.later.chain.priority
    return "at the same priority" if same else "later"


def _chain(station: BaseChain) -> str:
    table = station.walk.table
    return f"the chain {station.chain.name} of table {table.family.value} {table.name}"


def _label(undone: Undone) -> Label:
    by, priority = undone.by, undone.later.chain.priority
    who = "its policy" if by.rule is None else "this"
    return Label(by.span, f"{who} {by.does} them, at priority {priority}")


def _advice(undone: Undone) -> str:
    table = undone.later.walk.table
    text = " ".join(undone.rule.statement.span.text.split())
    into = f"{table.family.value} {table.name} {undone.later.chain.name}"
    if not text or "@" in text or "vmap" in text or ('"' in text and "comment" in text):
        return f"accept them in that chain too (insert rule {into} …)"
    return f"accept them in that chain too: insert rule {into} {text}"
