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

from iptlint.analysis.default_verdict import outside
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import is_ban
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.phrases import MAX_LABELS, counted
from iptlint.model import Family, Hook, Rule, VerdictKind
from iptlint.model.owners import owner_of_name, owner_of_table
from iptlint.model.ownership import made_by_iptables
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.decision import Share, at_station, largest_first
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.hooks import DECIDING_PRIORITIES
from iptlint.netfilter.routes import at_hook
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
_SEPARATELY = 3
"""More accepts of one chain that another one undoes are one finding."""


class Undone(NamedTuple):
    """An accepting rule of ``base_chain``; ``by`` decides most of its packets in ``later``."""

    rule: Rule
    packets: PacketSet
    base_chain: BaseChain
    later: BaseChain
    by: Share


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if ruleset.is_nft:
            firewall = context.firewall(ruleset)
            for hook in _HOOKS:
                base_chains = firewall.base_chains(Family.INET, hook)
                if sum(map(_decides, base_chains)) > 1:
                    yield from _at_hook(firewall, hook, base_chains)


def _decides(base_chain: BaseChain) -> bool:
    chain = base_chain.chain
    return (
        chain.type == "filter" and chain.priority in DECIDING_PRIORITIES and not base_chain.is_open
    )


def _at_hook(firewall: Firewall, hook: Hook, base_chains: Sequence[BaseChain]) -> Iterator[Finding]:
    space = firewall.space
    packets = at_hook(space, hook) & space.state("new") & outside(space)
    for _, equals in groupby(base_chains, key=_priority):
        several = tuple(equals)
        for base_chain in several:
            if _decides(base_chain) and _lets_in(base_chain, packets):
                # What a chain of the same priority drops is dropped, whichever comes first.
                others = (s for s in base_chains if s is not base_chain)
                later = [s for s in others if _priority(s) >= _priority(base_chain)]
                yield from _findings(hook, _undone(base_chain, later, packets))
        for base_chain in several:
            packets = base_chain.afterwards(packets & base_chain.may_survive)


def _priority(base_chain: BaseChain) -> int:
    return base_chain.chain.priority or 0


def _lets_in(base_chain: BaseChain, packets: PacketSet) -> bool:
    """Whether an accept of the chain is one that people wrote to let packets in, not to except
    them from what it drops."""
    table, chain = base_chain.analysis.table, base_chain.chain
    if made_by_iptables(table) or owner_of_table(table.name) is not None:
        return False
    if chain.policy is not None and chain.policy.kind is not VerdictKind.ACCEPT:
        return True
    denying = any(rule.verdict.kind.denies for _, rule in base_chain.rules())
    return not denying or not (_undecided(base_chain) & packets).satisfiable()


def _undecided(base_chain: BaseChain) -> PacketSet:
    """The packets that come to the policy."""
    return base_chain.analysis.flows[base_chain.chain.name].returns & base_chain.seen


def _only_bans(base_chain: BaseChain) -> bool:
    """Whether the chain drops what it lists and has nothing to say of the rest."""
    policy = base_chain.chain.policy
    if policy is not None and policy.kind is not VerdictKind.ACCEPT:
        return False
    decisive = [rule for _, rule in base_chain.rules() if rule.verdict.kind.terminates]
    return all(is_ban(rule) for rule in decisive)


def _undone(
    base_chain: BaseChain, later: Sequence[BaseChain], packets: PacketSet
) -> Iterator[Undone]:
    for share in at_station(base_chain, packets & base_chain.seen):
        rule = share.rule
        if rule is None or share.kind is not VerdictKind.ACCEPT:
            continue
        if owner_of_name(share.chain.name) is None:
            killer = _killer(base_chain.afterwards(share.packets), later)
            if killer is not None:
                yield Undone(rule, share.packets, base_chain, *killer)


def _killer(packets: PacketSet, later: Sequence[BaseChain]) -> tuple[BaseChain, Share] | None:
    """Where the last of the packets die, and what decides most of them there."""
    for base_chain in later:
        left = packets & base_chain.may_survive
        if not left.satisfiable():
            if not _decides(base_chain) or _only_bans(base_chain):
                return None
            shares = largest_first(at_station(base_chain, packets & base_chain.seen))
            by = next((each for each in shares if each.kind.denies), None)
            return None if by is None else (base_chain, by)
        packets = base_chain.afterwards(left)
    return None


def _findings(hook: Hook, undone: Iterator[Undone]) -> Iterator[Finding]:
    by_chain: dict[BaseChain, list[Undone]] = {}
    for each in undone:
        by_chain.setdefault(each.later, []).append(each)
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
        witness=witness(undone.base_chain.analysis.space, undone.packets, hook),
    )


def _folded(hook: Hook, several: Sequence[Undone]) -> Finding:
    first, *others = several
    places = [Label(each.rule.origin.span, "and this one") for each in others[: MAX_LABELS - 1]]
    more = len(others) - len(places)
    if more:
        places[-1] = Label(places[-1].span, f"and this one … and {more} more")
    return META.finding(
        first.rule.origin.span,
        f"what {counted(len(several), 'rule')} of {_chain(first.base_chain)} accept is"
        f" {_past(first.by)} after all: {_chain(first.later)} is asked {_when(first)} and lets"
        " none of the new packets through that they let through",
        "move the rules into that chain, or make its policy accept if this one has to decide",
        related=(_label(first), *places),
        witness=witness(first.base_chain.analysis.space, first.packets, hook),
    )


def _past(by: Share) -> str:
    return "rejected" if by.kind is VerdictKind.REJECT else "dropped"


def _when(undone: Undone) -> str:
    """Chains of one priority are asked in the order in which they happened to be loaded."""
    same = undone.base_chain.chain.priority == undone.later.chain.priority
    return "at the same priority" if same else "later"


def _chain(base_chain: BaseChain) -> str:
    table = base_chain.analysis.table
    return f"the chain {base_chain.chain.name} of table {table.family.value} {table.name}"


def _label(undone: Undone) -> Label:
    by, priority = undone.by, undone.later.chain.priority
    who = "its policy" if by.rule is None else "this"
    return Label(by.span, f"{who} {by.does} them, at priority {priority}")


def _advice(undone: Undone) -> str:
    table = undone.later.analysis.table
    text = undone.later.analysis.ruleset.syntax.for_other_table(undone.rule)
    into = f"{table.family.value} {table.name} {undone.later.chain.name}"
    if text is None:
        return f"accept them in that chain too (insert rule {into} …)"
    return f"accept them in that chain too: insert rule {into} {text}"
