"""A chain is defined and nothing calls it.

## What it does
Names chains that are no hook's and to which no rule jumps or goes.

## Why it matters
Its rules look like protection, or like a hole, and are neither. Often the jump was lost in an
edit.

## Example
```
*filter
:INPUT DROP [0:0]
:web - [0:0]
-A INPUT -i lo -j ACCEPT
-A web -p tcp --dport 443 -j ACCEPT
COMMIT
```

## Fix
Add the jump (`-A INPUT -j web`), or delete the chain.

## When it is wrong
Where a program hooks the chain in at run time. The chains of those iptlint knows (docker,
kube-proxy, fail2ban, libvirt, ufw, firewalld, tailscale …) are left alone.

## References
- iptables(8), `-N` and `-X`: https://man7.org/linux/man-pages/man8/iptables.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.analysis.unused_chains import unused_chains
from iptlint.findings import Cause, Confidence, Finding, Severity, phrases
from iptlint.findings.fix import Fix, without_declared
from iptlint.model import Chain
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT104",
    name="unused-chain",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
    fixable=True,
    yields_to=("IPT003", "IPT111"),
)


def check(context: Context) -> Iterator[Finding]:
    for analysis, chain in unused_chains(context):
        yield _finding(analysis, chain)


def _finding(analysis: TableAnalysis, chain: Chain) -> Finding:
    number = len({rule.statement.span for rule in chain.rules})
    held = f"the {phrases.counted(number, 'rule')} in it" if number > 1 else "the rule in it"
    never = f"{held} never see{'s' if number == 1 else ''} a packet" if number else "it is empty"
    return META.finding(
        analysis.declaration_of(chain),
        f"nothing calls the chain {chain.name}; {never}",
        _advice(analysis, chain),
        likeness="uncalled",
        causes=(Cause(analysis.ruleset, part=chain),),
        fix=_fix(analysis, chain),
    )


def _fix(analysis: TableAnalysis, chain: Chain) -> Fix | None:
    if chain.origin is None:
        return None
    says = f"delete it, with the {phrases.counted(len(chain.rules), 'rule')} in it"
    return without_declared(
        analysis.ruleset,
        [chain.origin],
        says if chain.rules else "delete it",
        chain.rules,
        otherwise=f"{_called(analysis, chain)}, if a jump is missing",
    )


def _advice(analysis: TableAnalysis, chain: Chain) -> str:
    emptied = f"-F {chain.name}, then " if chain.rules else ""  # -X refuses one that holds rules
    deleted = f" ({emptied}-X {chain.name})"
    how = analysis.syntax.pick(iptables=deleted, nft="")
    return f"{_called(analysis, chain)} or delete it{how}"


def _called(analysis: TableAnalysis, chain: Chain) -> str:
    jump = analysis.syntax.pick(iptables="-j", nft="jump")
    return f"jump to it ({jump} {chain.name})"
