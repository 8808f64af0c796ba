"""Guests of the host get no address or no names: input drops what they ask it for.

## What it does
Where rules speak of a bridge on which the host itself gives addresses and names (`virbr0` of
libvirt, `lxdbr0`, `incusbr0`, `lxcbr0`, and for names those of podman), sends requests of DHCP and
DNS from it to the host, through all tables. If all are dropped, what drops them is reported.

## Why it matters
libvirt, LXD, Incus and podman answer their guests with a dnsmasq or a resolver of their own on the
bridge. Their rules, or their table of nft, accept the requests; a chain of another table that
denies by default drops them all the same. Guests start, and have no address or resolve no name.

## Example
```
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        tcp dport 22 accept
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "virbr0" accept
    }
}
```

## Fix
`iifname "virbr0" udp dport { 53, 67 } accept` and `iifname "virbr0" tcp dport 53 accept`, in the
chain that drops. firewalld has zones for it: libvirt's bridges are in `libvirt`, and
`firewall-cmd --zone=trusted --change-interface=lxdbr0 --permanent` is what LXD recommends.

## When it is wrong
Where the network has its own server of DHCP and DNS, or the guests' addresses are set by hand.
Tables of iptables in which the software has no rules are left alone: it puts its own before all
others of INPUT when it starts.

## References
- libvirt, "Firewall and network filtering": https://libvirt.org/firewall.html
- LXD: https://documentation.ubuntu.com/lxd/latest/howto/network_bridge_firewalld/
- netavark and aardvark-dns: https://github.com/containers/aardvark-dns
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.delivery import delivery
from iptlint.analysis.session import Context
from iptlint.findings import Cause, Confidence, Finding, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.model import Family, Field, Hook, Interface, Rule, VerdictKind, Within
from iptlint.model.addresses import AddressKind, ranges
from iptlint.model.numbers import decimal
from iptlint.model.owners import owner_of_name
from iptlint.model.ownership import interface_names, made_by_iptables
from iptlint.model.protocols import UDP
from iptlint.model.software import accepts_of
from iptlint.packets.describe.lists import listed
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.analysis.shares import Share
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT856",
    name="guests-cut-off",
    severity=Severity.WARNING,
    confidence=Confidence.POSSIBLE,
    group=Group.NAT,
    since="0.2.0",
)


class _Service(NamedTuple):
    name: str
    port: int


_DHCP, _DNS = _Service("DHCP", 67), _Service("DNS", 53)


class _Network(NamedTuple):
    """``bridges``: what the names of those that software makes begin with, before a number;
    ``services``: what the host serves on them."""

    bridges: str
    software: str
    services: tuple[_Service, ...]

    def has(self, interface: str) -> bool:
        number = interface.removeprefix(self.bridges)
        return interface.startswith(self.bridges) and decimal(number) is not None


_NETWORKS = (
    _Network("virbr", "libvirt", (_DHCP, _DNS)),
    _Network("lxdbr", "LXD", (_DHCP, _DNS)),
    _Network("incusbr", "Incus", (_DHCP, _DNS)),
    _Network("lxcbr", "LXC", (_DHCP, _DNS)),
    _Network("podman", "podman", (_DNS,)),
)


class _Lost(NamedTuple):
    """``by``: who drops the requests; ``packets``: those."""

    service: _Service
    by: Share
    packets: PacketSet


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    if hooks.family is not Family.IP or hooks.deciding_chain(Hook.INPUT) is None:
        return
    for name in _served_bridges(hooks):
        network = next(each for each in _NETWORKS if each.has(name))
        lost = [_lost(hooks, name, service) for service in network.services]
        cut_off = [each for each in lost if each and _is_told(hooks, name, network, each)]
        if cut_off:
            yield _finding(hooks, name, network, cut_off)


def _served_bridges(hooks: Hooks) -> list[str]:
    """The bridges whose guests rules let through to elsewhere, or translate."""
    names = (
        match.name
        for rule in hooks.testing()
        if rule.verdict.kind in (VerdictKind.ACCEPT, VerdictKind.NAT)
        for match in rule.matches
        if isinstance(match, Interface) and not match.wildcard
        if any(network.has(match.name) for network in _NETWORKS)
    )
    return [*dict.fromkeys(names)]


def _is_told(hooks: Hooks, bridge: str, network: _Network, lost: _Lost) -> bool:
    """Whether the text has all that there is in the table that drops: software puts its own rules
    first into one of iptables when it starts, for what it serves; one of nft it leaves alone."""
    own = [
        rule
        for table in hooks.tables()
        for chain, rule in table.rules()
        if (owner := owner_of_name(chain.name)) is not None and owner.name == network.software
    ]
    if own:
        return any(_is_for(rule, bridge, lost.service) for rule in own)
    table = lost.by.analysis.table
    return hooks.ruleset.syntax.makes_base_chains and not made_by_iptables(table)


def _is_for(rule: Rule, bridge: str, service: _Service) -> bool:
    """Whether the rule is about requests for the service that come by the bridge."""
    ports = (
        low <= service.port <= high
        for match in rule.matches
        if isinstance(match, Within) and match.field is Field.DPORT
        for low, high in match.ranges
    )
    return bridge in interface_names(rule) and any(ports)


def _lost(hooks: Hooks, bridge: str, service: _Service) -> _Lost | None:
    """None where some of the requests may come through."""
    space = hooks.space
    private = ranges(Family.IP, AddressKind.PRIVATE)
    requests = (
        hooks.hook_packets(Hook.INPUT)
        & space.interface(Field.IIF, bridge)
        & space.state("new")
        & space.value(Field.PROTO, UDP)
        & space.value(Field.DPORT, service.port)
        & space.value(Field.MARK, 0)
    )
    if service is _DHCP:
        requests = requests & space.value(Field.SADDR, 0) & space.value(Field.SPORT, 68)
        requests = requests & space.value(Field.DADDR, 0xFFFFFFFF)
    else:
        requests = requests & space.ranges(Field.SADDR, private)
        requests = requests & space.ranges(Field.DADDR, private)
    delivered = delivery(hooks, Hook.INPUT, requests)
    if delivered.comes_through:
        return None
    return _Lost(service, delivered.droppers[0], requests)


def _finding(hooks: Hooks, bridge: str, network: _Network, lost: list[_Lost]) -> Finding:
    by, packets = lost[0].by, lost[0].by.packets & lost[0].packets
    names = listed([each.service.name for each in lost])
    ports = ", ".join(str(each.service.port) for each in reversed(lost))
    nft_ports = f"{{ {ports} }}" if len(lost) > 1 else ports
    return META.finding(
        by.span,
        f"guests of {network.software} on {bridge} get no answer from this host to {names}:"
        f" {by.name} {by.does} what they ask",
        "accept it before: "
        + hooks.ruleset.syntax.pick(
            iptables=f"-A INPUT -i {bridge} -p udp -m multiport --dports {ports} -j ACCEPT",
            nft=f'iifname "{bridge}" udp dport {nft_ports} accept',
        ),
        witness=witness(hooks.space, packets, Hook.INPUT),
        causes=tuple(
            Cause(hooks.ruleset, part=r) for r in accepts_of(hooks.ruleset, network.software)
        ),
    )
