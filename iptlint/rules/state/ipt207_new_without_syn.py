"""A tcp packet without SYN is let in as the first one of a connection.

## What it does
Where INPUT denies by default, sends tcp packets of state NEW that carry only ACK, from public
addresses, on the whole way, and reports the rule that accepts most of them. One finding a host.

## Why it matters
Conntrack takes a packet in the middle of a connection that it does not know for a new one (so
that connections survive a restart of the firewall). Such packets come from ACK scans, which tell
open ports from closed ones behind a filter, and from floods.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
```

## Fix
Drop them once, above the accepts:
```
-A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j DROP
```
in nft `tcp flags & (fin|syn|rst|ack) != syn ct state new drop`. Or set
`net.netfilter.nf_conntrack_tcp_loose=0`, after which such packets are invalid.

## When it is wrong
Where connections have to outlive a reload of conntrack or move between two firewalls, or where
the sysctl above is set.

## References
- Linux, Documentation/networking/nf_conntrack-sysctl.rst, nf_conntrack_tcp_loose:
  https://docs.kernel.org/networking/nf_conntrack-sysctl.html
- iptables-extensions(8), tcp, `--syn`: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.connections import from_world, most
from iptlint.analysis.default_verdict import dropped_by_default
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.exposure import Exposure
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.session import Context
from iptlint.analysis.user_rules import is_user_decision
from iptlint.findings import Confidence, Finding, Label, Severity, suggestions
from iptlint.findings.per_family import for_each_family
from iptlint.findings.phrases import MAX_LABELS
from iptlint.model import Field, Hook
from iptlint.model.syntax import Suggestion
from iptlint.packets.bdd import union
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT207",
    name="new-without-syn",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
    pedantic=True,
)

_DROP = Suggestion(
    "-p tcp ! --syn -m conntrack --ctstate NEW -j DROP",
    "tcp flags & (fin|syn|rst|ack) != syn ct state new drop",
)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    space, hook = hooks.space, Hook.INPUT
    main = hooks.deciding_chain(hook)
    if main is None or not dropped_by_default(hooks, hook).satisfiable():
        return
    loose = from_world(hooks, hook, "new", "ack")
    if not may_pass(hooks, hook, union(loose, space.false)).satisfiable():
        return
    admission = Exposure(hooks, hook, loose)
    denied = dropped_by_default(hooks, hook)
    accepted = admission.accepted_at_a_rate & denied
    opened = most(space, loose, accepted, Field.IIF, Field.DPORT)
    accepters = [
        d for d in admission.accepters(accepted & opened) if d.rule and is_user_decision(d)
    ]
    if accepters:
        first, *others = accepters
        yield META.finding(
            first.span,
            "tcp packets without SYN are accepted here as the first of a connection (state new)",
            suggestions.first(first, main.chain.name, _DROP),
            related=tuple(Label(d.span, "and here") for d in others[:MAX_LABELS]),
            witness=shown_for(hooks, hook, first),
        )
