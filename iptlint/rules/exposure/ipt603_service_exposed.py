"""A database, a cluster's control or an administration port is open to the world.

## What it does
Sends new connections from public addresses, by the interfaces that face the world, to the ports
of some seventy services that are seldom public on purpose (databases, caches, file shares,
remote desktops, container and cluster APIs), through all tables and hooks. Where an accept rule
lets most of them in, it is reported with the services that it opens. Where a port is translated
to such a service of a host behind, the translation is. A policy or a rule that accepts
everything is not reported here: that is IPT601 and IPT602.

A rule that lets in a network which is written wider than the private one in it, such as
172.0.0.0/8 for 172.16.0.0/12, is reported too, whatever the port: the rest are strangers.

## Why it matters
The whole of the internet is scanned for these ports many times a day; what answers without a
password is emptied or encrypted within hours, and passwords of what asks for one are tried
without end.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT
COMMIT
```

## Fix
Say who may: `-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 3306 -j ACCEPT`, in nft
`ip saddr 10.0.0.0/8 tcp dport 3306 accept`; or let the service listen on 127.0.0.1 and go
there through a VPN or SSH.

## When it is wrong
Where another firewall stands before the host, where all of its networks are private, or where
something else listens on the port. An interface that has a name of its own counts as the
world's only where its name, or an address translation, says so. Rules that name sources, lists
of addresses or port knocking are not reported, nor is what OUTPUT lets no answer out of; a rate
limit does not count as protection.

## References
- IANA service names and port numbers: https://www.iana.org/assignments/service-names-port-numbers/
- Docker, protect the daemon socket: https://docs.docker.com/engine/security/protect-access/
- UDP-based amplification attacks: https://www.cisa.gov/news-events/alerts/2014/01/17/udp-based-amplification-attacks
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from iptlint.analysis.evidence import decided_by
from iptlint.analysis.exposed_services import Exposed, Open, exposed_services, is_broad
from iptlint.analysis.handshake import clients, first_packets, is_answered
from iptlint.analysis.session import Context
from iptlint.analysis.wide_networks import WideNetwork, wide_networks
from iptlint.findings import Cause, Confidence, Finding, Label, Severity, suggestions
from iptlint.findings.per_family import for_each_family
from iptlint.findings.phrases import counted
from iptlint.model import Family, Field, Hook
from iptlint.model.owners import owner_of_name
from iptlint.model.protocols import PROTOCOL_NAMES, TCP, UDP
from iptlint.model.syntax import Suggestion
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta
from iptlint.source import Origin, Span

if TYPE_CHECKING:
    from iptlint.model.host import Host
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT603",
    name="service-exposed",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.1.0",
    yields_to=("IPT952",),
    leaves_to={
        "IPT602": "a rule for all ports is about no service, reported or not",
    },
)

_SHOWN = 4
_LAST_PORT = 65535


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, partial(_check_family, _listening(context.host)))


def _listening(host: Host | None) -> frozenset[tuple[str, int]] | None:
    """Protocols and ports on which the host listens for others; None where that is not known."""
    if host is None or host.facts.listeners is None:
        return None
    return frozenset((o.protocol, o.port) for o in host.facts.listeners if not o.is_local)


def _heard(listening: frozenset[tuple[str, int]] | None, opening: Exposed) -> Exposed:
    """With those services only on whose ports something listens."""
    if listening is None or opening.hook is not Hook.INPUT:
        return opening
    heard = (o for o in opening.opened if (PROTOCOL_NAMES[o.protocol], o.port) in listening)
    return opening._replace(opened=tuple(heard))


def _answered(hooks: Hooks, opening: Exposed) -> Exposed:
    """With those services only whose answers to who connects may leave."""
    if opening.hook is not Hook.INPUT or hooks.deciding_chain(Hook.OUTPUT) is None:
        return opening
    space = hooks.space
    first = opening.packets & first_packets(hooks) & clients(space)
    ports = {
        one.port
        for one in opening.opened
        if one.protocol == TCP
        and (to := first & space.value(Field.DPORT, one.port)).satisfiable()
        and not is_answered(hooks, to, Hook.OUTPUT)
    }
    left = (o for o in opening.opened if o.protocol != TCP or o.port not in ports)
    return opening._replace(opened=tuple(left)) if ports else opening


def _check_family(listening: frozenset[tuple[str, int]] | None, hooks: Hooks) -> Iterator[Finding]:
    by_statement: dict[Origin, list[Exposed]] = {}
    for opening in (_heard(listening, each) for each in exposed_services(hooks)):
        opening = _answered(hooks, opening)
        if not opening.opened:
            continue
        by_statement.setdefault(opening.rule.statement, []).append(opening)
    for several in by_statement.values():
        services = {one.service for opening in several for one in opening.opened}
        many = is_broad(max(opening.ports for opening in several), services)
        yield _finding(hooks, several, many=many)
    yield from map(_of_wide, wide_networks(hooks))


def _of_wide(wide: WideNetwork) -> Finding:
    millions = wide.strangers / 1_000_000
    many = f"{millions:.0f} million" if millions >= 1 else f"{wide.strangers:,}"
    return META.finding(
        wide.rule.origin.span,
        f"of {wide.written} only {wide.private} is private: this lets in {many} addresses of"
        " strangers, too",
        f"write {wide.private}, if that is meant",
        witness=wide.packet,
        severity=Severity.WARNING,
        likeness=f"{wide.written}",
    )


def _finding(hooks: Hooks, exposed_services: Sequence[Exposed], *, many: bool) -> Finding:
    first = exposed_services[0]
    opened = [one for opening in exposed_services for one in opening.opened]
    names = listed(_shortened(_names(opened)))
    on_purpose = all(one.service.on_purpose for one in opened)
    gravest = Severity.WARNING if on_purpose else Severity.ERROR
    return META.finding(
        _span(exposed_services),
        _message(exposed_services, names, many=many),
        _advice(hooks, first, opened, many),
        related=tuple(
            Label(d.span, "lets it through")
            for opening in exposed_services[:1]
            for d in opening.through[:1]
        ),
        witness=decided_by(hooks, first.hook, first.rule, _shown(hooks, first)),
        severity=Severity.WARNING if many else gravest,
        confidence=Confidence.POSSIBLE if many else None,
        likeness=f"{hooks.family.value} {first.hook.value} {_kind(opened, many=many)}",
        causes=(Cause(hooks.ruleset, part=first.rule),),
    )


def _names(opened: Sequence[Open]) -> list[str]:
    """``MySQL (3306)``, ``VNC (5900, 5901)``, ``memcached (11211, 11211/udp)``."""
    by_name: dict[str, list[str]] = {}
    for one in opened:
        by_name.setdefault(one.service.name, []).append(
            f"{one.port}{'/udp' * (one.protocol == UDP)}"
        )
    return [f"{name} ({', '.join(numbers)})" for name, numbers in by_name.items()]


def _kind(opened: Sequence[Open], *, many: bool) -> str:
    """What findings have in common: that all is open, or the services, whatever their ports."""
    return "all" if many else ",".join(sorted({one.service.name for one in opened}))


def _span(exposed_services: Sequence[Exposed]) -> Span:
    rule, *others = dict.fromkeys(opening.rule for opening in exposed_services)
    return rule.statement.span if others else rule.origin.span


def _message(exposed_services: Sequence[Exposed], names: str, *, many: bool) -> str:
    first = exposed_services[0]
    whose = " of the host behind" if first.hook is Hook.PREROUTING else ""
    if many:
        return (
            f"{_all(first.ports)}{whose} are open to every address, and so is whatever "
            f"comes to listen there: {names}"
        )
    services = {one.service.name: one.service for o in exposed_services for one in o.opened}
    why = f": {next(iter(services.values())).why}" if len(services) == 1 else ""
    return f"{names}{whose} {'is' if len(services) == 1 else 'are'} open to every address{why}"


def _all(ports: int) -> str:
    return "all ports" if ports > _LAST_PORT else counted(ports, "port")


def _shortened(names: list[str]) -> list[str]:
    if len(names) <= _SHOWN + 1:
        return names
    return [*names[:_SHOWN], f"{len(names) - _SHOWN} more"]


def _shown(hooks: Hooks, opening: Exposed) -> PacketSet:
    """Packets to one of the services, where the port is not translated."""
    space, one = hooks.space, opening.opened[0]
    packets = opening.packets
    if opening.hook is Hook.PREROUTING:  # nobody knows yet by which interface they leave
        packets = space.forget(packets, (Field.OIF,))
    packets = packets & hooks.hook_packets(opening.hook)
    protocol = packets & space.value(Field.PROTO, one.protocol)
    port = protocol & space.value(Field.DPORT, one.port)
    return port if port.satisfiable() else protocol


def _advice(hooks: Hooks, opening: Exposed, opened: Sequence[Open], many: bool) -> str:
    if many:
        return "accept the ports that are needed, and no others"
    inside = suggestions.INSIDE[hooks.family]
    if opening.hook is Hook.PREROUTING:
        option = hooks.ruleset.syntax.pick(iptables="`-s`", nft="`ip saddr`")
        return f"say who may: add {option} with the networks that use it to the translation"
    ports = sorted({one.port for one in opened if one.protocol == opened[0].protocol})
    owner = owner_of_name(opening.chain)
    if owner is not None and owner.name in _BY_COMMAND:
        return _BY_COMMAND[owner.name].format(
            port=ports[0],
            protocol=PROTOCOL_NAMES[opened[0].protocol],
            family="ipv6" if hooks.family is Family.IP6 else "ipv4",
            inside=inside,
        )
    remedy = _only_from(inside, PROTOCOL_NAMES[opened[0].protocol], ports, hooks.family)
    instead = suggestions.into(remedy, opening.chain, hooks)
    rest = suggestions.against_others(hooks, opening.hook, opening.packets)
    if opening.ports > len(ports):  # the rule is for others too, which are to stay
        return f"take it out of this rule, and {_ACCEPT}{rest}: {instead}"
    return f"{_ACCEPT}{rest}, in the place of this rule: {instead}"


_ACCEPT = "accept it only from where it is used"


_BY_COMMAND = {
    "ufw": "allow it only from where it is used: `ufw delete allow {port}/{protocol}`, then"
    " `ufw allow from {inside} to any port {port} proto {protocol}`",
    "firewalld": "take the service or the port out of the zone (`firewall-cmd --list-all` names it)"
    " and let in those who use it: `firewall-cmd --permanent --add-rich-rule='rule"
    ' family="{family}" source address="{inside}" port port="{port}" protocol="{protocol}"'
    " accept'`",
}
"""What to do where a manager writes the rules: whatever is done to its chains is soon undone."""


def _only_from(network: str, protocol: str, ports: Sequence[int], family: Family) -> Suggestion:
    numbers = [str(port) for port in ports]
    several = len(numbers) > 1
    iptables = (
        f"-m multiport --dports {','.join(numbers)}"
        if several
        else (f"-m {protocol} --dport {numbers[0]}")
    )
    nft = f"{{ {', '.join(numbers)} }}" if several else numbers[0]
    return Suggestion(
        f"-s {network} -p {protocol} {iptables} -j ACCEPT",
        f"{family.value} saddr {network} {protocol} dport {nft} accept",
    )
