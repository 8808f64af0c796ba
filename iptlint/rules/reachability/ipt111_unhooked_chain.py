"""A chain of nft has the name of a hook and is attached to none, or to another.

## What it does
Finds chains called `prerouting`, `input`, `forward`, `output` or `postrouting` (in any case)
without a line `type … hook …`, which no other chain calls either; and those whose line names
another of these hooks than they are called.

## Why it matters
In nft a name means nothing. Without the line no packet ever enters the chain: its rules look
like the firewall, `nft list ruleset` shows them, and the host is as open as without them.

## Example
```
table inet filter {
    chain input {
        ct state established,related accept
        tcp dport 22 accept
        drop
    }
}
```

## Fix
Begin the chain with its hook, `type filter hook input priority filter; policy drop;` (for the
addresses of connections `type nat hook prerouting priority dstnat;`), or jump to it from the
chain that has one.

A chain that exists cannot be given a hook: delete its table before it is loaded again.

## When it is wrong
Where the chain gets its hook in a file that iptlint was not shown: give it that one too. Files
that are never loaded by themselves (no `#!` line, no other chain with a hook) are left alone,
unless the chain reads as the whole of a firewall (it accepts answers, and its last rule denies the
rest): then it is told of as possible. Tables with the flag `dormant` are left alone, too.

## References
- nft(8), "CHAINS": https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.analysis.unused_chains import (
    named_like_a_hook,
    unhooked_by_this_file,
    unused_chains,
)
from iptlint.findings import Cause, Confidence, Finding, Severity
from iptlint.findings.phrases import counted
from iptlint.model import Chain, Hook, VerdictKind
from iptlint.model.ownership import is_generated
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT111",
    name="unhooked-chain",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    for analysis, chain in unused_chains(context):
        if named_like_a_hook(analysis, chain):
            yield _finding(analysis, chain)
    for analysis, chain in unhooked_by_this_file(context):
        if named_like_a_hook(analysis, chain):
            yield _unless_elsewhere(_finding(analysis, chain))
    for analysis in context.analyses():
        for chain in analysis.table.base_chains():
            if named_like_a_hook(analysis, chain) and not is_generated(analysis.table, chain.name):
                yield from _elsewhere(analysis, chain)


_SEES = {
    Hook.PREROUTING: "what comes in, wherever it goes",
    Hook.INPUT: "what is sent to this host",
    Hook.FORWARD: "what goes through this host",
    Hook.OUTPUT: "what this host sends",
    Hook.POSTROUTING: "what leaves, wherever it comes from",
}


def _elsewhere(analysis: TableAnalysis, chain: Chain) -> Iterator[Finding]:
    meant, hook = Hook(chain.name.lower()), chain.hook
    if hook is meant or hook not in _SEES:
        return
    yield META.finding(
        analysis.declaration_of(chain),
        f"the chain {chain.name} is attached to hook {hook.value}: its rules see {_SEES[hook]}, and"
        f" not {_SEES[meant]}, as its name says",
        f"write `hook {meant.value}`, or name the chain after its hook",
        causes=(Cause(analysis.ruleset, part=chain),),
    )


def _finding(analysis: TableAnalysis, chain: Chain) -> Finding:
    hook = chain.name.lower()
    translates = any(rule.verdict.kind is VerdictKind.NAT for rule in chain.rules)
    denies = any(rule.verdict.kind.denies for rule in chain.rules)
    if chain.rules:
        number = sum(1 for _ in chain.statements())
        sees = f"its {counted(number, 'rule')} see{'s' if number == 1 else ''} no packet"
        sees += " and stop nothing" if denies and number > 1 else ""
        sees += " and stops nothing" if denies and number == 1 else ""
    else:
        sees = "it sees no packet"
    return META.finding(
        analysis.declaration_of(chain),
        f"the chain {chain.name} is attached to no hook, and nothing calls it: {sees}",
        f"write `{_hook_line(hook, translates=translates)}` as its first line; the name alone"
        " attaches a chain to nothing",
        causes=(Cause(analysis.ruleset, part=chain),),
    )


def _unless_elsewhere(finding: Finding) -> Finding:
    message = f"{finding.message}, unless another file attaches it"
    return replace(finding, message=message, confidence=Confidence.POSSIBLE)


def _hook_line(hook: str, *, translates: bool) -> str:
    if translates and hook != "forward":
        priority = "dstnat" if hook in ("prerouting", "output") else "srcnat"
        number = -100 if priority == "dstnat" else 100
        return f"type nat hook {hook} priority {number};"
    return f"type filter hook {hook} priority 0;"
