"""A nat chain drops or rejects packets, though it sees only the first one of a connection.

## What it does
Reports `drop` and `reject` in chains of nft that only chains of type nat lead to, and a nat chain
with the policy drop in either language.

## Why it matters
The kernel shows a nat chain the first packet of each connection, and no other. Connections
that are open when the rule is loaded go on, as do packets that belong to no connection
(state invalid) and those that are not tracked. Whoever bans an address there bans it from
tomorrow on. iptables refuses such a rule for that reason.

## Example
```
table ip nat {
        chain prerouting {
                type nat hook prerouting priority dstnat; policy accept;
                ip saddr 203.0.113.0/24 drop
        }
}
```

## Fix
Move it to a chain that sees every packet:
```
chain ban {
        type filter hook prerouting priority raw; policy accept;
        ip saddr 203.0.113.0/24 drop
}
```

## When it is wrong
Where only new connections are meant and the ruleset is loaded before there are any. In files of
iptables the rule is refused, which is IPT006.

## References
- nft(8), chain types: https://www.netfilter.org/projects/nftables/manpage.html
- nf_nat_inet_fn in net/netfilter/nf_nat_core.c of the Linux kernel
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.evidence import shown_by
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import later_copies, unmatched_rules
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import Chain, Hook, Rule, VerdictKind
from iptlint.model.ownership import owner_of_chain
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT804",
    name="filter-in-nat",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.1.0",
    leaves_to={
        "IPT101": "a rule that sees no packet denies none, reported or not",
    },
)

_EARLIER = {Hook.PREROUTING: "raw", Hook.OUTPUT: "filter", Hook.INPUT: "filter"}
_DEEDS = {VerdictKind.DROP: "drops", VerdictKind.REJECT: "rejects"}


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        yield from _policies(analysis)
        if analysis.ruleset.is_nft:  # iptables refuses such a rule, though not such a policy
            yield from _rules(analysis)


def _policies(analysis: TableAnalysis) -> Iterator[Finding]:
    for chain in analysis.table.base_chains():
        drops = chain.policy is not None and chain.policy.kind is VerdictKind.DROP
        owned = owner_of_chain(analysis.table, chain.name) is not None
        if chain.type != "nat" or not drops or owned:
            continue
        left = analysis.flows[chain.name].returns & analysis.entries[chain.name].reachable
        if left.satisfiable():
            yield META.finding(
                analysis.declaration_of(chain),
                f"the policy of {chain.name} drops what no rule translates, but a nat chain sees"
                " only the first packet of each connection: those that are open already, and"
                " packets of state invalid or untracked, go on",
                _open_policy(analysis, chain),
                witness=witness(analysis.space, left, chain.hook),
            )


def _open_policy(analysis: TableAnalysis, chain: Chain) -> str:
    return analysis.syntax.pick(
        iptables=f"write `:{chain.name} ACCEPT [0:0]`, and drop in table filter",
        nft="write `policy accept;` here, and drop in a chain of type filter",
    )


def _rules(analysis: TableAnalysis) -> Iterator[Finding]:
    passed_over = unmatched_rules(analysis) | later_copies(analysis)
    for name, chain in analysis.table.chains.items():
        bases = analysis.calls.bases_of(name)
        if not bases or any(base.type != "nat" for base in bases):
            continue
        if owner_of_chain(analysis.table, name) is not None:
            continue
        for parts in chain.statements():
            denying = [rule for rule in parts if rule.verdict.kind.denies]
            if denying and denying[0] not in passed_over:
                yield _finding(analysis, bases[0], denying[0])


def _finding(analysis: TableAnalysis, base: Chain, rule: Rule) -> Finding:
    hook = base.hook
    assert hook is not None
    return META.finding(
        rule.statement.span,
        f"this rule {_DEEDS[rule.verdict.kind]} only the first packet of a connection, which is"
        " all that a nat chain sees: connections that are open already, and packets of state"
        " invalid or untracked, go on",
        f"move it to a chain with `type filter hook {hook.value} priority"
        f" {_EARLIER.get(hook, 'filter')};`",
        witness=shown_by(analysis, analysis.place(rule).chain, (rule,), analysis.matched(rule)),
        likeness=f"{rule.verdict.kind.value} in {base.name}",
    )
