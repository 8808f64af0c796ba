"""What a lint rule says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from iptlint.findings import Cause, Confidence, Finding, Label, Severity, Telling
from iptlint.findings.fix import Fix
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
    CLOUD = "clouds"


class Needs(Enum):
    """What a host has to have or do; a rule that needs it has nothing to say of one without."""

    SSH = "a listening SSH server"
    IPV6 = "IPv6"
    FORWARDING = "forwarding, for what the rule says of the forward hook"


@dataclass(frozen=True, slots=True)
class Meta:
    """``severity`` is the default; a finding may carry a graver or milder one.

    ``pedantic``: few want to know; off unless it is selected or the profile is strict. Which
    benchmarks ask for the same is in ``benchmark.table``. ``about_files``: about a text that
    someone keeps and loads; what a command prints is none. ``unfinished``: it says that some of
    the work was not done, which ``select`` does not silence, only ``ignore``. ``yields_to``: the
    rules whose finding of the same cause takes the place of this rule's. ``leaves_to``: the rules
    that report what this one leaves out by itself, each with why dropping a finding would not do.
    ``fixable``: some of its findings propose an edit.
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    group: Group
    since: str
    fixable: bool = False
    pedantic: bool = False
    about_files: bool = False
    needs: Needs | None = None
    unfinished: bool = False
    yields_to: tuple[str, ...] = ()
    leaves_to: Mapping[str, str] = field(default_factory=dict)

    @property
    def about_clouds(self) -> bool:
        """Whether it looks at the network of a cloud; a text may tell of nothing else."""
        return self.group is Group.CLOUD

    def finding(
        self,
        span: Span,
        message: str,
        advice: str = "",
        *,
        related: tuple[Label, ...] = (),
        witness: Packet | None = None,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        likeness: str = "",
        causes: tuple[Cause, ...] = (),
        fix: Fix | None = None,
        later: Callable[[], Telling] | None = None,
    ) -> Finding:
        """``advice``: what to do where no edit is proposed, which would say it itself."""
        return Finding(
            self.code,
            severity or self.severity,
            span,
            message,
            advice if fix is None else fix.otherwise,
            related,
            witness,
            confidence or self.confidence,
            fix,
            likeness,
            causes,
            self.name,
            later=None if later is None else cache(later),
        )
