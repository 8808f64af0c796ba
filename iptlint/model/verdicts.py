"""What a rule does with the packets it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from iptlint.model.matches import Field, HostName, SetLookup


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

    __hash__ = object.__hash__  # as that of Field

    @property
    def terminates(self) -> bool:
        """No further rule of the base chain sees the packet: a terminating target."""
        return self in _TERMINATING

    @property
    def goes_on(self) -> bool:
        """The packet goes on to the rules that follow, here or where the chain was called."""
        return self in _GOING_ON

    @property
    def decides(self) -> bool:
        """It lets a packet through or it does not, and nothing else."""
        return self is VerdictKind.ACCEPT or self.denies

    @property
    def denies(self) -> bool:
        """The packet gets no further, with or without an answer."""
        return self in _DENYING

    @property
    def passes(self) -> bool:
        """The packet leaves the base chain for the next one, perhaps translated."""
        return self in _PASSING

    @property
    def may_deny(self) -> bool:
        """The packet may get no further: a program or an unknown target may drop it."""
        return self.denies or self in _UNSETTLED

    @property
    def may_pass(self) -> bool:
        """The packet may go on to the next base chain: a program or an unknown target may let
        it."""
        return self.passes or self in _UNSETTLED


_DENYING = (VerdictKind.DROP, VerdictKind.REJECT)
_PASSING = (VerdictKind.ACCEPT, VerdictKind.NAT)
_GOING_ON = (VerdictKind.CONTINUE, VerdictKind.RETURN)
_UNSETTLED = (VerdictKind.QUEUE, VerdictKind.UNKNOWN)
_TERMINATING = (*_DENYING, *_PASSING, VerdictKind.QUEUE)


class EffectKind(Enum):
    LOG = "log"
    WRITE = "write"  # changes a field of the packet or its connection
    SET = "set"  # adds to or deletes from a set
    NOTRACK = "notrack"
    ZONE = "zone"  # looks for the packet's connection in another zone of conntrack


@dataclass(frozen=True, slots=True)
class Choice:
    """What the kernel takes the value from: the numbers from ``low`` to ``high``, or where these
    are None the addresses of the interface at hand. ``base``: which number becomes the lowest, each
    next one the next; without it any may become any."""

    low: int | None = None
    high: int | None = None
    base: int | None = None


INTERFACE_ADDRESS = Choice()


@dataclass(frozen=True, slots=True)
class Effect:
    """Something done on the way. For WRITE, ``field`` says what changes; with ``value``
    and ``mask`` known, ``field = field & ~mask ^ value``; with a ``source`` too, what is
    flipped is ``source & value``. ``added`` is what a number grows by, or shrinks. Where the
    kernel chooses the value, ``choice`` says from what. For SET, ``name`` is the set, and
    ``counts`` says that it notes each time it is done; for ZONE, ``value`` is its number, if it is
    known; for LOG, ``name`` is the prefix, and ``to_program`` says that a program gets it, not the
    log of the kernel."""

    kind: EffectKind
    field: Field | None = None
    mask: int | None = None
    value: int | None = None
    name: str | None = None
    source: Field | None = None
    to_program: bool = False
    choice: Choice | None = None
    added: int | None = None
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """``name`` is the target in netfilter's words (``ACCEPT``, ``DNAT``, a chain's name);
    ``chain`` is set for JUMP and GOTO; ``options`` is the rest, normalised. ``needs``: what has
    to be there, or is looked up, when the rule is loaded. ``words``: what it does, in words that
    all languages share, where kind and effects do not say it all."""

    kind: VerdictKind
    name: str
    chain: str | None = None
    options: str = ""
    needs: tuple[SetLookup | HostName, ...] = field(default=(), compare=False, repr=False)
    words: str = field(default="", compare=False, repr=False)

    @property
    def meaning(self) -> str:
        """Equal where verdicts do the same, however they are written."""
        return self.words or f"{self.name} {self.options}".rstrip()


CONTINUE = Verdict(VerdictKind.CONTINUE, "")
