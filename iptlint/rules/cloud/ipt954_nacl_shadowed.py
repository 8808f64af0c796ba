"""An entry of a network ACL gets no packet: earlier ones take them all.

## What it does
Takes the entries of each direction by their numbers and asks, over all packets, whether one is
left that an entry could decide. One that decides otherwise than those before it is a warning; one
that decides the same as all of them is an info.

## Why it matters
An ACL ends at the first entry that fits. A deny below a wider allow bans nobody.

## Example
```
{"NetworkAclId": "acl-1", "Entries": [
  {"RuleNumber": 100, "Egress": false, "RuleAction": "allow", "Protocol": "-1",
   "CidrBlock": "0.0.0.0/0"},
  {"RuleNumber": 200, "Egress": false, "RuleAction": "deny", "Protocol": "-1",
   "CidrBlock": "198.51.100.0/24"}]}
```

## Fix
Give it a smaller number than the entries that take its packets, or delete it.

## When it is wrong
Never: it is proved over every packet. The closing entry `*` is not reported.

## References
- Amazon VPC User Guide, network ACL rules:
  https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.analysis.cloud_entries import EclipsedEntry
    from iptlint.model.cloud import Cloud

META = Meta(
    code="IPT954",
    name="nacl-shadowed",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.CLOUD,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    if context.cloud is None:
        return
    from iptlint.analysis.cloud_entries import eclipsed_entries

    for eclipsed in eclipsed_entries(context.cloud):
        yield _finding(context.cloud, eclipsed)


def _finding(cloud: Cloud, found: EclipsedEntry) -> Finding:
    from iptlint.analysis.cloud_words import entry_in_words

    words = entry_in_words(cloud, found.entry, inbound=found.inbound)
    numbers = listed(str(each.number) for each in found.takers)
    entries = "entry" if len(found.takers) == 1 else "entries"
    takes = "takes" if len(found.takers) == 1 else "take"
    least = min((each.number or 0 for each in found.takers), default=0)
    return META.finding(
        found.entry.origin.span,
        f"{words}, and gets no packet: {entries} {numbers} {takes} them all",
        f"give it a number below {least}, or delete it" if found.differs else "delete it",
        related=tuple(
            Label(each.origin.span, "allows them" if each.allows else "denies them")
            for each in found.takers[:3]
        ),
        severity=Severity.WARNING if found.differs else Severity.INFO,
        likeness="shadowed",
    )
