"""A source address of the loopback network is trusted on every interface.

## What it does
Where INPUT denies by default, sends new connections from 127.0.0.5 to ports that no rule would
name, by interfaces other than `lo`, through all tables. If a rule accepts them, it is reported: it
trusts an address where it means an interface. It is a warning where kube-proxy is, and elsewhere
possible.

## Why it matters
A source address is what the sender writes. The kernel drops such packets as martians, but not
once `route_localnet` is on, which kube-proxy sets on every node: then a neighbour on the wire
gets to what was meant for the host alone (CVE-2020-8558 is its like). And what the host sends to
one of its own other addresses comes by `lo` as well, and is not accepted by such a rule.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -s 127.0.0.0/8 -j ACCEPT
COMMIT
```

## Fix
`-A INPUT -i lo -j ACCEPT`, in nft `iifname "lo" accept`.

## When it is wrong
With the kernel's defaults (`net.ipv4.conf.*.route_localnet=0`) such packets do not get as far as
INPUT, and the rule does no harm. Packets from 127.0.0.1, which `lo` has, and over IPv6 from ::1
never do, so that rules for these addresses are not reported, nor is one that accepts the port from
anywhere, or that names the interface `lo` too.

## References
- ip-sysctl, route_localnet: https://docs.kernel.org/networking/ip-sysctl.html
- CVE-2020-8558: https://nvd.nist.gov/vuln/detail/CVE-2020-8558
- RFC 1122, 3.2.1.3 (127.0.0.0/8 must not appear outside a host): https://www.rfc-editor.org/rfc/rfc1122
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import dropped_by_default, outside, probes
from iptlint.analysis.exposure import exposure_of
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, responsible_call
from iptlint.analysis.user_rules import is_user_decision
from iptlint.findings import Confidence, Finding, Severity, suggestions
from iptlint.findings.per_family import for_each_family
from iptlint.model import Family, Field, Hook, Masked, Rule, Within
from iptlint.model.addresses import LOCALHOST, LOOPBACK, written
from iptlint.model.owners import owner_of_name
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT606",
    name="loopback-spoof",
    severity=Severity.INFO,
    confidence=Confidence.POSSIBLE,
    group=Group.EXPOSURE,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    """Not over IPv6: ip6_rcv_core drops what says that it comes from ::1 and not by ``lo``."""
    if hooks.family is not Family.IP:
        return
    denied = dropped_by_default(hooks, Hook.INPUT)
    if not denied.satisfiable():
        return
    on = _routes_localnet(hooks)
    from_outside = denied & outside(hooks.space)
    trusting = {
        share.rule: share
        for asked in _forged(hooks, from_outside)
        for share in _accepters(hooks, asked)
    }
    for share in trusting.values():
        sent = share.packets & hooks.hook_packets(Hook.INPUT)
        by, source = responsible_call(share), written(LOOPBACK[hooks.family])
        yield META.finding(
            by.span,
            f"{by.name} accepts whatever {_what(hooks, share)} {source}, on every interface, "
            f"where `lo` is meant: the kernel drops such packets only {_WHERE_ON if on else _IF}",
            _advice(hooks, by.chain.name),
            witness=witness(hooks.space, sent, Hook.INPUT),
            severity=Severity.WARNING if on else None,
            confidence=Confidence.CERTAIN if on else None,
        )


def _what(hooks: Hooks, share: Share) -> str:
    """By the end of the way that the rule asks for."""
    rule = share.rule
    by_source = rule is None or share.analysis.restricts(rule, hooks.family.saddr)
    return "says that it comes from" if by_source else "is sent to"


_IF = "as long as route_localnet is off"
_WHERE_ON = "where route_localnet is off, and kube-proxy switches it on"


def _routes_localnet(hooks: Hooks) -> bool:
    """Whether kube-proxy is here, which sets net.ipv4.conf.all.route_localnet."""
    names = (name for table in hooks.tables() for name in table.chains)
    owners = (owner_of_name(name) for name in names)
    return any(owner is not None and owner.name == "kube-proxy" for owner in owners)


def _accepters(hooks: Hooks, forged: tuple[PacketSet, ...]) -> Iterator[Share]:
    exposure = exposure_of(hooks, Hook.INPUT, forged)
    if exposure is None:
        return
    for share in exposure.accepters(exposure.accepted):
        meant = share.rule is not None and not _is_for_marked(share.rule)
        if meant and is_user_decision(share) and exposure.is_most(share.packets):
            yield share


def _is_for_marked(rule: Rule) -> bool:
    """Whether it is for what another rule has marked, as a proxy's packets: whatever address they
    have, ``lo`` is not meant."""
    return any(
        isinstance(match, Within | Masked) and match.field in (Field.MARK, Field.CT_MARK)
        for match in rule.matches
    )


def _forged(hooks: Hooks, within: PacketSet) -> Iterator[tuple[PacketSet, ...]]:
    """From 127.0.0.5 to the host, by its own address or by 127.0.0.1. What comes from that one is
    dropped in any case: it is an address of this host (fib_validate_source, net/ipv4)."""
    family = hooks.family
    localhost = int(LOCALHOST[family])
    usual = (Field.IIF, Field.OIF)
    forged = {family.saddr: localhost + 4}
    for values in (forged, {**forged, family.daddr: localhost}):
        each = probes(hooks, Hook.INPUT, "new", "syn", free=usual, values=values)
        yield tuple(one & within for one in each)


def _advice(hooks: Hooks, chain: str) -> str:
    return f"name the interface instead: {suggestions.into(suggestions.LOOPBACK_IN, chain, hooks)}"
