"""What a rule does with the packets it takes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from iptlint.model.matches import Field


class VerdictKind(Enum):
    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    QUEUE = "queue"  # decided elsewhere
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"
    NAT = "nat"  # ends the nat table with the packet rewritten
    CONTINUE = "continue"  # LOG, MARK, a rule without a target …
    UNKNOWN = "unknown"  # a target nobody knows: may do anything

    @property
    def ends_walk(self) -> bool:
        """Whether a packet that gets this verdict leaves the base chain's walk."""
        return self in _TERMINAL


_TERMINAL = {
    VerdictKind.ACCEPT,
    VerdictKind.DROP,
    VerdictKind.REJECT,
    VerdictKind.QUEUE,
    VerdictKind.NAT,
}


class EffectKind(Enum):
    LOG = "log"
    WRITE = "write"  # changes a field of the packet or its connection
    SET = "set"  # adds to or deletes from a set
    NOTRACK = "notrack"


@dataclass(frozen=True, slots=True)
class Effect:
    """Something done on the way. For WRITE, ``field`` says what changes; with ``value``
    and ``mask`` known, ``field = field & ~mask ^ value``; with a ``source`` too, what is
    flipped is ``source & value``. For SET, ``name`` is the set; for LOG, the prefix."""

    kind: EffectKind
    field: Field | None = None
    mask: int | None = None
    value: int | None = None
    name: str | None = None
    source: Field | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """``name`` is the target in netfilter's words (``ACCEPT``, ``DNAT``, a chain's name);
    ``chain`` is set for JUMP and GOTO; ``options`` is the rest, normalised."""

    kind: VerdictKind
    name: str
    chain: str | None = None
    options: str = ""


CONTINUE = Verdict(VerdictKind.CONTINUE, "")
