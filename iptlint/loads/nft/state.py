"""The kernel's tables while the commands of a file are carried out on trial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.model import Family

Key = tuple[Family, str]

SETS = ("set", "map")
CONTENTS = (*SETS, "meter")
"""Kinds of commands that are about a set."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A rule, or an element of a verdict map, that sends packets to a chain."""

    target: str
    node: t.Node
    context: BlockContext


class Place(Protocol):
    """Where something works."""

    def takes(self, chain: KnownChain) -> bool: ...


@dataclass(frozen=True, slots=True)
class PlacedStatement:
    """A statement, or a selector, that works in some chains only; ``word`` is what to call it."""

    word: str
    place: Place
    node: t.Node
    context: BlockContext


@dataclass(slots=True, eq=False)
class KnownChain:
    """``hook`` is None for one that only other chains call. ``rules``: how many there are."""

    name: str
    hook: str | None = None
    type: str | None = None
    priority: int | None = None
    policy: str | None = None
    devices: frozenset[str] = frozenset()
    rules: int = 0
    jumps: list[Jump] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    placed: list[PlacedStatement] = field(default_factory=list)

    def empty(self) -> None:
        self.rules = 0
        self.jumps.clear()
        self.maps.clear()
        self.placed.clear()


@dataclass(slots=True, eq=False)
class KnownSet:
    """``key`` and ``data`` are the names of data types, one for each part; None where they are
    not known here. ``intervals``: what is in it, where it holds intervals of one part;
    ``declared``: its name where this file declares it; ``is_closed``: all of it is known."""

    name: str
    kind: str
    key: tuple[str, ...] | None = None
    data: tuple[str, ...] | None = None
    flags: frozenset[str] = frozenset()
    merges: bool = False
    timeout: bool = False
    size: int | None = None
    statements: tuple[type[t.Node], ...] = ()
    intervals: list[tuple[int, int]] = field(default_factory=list)
    elements: dict[object, t.Node | None] = field(default_factory=dict)
    jumps: list[Jump] = field(default_factory=list)
    declared: tuple[t.Node, BlockContext] | None = None
    is_closed: bool = False

    def empty(self) -> None:
        self.intervals.clear()
        self.elements.clear()
        self.jumps.clear()

    @property
    def takes_statements(self) -> bool:
        return bool(self.statements) or "dynamic" in self.flags

    @property
    def is_map(self) -> bool:
        return self.kind == "map"


@dataclass(slots=True, eq=False)
class KnownTable:
    """``whole``: all that is in it is of this file, which deleted the table before."""

    family: Family
    name: str
    whole: bool = False
    chains: dict[str, KnownChain] = field(default_factory=dict)
    sets: dict[str, KnownSet] = field(default_factory=dict)
    objects: set[tuple[str, str]] = field(default_factory=set)

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

    def jumps(self) -> Iterator[Jump]:
        for chain in self.chains.values():
            yield from chain.jumps
        for each in self.sets.values():
            yield from each.jumps


@dataclass(slots=True, eq=False)
class Tables:
    """All there are; ``gone``: what this file has deleted, so that no host has it."""

    tables: dict[Key, KnownTable] = field(default_factory=dict)
    gone: set[Key] = field(default_factory=set)
    cleared: set[Family] = field(default_factory=set)

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
