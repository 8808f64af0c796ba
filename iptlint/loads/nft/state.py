"""The kernel's tables while the commands of a file are carried out on trial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering.hook_restrictions import Place
from iptlint.model import Family

Key = tuple[Family, str]
Interval = tuple[int, int]

SETS = ("set", "map")
CONTENTS = (*SETS, "meter")
"""Kinds of commands that are about a set."""
OBJECTS = (
    *("counter", "quota", "limit", "secmark", "synproxy", "tunnel", "flowtable"),
    *("ct helper", "ct timeout", "ct expectation"),
)


@dataclass(frozen=True, slots=True)
class Jump:
    """A rule, or an element of a verdict map, that sends packets to a chain."""

    target: str
    node: t.Node
    context: BlockContext


@dataclass(frozen=True, slots=True)
class PlacedStatement:
    """A statement, or a selector, that works in some chains only; ``word`` is what to call it."""

    word: str
    place: Place
    node: t.Node
    context: BlockContext


@dataclass(slots=True, eq=False)
class KnownChain:
    """``hook`` is None for one that only other chains call; ``defined``: a command has made it.
    ``rules``: how many there are; ``remembered``: how many nft still knows, which are those
    that the file takes out, too, as the kernel has them until all of it is done; ``listed``: how
    many there were before this file, and None where the chain was not there."""

    name: str
    hook: str | None = None
    type: str | None = None
    priority: int | None = None
    policy: str | None = None
    devices: frozenset[str] = frozenset()
    rules: int = 0
    remembered: int = 0
    listed: int | None = None
    defined: bool = False
    jumps: list[Jump] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    placed: list[PlacedStatement] = field(default_factory=list)
    meters: set[str] = field(default_factory=set)

    def count_rule(self) -> None:
        self.rules += 1
        self.remembered += 1

    def empty(self) -> None:
        self.rules = 0
        self.jumps.clear()
        self.maps.clear()
        self.placed.clear()
        self.meters.clear()


@dataclass(slots=True, eq=False)
class KnownSet:
    """``key`` and ``data`` are the names of data types, one for each part; None where they are
    not known here. ``intervals``: what is in it, where it holds intervals of one part;
    ``like_ports``: it is declared by typeof and a port of a connection, which had no type up to
    nft 1.0.6; ``declared``: its name where this file declares it; ``to_ranges``: it maps to
    intervals; ``is_closed``: all of it is known.

    ``put``: each interval that a command put into it, and None where one took out what is not
    known; ``kept``: those of its declaration that the first command took out that took out any,
    which is what ``cut`` says."""

    name: str
    kind: str
    table: KnownTable
    key: tuple[str, ...] | None = None
    data: tuple[str, ...] | None = None
    flags: frozenset[str] = frozenset()
    merges: bool = False
    timeout: bool = False
    size: int | None = None
    statements: tuple[type[t.Node], ...] = ()
    intervals: list[Interval] = field(default_factory=list)
    put: dict[Interval, tuple[t.Node, BlockContext]] | None = field(default_factory=dict)
    kept: list[Interval] = field(default_factory=list)
    cut: bool = False
    elements: dict[object, t.Node | None] = field(default_factory=dict)
    jumps: list[Jump] = field(default_factory=list)
    declared: tuple[t.Node, BlockContext] | None = None
    like_ports: bool = False
    to_ranges: bool = False
    listed: bool = False
    is_closed: bool = False

    def empty(self) -> None:
        self.intervals.clear()
        self.kept.clear()
        self.elements.clear()
        self.jumps.clear()

    def holds(self, value: tuple[object, ...]) -> bool:
        """Whether this key, the values of each part, is known to be in it."""
        return value in self.elements or value[0] in self.intervals

    def differs(self, other: KnownSet) -> bool:
        """Whether the kernel tells the two apart (nft_set_is_same), as far as this is known."""
        known = None not in (self.key, other.key)
        return known and self._terms() != other._terms()

    def _terms(self) -> tuple[object, ...]:
        """A rule that adds to it may give it the flag dynamic."""
        timeout = {"timeout"} if self.timeout else set()
        return self.kind, self.key, self.data, (self.flags | timeout) - {"dynamic"}, self.statements

    @property
    def takes_statements(self) -> bool:
        return bool(self.statements) or "dynamic" in self.flags

    @property
    def is_map(self) -> bool:
        return self.kind == "map"


@dataclass(slots=True, eq=False)
class KnownTable:
    """``whole``: all that is in it is of this file, which deleted the table before.
    ``flags_changed``: this file gave it others than it had."""

    family: Family
    name: str
    whole: bool = False
    chains: dict[str, KnownChain] = field(default_factory=dict)
    sets: dict[str, KnownSet] = field(default_factory=dict)
    objects: set[tuple[str, str]] = field(default_factory=set)
    listed: frozenset[tuple[str, str]] = frozenset()
    flags: frozenset[str] = frozenset()
    flags_changed: bool = False

    def has(self, kind: str, name: str) -> bool:
        if kind == "chain":
            return name in self.chains
        return name in self.sets if kind in CONTENTS else (kind, name) in self.objects

    def uses(self, kind: str, name: str) -> bool:
        """Whether a rule of another chain, or of any, refers to it."""
        if kind == "chain":
            own = self.chains[name].jumps
            return any(jump.target == name for jump in self.jumps() if jump not in own)
        return kind in CONTENTS and any(name in chain.maps for chain in self.chains.values())

    def forget(self, kind: str, name: str) -> None:
        if kind == "chain":
            del self.chains[name]
        elif kind in CONTENTS:
            del self.sets[name]
        else:
            self.objects.discard((kind, name))

    def was_there(self) -> None:
        """All that is known of it by now was there before this file."""
        self.listed = frozenset(self.objects)
        for chain in self.chains.values():
            chain.listed = chain.rules
        for each in self.sets.values():
            each.listed = True
            each.put = {}
            each.kept.clear()

    def jumps(self) -> Iterator[Jump]:
        for chain in self.chains.values():
            yield from chain.jumps
        for each in self.sets.values():
            yield from each.jumps


@dataclass(slots=True, eq=False)
class Tables:
    """All there are; ``gone``: what this file has deleted, so that no host has it; ``asked_for``:
    which refusal was the first of those for want of a table."""

    tables: dict[Key, KnownTable] = field(default_factory=dict)
    gone: set[Key] = field(default_factory=set)
    cleared: set[Family] = field(default_factory=set)
    asked_for: dict[Key, int] = field(default_factory=dict)

    def get(self, key: Key) -> KnownTable | None:
        return self.tables.get(key)

    def add(self, key: Key) -> KnownTable:
        if key not in self.tables:
            self.tables[key] = KnownTable(*key, whole=self.is_gone(key))
        return self.tables[key]

    def is_gone(self, key: Key) -> bool:
        return key in self.gone or key[0] in self.cleared

    def delete(self, key: Key) -> None:
        self.tables.pop(key, None)
        self.gone.add(key)

    def clear(self, families: set[Family]) -> None:
        self.cleared |= families
        self.tables = {key: each for key, each in self.tables.items() if key[0] not in families}
