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

from iptlint.analysis.priority_clashes import Clash, clashes
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT112",
    name="same-priority",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if ruleset.syntax.makes_base_chains:
            yield from map(_finding, clashes(context.firewall(ruleset)))


def _finding(clash: Clash) -> Finding:
    one, other, chain = clash.one, clash.other, clash.other.chain
    assert chain.hook is not None
    priority = chain.priority or 0
    places = [Label(one.analysis.declaration_of(one.chain), "the other chain")]
    places += [Label(rule.origin.span, "here") for rule in clash.rules]
    return META.finding(
        other.analysis.declaration_of(chain),
        f"{other.title} and {one.title} are asked at the same priority {priority} of"
        f" the {chain.hook.value} hook, in the order of loading; it matters, as {clash.reason}",
        f"write `priority {priority + 1};` in the one that is to be asked last",
        related=tuple(places),
    )
