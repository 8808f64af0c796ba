"""A cloud and the host in it do not open the same ports.

## What it does
Where documents of a cloud and the rules of a host in it are checked together: reports rules of
security groups for a few ports whose packets come to the host and are all turned away there, and
rules of the host for a few ports that network ACL and groups let no packet through to.

## Why it matters
One of the two is a leftover, or somebody waits for a service that does not answer. A port that is
closed in the cloud only, or at the host only, opens by surprise when the other side is tidied up.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -p tcp -m tcp --dport 8443 -j ACCEPT
COMMIT
```

## Fix
Open it in both places or in neither.

## When it is wrong
Where the host serves others than those who come by the cloud's interface: containers, a tunnel.
It is only looked for where it is clear which machine the rules are of: the only one in the
documents, or the one with an address that the rules name, with one interface.

## References
- Amazon VPC User Guide, security group rules:
  https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.packets.describe import clause
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.analysis.cloud_hosts import Refused, Unreached
    from iptlint.model.cloud import Cloud

META = Meta(
    code="IPT958",
    name="layers-disagree",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.CLOUD,
    since="0.1.0",
    leaves_to={"IPT952": "a service that one layer alone holds back is reported there"},
)


def check(context: Context) -> Iterator[Finding]:
    cloud = context.cloud
    if cloud is None:
        return
    from iptlint.analysis.cloud_hosts import held_by_one, refused_openings, unreached_rules

    for refused in refused_openings(context):
        yield _refused(cloud, refused)
    reported = {held.rule for held in held_by_one(context)}
    for unreached in unreached_rules(context):
        if unreached.rule not in reported:
            yield _unreached(unreached)


def _refused(cloud: Cloud, refused: Refused) -> Finding:
    from iptlint.analysis.cloud_words import entry_in_words

    words = entry_in_words(cloud, refused.entry, inbound=True)
    by = refused.by
    return META.finding(
        refused.entry.origin.span,
        f"{words}, and the host turns all of it away: {by.text}",
        "accept it at the host, or delete the rule",
        related=(Label(by.span, "turns it away"),) if by.span is not None else (),
        likeness="refused",
    )


def _unreached(unreached: Unreached) -> Finding:
    path = unreached.machine.path
    what = clause(path.space, unreached.packets, path.asked)
    groups = listed(unreached.machine.interface.groups)
    return META.finding(
        unreached.rule.statement.span,
        f"the host accepts {what}, and network ACL and groups ({groups}) let none of it through",
        "allow it there, or delete the rule",
        likeness="unreached",
    )
