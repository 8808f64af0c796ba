"""Tables while the commands of a text are carried out: what they hold, as syntax.

``execute`` fills them, and puts in the place of every ``$variable`` what it stands for;
``lower`` reads them. Nothing here is expanded or looked up any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from iptlint.dialects.nft import tree as t
from iptlint.model import Family
from iptlint.source import SourceFile, WholeOrigin


@dataclass(frozen=True, slots=True, eq=False)
class PlacedRule:
    """A rule and the file it is written in; ``handle`` where the text tells it."""

    source: SourceFile
    rule: t.Rule
    handle: int | None = None


@dataclass(slots=True, eq=False)
class OpenChain:
    """``hook`` is None for a chain that only other chains call; it has a type and a priority
    otherwise. ``priority`` is resolved to a number. ``settled``: a declaration before this one
    made it so."""

    name: str
    origin: WholeOrigin
    hook: t.Hook | None = None
    priority: int | None = None
    devices: tuple[str, ...] = ()
    settled: bool = False
    policy: str | None = None
    rules: list[PlacedRule] = field(default_factory=list)
    declared: bool = True
    """False where the text only adds rules to it, as if the host had it."""


@dataclass(frozen=True, slots=True)
class ElementsChange:
    """Elements put into a set, or taken out of it."""

    adds: bool
    elements: t.SetLiteral


@dataclass(slots=True, eq=False)
class OpenSet:
    """A named set or map. Its elements are those of its ``changes``, one after the other."""

    kind: str
    name: str
    origin: WholeOrigin
    type: t.KeyType | t.KeyLike | None = None
    flags: frozenset[str] = frozenset()
    timeout: bool = False
    changes: list[ElementsChange] = field(default_factory=list)
    updated: bool = False
    """A rule of the table adds to it or deletes from it while packets pass."""
    mentions: int = 0
    """How often rules name it."""
    used: bool = False


@dataclass(slots=True, eq=False)
class OpenObject:
    """Any other named thing of a table: ``counter``, ``limit``, ``ct helper``, ``flowtable`` …
    ``devices``: those of a flowtable."""

    kind: str
    name: str
    origin: WholeOrigin
    used: bool = False
    devices: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class OpenTable:
    """``fresh``: the text emptied or deleted it before. ``dormant``: it sees no packet."""

    family: Family
    name: str
    origin: WholeOrigin
    fresh: bool = False
    dormant: bool = False
    chains: dict[str, OpenChain] = field(default_factory=dict)
    sets: dict[str, OpenSet] = field(default_factory=dict)
    objects: dict[tuple[str, str], OpenObject] = field(default_factory=dict)
