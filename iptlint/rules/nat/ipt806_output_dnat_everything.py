"""A translation at OUTPUT is for all addresses: the host no longer gets to that port anywhere.

## What it does
Finds DNAT at the output hook of nat that takes connections of the host itself to every public
address, and sends them to one that the rule names. The question is put to the packets: exceptions
before the rule and the call of its chain count.

## Why it matters
The rule was to let the host reach its own published service, as those outside do. Without an
address it takes everything to that port: updates over https come to the container, mail to every
server goes to one.

## Example
```
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp -d 203.0.113.10 --dport 80 -j DNAT --to-destination 10.0.0.5:8080
-A OUTPUT -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080
COMMIT
```

## Fix
Name the address that is meant (`-d 203.0.113.10`), or the host's own ones: `-m addrtype --dst-type
LOCAL`, in nft `fib daddr type local`.

## When it is wrong
Where everything is to go by a proxy or a relay on another machine. DNS, REDIRECT, an address of the
host's loopback, rules for some users or marks, and rules that software writes are left out.

## References
- iptables-extensions(8), DNAT and addrtype: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- nft(8), "NAT STATEMENTS": https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.connections import few_ports
from iptlint.analysis.default_verdict import outside, public_hosts
from iptlint.analysis.nat import DestinationNat, destination_nats, to
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.model import Field, Hook, Opaque
from iptlint.model.ownership import writer_of
from iptlint.model.protocols import PROTOCOL_NAMES, TCP, UDP
from iptlint.packets.describe.lists import listed
from iptlint.packets.ordinary import typically_holds
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT806",
    name="output-dnat-everything",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.2.0",
)

_OF_NAMES = (53, 853)
"""Ports of DNS, which people send to their own server whatever asks."""


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    candidates = [each for each in destination_nats(hooks, Hook.OUTPUT) if _is_meant(each)]
    if not candidates:
        return
    anywhere = _to_anywhere(hooks)
    for translation in candidates:
        packets = anywhere & translation.analysis.tests(translation.rule).sure
        packets = translation.analysis.matched(translation.rule, packets)
        packets = packets & ~_to_name_servers(hooks)
        reached = hooks.space.project(packets, hooks.family.daddr)
        if packets.satisfiable() and not (anywhere & ~reached).satisfiable():
            yield _finding(hooks, translation, packets)


def _is_meant(translation: DestinationNat) -> bool:
    """Whether a person sends packets to another host, whoever on this one sends them."""
    rule, analysis = translation.rule, translation.analysis
    chain = analysis.place(rule).chain
    address = translation.address
    return (
        address is not None
        and translation.moves
        and not address.is_loopback
        and not any(isinstance(match, Opaque) and match.kind == "owner" for match in rule.matches)
        and writer_of(analysis.table, chain, rule) is None
    )


def _to_anywhere(hooks: Hooks) -> PacketSet:
    """New packets of the host's to public addresses, of nobody in particular."""
    space = hooks.space
    packets = hooks.hook_packets(Hook.OUTPUT) & outside(space) & space.state("new")
    packets = packets & space.ranges(Field.PROTO, ((TCP, TCP), (UDP, UDP)))
    packets = packets & public_hosts(hooks, hooks.family.daddr) & space.value(Field.MARK, 0)
    for test, variable in space.opaques.items():
        packets = packets & (variable if typically_holds(test, Hook.OUTPUT) else ~variable)
    return packets


def _to_name_servers(hooks: Hooks) -> PacketSet:
    return hooks.space.ranges(Field.DPORT, tuple((port, port) for port in _OF_NAMES))


def _finding(hooks: Hooks, translation: DestinationNat, packets: PacketSet) -> Finding:
    rule = translation.rule
    local = hooks.ruleset.syntax.pick(
        iptables="-m addrtype --dst-type LOCAL", nft="fib daddr type local"
    )
    return META.finding(
        rule.statement.span,
        f"every connection that this host opens to {_what(hooks, packets)}, to whatever address,"
        f" goes to {to(translation)}",
        f"name the address that is meant, or the host's own: {local}",
        witness=witness(hooks.space, packets, Hook.OUTPUT),
    )


def _what(hooks: Hooks, packets: PacketSet) -> str:
    space = hooks.space
    names = [
        PROTOCOL_NAMES[number]
        for number in (TCP, UDP)
        if (packets & space.value(Field.PROTO, number)).satisfiable()
    ]
    ports = few_ports(space, packets, Field.DPORT)
    if not ports:
        return f"many ports ({listed(names)})"
    shown = listed([str(port) for port in ports])
    return f"{listed(names)} port{'s' if len(ports) > 1 else ''} {shown}"
