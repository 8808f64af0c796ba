"""Which addresses are the host's own, and what is behind its interfaces: as someone says it, or as
far as the rules show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TYPE_CHECKING, NamedTuple

from iptlint.memo import memo
from iptlint.model.call_graph import CallGraph, calls_in
from iptlint.model.kinds import rules_testing
from iptlint.model.matches import Field, Interface, Match, Ranges, Within
from iptlint.model.ruleset import Family, Hook, Rule, Ruleset
from iptlint.model.verdicts import EffectKind, VerdictKind

if TYPE_CHECKING:
    from iptlint.model.host import Facts, InterfaceAddress

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


class Behind(NamedTuple):
    """Packets to the addresses from ``low`` to ``high`` leave by the interface; None: by one that
    is not known."""

    family: Family
    low: int
    high: int
    interface: str | None


@dataclass(frozen=True, slots=True)
class HostAddresses:
    """``own``: the host's, as networks; all of them where ``complete``. ``first``: the first one of
    an interface, where it is known, which it gives to what is redirected or masqueraded.
    ``routed``: what is ``behind`` its interfaces is what its routes say, for all destinations."""

    own: tuple[IPNetwork, ...] = ()
    first: tuple[tuple[str, IPAddress], ...] = ()
    behind: tuple[Behind, ...] = ()
    complete: bool = False
    routed: bool = False

    def has(self, network: IPNetwork) -> bool:
        """Whether all its addresses are known to be the host's."""
        return any(
            own.version == network.version
            and int(own[0]) <= int(network[0]) <= int(network[-1]) <= int(own[-1])
            for own in self.own
        )

    def ways(self, family: Family) -> tuple[Behind, ...]:
        """Which addresses are behind which interface: of two that hold an address the first says
        so, as the smaller network does. What is said to be behind two is behind None."""
        names: dict[tuple[int, int], set[str | None]] = {}
        for way in self.behind:
            if way.family is family:
                names.setdefault((way.low, way.high), set()).add(way.interface)
        ways = (
            Behind(family, low, high, first if not others else None)
            for (low, high), (first, *others) in names.items()
        )
        return tuple(sorted(ways, key=lambda way: way.high - way.low))


def with_own(own: Iterable[IPNetwork], *rulesets: Ruleset) -> HostAddresses:
    """All addresses of the host, and what its rules show of what is behind it."""
    return replace(shown_by(*rulesets), own=tuple(own), complete=True)


def of_interfaces(addresses: Iterable[InterfaceAddress]) -> HostAddresses:
    """Those of a host whose interfaces are known."""
    addresses = tuple(addresses)
    behind = tuple(
        _through(network, one.interface)
        for one in addresses
        if (network := one.address.network).num_addresses > 1
    )
    own = _networks(one.address.ip for one in addresses)
    first: dict[tuple[str, int], IPAddress] = {}
    for one in addresses:
        if not one.address.ip.is_link_local:
            first.setdefault((one.interface, one.address.version), one.address.ip)
    by_interface = tuple((name, address) for (name, _), address in first.items())
    return HostAddresses(own, by_interface, behind, complete=True)


def _networks(addresses: Iterable[IPAddress]) -> tuple[IPNetwork, ...]:
    return tuple(ip_network(address) for address in dict.fromkeys(addresses))


def known_of(facts: Facts) -> HostAddresses | None:
    """Those of the host's interfaces; None where they are not known."""
    if not facts.addresses:
        return None
    known = of_interfaces(facts.addresses)
    if facts.routes is None:
        return known
    behind = [
        *(_through(own, "lo") for own in known.own),
        *(_through(ip_network(group), None) for group in _GROUPS),
        *(_through(route.destination, route.interface) for route in facts.routes),
    ]
    return replace(known, behind=tuple(behind), routed=True)


_GROUPS = ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8")
"""What is sent to them leaves by an interface that its sender chooses."""


def _through(network: IPNetwork, interface: str | None) -> Behind:
    return Behind(_family(network[0]), int(network[0]), int(network[-1]), interface)


def shown_by(*rulesets: Ruleset) -> HostAddresses:
    """What the rules of a host show: only the host sends from an address that OUTPUT asks for, and
    nobody translates to a source that answers would not come back to."""
    shown = [_shown(ruleset) for ruleset in rulesets]
    own = (address for each in shown for address in each.own)
    behind = (way for each in shown for way in each.behind)
    return HostAddresses(tuple(dict.fromkeys(own)), behind=tuple(dict.fromkeys(behind)))


@memo
def _shown(ruleset: Ruleset) -> HostAddresses:
    own: list[IPAddress] = []
    behind: list[Behind] = []
    for table in ruleset.tables:
        calls = calls_in(table)
        sending = {name for name in table.chains if _only_of(calls, name, Hook.OUTPUT)}
        for chain, rule in rules_testing(table, _names_a_source):
            if chain.name in sending:
                own += (*_new_sources(rule), *_single_sources(rule))
                behind += _masqueraded_behind(rule)
        for chain, rule in rules_testing(table, _names_a_way_out):
            if chain.name not in sending:  # OUTPUT has the interface from before it translates
                own += _new_sources(rule)
                behind += (*_destinations_behind(rule), *_masqueraded_behind(rule))
    return HostAddresses(_networks(own), behind=tuple(dict.fromkeys(behind)))


def _names_a_source(rule: Rule) -> bool:
    """Whether it does, or gives one."""
    sources = (isinstance(match, Within) and match.field in _SOURCES for match in rule.matches)
    return any(sources) or _gives_a_source(rule)


def _names_a_way_out(rule: Rule) -> bool:
    """Whether it does, or gives a source."""
    ways = (isinstance(test, Interface) and test.field is Field.OIF for test in rule.matches)
    return any(ways) or _gives_a_source(rule)


def _gives_a_source(rule: Rule) -> bool:
    return next(_new_sources(rule), None) is not None


def _only_of(calls: CallGraph, name: str, hook: Hook) -> bool:
    hooks = {base.hook for base in calls.bases_of(name)}
    return hooks == {hook}


def _family(address: IPAddress) -> Family:
    return Family.IP if address.version == 4 else Family.IP6


_SOURCES: dict[Field, type[IPv4Address] | type[IPv6Address]] = {
    Field.SADDR: IPv4Address,
    Field.SADDR6: IPv6Address,
}
_DESTINATIONS = {Field.DADDR: Family.IP, Field.DADDR6: Family.IP6}
_SOURCE_FAMILIES = {Field.SADDR: Family.IP, Field.SADDR6: Family.IP6}


def _new_sources(rule: Rule) -> Iterator[IPAddress]:
    """The addresses of SNAT."""
    for field, value in _written_by_translation(rule):
        if field in _SOURCES:
            yield _SOURCES[field](value)


def new_destinations(family: Family, *rulesets: Ruleset) -> Iterator[IPNetwork]:
    """Each single address that a rule translates to."""
    tables = (table for ruleset in rulesets for table in ruleset.tables)
    for _, rule in (each for table in tables for each in rules_testing(table, _translates)):
        for field, value in _written_by_translation(rule):
            if _DESTINATIONS.get(field) is family:
                yield IPv4Network(value) if family is Family.IP else IPv6Network(value)


def others(addresses: HostAddresses, family: Family, *rulesets: Ruleset) -> Ranges:
    """Where rules send packets, but for what is known to be the host's."""
    sent_to = new_destinations(family, *rulesets)
    each = (int(one.network_address) for one in sent_to if not addresses.has(one))
    return tuple((number, number) for number in each)


def _translates(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.NAT


def _written_by_translation(rule: Rule) -> Iterator[tuple[Field, int]]:
    if not _translates(rule):
        return
    for effect in rule.effects:
        whole = effect.kind is EffectKind.WRITE and effect.mask in _WHOLE_ADDRESS
        if whole and effect.field is not None and effect.value is not None:
            yield effect.field, effect.value


_WHOLE_ADDRESS = ((1 << 32) - 1, (1 << 128) - 1)


def _single_sources(rule: Rule) -> Iterator[IPAddress]:
    for match in rule.matches:
        match match:
            case Within(field, ((low, high),), negated=False) if low == high:
                address = _SOURCES.get(field)
                if address is not None:
                    yield address(low)


def _destinations_behind(rule: Rule) -> Iterator[Behind]:
    """``-d 172.17.0.2 -o docker0 -j ACCEPT``"""
    name = None if rule.verdict.kind.denies else _interface(rule.matches, negated=False)
    if name is None:
        return
    for field, low, high in _ranges(rule.matches):
        family = _DESTINATIONS.get(field)
        if family is not None:
            yield Behind(family, low, high, name)


def _masqueraded_behind(rule: Rule) -> Iterator[Behind]:
    """``-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE``"""
    translates = rule.verdict.kind is VerdictKind.NAT
    name = _interface(rule.matches, negated=True) if translates else None
    if name is None:
        return
    for field, low, high in _ranges(rule.matches):
        family = _SOURCE_FAMILIES.get(field)
        if family is not None:
            yield Behind(family, low, high, name)


def _interface(matches: Iterable[Match], *, negated: bool) -> str | None:
    names = [
        match.name
        for match in matches
        if isinstance(match, Interface)
        and (match.field, match.negated, match.wildcard) == (Field.OIF, negated, False)
    ]
    return names[0] if len(names) == 1 else None


def _ranges(matches: Iterable[Match]) -> Iterator[tuple[Field, int, int]]:
    for match in matches:
        match match:
            case Within(field, ((low, high),), negated=False):
                yield field, low, high
