"""A cloud's filters as chains, so that whatever is asked of rules can be asked of them.

An interface of the cloud is an interface here, by its id: packets to its machine come in by it at
the hook input, and those that the machine sends leave by it at output. An ACL has no memory; what
groups let through in one direction, they let back. Where no document names interfaces, a subnet
stands for one in it, and a group for one that has no other group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network

from iptlint.model.cloud import (
    Cloud,
    Filter,
    FilterEntry,
    FilterKind,
    GroupPeer,
    IPNetwork,
    ListPeer,
    Peer,
    Traffic,
    UnknownPeer,
)
from iptlint.model.matches import (
    CT_STATES,
    PACKET_FAMILIES,
    AnyOf,
    Field,
    Interface,
    Match,
    Opaque,
    Within,
)
from iptlint.model.protocols import PORT_PROTOCOLS
from iptlint.model.ruleset import Chain, Family, Hook, Rule, Table, unread_rule
from iptlint.model.verdicts import Verdict, VerdictKind
from iptlint.source import Origin

ALLOW = Verdict(VerdictKind.ACCEPT, "allow")
DENY = Verdict(VerdictKind.DROP, "deny")
_HOOKS = {True: (Hook.INPUT, Field.IIF), False: (Hook.OUTPUT, Field.OIF)}
_TABLES = {FilterKind.ACL: "network-acls", FilterKind.GROUP: "security-groups"}
EVERYBODY: tuple[IPNetwork, IPNetwork] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
_PRIORITIES = {(FilterKind.ACL, True): -10, (FilterKind.ACL, False): 10}
"""An ACL is met first on the way in, and last on the way out."""


def way(*, inbound: bool) -> str:
    return "inbound" if inbound else "outbound"


# -- one filter -----------------------------------------------------------------------------------


def filter_chain(cloud: Cloud, filter: Filter, *, inbound: bool) -> Chain:
    """A group's has no end of its own, as other groups may let packets through."""
    entries = filter.entries(inbound=inbound)
    rules = [rule_of(cloud, entry, inbound=inbound) for entry in entries]
    if filter.kind is FilterKind.ACL:
        rules += _closing(filter, entries)
    return Chain(f"{filter.id} {way(inbound=inbound)}", tuple(rules), origin=filter.origin)


def _closing(filter: Filter, entries: Iterable[FilterEntry]) -> Iterator[Rule]:
    """What ends an ACL, for the families of which no document shows it."""
    shown = {type(entry.peer) for entry in entries if entry.closing}
    for every in EVERYBODY:
        if type(every) not in shown:
            tests = network_tests(every, inbound=True)
            yield Rule(filter.origin, tests, DENY, comment="the closing entry *")


def rule_of(cloud: Cloud, entry: FilterEntry, *, inbound: bool) -> Rule:
    if entry.traffic is None:
        return unread_rule(entry.origin, "an entry that could not be read")
    verdict = ALLOW if entry.allows else DENY
    matches = (*traffic_tests(entry.traffic), *peer_tests(cloud, entry.peer, inbound=inbound))
    return Rule(entry.origin, matches, verdict, comment=entry.comment)


def traffic_tests(traffic: Traffic) -> Iterator[Match]:
    if traffic.protocol is not None:
        yield Within(Field.PROTO, ((traffic.protocol, traffic.protocol),))
    if traffic.ports is not None and traffic.protocol in PORT_PROTOCOLS:
        yield Within(Field.DPORT, (traffic.ports,))
    for field, number in (
        (Field.ICMP_TYPE, traffic.icmp_type),
        (Field.ICMP_CODE, traffic.icmp_code),
    ):
        if number is not None:
            yield Within(field, ((number, number),))


def peer_tests(cloud: Cloud, peer: Peer, *, inbound: bool) -> tuple[Match, ...]:
    match peer:
        case GroupPeer(group, foreign):
            return (_of_group(cloud, group, inbound, foreign=foreign),)
        case ListPeer(id):
            known = cloud.prefix_list(id)
            if known is None or known.networks is None:
                return (Opaque(f"address in {id}"),)
            return (_any_of(known.networks, inbound),)
        case UnknownPeer(text):
            return (Opaque(f"address in {text}"),)
        case _:
            return network_tests(peer, inbound=inbound)


def _of_group(cloud: Cloud, group: str, inbound: bool, *, foreign: bool) -> Match:
    """By the addresses of its members; where not all of them are known, another may be one."""
    members = _any_of(cloud.members(group), inbound)
    if cloud.all_interfaces and not foreign:
        return members
    return AnyOf((*members.alternatives, (Opaque(f"address of another member of {group}"),)))


def _any_of(networks: Iterable[IPNetwork], inbound: bool) -> AnyOf:
    return AnyOf(tuple(network_tests(each, inbound=inbound) for each in networks))


def network_tests(network: IPNetwork, *, inbound: bool) -> tuple[Match, ...]:
    """Whether the other end is in the network."""
    is_ip = isinstance(network, IPv4Network)
    family, bits = (Family.IP, 32) if is_ip else (Family.IP6, 128)
    number = PACKET_FAMILIES.index(family.value)
    of_family = Within(Field.FAMILY, ((number, number),))
    if network.prefixlen == 0:
        return (of_family,)
    field = family.saddr if inbound else family.daddr
    low = int(network.network_address)
    return of_family, Within(field, ((low, low | ((1 << bits - network.prefixlen) - 1)),))


# -- all of them ----------------------------------------------------------------------------------


def tables_of(cloud: Cloud) -> tuple[Table, ...]:
    """One of the ACLs and one of the groups, if the documents have any. What no document says, as
    that answers pass, is shown at the first filter of its kind."""
    first = {one.kind: one.origin for one in reversed(cloud.filters)}
    return tuple(_table(cloud, kind, first[kind]) for kind in FilterKind if kind in first)


def _table(cloud: Cloud, kind: FilterKind, whole: Origin) -> Table:
    chains: list[Chain] = []
    for inbound in (True, False):
        chains.append(_base_chain(cloud, kind, whole, inbound=inbound))
        filters = cloud.of_kind(kind)
        chains += (filter_chain(cloud, each, inbound=inbound) for each in filters)
    return Table(Family.INET, _TABLES[kind], {chain.name: chain for chain in chains}, whole)


def _base_chain(cloud: Cloud, kind: FilterKind, whole: Origin, *, inbound: bool) -> Chain:
    is_group = kind is FilterKind.GROUP
    rules = [Rule(whole, (RUNNING,), ALLOW, comment="answers")] if is_group else []
    if cloud.unfiltered and not (is_group and inbound):
        # They answer and open nothing; a group knows answers anyway.
        services = (_any_of(cloud.unfiltered, inbound), *((RUNNING,) if inbound else ()))
        rules.append(Rule(whole, services, ALLOW, comment="services that no filter concerns"))
    for one in cloud.of_kind(kind):
        rules += _calls(cloud, one, inbound=inbound)
    policy = DENY if is_group else ALLOW
    return Chain(
        way(inbound=inbound),
        tuple(rules),
        _HOOKS[inbound][0],
        _PRIORITIES.get((kind, inbound), 0),
        policy,
        whole,
        type="filter",
    )


RUNNING = Within(
    Field.CT_STATE, tuple((CT_STATES.index(name),) * 2 for name in ("established", "related"))
)


def _calls(cloud: Cloud, filter: Filter, *, inbound: bool) -> Iterator[Rule]:
    """Its chain is called for packets by the interfaces that it stands before."""
    call = Verdict(VerdictKind.JUMP, "jump", chain=f"{filter.id} {way(inbound=inbound)}")
    for name, inside in _places(cloud, filter):
        at = Interface(_HOOKS[inbound][1], name)
        beside = (AnyOf(_any_of(inside, inbound).alternatives, negated=True),) if inside else ()
        yield Rule(filter.origin, (at, *beside), call)


def _places(cloud: Cloud, filter: Filter) -> Iterator[tuple[str, tuple[IPNetwork, ...]]]:
    """Interfaces, and for an ACL the subnet that packets do not leave to come to each: inside of
    it no ACL is asked."""
    interfaces = cloud.interfaces_of(filter)
    if cloud.interfaces:
        for each in interfaces:
            subnet = cloud.subnet(each.subnet) if filter.kind is FilterKind.ACL else None
            yield each.id, subnet.prefixes if subnet else ()
    elif filter.kind is FilterKind.GROUP:
        yield filter.id, ()
    else:
        for name in filter.subnets or (filter.id,):
            subnet = cloud.subnet(name)
            yield name, subnet.prefixes if subnet else ()
