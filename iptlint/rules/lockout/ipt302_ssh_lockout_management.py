"""Part of a management network cannot open an SSH connection to this host.

## What it does
With the setting `management-networks`, follows the handshake to the SSH port as IPT301 does,
for every address of these networks, and reports an address for which a step fails, with the
line that stops it.

## Why it matters
The administrator who is locked out is the one whose address nobody tried.

## Example
With `management-networks = ["192.0.2.0/24"]`, the upper half is locked out:
```
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -s 192.0.2.0/25 -p tcp --dport 22 -j ACCEPT
COMMIT
```

## Fix
Accept the whole network, or set `management-networks` to what is meant.

## When it is wrong
Where an address of the network is banned on purpose.

## References
- RFC 9293, 3.5 (the handshake): https://www.rfc-editor.org/rfc/rfc9293
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from iptlint.analysis.handshake import HandshakeStep, handshake, opening
from iptlint.analysis.session import Context, Settings
from iptlint.analysis.shares import shares
from iptlint.analysis.ssh_access import locked_out, ssh_ports
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.handshake import advice, message
from iptlint.model import Family, Hook
from iptlint.packets.mirror import mirrored
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta, Needs

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT302",
    name="ssh-lockout-management",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.LOCKOUT,
    since="0.1.0",
    needs=Needs.SSH,
    leaves_to={
        "IPT301": "where nobody gets in, a network is nothing special, reported or not",
    },
)

_VERSIONS = {Family.IP: 4, Family.IP6: 6}
_POINT_TO_POINT = 31  # RFC 3021: no network or broadcast address from here on


def check(context: Context) -> Iterator[Finding]:
    for hooks in context.all_hooks():
        main = hooks.deciding_chain(Hook.INPUT)
        if main is None or not (main.chain.origin or main.chain.rules):
            continue
        networks = [
            network
            for network in context.settings.management_networks
            if network.version == _VERSIONS[hooks.family]
        ]
        if networks and not locked_out(hooks, context.settings):
            for network in networks:
                yield from _check_network(hooks, network, context.settings)


def _check_network(
    hooks: Hooks, network: IPv4Network | IPv6Network, settings: Settings
) -> Iterator[Finding]:
    hosts = _hosts(hooks, network)
    ports = ssh_ports(hooks, settings)
    for step in handshake(hooks, opening(hooks, ports) & hosts):
        lost = hosts & ~step.peers(hooks, step.passed)
        if lost.satisfiable():
            yield _finding(hooks, step, lost, network, ports)
            return


def _hosts(hooks: Hooks, network: IPv4Network | IPv6Network) -> PacketSet:
    first, last = int(network[0]), int(network[-1])
    if network.version == 4 and network.prefixlen < _POINT_TO_POINT:
        first, last = first + 1, last - 1
    return hooks.space.ranges(hooks.family.saddr, ((first, last),))


def _finding(
    hooks: Hooks,
    step: HandshakeStep,
    lost: PacketSet,
    network: IPv4Network | IPv6Network,
    ports: tuple[int, ...],
) -> Finding:
    space = hooks.space
    concerned = lost if step.hook is Hook.INPUT else mirrored(space, lost)
    droppers = shares(hooks, step.hook, step.sent & concerned)
    packet = witness(space, droppers[0].packets, step.hook)
    host = (packet.saddr if step.hook is Hook.INPUT else packet.daddr) if packet else None
    result = f"{host}, of the management network {network}, cannot open an SSH connection"
    port = " or ".join(map(str, ports))
    return META.finding(
        droppers[0].span,
        message(hooks, step, droppers, f"port {port}", result),
        advice(hooks, step, droppers, ports, str(network)),
        witness=packet,
    )
