"""Chains call each other in a circle.

## What it does
Finds chains that reach themselves through jumps and gotos, and shows the way round.

## Why it matters
The kernel refuses a table in which a packet could run in a circle: the whole file is not
loaded. `iptables-restore --test` and `nft -c` do not notice. As long as nothing calls the
chains of the circle the kernel takes them; then it is a warning.

## Example
```
*filter
:a - [0:0]
:b - [0:0]
-A INPUT -j a
-A a -j b
-A b -j a
COMMIT
```

## Fix
Take out the jump that closes the circle; to go on with the caller, use RETURN.

## When it is wrong
It is not: the kernel looks at the jumps alone, whatever else the rules test.

## References
- net/netfilter/x_tables.c (`xt_find_jump_offset`), net/ipv4/netfilter/ip_tables.c
  (`mark_source_chains`), net/netfilter/nf_tables_api.c (`nft_chain_validate`)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity, phrases
from iptlint.model import Rule, Ruleset
from iptlint.model.call_graph import CallGraph, calls_in
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT004",
    name="jump-loop",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.READING,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        for calls in map(calls_in, ruleset.tables):
            for jumps in calls.loops():
                yield _finding(ruleset, calls, jumps)


def _finding(ruleset: Ruleset, calls: CallGraph, jumps: Sequence[Rule]) -> Finding:
    """``jumps``: once round; the last one closes the circle."""
    *others, closing = jumps
    start = closing.verdict.chain or ""
    way = " → ".join([start, *(jump.verdict.chain or "" for jump in jumps)])
    called = calls.is_called(start)
    back = ruleset.syntax.pick(iptables="RETURN", nft="return")
    refused = "the kernel refuses the whole table"
    if not called:
        refused = "the kernel will refuse the table as soon as something calls it"
    return META.finding(
        closing.origin.part(-1),
        f"this jump closes a circle, {way} ({phrases.lines(jumps)}); {refused}",
        f"take out one of the jumps; {back} goes back to the caller",
        related=tuple(
            Label(jump.origin.part(-1), f"goes on to {jump.verdict.chain}")
            for jump in others[: phrases.MAX_LABELS]
        ),
        severity=None if called else Severity.WARNING,
    )
