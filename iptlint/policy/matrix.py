"""Who reaches which service, as a table: a row a zone, a column a service; each cell says where
hosts or families differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iptlint.model import IP_VERSIONS, Family
from iptlint.policy.access import Access, Got, Table
from iptlint.policy.found import Found, found_in
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.services import Service
from iptlint.policy.tests import BOTH, PolicyFile
from iptlint.policy.zones import HOST, INTERNET, Zone


@dataclass(frozen=True, slots=True)
class CellPart:
    """What one host says over one family."""

    host: str
    family: Family
    access: Access
    which: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One part for each host and family that has such packets; none where no family has."""

    parts: tuple[CellPart, ...]

    @property
    def differs(self) -> bool:
        """Whether not all say the same."""
        return len({part.access for part in self.parts}) > 1

    @property
    def access(self) -> Access | None:
        """What all say; where they differ, the most that one lets in."""
        order = [*Access]
        return min((part.access for part in self.parts), key=order.index, default=None)


@dataclass(frozen=True, slots=True)
class Row:
    zone: Zone
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """``target``: where to; ``rows``: a cell each for each of the ``services``. ``notes``: what was
    left out."""

    target: str
    services: tuple[Service, ...]
    rows: tuple[Row, ...]
    hosts: tuple[str, ...]
    families: tuple[Family, ...]
    notes: tuple[str, ...] = ()


def matrix_of(
    hosts: Sequence[PolicyHost], policy: PolicyFile | None = None, target: Zone | None = None
) -> Matrix:
    """Of the zones and services of the policy, or, where it has none, of those that the rules
    name. ``target``: where to, this host and what it hands on by translation where it is None."""
    asked = _asked(hosts, policy)
    tables: list[tuple[str, Table]] = []
    notes = [*_left_out(asked), *(note for host in hosts for note in host.notes)]
    for host in hosts:
        for family in policy.families if policy else BOTH:
            firewalls = host.firewalls(family)
            if not firewalls:
                notes.append(_without(host, family))
            tables += (
                (host.name, Table(hooks, asked.zones, asked.services, target))
                for hooks in firewalls
            )
    rows = tuple(_row(zone, asked.services, tables) for zone in asked.zones)
    families = tuple(dict.fromkeys(table.hooks.family for _, table in tables))
    name = target.name if target else HOST.name
    hosts_named = tuple(dict.fromkeys(host.name for host in hosts))
    return Matrix(name, asked.services, rows, hosts_named, families, tuple(notes))


def _asked(hosts: Sequence[PolicyHost], policy: PolicyFile | None) -> Found:
    """What a test file names comes before what the rules do."""
    if policy is None:
        return found_in(hosts)
    zones = tuple(policy.zones.values())
    if not any(zone.name == INTERNET.name for zone in zones):
        zones = (INTERNET, *zones)
    named = (test.service for test in policy.tests)
    services = {service.name: service for service in (*policy.services.values(), *named)}
    services.pop("any", None)
    return Found(zones, tuple(services.values()) or found_in(hosts).services)


def _left_out(found: Found) -> list[str]:
    zones, services = found.left_out
    what = [f"{zones} zones"] * bool(zones) + [f"{services} services"] * bool(services)
    if not what:
        return []
    return [f"{' and '.join(what)} that rules name are left out; choose them with --tests"]


def _without(host: PolicyHost, family: Family) -> str:
    version = IP_VERSIONS[family]
    if host.is_open(family):
        return f"{host.name}: there are no rules for {version}, so all of it is let through"
    return f"{host.name}: no rules for {version} were given"


def _row(zone: Zone, services: Sequence[Service], tables: Sequence[tuple[str, Table]]) -> Row:
    return Row(zone, tuple(_cell(zone, service, tables) for service in services))


def _cell(zone: Zone, service: Service, tables: Sequence[tuple[str, Table]]) -> Cell:
    got = ((host, table, table.got(zone, service)) for host, table in tables)
    return Cell(
        tuple(
            CellPart(host, table.hooks.family, each.access, each.which)
            for host, table, each in got
            if isinstance(each, Got)
        )
    )
