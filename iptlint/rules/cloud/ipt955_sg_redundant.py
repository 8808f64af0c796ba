"""A rule of a security group allows what other rules of it allow as well.

## What it does
Asks of each rule, over all packets, whether some is left that the other rules of the group do not
allow. Of two that are alike the later one is reported.

## Why it matters
Who deletes it believes that something is closed now. A narrow rule beside a wide one says that the
wide one was meant to be narrow.

## Example
```
{"GroupId": "sg-1", "IpPermissions": [
  {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
   "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8"}]}]}
```

## Fix
Delete it; or delete the wider one, if that is what was meant.

## When it is wrong
Where the wide rule is there for a while, and the narrow one is to stay.

## References
- Amazon VPC User Guide, security group rules:
  https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.analysis.cloud_entries import CoveredEntry
    from iptlint.model.cloud import Cloud

META = Meta(
    code="IPT955",
    name="sg-redundant",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.CLOUD,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    if context.cloud is None:
        return
    from iptlint.analysis.cloud_entries import covered_entries

    for covered in covered_entries(context.cloud):
        yield _finding(context.cloud, covered)


def _finding(cloud: Cloud, found: CoveredEntry) -> Finding:
    from iptlint.analysis.cloud_words import entry_in_words

    words = entry_in_words(cloud, found.entry, inbound=found.inbound)
    others = "another rule allows" if len(found.others) == 1 else "other rules allow"
    return META.finding(
        found.entry.origin.span,
        f"{words}, which {others} as well",
        "delete it, or the wider rule, if that is what was meant",
        related=tuple(Label(each.origin.span, "allows it") for each in found.others[:3]),
        likeness="redundant",
    )
