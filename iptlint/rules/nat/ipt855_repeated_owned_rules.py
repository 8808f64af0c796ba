"""A rule that software writes is there several times: copies were left behind.

## What it does
Finds rules that are the same one, in the chains of docker, kube-proxy, CNI plugins and their like,
and among what they write elsewhere: jumps to their chains, and rules with their comments or
for their interfaces. For rules of yours there is IPT106.

## Why it matters
Such a program adds a rule when it starts and deletes one when it stops. Where there are more, it
was killed, two of them are at work, or its check for the rule fails, as with a mix of
iptables-legacy and iptables-nft; then the number grows until every packet is compared with
thousands, and updates take minutes.

## Example
```
*filter
-A INPUT -j KUBE-FIREWALL
-A INPUT -j KUBE-FIREWALL
-A INPUT -j KUBE-FIREWALL
COMMIT
```

## Fix
Delete all but one (`iptables -D INPUT -j KUBE-FIREWALL`, once for each copy), see which
`iptables` the program uses (`iptables -V`, in its container too), and do not load a saved copy
of its rules at boot.

## When it is wrong
Rules with a limit or a list count apart and are not called copies; nor are rules with different
comments, such as calico writes one after each policy that may have set its mark.

## References
- iptables(8), `-D`: https://man7.org/linux/man-pages/man8/iptables.8.html
- kube-proxy writes its chains at every sync: pkg/proxy/iptables/proxier.go
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import copies
from iptlint.findings import Confidence, Finding, Label, Severity, phrases
from iptlint.model import Rule
from iptlint.model.owners import Owner
from iptlint.model.ownership import writer_of
from iptlint.model.syntax import Syntax
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT855",
    name="repeated-owned-rules",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.1.0",
)

_OFTEN = {1: "once", 2: "twice"}


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        for several in copies(analysis):
            rules = _alike(several, analysis.syntax)
            owner = writer_of(analysis.table, analysis.place(rules[0]).chain, rules[0])
            if len(rules) > 1 and owner is not None and owner.transient:
                yield _finding(analysis, owner, rules)


def _alike(rules: Sequence[Rule], syntax: Syntax) -> tuple[Rule, ...]:
    """Those written like the first, comment and all: calico asks for a mark again after each of
    its policies, and numbers such rules in their comments."""
    first = syntax.counted_alike(rules[0])
    return tuple(rule for rule in rules if syntax.counted_alike(rule) == first)


def _finding(analysis: TableAnalysis, owner: Owner, rules: Sequence[Rule]) -> Finding:
    first, *others = rules
    shown = [Label(rule.statement.span, "again") for rule in others[1 : phrases.MAX_LABELS]]
    return META.finding(
        others[0].statement.span,
        f"there are {len(rules)} copies of this rule of {owner.name} in"
        f" {analysis.place(first).chain} ({phrases.lines(rules)}), where one is enough",
        _advice(analysis, owner, rules),
        related=(Label(first.statement.span, "first here"), *shown),
        likeness=owner.name,
    )


def _advice(analysis: TableAnalysis, owner: Owner, rules: Sequence[Rule]) -> str:
    if any(map(analysis.syntax.is_in_remarked_block, rules)):
        return "leave one, and delete the others from this file"  # somebody keeps it by hand
    times = len(rules) - 1
    often = _OFTEN.get(times, f"{times} times")
    table, chain = analysis.table, analysis.place(rules[0]).chain
    syntax = analysis.syntax
    deletion = syntax.deletion(rules[0], table, chain)
    if deletion is not None:
        return f"leave one: run {often} {deletion}"
    return syntax.pick(
        iptables=f"leave one, and find out why {owner.name} adds it again",
        nft=f"leave one: nft -a list chain {table.family.value} {table.name} {chain} shows the"
        " handles by which nft delete rule deletes the others",
    )
