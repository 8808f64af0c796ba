"""A finding: one cause, its evidence, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from iptlint.model import Chain, Family, Hook, Rule, Ruleset
from iptlint.packets.packet import Packet
from iptlint.source import Span


class Severity(Enum):
    """How grave a finding is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the gravest."""
        return list(Severity).index(self)


class Confidence(Enum):
    """Whether a finding is proved."""

    CERTAIN = "certain"
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True)
class Label:
    """A related place and what it has to do with the finding."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What of a ruleset is at fault: one part of it, or what becomes of the packets of a family (at
    a hook, or, where that is None, on their whole way)."""

    ruleset: Ruleset
    family: Family | None = None
    hook: Hook | None = None
    part: Chain | Rule | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """``message`` says what happens, to which packets, because of what; ``help`` what to do.

    ``likeness``: findings of one code and one source with the same likeness are reported as one
    where they are many; empty for a finding that stands for itself. ``causes``: where another
    rule may have a finding of the same cause.
    """

    code: str
    severity: Severity
    span: Span
    message: str
    help: str = ""
    related: tuple[Label, ...] = ()
    witness: Packet | None = None
    confidence: Confidence = Confidence.CERTAIN
    fixable: bool = False
    likeness: str = ""
    causes: tuple[Cause, ...] = ()
