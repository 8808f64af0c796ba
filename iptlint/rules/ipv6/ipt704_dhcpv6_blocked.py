"""Answers of DHCPv6 servers are dropped at a host that means to use DHCP.

## What it does
Where INPUT denies by default, some connection over IPv6 is accepted, and rules show that the host
asks for its addresses (IPv4 answers from port 67 to port 68 are accepted by name, or OUTPUT
accepts DHCPv6 requests by name), sends answers of a server through INPUT: udp from a link-local
address, port 547, to port 546. If all are dropped, the rule or policy that does it is reported.

## Why it matters
The request goes to a multicast group and the answer comes from a server's own address, so
connection tracking sees a new packet: `ESTABLISHED` does not accept it. The host gets no address.

## Example
```
*filter
:INPUT DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p ipv6-icmp -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A OUTPUT -p udp -m udp --sport 546 --dport 547 -j ACCEPT
COMMIT
```

## Fix
`-A INPUT -s fe80::/10 -p udp -m udp --sport 547 --dport 546 -j ACCEPT`, in nft
`ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept`.

## When it is wrong
Where the network gives addresses by router advertisements alone. A rule that accepts other
datagrams too (`-s 10.0.0.0/8 -j ACCEPT`) is no sign that the host uses DHCP.

## References
- RFC 8415 (DHCPv6), 7.2 (ports): https://www.rfc-editor.org/rfc/rfc8415
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import ODD_PORTS, dropped_by_default, outside
from iptlint.analysis.handshake import lets_someone_in
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.ipv6_counterpart import ip_side
from iptlint.analysis.session import Context
from iptlint.analysis.shares import shares
from iptlint.findings import Cause, Confidence, Finding, Severity, suggestions
from iptlint.findings.acceptance import acceptance
from iptlint.findings.fix import Change
from iptlint.findings.per_family import for_each_family
from iptlint.model import Family, Field, Hook, VerdictKind, Within
from iptlint.model.addresses import AddressKind, ranges
from iptlint.model.protocols import UDP
from iptlint.model.syntax import Suggestion
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta, Needs

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT704",
    name="dhcpv6-blocked",
    severity=Severity.INFO,
    confidence=Confidence.POSSIBLE,
    group=Group.IPV6,
    since="0.1.0",
    fixable=True,
    needs=Needs.IPV6,
    yields_to=("IPT702",),
)

_LINK_LOCAL = ranges(Family.IP6, AddressKind.LINK_LOCAL)
_CLIENT, _SERVER = 546, 547
_CLIENT_V4, _SERVER_V4 = 68, 67
_REMEDY = Suggestion(
    "-s fe80::/10 -p udp -m udp --sport 547 --dport 546 -j ACCEPT",
    "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
)

_MEANT = Change(
    VerdictKind.ACCEPT,
    (Hook.INPUT,),
    (
        (
            Within(Field.PROTO, ((UDP, UDP),)),
            Within(Field.SADDR6, _LINK_LOCAL),
            Within(Field.SPORT, ((_SERVER, _SERVER),)),
            Within(Field.DPORT, ((_CLIENT, _CLIENT),)),
        ),
    ),
)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, partial(_check_family, context))


def _check_family(context: Context, hooks: Hooks) -> Iterator[Finding]:
    main = hooks.deciding_chain(Hook.INPUT)
    if hooks.family is not Family.IP6 or main is None or not lets_someone_in(hooks):
        return
    denied = dropped_by_default(hooks, Hook.INPUT)
    if not denied.satisfiable():
        return
    space = hooks.space
    answers = _datagrams(hooks, Hook.INPUT, _SERVER, _CLIENT)
    answers = answers & space.ranges(Field.SADDR6, _LINK_LOCAL)
    if may_pass(hooks, Hook.INPUT, answers).satisfiable() or not _asks(context, hooks):
        return
    decider = shares(hooks, Hook.INPUT, answers & denied)[0]
    yield META.finding(
        decider.span,
        f"answers of DHCPv6 servers (udp port {_SERVER} to {_CLIENT}) are lost: "
        f"{decider.name} {decider.does} them, and they are of no established connection",
        suggestions.first(decider, main.chain.name, _REMEDY),
        witness=witness(space, decider.packets & answers, Hook.INPUT),
        causes=(Cause(hooks.ruleset, hooks.family, Hook.INPUT),),
        fix=acceptance(decider, Hook.INPUT, [_REMEDY], _MEANT),
    )


def _datagrams(hooks: Hooks, hook: Hook, source: int, destination: int) -> PacketSet:
    space = hooks.space
    ports = space.value(Field.SPORT, source) & space.value(Field.DPORT, destination)
    return _udp(hooks, hook) & ports


def _udp(hooks: Hooks, hook: Hook) -> PacketSet:
    """New datagrams from outside."""
    space = hooks.space
    return (
        hooks.hook_packets(hook)
        & outside(space)
        & space.state("new")
        & space.value(Field.PROTO, UDP)
        & space.value(Field.FRAGMENT, 0)
    )


def _asks(context: Context, hooks: Hooks) -> bool:
    """Whether a rule shows that the host uses DHCP, over IPv6 or over IPv4."""
    if _accepts_by_name(hooks, Hook.OUTPUT, _CLIENT, _SERVER):
        return True
    ip = ip_side(context, hooks)
    return ip is not None and _accepts_by_name(ip, Hook.INPUT, _SERVER_V4, _CLIENT_V4)


def _accepts_by_name(hooks: Hooks, hook: Hook, source: int, destination: int) -> bool:
    """Whether some rule accepts such datagrams where the hook denies by default, and means them:
    it does not take those between ports that are nobody's as well."""
    denied = dropped_by_default(hooks, hook)
    space = hooks.space
    asked = may_pass(hooks, hook, _datagrams(hooks, hook, source, destination) & denied)
    if not asked.satisfiable():
        return False
    nobodys = tuple((port, port) for port in ODD_PORTS)
    others = _udp(hooks, hook) & denied
    others = others & space.ranges(Field.SPORT, nobodys) & space.ranges(Field.DPORT, nobodys)
    broad = {decider.rule for decider in shares(hooks, hook, others)}
    return any(
        decider.kind is VerdictKind.ACCEPT and decider.rule not in broad
        for decider in shares(hooks, hook, asked)
    )
