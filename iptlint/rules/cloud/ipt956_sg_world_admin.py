"""A security group opens what machines are managed by, or a database, to every address.

## What it does
Joins the inbound rules of each group and asks for SSH, remote desktops and services that are seldom
public on purpose (those of IPT603) whether every address of the internet is allowed; two halves of
the world are the world. The rules that do so are reported. Where the network ACLs of all its
interfaces stop the internet it is a warning.

## Why it matters
Passwords are tried on every public SSH and RDP port without end, and open databases are found
within minutes.

## Example
```
{"GroupId": "sg-1", "IpPermissions": [
  {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}
```

## Fix
Allow it from your networks, a prefix list of your offices, or the group of a bastion; or use
Session Manager, which needs no opening at all.

## When it is wrong
Where a machine is a public one of that kind by design. A group that no interface has is left to
IPT953.

## References
- CIS Amazon Web Services Foundations Benchmark, no security group allows ingress from 0.0.0.0/0 or
  ::/0 to remote server administration ports:
  https://www.cisecurity.org/benchmark/amazon_web_services
- Amazon VPC User Guide, security group rules:
  https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import Family
from iptlint.packets.describe.lists import few
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.analysis.world_openings import WorldOpening

META = Meta(
    code="IPT956",
    name="sg-world-admin",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.CLOUD,
    since="0.1.0",
    leaves_to={"IPT953": "a group that nothing has opens nothing"},
)


def check(context: Context) -> Iterator[Finding]:
    if context.cloud is None:
        return
    from iptlint.analysis.world_openings import world_openings

    yield from map(_finding, world_openings(context.cloud))


_SHOWN = 4


def _finding(opening: WorldOpening) -> Finding:
    names = [f"{service.name} ({port})" for service, port in opening.services]
    named = few(names, _SHOWN)
    among = f"{opening.wider}, {named} among it," if opening.wider else named
    family = " of IPv6" if opening.family is Family.IP6 else ""
    held = ", which the network ACL alone keeps out" if opening.held else ""
    return META.finding(
        opening.entry.origin.span,
        f"{opening.group.title} opens {among} to every address{family}{held}",
        "allow it from your networks only, or from the group of a bastion",
        severity=Severity.WARNING if opening.held else None,
        likeness="world",
    )
