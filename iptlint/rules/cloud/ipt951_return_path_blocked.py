"""A network ACL lets connections through and stops their answers.

## What it does
Takes the connections that an ACL lets in, to ports that its entries or the groups behind it name,
and asks its outbound entries about the answers, which go to the port that the client chose, 1024 to
65535; likewise of connections that go out. Where no port of the client gets an answer the finding
is an error; where some of those that Linux takes (32768-60999) get none, a warning; where only
others get none, which Windows, NAT gateways and load balancers take, it is an info.

## Why it matters
An ACL has no memory: what comes back is a packet like any other. The connection hangs until it
times out, and nothing at the host or in the groups shows why.

## Example
```
{"NetworkAclId": "acl-1", "Entries": [
  {"RuleNumber": 100, "Egress": false, "RuleAction": "allow", "Protocol": "6",
   "PortRange": {"From": 443, "To": 443}, "CidrBlock": "0.0.0.0/0"},
  {"RuleNumber": 100, "Egress": true, "RuleAction": "allow", "Protocol": "6",
   "PortRange": {"From": 443, "To": 443}, "CidrBlock": "0.0.0.0/0"}]}
```

## Fix
Allow tcp ports 1024-65535 the other way: outbound to clients, inbound from servers that the
machines connect to.

## When it is wrong
Where the entry that lets connections in is a leftover, and nobody is meant to use it. An entry for
many ports (64 and more) or all traffic is taken for one that is there for answers.

## References
- Amazon VPC User Guide, custom network ACLs and ephemeral ports:
  https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html
- ip-sysctl, ip_local_port_range: https://docs.kernel.org/networking/ip-sysctl.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Field
from iptlint.model.protocols import TCP, UDP
from iptlint.packets.describe import clause
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.analysis.cloud_sets import CloudSets
    from iptlint.analysis.return_paths import LostAnswers

META = Meta(
    code="IPT951",
    name="return-path-blocked",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.CLOUD,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    if context.cloud is None:
        return
    from iptlint.analysis.cloud_sets import cloud_sets
    from iptlint.analysis.return_paths import lost_answers

    sets = cloud_sets(context.cloud)
    for lost in lost_answers(context.cloud):
        yield _finding(sets, lost)


def _finding(sets: CloudSets, lost: LostAnswers) -> Finding:
    from iptlint.analysis.return_paths import Extent

    severities = {
        Extent.ALL: Severity.ERROR,
        Extent.MANY: Severity.WARNING,
        Extent.OTHERS: Severity.INFO,
    }
    acl, way, back = lost.acl, *(("in", "out") if lost.inbound else ("out", "in"))
    packets = sets.space.forget(lost.packets, (Field.SPORT,))
    within = sets.every & ~sets.inside(acl, inbound=lost.inbound)
    what = clause(sets.space, packets, within)
    with_ports = sets.space.ranges(Field.PROTO, ((TCP, TCP), (UDP, UDP)))
    ports = clause(sets.space, lost.lost_ports & with_ports, with_ports).removeprefix("from ")
    whose = "" if lost.extent is Extent.ALL else f", where they go to {ports}"
    message = (
        f"{acl.id} lets connections {way} ({what}) and does not let their answers {back}{whose}"
    )
    return META.finding(
        lost.entry.origin.span,
        message,
        f"allow {back}bound tcp ports 1024-65535, before this entry",
        related=(Label(acl.origin.span, "the network ACL"),),
        severity=severities[lost.extent],
    )
