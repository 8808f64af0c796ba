"""What a lint rule says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from iptlint.findings import Confidence, Finding, Label, Severity
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
