"""The clients beside a published server cannot use it by its public address.

## What it does
Takes DNAT rules for one public address that send packets to a private one, and that take what comes
from inside too. Follows a client of the server's own network to the public address and the answer
back: if the client's source is not translated, the answer does not come back by this host.

## Why it matters
The server sees the client's own address and answers it directly, past the router. The client waits
for the public address and throws the answer away. From outside all is well, so the fault is looked
for in the client, its DNS or the server.

## Example
```
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 203.0.113.10 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.100
-A POSTROUTING -o wan0 -j MASQUERADE
COMMIT
```

## Fix
Translate the source of these packets too: `-A POSTROUTING -s 192.168.1.0/24 -d 192.168.1.100/32 -p
tcp -m tcp --dport 80 -j MASQUERADE`. Or let a name server of the network give the private address.

## When it is wrong
Where no clients are in the network of the server, or names there are resolved to the private
address. Rules for the interface of the world only are left alone, and those of software.

## References
- RFC 4787, 6 (hairpinning): https://www.rfc-editor.org/rfc/rfc4787#section-6
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from iptlint.analysis.external_interfaces import uplink_names
from iptlint.analysis.includes import has_unseen_includes
from iptlint.analysis.nat import DestinationNat, destination_nats, to
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.phrases import counted
from iptlint.model import Family, Field, Hook, Within
from iptlint.model.addresses import AddressKind, kind_of
from iptlint.model.names import is_outward
from iptlint.model.ownership import writer_of
from iptlint.model.protocols import PROTOCOL_NAMES, TCP
from iptlint.packets.packet import Packet
from iptlint.rules.meta import Group, Meta, Needs

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT805",
    name="hairpin",
    severity=Severity.INFO,
    confidence=Confidence.POSSIBLE,
    group=Group.NAT,
    since="0.2.0",
    needs=Needs.FORWARDING,
)

_MOST = 8
"""Translations that are followed; the others of a text are of the same kind."""


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        hooks = context.hooks(ruleset, Family.IP)
        if hooks is not None and not has_unseen_includes(ruleset):
            failing = [each for each in _candidates(hooks) if _fails(hooks, each)]
            if failing:
                yield _finding(failing)


def _candidates(hooks: Hooks) -> list[DestinationNat]:
    """The rules that people wrote for one public address, and that send on to a private one."""
    return [
        each
        for each in destination_nats(hooks)
        if isinstance(each.address, IPv4Address) and each.address.is_private and not each.stays
        if not each.is_dead and _public_address(each) is not None
        if writer_of(each.analysis.table, each.analysis.place(each.rule).chain, each.rule) is None
    ][:_MOST]


def _public_address(translation: DestinationNat) -> IPv4Address | None:
    """The one address that the rule names, if it is no private one."""
    for match in translation.rule.matches:
        match match:
            case Within(Field.DADDR, ((low, high),), negated=False) if low == high:
                address = IPv4Address(low)
                return address if _is_worldly(address) else None
    return None


def _is_worldly(address: IPv4Address) -> bool:
    return kind_of(address) in (AddressKind.PUBLIC, AddressKind.EXAMPLE)


def _fails(hooks: Hooks, translation: DestinationNat) -> bool:
    """Whether a client beside the server is translated and let through, and the answer does not
    come back by this host."""
    from iptlint.analysis.bridges import trace_with_bridges  # most hosts translate nothing
    from iptlint.analysis.exchange import connection

    client = _client(translation)
    if client is None:
        return False
    for interface in _inside(hooks):
        packet = replace(client, iif=interface, oif=interface)
        traced = trace_with_bridges(hooks.ruleset, packet, None)
        sent_on = [outcome for outcome in traced.outcomes if outcome.kind.passes]
        moved = (o.arrived.daddr == str(translation.address) for o in sent_on)
        if sent_on and all(moved) and all(o.kind.passes for o in traced.outcomes):
            replies = connection(traced).replies
            return bool(replies) and all(reply.trace is None for reply in replies)
    return False


def _client(translation: DestinationNat) -> Packet | None:
    """A packet of a neighbour of the server to the public address; None where the rule is for no
    port of tcp."""
    assert translation.address is not None
    network = IPv4Network(f"{translation.address}/24", strict=False)
    neighbour = next(each for each in network.hosts() if each != translation.address)
    protocols = [m for m in translation.rule.matches if getattr(m, "field", None) is Field.PROTO]
    if not all(match == Within(Field.PROTO, ((TCP, TCP),)) for match in protocols):
        return None
    return Packet(
        "ip",
        Hook.FORWARD.value,
        saddr=str(neighbour),
        daddr=str(_public_address(translation)),
        proto=PROTOCOL_NAMES[TCP],
        sport=40000,
        dport=min(translation.ports, default=80),
        tcp_flags=("syn",),
        ct_state="new",
        mark=0,
    )


def _inside(hooks: Hooks) -> Iterator[str]:
    """The interfaces that rules name, and whose names do not say that they lead to the world; and,
    where they name the world's, one that none names."""
    interfaces, uplinks = hooks.space.interfaces, uplink_names(hooks)
    elsewhere = {"", "lo", *uplinks}
    for cls in interfaces.classes:
        if not cls.wildcard and cls.name not in elsewhere and not is_outward(cls.name):
            yield cls.name
    unnamed = interfaces.example(interfaces.count - 1)
    if uplinks and unnamed is not None:
        yield unnamed


def _finding(failing: list[DestinationNat]) -> Finding:
    first, *others = failing
    more = f", nor those of {counted(len(others), 'more translation')}" if others else ""
    public, server = _public_address(first), first.address
    network = IPv4Network(f"{server}/24", strict=False)
    return META.finding(
        first.rule.statement.span,
        f"clients in the network of {server} cannot use the service by {public}: their packets are"
        f" sent to {to(first)} with their own address, and it answers them directly{more}",
        "translate the source of these packets too: "
        + first.analysis.syntax.pick(
            iptables=f"-t nat -A POSTROUTING -s {network} -d {server} -j MASQUERADE",
            nft=f"ip saddr {network} ip daddr {server} masquerade, at postrouting",
        ),
        related=tuple(Label(each.rule.origin.span, "likewise") for each in others),
    )
