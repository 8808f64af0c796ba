"""ICMPv6 "packet too big" is dropped.

## What it does
Sends the error that belongs to a running connection (packet too big, type 2, of a router
anywhere) through PREROUTING and INPUT, and through FORWARD of a router, by the interfaces that
are not trusted. Where it is certainly lost though packets of the connection itself pass, the
rule or the policy that drops it is reported.

## Why it matters
Routers of IPv6 never fragment: this error is the only way to learn that a packet is too large for
the path. Without it connections open, and hang with the first large packet.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 1 -j ACCEPT
-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT
-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT
COMMIT
```

## Fix
`-A INPUT -m conntrack --ctstate RELATED -j ACCEPT`, or for stateless rules
`-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 2 -j ACCEPT`; in nft `ct state related accept`
or `icmpv6 type packet-too-big accept`.

## When it is wrong
Where no path is narrower than the host's own link, which nobody can promise. Where no error of
any type is accepted because `RELATED` is missing, IPT201 tells of that; where neighbour discovery
is dropped too, IPT702.

## References
- RFC 8201 (path MTU discovery for IPv6): https://www.rfc-editor.org/rfc/rfc8201
- RFC 4890, 4.3.1 and 4.4.1 (must not be dropped): https://www.rfc-editor.org/rfc/rfc4890
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.icmp_errors import PACKET_TOO_BIG, lost
from iptlint.analysis.session import Context
from iptlint.findings import Cause, Confidence, Finding, Severity
from iptlint.findings.icmp_errors import advice, fix, message
from iptlint.findings.per_family import for_each_family
from iptlint.rules.meta import Group, Meta, Needs

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT703",
    name="packet-too-big-blocked",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.IPV6,
    since="0.1.0",
    fixable=True,
    needs=Needs.IPV6,
    yields_to=("IPT201", "IPT702"),
)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    for loss in lost(hooks, PACKET_TOO_BIG):
        yield META.finding(
            loss.share.span,
            message(loss),
            advice(loss),
            witness=loss.witness,
            fix=fix(loss),
            causes=(Cause(hooks.ruleset, hooks.family, loss.hook),),
        )
