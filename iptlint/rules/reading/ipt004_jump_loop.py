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

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity, phrases
from iptlint.model import Rule, Table
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT004",
    name="jump-loop",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.READING,
    since="0.1.0",
)

Calls = Mapping[str, Mapping[str, Rule]]
"""For each chain the chains it calls, each with the first rule that does."""


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        calls = _calls(analysis.table)
        reported: set[str] = set()
        for caller, callee in _closing(analysis, calls):
            if not {caller, callee} <= reported:
                reported |= _component(calls, callee)
                yield _finding(analysis, [*_way(calls, callee, caller), calls[caller][callee]])


def _calls(table: Table) -> Calls:
    calls: dict[str, dict[str, Rule]] = {name: {} for name in table.chains}
    for chain, rule in table.rules():
        if rule.verdict.chain in calls:
            calls[chain.name].setdefault(rule.verdict.chain, rule)
    return calls


def _closing(analysis: TableAnalysis, calls: Calls) -> Iterator[tuple[str, str]]:
    """The calls that lead back: where chains stand behind those they call, these do not fit."""
    position = {name: number for number, name in enumerate(analysis.order)}
    for caller in reversed(analysis.order):
        for callee in calls[caller]:
            if position[callee] >= position[caller]:
                yield caller, callee


def _component(calls: Calls, chain: str) -> set[str]:
    """The chains that the chain reaches and that reach it."""
    callers: dict[str, dict[str, None]] = {name: {} for name in calls}
    for caller, callees in calls.items():
        for callee in callees:
            callers[callee][caller] = None
    return set(_nearest(calls, chain)) & set(_nearest(callers, chain))


def _nearest(edges: Mapping[str, Iterable[str]], start: str) -> dict[str, str]:
    """For every chain there is a way to, the chain before it on a shortest way."""
    before = {start: start}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for there in edges[here]:
            if there not in before:
                before[there] = here
                waiting.append(there)
    return before


def _way(calls: Calls, start: str, end: str) -> list[Rule]:
    """The jumps of a shortest way."""
    before = _nearest(calls, start)
    jumps: list[Rule] = []
    while end != start:
        jumps.append(calls[before[end]][end])
        end = before[end]
    return jumps[::-1]


def _finding(analysis: TableAnalysis, jumps: Sequence[Rule]) -> Finding:
    """``jumps``: once round; the last one closes the circle."""
    *others, closing = jumps
    start = closing.verdict.chain or ""
    way = " → ".join([start, *(jump.verdict.chain or "" for jump in jumps)])
    called = analysis.is_called(start)
    back = "return" if analysis.ruleset.is_nft else "RETURN"
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
