"""A rule of DOCKER-USER stands behind the RETURN that closes the chain: no packet gets to it.

## What it does
Reports rules of the chain `DOCKER-USER` behind a RETURN without any test.

## Why it matters
Docker ends the chain with `-j RETURN`. What `iptables -A DOCKER-USER` adds stands behind it,
looks right in every listing and stops nobody: the published ports stay open.

## Example
```
*filter
-A FORWARD -j DOCKER-USER
-A DOCKER-USER -j RETURN
-A DOCKER-USER -i eth0 -s 203.0.113.0/24 -j DROP
COMMIT
```

## Fix
Insert the rule: `iptables -I DOCKER-USER -i eth0 -s 203.0.113.0/24 -j DROP`. In a saved file
move the RETURN to the end of the chain.

## When it is wrong
Never for packets; the rules may be there on purpose, switched off.

## References
- Docker, packet filtering and firewalls:
  https://docs.docker.com/engine/network/packet-filtering-firewalls/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import behind_return, later_copies
from iptlint.findings import Confidence, Finding, Label, Severity, phrases
from iptlint.model import Rule
from iptlint.model.ownership import DOCKER_USER
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT853",
    name="docker-user-after-return",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.1.0",
    leaves_to={
        "IPT106": "one finding is for all rules behind, the copies left out",
    },
)

_SHOWN = 3


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        chain = analysis.table.chains.get(DOCKER_USER)
        if chain is None:
            continue
        copies = later_copies(analysis)  # IPT106 reports these
        closing, *behind = behind_return(chain) or (None,)
        lost = [rule for rule in behind if rule is not None and rule not in copies]
        if closing is not None and lost:
            yield _finding(analysis, closing, lost)


def _finding(analysis: TableAnalysis, closing: Rule, lost: Sequence[Rule]) -> Finding:
    first, *others = lost
    do = "does" if len(others) == 1 else "do"
    more = f", nor {do} {phrases.counted(len(others), 'more rule')} behind it" if others else ""
    return META.finding(
        first.statement.span,
        f"this rule never sees a packet{more}: line {phrases.line(closing)}, with which"
        f" {DOCKER_USER} ends, sends all of them back",
        _advice(analysis, first, closing),
        related=(
            Label(closing.statement.span, "returns all packets"),
            *(Label(rule.statement.span, "nor does this one") for rule in others[:_SHOWN]),
        ),
    )


def _advice(analysis: TableAnalysis, first: Rule, closing: Rule) -> str:
    above = f"move it above line {phrases.line(closing)}, or on the host:"
    return f"{above} {analysis.syntax.insertion(first, analysis.table, DOCKER_USER)}"
