"""What a conversion is made of: the rules of nft, each with those of iptables it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from iptlint.convert.asking import Meanings
from iptlint.model import Chain, Family, Rule, Table

Words = tuple[str, ...]
"""The statements of one rule of nft."""


class State(Enum):
    PROVED = "proved"
    NOT_PROVED = "not proved"
    NOT_CONVERTED = "not converted"
    LEFT_OUT = "left out"
    """Without words in nft, and without it every packet fares alike."""


@dataclass(slots=True)
class Rendering:
    """One place in a chain. ``olds``: the rules of each family that stand here, in their order;
    ``lines``: those of nft for them; ``strict``: other lines, to try where these say something
    else. ``counts``: it decides by what it has seen. ``reason``: why it is not proved, not
    converted or left out. ``parts``: the places that went together, if it stands for several.
    ``elsewhere``: the chain in which it is done."""

    olds: Mapping[Family, tuple[Rule, ...]]
    lines: tuple[Words, ...]
    strict: tuple[Words, ...] = ()
    comment: str | None = None
    counts: bool = False
    state: State = State.NOT_PROVED
    reason: str = ""
    parts: tuple[Rendering, ...] = ()
    elsewhere: str = ""

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(rule for rules in self.olds.values() for rule in rules)

    @property
    def counters(self) -> tuple[int, int] | None:
        """Packets and bytes that the rules have seen, where the text says so."""
        each = [rule.counters for rule in self.rules]
        known = [counters for counters in each if counters is not None]
        if not known or len(known) < len(each):
            return None
        return sum(packets for packets, _ in known), sum(size for _, size in known)


@dataclass(slots=True)
class Part:
    """A chain of nft, and the chain that goes on with what is behind its last entry, if any."""

    name: str
    entries: list[Rendering] = field(default_factory=list)
    rest: str = ""


@dataclass(slots=True)
class NewChain:
    """``olds``: the chains of each family that it stands for; ``parts``: mostly one. ``again``: its
    rules stand in another chain, too."""

    name: str
    olds: Mapping[Family, Chain]
    parts: list[Part] = field(default_factory=list)
    renamed: str = ""
    again: bool = False

    @property
    def base(self) -> Chain:
        return next(iter(self.olds.values()))

    @property
    def entries(self) -> list[Rendering]:
        return [entry for part in self.parts for entry in part.entries]


@dataclass(slots=True)
class NewTable:
    """``family``: nft's word. ``declared``: sets, objects and chains of their own, by kind and
    name; ``meanings``: what they stand for."""

    family: str
    name: str
    olds: Mapping[Family, Table]
    chains: list[NewChain]
    declared: Mapping[tuple[str, str], tuple[str, ...]]
    meanings: Meanings
