"""The loopback interface is not accepted by a chain that denies by default.

## What it does
Where INPUT or OUTPUT denies by default, asks whether new tcp connections from 127.0.0.0/8
to 127.0.0.0/8 (or from ::1 to ::1) can pass on `lo`, and reports the policy or line that
stops them. A port that is open to everyone, such as 22, does not answer that: ports are
tried that no ruleset names.

## Why it matters
Programs on a host speak with each other over `lo`: name lookups through a local resolver,
databases, mail, graphical sessions. They hang, with an error that does not name the firewall.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp -s 192.0.2.0/24 --dport 22 -j ACCEPT
COMMIT
```

## Fix
```
-A INPUT -i lo -j ACCEPT
```
and, where OUTPUT denies by default, `-A OUTPUT -o lo -j ACCEPT`; in nft `iifname "lo" accept`
and `oifname "lo" accept`.

## When it is wrong
Where a host runs nothing that uses `lo`, which is rare.

## References
- lo(4), RFC 1122, 3.2.1.3 (127.0.0.0/8): https://www.rfc-editor.org/rfc/rfc1122
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import Chain, Family, Field, Hook
from iptlint.netfilter.deciders import deciders
from iptlint.netfilter.handshake import clients, first_packets
from iptlint.netfilter.path import Path
from iptlint.netfilter.posture import ODD_PORTS, denied_by_default
from iptlint.packets.witness import witness
from iptlint.rules import remedies
from iptlint.rules.hosts import each_path
from iptlint.rules.meta import Context, Group, Meta

META = Meta(
    code="IPT305",
    name="loopback-blocked",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.LOCKOUT,
    since="0.1.0",
)

_LOOPBACK = {Family.IP: ip_network("127.0.0.0/8"), Family.IP6: ip_network("::1/128")}
_INTERFACE = {
    Hook.INPUT: (Field.IIF, remedies.LOOPBACK_IN),
    Hook.OUTPUT: (Field.OIF, remedies.LOOPBACK_OUT),
}


def check(context: Context) -> Iterator[Finding]:
    return each_path(context, _check_path)


def _check_path(path: Path) -> Iterator[Finding]:
    for hook in _INTERFACE:
        main = path.main(hook)
        if main and denied_by_default(path, hook).satisfiable():
            yield from _check_chain(path, hook, main.chain)


def _check_chain(path: Path, hook: Hook, chain: Chain) -> Iterator[Finding]:
    space, family = path.space, path.family
    field, remedy = _INTERFACE[hook]
    network = _LOOPBACK[family]
    addresses = ((int(network[0]), int(network[-1])),)
    local = (
        first_packets(path)
        & clients(space)
        & path.hook_packets(hook)
        & space.interface(field, "lo")
        & space.ranges(family.saddr, addresses)
        & space.ranges(family.daddr, addresses)
    )
    some = space.ranges(Field.DPORT, tuple((port, port) for port in ODD_PORTS))
    if (local & some & path.may_pass(hook)).satisfiable():
        return
    local = local & ~path.may_pass(hook)
    decider = deciders(path, hook, local)[0]
    yield META.finding(
        decider.span,
        f"programs on this host cannot connect to each other over lo: in {chain.name}, "
        f"{decider.first} their packets",
        remedies.first(decider, chain.name, remedy),
        witness=witness(space, decider.packets, hook),
    )
