"""What a lint rule says of itself, and what it is given to work on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Family, Ruleset
from iptlint.model.host import Host
from iptlint.model.sets import SavedSets
from iptlint.netfilter.path import Path
from iptlint.netfilter.stack import Stack
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

    ``pedantic``: few want to know; off unless it is selected or the profile is strict. Which
    benchmarks ask for the same is told in ``benchmark.table``.
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    group: Group
    since: str
    fixable: bool = False
    pedantic: bool = False

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
        likeness: str = "",
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
            likeness,
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user may say that changes what is a finding."""

    ssh_ports: tuple[int, ...] = (22,)
    management_networks: tuple[IPv4Network | IPv6Network, ...] = ()


class Context:
    """All rulesets of this run (one a source) and the settings; analyses are made once.

    ``sets``: the ipsets that the sources make; None where no source is a list of sets.
    ``host``: what else is known of the host that the rulesets are of.
    """

    def __init__(
        self,
        rulesets: tuple[Ruleset, ...],
        settings: Settings,
        sets: SavedSets | None = None,
        host: Host | None = None,
    ) -> None:
        self.rulesets = rulesets
        self.settings = settings
        self.sets = sets
        self.host = host
        self._stacks: dict[int, Stack] = {}
        self._paths: dict[tuple[int, Family], Path] = {}

    def stack(self, ruleset: Ruleset) -> Stack:
        if id(ruleset) not in self._stacks:
            self._stacks[id(ruleset)] = Stack(ruleset)
        return self._stacks[id(ruleset)]

    def walks(self) -> Iterator[Walk]:
        """The analysis of every table of every ruleset."""
        for ruleset in self.rulesets:
            yield from self.stack(ruleset).walks()

    def path(self, ruleset: Ruleset, family: Family) -> Path | None:
        """What becomes of packets of the family (ip or ip6); None where no table sees any."""
        if not ruleset.sees(family):
            return None
        key = id(ruleset), family
        if key not in self._paths:
            facing = self.host.facts.facing() if self.host else {}
            self._paths[key] = Path(self.stack(ruleset), family, facing)
        return self._paths[key]

    def paths(self) -> Iterator[Path]:
        """Those of every ruleset, for ip and for ip6."""
        for ruleset in self.rulesets:
            for family in (Family.IP, Family.IP6):
                if path := self.path(ruleset, family):
                    yield path
