"""What a lint rule says of itself, and what it is given to work on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Ruleset, Table
from iptlint.netfilter.walk import Walk
from iptlint.packets.packet import Packet
from iptlint.source import Span


class Group(Enum):
    """The groups of the catalogue, by the first digit of a code."""

    READING = "reading"
    REACHABILITY = "reachability"
    STATE = "connection state"
    LOCKOUT = "lockout"
    PERSISTENCE = "persistence"
    SCALE = "scale"
    EXPOSURE = "exposure"
    IPV6 = "ipv6"
    NAT = "nat and containers"
    HYGIENE = "logging and hygiene"


@dataclass(frozen=True, slots=True)
class Meta:
    """``severity`` is the default; a finding may carry a graver or milder one.

    ``references`` are ids of benchmarks (CIS, STIG) that ask for the same.
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    group: Group
    since: str
    fixable: bool = False
    references: tuple[str, ...] = ()

    def finding(
        self,
        span: Span,
        message: str,
        help: str = "",
        *,
        related: tuple[Label, ...] = (),
        witness: Packet | None = None,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
    ) -> Finding:
        return Finding(
            self.code,
            severity or self.severity,
            span,
            message,
            help,
            related,
            witness,
            confidence or self.confidence,
            self.fixable,
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user may say that changes what is a finding."""

    ssh_ports: tuple[int, ...] = (22,)
    management_networks: tuple[IPv4Network | IPv6Network, ...] = ()


class Context:
    """All rulesets of this run (one a source) and the settings; analyses are made once."""

    def __init__(self, rulesets: tuple[Ruleset, ...], settings: Settings) -> None:
        self.rulesets = rulesets
        self.settings = settings
        self._walks: dict[int, Walk] = {}

    def walk(self, ruleset: Ruleset, table: Table) -> Walk:
        if id(table) not in self._walks:
            self._walks[id(table)] = Walk(ruleset, table)
        return self._walks[id(table)]

    def walks(self) -> Iterator[Walk]:
        """The analysis of every table of every ruleset."""
        for ruleset in self.rulesets:
            for table in ruleset.tables:
                yield self.walk(ruleset, table)

    def filter_walks(self) -> Iterator[Walk]:
        """Those of the filter tables, where a host decides what it lets in."""
        return (walk for walk in self.walks() if walk.table.name == "filter")
