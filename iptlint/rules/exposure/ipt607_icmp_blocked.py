"""ICMP errors that say "fragmentation needed" are dropped.

## What it does
Sends the error that belongs to a running connection (destination unreachable, fragmentation
needed: type 3, code 4, of a router anywhere) through PREROUTING and INPUT, and through FORWARD of
a router, by the interfaces that face the world. Where it is certainly lost though packets of the
connection itself pass, the rule or the policy that drops it is reported.

## Why it matters
A router whose next link takes smaller packets only drops what is too large and says so in this
error. Without it the sender repeats the same large packet for ever: small pages load, large ones
hang, through some networks only.

## Example
```
*filter
:INPUT ACCEPT [0:0]
-A INPUT -p icmp -j DROP
COMMIT
```
The line was to stop pings, and stops these errors as well.

## Fix
Accept what belongs to running connections first, or drop only what you mean:
```
-A INPUT -p icmp -m icmp --icmp-type 8 -j DROP
```
in nft `icmp type echo-request drop`. Stateless rules need
`-A INPUT -p icmp -m icmp --icmp-type 3/4 -j ACCEPT`.

## When it is wrong
Where no path is narrower than the host's own link. Where rules decide by state and leave out
`RELATED`, IPT201 tells of that. Pings that are not answered break nothing, and are not reported.

## References
- RFC 1191 (path MTU discovery): https://www.rfc-editor.org/rfc/rfc1191
- RFC 2979, 3.1.1 (firewalls must not break it): https://www.rfc-editor.org/rfc/rfc2979
- RFC 4890 (ICMPv6, see IPT703): https://www.rfc-editor.org/rfc/rfc4890
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.icmp_errors import FRAGMENTATION_NEEDED, lost
from iptlint.analysis.session import Context
from iptlint.findings import Cause, Confidence, Finding, Severity
from iptlint.findings.icmp_errors import advice, message
from iptlint.findings.per_family import for_each_family
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT607",
    name="icmp-blocked",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.1.0",
    yields_to=("IPT201",),
)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    for loss in lost(hooks, FRAGMENTATION_NEEDED):
        yield META.finding(
            loss.share.span,
            message(loss),
            advice(loss),
            witness=loss.witness,
            causes=(Cause(hooks.ruleset, hooks.family, loss.hook),),
        )
