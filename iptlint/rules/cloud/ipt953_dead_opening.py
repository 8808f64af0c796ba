"""A security group opens something that no packet gets to.

## What it does
Reports groups with rules that no interface has (where `describe-network-interfaces` tells of all),
rules for the members of a group that has none, and rules all of whose packets the network ACLs of
all its interfaces stop.

## Why it matters
Whoever reads the group believes that the service is open. A group that nothing has is attached by
mistake one day, with whatever was in it.

## Example
```
{"GroupId": "sg-1", "IpPermissions": [
  {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}
```

## Fix
Delete the rule or the group, or allow it in the ACL.

## When it is wrong
Where machines with the group come and go (an autoscaling group at night), or the document lists
only some of the interfaces.

## References
- Amazon VPC User Guide, security group rules:
  https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.analysis.cloud_entries import DeadOpening
    from iptlint.model.cloud import Cloud

META = Meta(
    code="IPT953",
    name="dead-opening",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.CLOUD,
    since="0.1.0",
    leaves_to={"IPT956": "what is open to every address is reported there, held back or not"},
)


def check(context: Context) -> Iterator[Finding]:
    if context.cloud is None:
        return
    from iptlint.analysis.cloud_entries import dead_openings, unused_groups
    from iptlint.analysis.world_openings import world_openings

    for group in unused_groups(context.cloud):
        message = f"no interface has {group.title}, so its rules open nothing"
        yield META.finding(group.origin.span, message, "delete it, or attach it", likeness="unused")
    world_open = {opening.entry for opening in world_openings(context.cloud)}
    for dead in dead_openings(context.cloud):
        if dead.entry not in world_open:
            yield _finding(context.cloud, dead)


def _finding(cloud: Cloud, dead: DeadOpening) -> Finding:
    from iptlint.analysis.cloud_words import entry_in_words

    words = entry_in_words(cloud, dead.entry, inbound=dead.inbound)
    if dead.acls:
        outside = " from outside of the subnet" if dead.but_inside else ""
        why = f"{listed(acl.id for acl in dead.acls)} stops all of it{outside}"
    else:
        why = "that group has no members"
    return META.finding(
        dead.entry.origin.span,
        f"{words}, and {why}",
        "delete the rule" + (", or allow it in the network ACL" if dead.acls else ""),
        related=tuple(Label(acl.origin.span, "stops it") for acl in dead.acls[:2]),
        likeness="dead",
    )
