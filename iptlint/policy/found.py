"""Zones and services that rules themselves name: what a table of a host is made of where nobody
says more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, summarize_address_range

from iptlint.model import AnyOf, Field, Hook, Interface, Match, Rule, VerdictKind, Within
from iptlint.model.call_graph import calls_in
from iptlint.model.matches import Ranges
from iptlint.model.protocols import ICMP, ICMP6, PORT_PROTOCOLS, TCP, UDP
from iptlint.model.services import SERVICES
from iptlint.netfilter.firewall import Hooks
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.services import Part, Service
from iptlint.policy.tests import BOTH
from iptlint.policy.zones import INTERNET, Network, Zone, likely_names

_MOST_ZONES, _MOST_SERVICES, _MOST_NETWORKS = 12, 16, 4
_HOOKS = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD)
_NAMES = {port: name for name, port in reversed([*SERVICES.items()])}
_WIDTHS = {Field.SADDR: (32, IPv4Address), Field.SADDR6: (128, IPv6Address)}


@dataclass(frozen=True, slots=True)
class Found:
    """``left_out``: how many zones and services the rules name beside these."""

    zones: tuple[Zone, ...]
    services: tuple[Service, ...]
    left_out: tuple[int, int] = (0, 0)


def found_in(hosts: Iterable[PolicyHost]) -> Found:
    """The internet, each network and each interface that rules let in by, the most named first;
    each port that they open, in order, pings, and every port that they do not name."""
    zones: Counter[Zone] = Counter()
    parts: Counter[Part] = Counter()
    for hooks in (hooks for host in hosts for f in BOTH for hooks in host.firewalls(f)):
        outer = {*likely_names(hooks), "lo"}
        for rule in _opening(hooks):
            zones.update(zone for zone in _zones(rule) if zone.name not in outer)
            parts.update(_parts(rule))
    kept = [zone for zone, _ in zones.most_common(_MOST_ZONES)]
    named = [part for part, _ in parts.most_common(_MOST_SERVICES)]
    services = (*(_service(part) for part in sorted(named, key=_in_order)), _others(parts))
    left = (max(len(zones) - len(kept), 0), max(len(parts) - len(named), 0))
    return Found((INTERNET, *sorted(kept, key=_by_kind)), services, left)


def _by_kind(zone: Zone) -> tuple[bool, int, str]:
    network = zone.networks[0] if zone.networks else None
    return bool(network), network.version if network else 0, zone.name


def _opening(hooks: Hooks) -> Iterator[Rule]:
    """The rules that let something in or through, or send it on, at hooks that strangers meet."""
    for table in hooks.tables():
        calls = calls_in(table)
        for chain, rule in table.rules():
            if rule.verdict.kind.denies or rule.verdict.kind is VerdictKind.RETURN:
                continue
            if any(hook in _HOOKS for hook in calls.hooks_of(chain.name)):
                yield rule


# -- zones ------------------------------------------------------------------------------------


def _zones(rule: Rule) -> Iterator[Zone]:
    for match in _each(rule.matches):
        match match:
            case Interface(Field.IIF, name, wildcard, negated=False) if name:
                shown = name + "*" * wildcard
                yield Zone(shown, interfaces=(shown,))
            case Within(field, ranges, negated=False) if field in _WIDTHS:
                networks = _networks(field, ranges)
                if networks and not any(map(_is_nobodys, networks)):
                    yield Zone(", ".join(map(_shown, networks)), networks=networks)


def _is_nobodys(network: Network) -> bool:
    """Whether it says nothing of who comes in from elsewhere."""
    return network.prefixlen == 0 or network.is_loopback or network.is_multicast


def _networks(field: Field, ranges: Ranges) -> tuple[Network, ...]:
    """None where they are many: such a list is nobody's name."""
    _, address = _WIDTHS[field]
    if len(ranges) > _MOST_NETWORKS:
        return ()
    networks: list[Network] = []
    for low, high in ranges:
        networks += summarize_address_range(address(low), address(high))  # type: ignore[call-overload]
    return tuple(networks) if len(networks) <= _MOST_NETWORKS else ()


def _shown(network: Network) -> str:
    return str(network.network_address if network.num_addresses == 1 else network)


def _each(matches: Iterable[Match]) -> Iterator[Match]:
    for match in matches:
        if isinstance(match, AnyOf) and not match.negated:
            for alternative in match.alternatives:
                yield from _each(alternative)
        else:
            yield match


# -- services ---------------------------------------------------------------------------------


def _parts(rule: Rule) -> Iterator[Part]:
    ports: list[tuple[int, int]] = []
    protocols: list[int] = []
    for match in _each(rule.matches):
        match match:
            case Within(Field.PROTO, ranges, negated=False):
                protocols += [low for low, high in ranges if low == high]
            case Within(Field.DPORT, ranges, negated=False):
                ports += ranges
    icmp = any(protocol in (ICMP, ICMP6) for protocol in protocols)
    if icmp:
        yield Part(ICMP, icmp_type="echo-request")
    for protocol in protocols:
        if protocol in PORT_PROTOCOLS and ports:
            yield from (Part(protocol, (each,)) for each in dict.fromkeys(ports))
        elif protocol not in (*PORT_PROTOCOLS, ICMP, ICMP6):
            yield Part(protocol)


def _others(parts: Iterable[Part]) -> Service:
    """Every port by tcp and udp that no rule names."""
    named: dict[int | None, list[tuple[int, int]]] = {TCP: [], UDP: []}
    for part in parts:
        named.setdefault(part.protocol, []).extend(part.ports)
    left = tuple(Part(protocol, _between(named[protocol])) for protocol in (TCP, UDP))
    return Service("any other", tuple(part for part in left if part.ports))


def _between(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """What is left of all ports."""
    left: list[tuple[int, int]] = []
    start = 1
    for low, high in sorted(ranges):
        if low > start:
            left.append((start, low - 1))
        start = max(start, high + 1)
    return tuple([*left, (start, 65535)] if start <= 65535 else left)


def _service(part: Part) -> Service:
    """``22 ssh``, ``53/udp domain``, ``ping``"""
    if part.icmp_type:
        return Service("ping", (part,))
    if part.protocol == TCP and len(part.ports) == 1 and part.ports[0][0] == part.ports[0][1]:
        port = part.ports[0][0]
        return Service(f"{port} {_NAMES[port]}" if port in _NAMES else str(port), (part,))
    return Service(part.text, (part,))


def _in_order(part: Part) -> tuple[bool, int, int]:
    low = part.ports[0][0] if part.ports else 0
    return bool(part.icmp_type), low, part.protocol or 0
