"""A mark for policy routing is set where the packet has been routed already.

## What it does
Finds rules that set the mark of packets in a chain of `type filter hook output`, which is what
OUTPUT is in every table of iptables but mangle, where no rule of the text asks for a mark or saves
it with the connection: so it is for something outside, as `ip rule add fwmark`.

## Why it matters
What the host sends is routed before the output hook. Only a chain of `type route` has the kernel
route it once more when its mark has changed. In a chain of `type filter` the mark is set, counters
grow, and the packets leave by the old way: past the VPN that they were marked for.

## Example
```
table inet vpn {
    chain output {
        type filter hook output priority mangle; policy accept;
        tcp dport 443 meta mark set 0x1
    }
}
```

## Fix
`type route hook output priority mangle;`. In iptables the mangle table does so by itself.

## When it is wrong
Where the mark is for traffic control (`tc filter … fw`), for a program, or for rules in another
file.

## References
- nft(8), "CHAINS" (type route): https://www.netfilter.org/projects/nftables/manpage.html
- net/netfilter/nft_chain_route.c
- net/ipv4/netfilter/iptable_mangle.c, ipt_mangle_out()
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import AnyOf, EffectKind, Field, Hook, Match, Rule, Ruleset, VerdictKind
from iptlint.model.call_graph import calls_in
from iptlint.model.kinds import examples_testing, rules_testing
from iptlint.model.ownership import is_generated, made_by_iptables
from iptlint.model.ruleset import Chain, Table
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT808",
    name="mark-without-route",
    severity=Severity.WARNING,
    confidence=Confidence.POSSIBLE,
    group=Group.NAT,
    since="0.2.0",
)


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        marking = [(t, *each) for t in ruleset.tables for each in rules_testing(t, _sets_mark)]
        if marking and not any(_uses_mark(r) for t in ruleset.tables for r in examples_testing(t)):
            yield from _check(ruleset, marking)


def _check(ruleset: Ruleset, marking: Sequence[tuple[Table, Chain, Rule]]) -> Iterator[Finding]:
    for table, chain, rule in marking:
        if not is_generated(table, chain.name) and _is_too_late(table, chain):
            where = _where(table, ruleset)
            yield META.finding(
                rule.statement.span,
                f"what the host sends is routed before this mark is set, and {where} does not have"
                " it routed again: a routing rule for the mark never sees it",
                _advice(table, ruleset),
                likeness="mark",
            )


def _is_iptables(table: Table, ruleset: Ruleset) -> bool:
    return not ruleset.is_nft or made_by_iptables(table)


def _where(table: Table, ruleset: Ruleset) -> str:
    of_iptables = _is_iptables(table, ruleset)
    return f"the table {table.name}" if of_iptables else "a chain of type filter"


def _advice(table: Table, ruleset: Ruleset) -> str:
    if _is_iptables(table, ruleset):
        return "if it is for `ip rule`, set it in the table mangle: -t mangle -A OUTPUT …"
    return (
        "if it is for `ip rule`, write the chain's type as route: type route hook output"
        " priority mangle"
    )


def _is_too_late(table: Table, chain: Chain) -> bool:
    """Whether packets come to the chain at output only, and from chains of type filter."""
    bases = calls_in(table).bases_of(chain.name)
    return bool(bases) and all(b.hook is Hook.OUTPUT and b.type == "filter" for b in bases)


def _sets_mark(rule: Rule) -> bool:
    """For sure: a program that takes packets from a queue may, and mostly does not."""
    queues = rule.verdict.kind is VerdictKind.QUEUE
    return not queues and any(
        e.kind is EffectKind.WRITE and e.field is Field.MARK for e in rule.effects
    )


def _uses_mark(rule: Rule) -> bool:
    """Whether the rule asks for a mark, or keeps it for later packets."""
    saves = any(effect.source is Field.MARK for effect in rule.effects)
    return saves or any(map(_asks_for_mark, rule.matches))


def _asks_for_mark(match: Match) -> bool:
    match match:
        case AnyOf(alternatives):
            return any(_asks_for_mark(test) for tests in alternatives for test in tests)
        case _:
            return getattr(match, "field", None) in (Field.MARK, Field.CT_MARK)
