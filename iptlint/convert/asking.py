"""What a row of the tables of conversion is told, and what it may declare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from iptlint.dialects.iptables.extensions.row import GivenOption, Uses
from iptlint.dialects.nft.writing.tests import HAS_CONNECTION, Item, Lines, Of
from iptlint.dialects.nft.writing.values import identifier
from iptlint.model import Chain, Effect, Family, Match, Rule
from iptlint.model.sets import SavedSets

FULL_MASKS = ("255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
"""Of one address."""


@dataclass(slots=True)
class Meanings:
    """What several things of nft mean together that iptables has one word for.

    ``tests`` by the name of the set that is looked into or by their key, ``effects`` by the name of
    the set that is added to or of the chain that is called; ``words``: tests of iptables that ask
    one thing in several ways; ``rules``: what the kernel does with a rule, where its model does not
    say it all.
    """

    tests: dict[str, tuple[Match, ...]] = field(default_factory=dict)
    effects: dict[str, tuple[Effect, ...]] = field(default_factory=dict)
    words: dict[Match, Match] = field(default_factory=dict)
    rules: dict[Rule, tuple[Rule, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Declarations:
    """The sets and objects of one table of nft: ``bodies`` by kind and name, each a line."""

    bodies: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    meanings: Meanings = field(default_factory=lambda: Meanings())
    names: dict[object, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def declare(self, kind: str, wanted: str, key: object, body: Sequence[str]) -> str:
        """The name under which it is declared; equal keys are one thing."""
        known = self.names.get((kind, key))
        if known is None:
            known = self.names[kind, key] = identifier(wanted, self.taken)
            self.bodies[kind, known] = tuple(body)
        return known


@dataclass(frozen=True, slots=True)
class Ring:
    """How often an address has to have been noted, and in how many seconds; None: ever."""

    hits: int
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A list of ``recent``, as the rules of a table ask for it. ``odd``: why nft has no sets for
    it."""

    side: str
    mask: str
    rings: tuple[Ring, ...]
    odd: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """Of the rule that is converted: its family, its protocol where ``-p`` names one, its table and
    its chain; what is known of ipsets and of the lists of ``recent``, and where sets and objects
    are declared. ``joint``: it becomes one of a table of both families. ``tracked``: it stands
    behind connection tracking."""

    family: Family
    protocol: int | None
    table: str
    chain: Chain
    declarations: Declarations
    sets: SavedSets | None
    recents: Mapping[str, Seen] = field(default_factory=dict)
    joint: bool = False
    tracked: bool = False

    @property
    def of(self) -> Of:
        return Of(self.family, self.protocol)

    @property
    def ip(self) -> str:
        """nft's word for the header of the family."""
        return str(self.family.value)

    @property
    def to_family(self) -> str:
        """In a table of both families, a translation names the one of its addresses."""
        return f"{self.ip} " if self.joint else ""

    @property
    def address_type(self) -> str:
        return "ipv4_addr" if self.family is Family.IP else "ipv6_addr"


Tests = Callable[[Uses, Asking], Lines]
"""What all options of a match test together."""
Test = Callable[[GivenOption, Asking], Lines]
"""What one option tests."""

Joint = Mapping[str, Tests]
Single = Mapping[tuple[str, str], Test]

CONNECTED = frozenset((HAS_CONNECTION,))


def line(text: str, *says: Match) -> Lines:
    return ((Item(text, frozenset(says)),),)


def compared(selector: str, value: str, *says: Match, negated: bool = False) -> Lines:
    return line(f"{selector} {'!= ' * negated}{value}", *says)


# -- what is done ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """What nft does with a packet, in its words; none where it does nothing. ``instead``: what
    becomes of the packets for which the words break the rule off."""

    words: str
    instead: str = ""


Target = Callable[[Uses, Asking, Sequence[Effect]], Done]
"""A row: the options of the target, and what the model says it writes."""
Targets = Mapping[str, Target]
