"""A router lets new connections from the world through to the networks behind it.

## What it does
Sends new connections from public addresses through FORWARD, to ports that no rule would name,
where FORWARD is meant to deny by default. If a rule accepts most of them, from an interface that
faces the world (by its name, or because packets leave by it with an address of the host's) to
another one, or on interfaces that no rule names, that rule is reported.

## Why it matters
What is behind the router is then protected by nothing but its private addresses, and those do
not stop a neighbour on the provider's side, or IPv6. Mostly answers were meant: those are
`ESTABLISHED,RELATED`.

## Example
```
*nat
-A POSTROUTING -o eth0 -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -i eth1 -o eth0 -j ACCEPT
-A FORWARD -i eth0 -o eth1 -j ACCEPT
COMMIT
```

## Fix
Let answers through, and no more:
```
-A FORWARD -i eth0 -o eth1 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
```
in nft `iifname "eth0" oifname "eth1" ct state established,related accept`.

## When it is wrong
Where the networks behind have firewalls of their own and are meant to be reached. Packets whose
destination was translated (`ct status dnat`), rules that name a destination, and FORWARD where
Docker, Kubernetes, libvirt and the like manage it, are not reported; nor is an open policy, of
which IPT601 tells.

## References
- NIST SP 800-41 Rev. 1, 4.2 (deny by default): https://csrc.nist.gov/pubs/sp/800/41/r1/final
- RFC 4864, 4.2 (translation is no protection): https://www.rfc-editor.org/rfc/rfc4864
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.connections import is_user_decision
from iptlint.analysis.default_verdict import dropped_by_default, forwards_on_its_own, probes
from iptlint.analysis.exposure import (
    Exposure,
    accept_any,
    interface_name,
    may_be_accepted,
    responsible_call,
    same_interface,
    uplinks,
)
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity, suggestions
from iptlint.findings.per_family import for_each_family
from iptlint.model import Field, Hook
from iptlint.netfilter.decision import Share
from iptlint.netfilter.hooks import Hooks
from iptlint.packets.bdd import union
from iptlint.packets.witness import witness
from iptlint.rules.exposure.ipt602_accept_any import every, kind_of
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT605",
    name="forward-open",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_path)


def _check_path(path: Hooks) -> Iterator[Finding]:
    if path.main(Hook.FORWARD) is None or forwards_on_its_own(path):
        return
    if found := accept_any(path, Hook.FORWARD):
        denied = found.denied
        related = [Label(denied.span, "would deny them")] if denied.rule else []
        yield _finding(
            path,
            found.by,
            f"{every(found.by)} new {kind_of(found.by)}connection from anywhere to anywhere",
            f": {denied.name}, which was to deny them, sees none of them",
            related,
        )
    elif dropped_by_default(path, Hook.FORWARD).satisfiable():
        yield from _from_uplinks(path)


def _from_uplinks(path: Hooks) -> Iterator[Finding]:
    space = path.space
    inwards = uplinks(path, Field.IIF) & ~uplinks(path, Field.OIF) & ~same_interface(space)
    asked = [each & inwards for each in probes(path, Hook.FORWARD, "new", "syn")]
    if not may_be_accepted(path, Hook.FORWARD, union([*asked], space.false)):
        return
    found = Exposure(path, Hook.FORWARD, asked)
    for decider in found.accepters(found.accepted):
        if (
            decider.rule is None
            or not is_user_decision(decider)
            or not found.is_most(decider.packets)
        ):
            continue
        name = interface_name(space, decider.packets)
        yield _finding(
            path,
            decider,
            f"{every(decider)} new {kind_of(decider)}connection that comes in by {name}, which"
            " faces the world,",
            " on its way to the networks behind",
            [],
        )


def _finding(path: Hooks, decider: Share, what: str, then: str, related: list[Label]) -> Finding:
    decider, main = responsible_call(decider), path.main(Hook.FORWARD)
    chain = main.chain.name if main else decider.chain.name
    sent = decider.packets & path.hook_packets(Hook.FORWARD)
    return META.finding(
        decider.span,
        f"{decider.name} accepts {what}{then}",
        f"accept answers only, in its place: {suggestions.ESTABLISHED.into(chain, path.ruleset)}",
        related=tuple(related),
        witness=witness(path.space, sent, Hook.FORWARD),
    )
