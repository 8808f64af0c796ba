"""All tables of a ruleset over one space, in the order the kernel asks their base chains."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial

from iptlint.model import Chain, Family, Hook, Ruleset, Table
from iptlint.netfilter.station import Station
from iptlint.netfilter.walk import Walk
from iptlint.packets.matcher import (
    CONNTRACK_FIELDS,
    Changes,
    Matcher,
    changed_by,
    changed_on_the_way,
    reads_conntrack,
)
from iptlint.packets.space import Space

_CONNTRACK_PRIORITY = -200  # NF_IP_PRI_CONNTRACK, linux/netfilter_ipv4.h

_LAYERS = {
    Family.ARP: "arp",
    Family.BRIDGE: "bridge",
    Family.NETDEV: "netdev",
}


class Stack:
    """One ruleset. Its tables are walked when they are asked for.

    ``space`` is one that several rulesets share, where their packets are to be compared.
    """

    def __init__(self, ruleset: Ruleset, space: Space | None = None) -> None:
        self.ruleset = ruleset
        self.space = space or space_of(ruleset)
        self._sets = changed_by(rule for _, _, rule in ruleset.rules()).sets
        self._walks: dict[int, Walk] = {}
        self._stations: dict[int, Station] = {}

    def walk(self, table: Table) -> Walk:
        if id(table) not in self._walks:
            fields = changed_on_the_way(rule for _, rule in table.rules()).fields
            if any(map(is_early, table.base_chains())):
                fields |= CONNTRACK_FIELDS
            matcher = Matcher(self.space, Changes(fields, self._sets))
            before = partial(self.before, table)
            self._walks[id(table)] = Walk(self.ruleset, table, matcher, before)
        return self._walks[id(table)]

    def walks(self) -> Iterator[Walk]:
        return map(self.walk, self.ruleset.tables)

    @cached_property
    def _bases(self) -> dict[tuple[str, Hook], list[tuple[Table, Chain]]]:
        bases: dict[tuple[str, Hook], list[tuple[Table, Chain]]] = {}
        for table in self.ruleset.tables:
            for chain in table.base_chains():
                if chain.hook is not None:
                    bases.setdefault((_layer(table.family), chain.hook), []).append((table, chain))
        for several in bases.values():
            several.sort(key=lambda base: base[1].priority or 0)
        return bases

    def stations(self, family: Family, hook: Hook) -> tuple[Station, ...]:
        """Where the packets that a table of the family sees stop at the hook, in order."""
        seen = {*family.packets}
        bases = self._bases.get((_layer(family), hook), ())
        return tuple(
            self._station(table, chain) for table, chain in bases if seen & {*table.family.packets}
        )

    def _station(self, table: Table, chain: Chain) -> Station:
        if id(chain) not in self._stations:
            self._stations[id(chain)] = Station(self.walk(table), chain)
        return self._stations[id(chain)]

    def before(self, table: Table, chain: Chain) -> tuple[Station, ...]:
        """Where packets stop before they enter the base chain."""
        if chain.hook is None:
            return ()
        stations = self.stations(table.family, chain.hook)
        number = next(i for i, station in enumerate(stations) if station.chain is chain)
        return tuple(station for station in stations[:number] if not station.is_open)


def space_of(*rulesets: Ruleset) -> Space:
    """One that tells packets apart as finely as the rules of all the rulesets do."""
    tables = [table for ruleset in rulesets for table in ruleset.tables]
    families = dict.fromkeys(family for table in tables for family in table.family.packets)
    tests = (match for table in tables for _, rule in table.rules() for match in rule.matches)
    return Space(tuple(families), tuple(tests), defragmented=any(map(_defragments, rulesets)))


def is_early(chain: Chain) -> bool:
    """Whether the chain comes before connection tracking, so that it sees no connection yet."""
    tracked = chain.hook in (Hook.PREROUTING, Hook.OUTPUT)
    return tracked and chain.priority is not None and chain.priority <= _CONNTRACK_PRIORITY


def _layer(family: Family) -> str:
    """Chains of ip, ip6 and inet tables stand in one line; the other families are apart."""
    return _LAYERS.get(family, "inet")


def _defragments(ruleset: Ruleset) -> bool:
    """Whether connections are tracked: a rule asks for one, or a chain translates. Packets at
    an ingress hook come before that."""
    chains = [chain for table in ruleset.tables for chain in table.base_chains()]
    if any(chain.hook in (Hook.INGRESS, Hook.EGRESS) for chain in chains):
        return False
    translates = any(
        chain.type == "nat" and any(table.rules())
        for table in ruleset.tables
        for chain in table.base_chains()
    )
    return translates or any(reads_conntrack(rule.matches) for _, _, rule in ruleset.rules())
