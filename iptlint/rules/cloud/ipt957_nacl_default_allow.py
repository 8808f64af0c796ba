"""A network ACL lets everything through, both ways.

## What it does
Reports ACLs of subnets that stop no packet in either direction, as the one that comes with a
network does. With the closing entry of IPv6 alone, an ACL without IPv6 is judged by IPv4.

## Why it matters
In such subnets the security groups alone decide; a group that is opened by mistake is open.

## Example
```
{"NetworkAclId": "acl-1", "IsDefault": true, "Entries": [
  {"RuleNumber": 100, "Egress": false, "RuleAction": "allow", "Protocol": "-1",
   "CidrBlock": "0.0.0.0/0"},
  {"RuleNumber": 100, "Egress": true, "RuleAction": "allow", "Protocol": "-1",
   "CidrBlock": "0.0.0.0/0"}]}
```

## Fix
Say in the ACL what never may come into the subnet: databases' ports from outside of the network,
for one. Leave answers a way (1024-65535).

## When it is wrong
Where the groups are the firewall, and that is so on purpose. Many say so.

## References
- Amazon VPC User Guide, the default network ACL:
  https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.phrases import counted
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT957",
    name="nacl-default-allow",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.CLOUD,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    if context.cloud is None:
        return
    from iptlint.analysis.cloud_entries import lets_everything_through
    from iptlint.model.cloud import FilterKind

    for acl in context.cloud.of_kind(FilterKind.ACL):
        if acl.subnets and lets_everything_through(context.cloud, acl):
            where = counted(len(acl.subnets), "subnet")
            yield META.finding(
                acl.origin.span,
                f"{acl.title} lets everything through both ways: groups alone decide in {where}",
                "say in it what never may come into these subnets",
                likeness="open",
            )
