"""A log that sees no packet: the rules above it decide all that it was to log.

## What it does
Finds LOG, NFLOG and `log` rules that no packet gets to, because earlier rules take every packet
they would match. Proved over all packets, through every call.

## Why it matters
The log was written to show what is dropped, or who comes in. It shows nothing, and an empty log
looks like a quiet network.

## Example
```
*filter
:INPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -j DROP
-A INPUT -j LOG --log-prefix "dropped: "
COMMIT
```

## Fix
Move the log above the rule that decides its packets. LOG lets the packet go on, so the verdict
comes in the rule after it.

## When it is wrong
Where another program inserts or deletes the rules above at run time; chains of software
that writes them anew at every start are left out. Rules with a limit, a list that changes or an
unknown extension never count as taking packets.

## References
- iptables-extensions(8), LOG: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- nft(8), "LOG STATEMENT": https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.evidence import meant_for
from iptlint.analysis.log_flood import only_logs
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import Shadowed, shadowed_rules
from iptlint.findings import Confidence, Finding, Severity, phrases, shadowing
from iptlint.model.ownership import is_generated
from iptlint.packets.packet import Packet
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT902",
    name="log-after-verdict",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.HYGIENE,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        for shadowed in shadowed_rules(analysis):
            generated = is_generated(analysis.table, shadowed.chain.name)
            if only_logs(shadowed.rule) and shadowed.blockers and not generated:
                yield _finding(analysis, shadowed)


def _finding(analysis: TableAnalysis, shadowed: Shadowed) -> Finding:
    ending = "them here" if len(shadowed.blockers) == 1 else "some of them here"
    first = shadowed.blockers[0]
    in_same_chain = any(rule is first for rule in shadowed.chain.rules)
    others = "all of these packets before they come to it"
    deeds = phrases.actions(shadowed.blockers, others)
    if shadowed.policy:
        deeds = shadowing.actions(analysis, shadowed, "")
    return META.finding(
        shadowed.span,
        f"nothing is ever logged here: {deeds}",
        shadowing.exception(shadowed)
        if shadowed.policy
        else f"move it above line {phrases.line(first)}; else delete it"
        if in_same_chain
        else "log the packets where they are decided; else delete it",
        related=phrases.labels(shadowed.blockers, ending),
        witness=_witness(analysis, shadowed),
        likeness="dead log",
    )


def _witness(analysis: TableAnalysis, shadowed: Shadowed) -> Packet | None:
    """A packet that should have been logged, and that comes to one of the blockers."""
    meant = analysis.intended(shadowed.rule)
    for base in analysis.calls.bases_of(shadowed.chain.name):
        packet = meant_for(analysis, base, shadowed.rule, shadowed.blockers, meant)
        if packet is not None:
            return packet
    return None
