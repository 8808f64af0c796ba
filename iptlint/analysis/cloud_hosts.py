"""Where the firewalls of a cloud and that of a machine in it do not say the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.cloud_layers import LayerKind, Reason, groups_of
from iptlint.analysis.cloud_path import CloudPath, PathQuestion, cloud_path
from iptlint.analysis.cloud_routes import internet
from iptlint.analysis.cloud_sets import FAMILIES, names_a_service
from iptlint.analysis.host_layers import HostFirewall, interface_of
from iptlint.analysis.services import SERVICES, Service
from iptlint.analysis.session import Context
from iptlint.memo import memo
from iptlint.model import Family, Field, Rule, Ruleset
from iptlint.model.cloud import Cloud, FilterEntry, NetInterface
from iptlint.model.cloud_chains import EVERYBODY, rule_of
from iptlint.model.host_addresses import HostAddresses, known_of, shown_by
from iptlint.model.protocols import PORT_PROTOCOLS
from iptlint.model.writes import Writes
from iptlint.netfilter.packet_group import Decision
from iptlint.packets.bdd import union
from iptlint.packets.intervals import count
from iptlint.packets.match import Matcher

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_FEW_PORTS = 64
_IN_THE_CLOUD = (LayerKind.ROUTE, LayerKind.ACL_IN, LayerKind.GROUPS_IN)
_FILTERS = (LayerKind.ACL_IN, LayerKind.GROUPS_IN)


class Machine(NamedTuple):
    """The rules of a host and the interface of the cloud that they are behind, with everybody's
    connections to it."""

    ruleset: Ruleset
    interface: NetInterface
    path: CloudPath

    @property
    def family(self) -> Family:
        return self.path.question.family

    def passes(self, *kinds: LayerKind) -> PacketSet:
        """What all of these layers may let through."""
        packets = self.path.asked
        for row in self.path.rows:
            if row.layer.kind in kinds:
                packets = packets & row.layer.passes
        return packets

    def given(self, *kinds: LayerKind) -> bool:
        rows = [row for row in self.path.rows if row.layer.kind in kinds]
        return len(rows) == len(kinds) and all(row.layer.given for row in rows)

    def host_reasons(self) -> tuple[Reason, ...]:
        rows = [row for row in self.path.rows if row.layer.kind is LayerKind.HOST_IN]
        return rows[0].layer.reasons if rows else ()


@memo
def machines(context: Context) -> tuple[Machine, ...]:
    """One for each family of each ruleset, where it is clear which machine has it: the one with an
    address that the host is known to have, or the only one; with one interface."""
    if context.cloud is None:
        return ()
    return tuple(_machines(context, context.cloud))


def _machines(context: Context, cloud: Cloud) -> Iterator[Machine]:
    facts = context.host.facts if context.host is not None else None
    for ruleset in context.rulesets:
        known = known_of(facts) if facts is not None else None
        addresses = known or shown_by(ruleset)
        interface = _interface(cloud, addresses)
        if interface is not None:
            networks = tuple(map(ip_network, interface.addresses))
            if not addresses.complete:
                addresses = replace(addresses, own=networks, complete=True)
            yield from _of_each_family(cloud, ruleset, interface, addresses)


def _of_each_family(
    cloud: Cloud, ruleset: Ruleset, interface: NetInterface, addresses: HostAddresses
) -> Iterator[Machine]:
    for family, everybody in zip(FAMILIES, EVERYBODY, strict=True):
        own = [each for each in interface.addresses if each.version == everybody.version]
        if own and ruleset.sees(family):
            host = HostFirewall(ruleset, addresses, interface_of(addresses, own[0]))
            question = PathQuestion(interface, own[0], (everybody,))
            yield Machine(ruleset, interface, cloud_path(cloud, question, host, in_short))


def in_short(decision: Decision | None) -> str:
    """``line 9``, ``the policy of INPUT``."""
    if decision is None:
        return "no chain at all"
    if decision.rule is None:
        return f"the policy of {decision.chain.name}"
    return f"line {decision.span.line}"


def _interface(cloud: Cloud, addresses: HostAddresses) -> NetInterface | None:
    of_machines = [each for each in cloud.interfaces if each.instance is not None]
    own = [
        each for each in of_machines if any(addresses.has(ip_network(a)) for a in each.addresses)
    ]
    machines = {each.instance for each in own or of_machines}
    several = [each for each in of_machines if each.instance in machines]
    return several[0] if len(machines) == 1 and len(several) == 1 else None


# -- what is open at one side only ------------------------------------------------------------


class Refused(NamedTuple):
    """An entry of a group whose packets come to the host, which turns all of them away."""

    machine: Machine
    entry: FilterEntry
    by: Reason


def refused_openings(context: Context) -> Iterator[Refused]:
    for machine in machines(context):
        cloud = context.cloud
        assert cloud is not None
        coming = machine.passes(*_IN_THE_CLOUD)
        host = machine.passes(LayerKind.HOST_IN)
        for group in groups_of(cloud, machine.interface.groups) or ():
            for entry in filter(names_a_service, group.inbound):
                packets = _packets(machine, cloud, entry) & coming
                if packets.satisfiable() and not (packets & host).satisfiable():
                    by = next(
                        (
                            reason
                            for reason in machine.host_reasons()
                            if not reason.passes and (reason.packets & packets).satisfiable()
                        ),
                        None,
                    )
                    if by is not None:
                        yield Refused(machine, entry, by)


def _packets(machine: Machine, cloud: Cloud, entry: FilterEntry) -> PacketSet:
    matches = rule_of(cloud, entry, inbound=True).matches
    return Matcher(machine.path.space, Writes()).all_of(matches, machine.path.asked).may


class Unreached(NamedTuple):
    """A rule of the host for some ports that no packet of the cloud comes to."""

    machine: Machine
    rule: Rule
    packets: PacketSet


def unreached_rules(context: Context) -> Iterator[Unreached]:
    for machine in machines(context):
        if not machine.given(*_FILTERS):
            continue
        coming = machine.passes(*_FILTERS)
        for rule, packets in _port_rules(machine):
            if not (packets & coming).satisfiable():
                yield Unreached(machine, rule, packets)


def _port_rules(machine: Machine) -> Iterator[tuple[Rule, PacketSet]]:
    """The rules that accept packets to a few ports, and the packets."""
    space = machine.path.space
    with_ports = union([space.value(Field.PROTO, p) for p in PORT_PROTOCOLS], space.false)
    by_rule: dict[Rule, PacketSet] = {}
    for reason in machine.host_reasons():
        if reason.passes and reason.rule is not None:
            known = by_rule.get(reason.rule, space.false)
            by_rule[reason.rule] = known | reason.packets
    for rule, packets in by_rule.items():
        ports = space.project(packets & with_ports, Field.DPORT)
        only = not (packets & ~with_ports).satisfiable()
        if only and count(ports, space.fields[Field.DPORT]) <= _FEW_PORTS:
            yield rule, packets


class HeldByOne(NamedTuple):
    """A rule of the host that opens services to the internet, from which one layer alone holds it
    back."""

    machine: Machine
    rule: Rule
    services: tuple[tuple[Service, int], ...]
    layer: LayerKind
    packets: PacketSet


def held_by_one(context: Context) -> Iterator[HeldByOne]:
    for machine in machines(context):
        if not machine.given(*_FILTERS):
            continue
        world = internet(machine.path.space, machine.family)
        for rule, packets in _port_rules(machine):
            services = tuple(_services(machine, packets & world))
            holding = [
                kind
                for kind in _FILTERS
                if not (packets & world & machine.passes(kind)).satisfiable()
            ]
            routed = (packets & world & machine.passes(LayerKind.ROUTE)).satisfiable()
            if services and routed and len(holding) == 1 and _from_all(machine, packets, world):
                yield HeldByOne(machine, rule, services, holding[0], packets & world)


def _from_all(machine: Machine, packets: PacketSet, world: PacketSet) -> bool:
    """Whether every address of the internet is among the sources."""
    space, field = machine.path.space, machine.family.saddr
    asked = space.project(machine.path.asked & world, field)
    return not (asked & ~space.project(packets & world, field)).satisfiable()


def _services(machine: Machine, packets: PacketSet) -> Iterator[tuple[Service, int]]:
    space = machine.path.space
    for service in SERVICES:
        protocols = union([space.value(Field.PROTO, p) for p in service.protocols], space.false)
        for port in service.ports:
            if (packets & protocols & space.value(Field.DPORT, port)).satisfiable():
                yield service, port
