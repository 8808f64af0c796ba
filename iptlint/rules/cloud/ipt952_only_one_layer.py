"""A host opens a service that is seldom public, and one layer of the cloud alone holds it back.

## What it does
Where documents of a cloud and the rules of a host in it are checked together: takes the rules
that open a database, a cache or another service that is seldom public to every address, and asks
route, network ACL and security groups which of them keeps the internet away. Where just one of
ACL and groups does, it is reported in the place of IPT603.

## Why it matters
The next change of that one layer, by somebody who thinks that the host or the other layer is
closed, opens the service to the world. Layers are worth their trouble only where each says no.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -p tcp -m tcp --dport 5432 -j ACCEPT
COMMIT
```

## Fix
Accept it at the host from the networks that need it: `-s 10.0.0.0/16`.

## When it is wrong
Where the host has its rules from an image that is closed by design at the other layer. It is only
looked for where it is clear which machine the rules are of: the only one in the documents, or the
one with an address that the rules name, with one interface.

## References
- AWS Well-Architected Framework, security pillar, SEC05-BP02 (control traffic at all layers):
  https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/protecting-networks.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.findings import Cause, Confidence, Finding, Label, Severity
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.analysis.cloud_hosts import HeldByOne
    from iptlint.model.cloud import Cloud

META = Meta(
    code="IPT952",
    name="only-one-layer",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.CLOUD,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    if context.cloud is None:
        return
    from iptlint.analysis.cloud_hosts import held_by_one

    for held in held_by_one(context):
        yield _finding(context.cloud, held)


def _finding(cloud: Cloud, held: HeldByOne) -> Finding:
    from iptlint.analysis.cloud_layers import LayerKind

    names = listed(f"{service.name} ({port})" for service, port in held.services)
    filters = [
        each
        for each in cloud.filters_of(held.machine.interface)
        if (held.layer is LayerKind.ACL_IN) is (each.kind.name == "ACL")
    ]
    holder = listed(each.title for each in filters)
    return META.finding(
        held.rule.statement.span,
        f"the host opens {names} to every address, and {holder} alone keeps the internet out",
        "accept it from the networks that need it",
        related=tuple(Label(each.origin.span, "holds it back") for each in filters[:1]),
        causes=(Cause(held.machine.ruleset, part=held.rule),),
    )
