"""For each service port of a machine in a cloud, who gets through each layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.cloud_layers import LayerKind
from iptlint.analysis.cloud_path import CloudPath, Passing
from iptlint.analysis.cloud_sets import names_a_service
from iptlint.model import Field
from iptlint.model.cloud import Cloud, FilterKind
from iptlint.model.host import Listener
from iptlint.model.protocols import PROTOCOL_NUMBERS, TCP, UDP, echo_request, icmp_of
from iptlint.packets.intervals import ranges

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_MOST_RANGES = 8
"""A rule of the host for more ranges of ports is about no service."""


class ServicePorts(NamedTuple):
    """``ports`` is None for what has none: an echo request."""

    protocol: int
    ports: tuple[int, int] | None


class Cell(NamedTuple):
    """Who may get through one layer alone, and who does for certain. ``given``: something is known
    of it."""

    kind: LayerKind
    may: PacketSet
    sure: PacketSet
    given: bool


@dataclass(frozen=True, slots=True, eq=False)
class ServiceRow:
    """``asked``: all connections to the service; ``may`` and ``sure``: those that get through all
    layers."""

    service: ServicePorts
    asked: PacketSet
    cells: tuple[Cell, ...]
    may: PacketSet
    sure: PacketSet


def service_rows(
    cloud: Cloud, path: CloudPath, listeners: Iterable[Listener] | None = None
) -> Iterator[ServiceRow]:
    """A row for each service that some layer, or a program that listens, has a word for."""
    services = {*_of_filters(cloud, path), *_of_host(path), *_of_sockets(path, listeners or ())}
    services.add(ServicePorts(icmp_of(path.question.family), None))
    for service in sorted(services, key=lambda each: (each.ports or (-1, -1), each.protocol)):
        row = _row(path, service)
        if row is not None:
            yield row


def _row(path: CloudPath, service: ServicePorts) -> ServiceRow | None:
    asked = path.asked & _packets(path, service)
    if not asked.satisfiable():
        return None
    cells = tuple(
        Cell(
            row.layer.kind,
            asked & row.layer.passes,
            asked & row.layer.passes & ~row.layer.stops,
            row.passing is not Passing.NOT_GIVEN and row.layer.given,
        )
        for row in path.rows
        if row.layer.kind is not LayerKind.GROUPS_OUT
    )
    return ServiceRow(service, asked, cells, asked & path.may, asked & path.sure)


def _packets(path: CloudPath, service: ServicePorts) -> PacketSet:
    space = path.space
    packets = space.value(Field.PROTO, service.protocol)
    if service.ports is None:
        return packets & space.value(Field.ICMP_TYPE, echo_request(path.question.family))
    return packets & space.fields[Field.DPORT].within(*service.ports)


def _of_filters(cloud: Cloud, path: CloudPath) -> Iterator[ServicePorts]:
    """An ACL names ports for answers too, so only a few at a time are a service."""
    for one in cloud.filters_of(path.question.interface):
        for entry in one.inbound:
            traffic = entry.traffic
            if traffic is None or traffic.ports is None or traffic.ports == (0, 65535):
                continue
            known = entry.allows and (one.kind is FilterKind.GROUP or names_a_service(entry))
            if known and traffic.protocol in (TCP, UDP):
                yield ServicePorts(traffic.protocol or TCP, traffic.ports)


def _of_host(path: CloudPath) -> Iterator[ServicePorts]:
    space = path.space
    for row in path.rows:
        if row.layer.kind is not LayerKind.HOST_IN:
            continue
        for reason in row.layer.reasons:
            for protocol in (TCP, UDP) if reason.rule is not None and reason.passes else ():
                packets = reason.packets & space.value(Field.PROTO, protocol)
                ports = space.project(packets, Field.DPORT)
                port_ranges = [*ranges(ports, space.fields[Field.DPORT])]
                if len(port_ranges) <= _MOST_RANGES and port_ranges != [(0, 65535)]:
                    yield from (ServicePorts(protocol, each) for each in port_ranges)


def _of_sockets(path: CloudPath, listeners: Iterable[Listener]) -> Iterator[ServicePorts]:
    for one in listeners:
        if not one.is_local and path.question.family.value in one.families:
            yield ServicePorts(PROTOCOL_NUMBERS.get(one.protocol, TCP), (one.port, one.port))
