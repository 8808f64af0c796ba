"""A finding: one cause, its evidence, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from enum import Enum

from iptlint.findings.fix import Fix
from iptlint.model import Chain, Family, Hook, Rule, Ruleset
from iptlint.packets.packet import Packet
from iptlint.source import Span

_CONTINUED = re.compile(r"(?<!\s)\s*\\\n\s*")
"""Where a command goes on in the next line."""


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


def page_of(code: str) -> str:
    """Where a rule is explained."""
    return f"https://iptlint.readthedocs.io/en/latest/rules/{code}/"


def place_of(span: Span) -> dict[str, object]:
    """Where a span is, as the JSON contract has it."""
    return {
        "path": span.source.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


@dataclass(frozen=True, slots=True)
class Telling:
    """What a finding says that is dear to work out; ``related`` behind the places that it names."""

    message: str
    witness: Packet | None = None
    related: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """``message`` says what happens, to which packets, because of what; ``advice`` what somebody
    may do by hand: where there is a ``fix``, in its place.

    ``likeness``: findings of one code and one source with the same likeness are reported as one
    where they are many; empty for a finding that stands for itself. ``causes``: where another
    rule may have a finding of the same cause. ``name``: what the rule is called. ``fingerprint``:
    what stays the same when lines move; empty until a report is made. ``later``: what works out a
    message that says more, and a packet, for the few findings that are shown; the others are told
    as one with those.
    """

    code: str
    severity: Severity
    span: Span
    message: str
    advice: str = ""
    related: tuple[Label, ...] = ()
    witness: Packet | None = None
    confidence: Confidence = Confidence.CERTAIN
    fix: Fix | None = None
    likeness: str = ""
    causes: tuple[Cause, ...] = ()
    name: str = ""
    fingerprint: str = ""
    later: Callable[[], Telling] | None = field(default=None, compare=False)

    def told(self) -> Finding:
        """The finding with all that it says."""
        if self.later is None:
            return self
        telling = self.later()
        related = (*self.related, *telling.related)
        return replace(
            self, message=telling.message, witness=telling.witness, related=related, later=None
        )

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it stands; a file that was read twice is two sources, but one place."""
        return self.span.source.path, self.span.start, self.span.end

    @property
    def fixable(self) -> bool:
        """Whether an edit is proposed; whether it holds is proved when it is applied."""
        return self.fix is not None

    @property
    def to_do(self) -> tuple[str, ...]:
        """What the edit does that is proposed, and what is mere advice: nobody has proved that."""
        edit = (f"help: {self.fix.says}",) if self.fix else ()
        advice = (f"advice: {self.advice}",) if self.advice else ()
        return tuple(_CONTINUED.sub(" ", each) for each in (*edit, *advice))

    @property
    def help(self) -> str:
        """All there is to do, on one line."""
        return "; ".join(self.to_do).removeprefix("help: ")

    @property
    def url(self) -> str:
        """Where the rule is explained."""
        return page_of(self.code)

    def to_dict(self) -> dict[str, object]:
        """As the JSON contract has it."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity.value,
            "confidence": self.confidence.value,
            **place_of(self.span),
            "message": self.message,
            "help": self.help or None,
            "url": self.url,
            "related": [{**place_of(r.span), "message": r.message} for r in self.related],
            "witness": asdict(self.witness) if self.witness else None,
            "fixable": self.fixable,
            "fingerprint": self.fingerprint,
        }

    def __repr__(self) -> str:
        place = f"{self.span.source.path}:{self.span.line}:{self.span.column}"
        return f"<Finding {self.code} {self.severity.value} {place}: {self.message[:60]}>"
