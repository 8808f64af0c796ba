"""What holds what: Ruleset > Table > Chain > Rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from iptlint.model.matches import Match, Uncertain
from iptlint.model.verdicts import Effect, Verdict, VerdictKind
from iptlint.source import Origin, SourceFile


class Family(Enum):
    IP = "ip"
    IP6 = "ip6"

    @property
    def address_bits(self) -> int:
        return 32 if self is Family.IP else 128


class Hook(Enum):
    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule as written. Its tests all have to hold (``-s a,b`` is one test).

    ``copies``: how many rules the kernel makes of it. ``counters``: packets, bytes. ``read`` is
    false for a rule that could not be read: it may match any packet and do anything with it.
    """

    origin: Origin
    matches: tuple[Match, ...]
    verdict: Verdict
    effects: tuple[Effect, ...] = ()
    comment: str | None = None
    counters: tuple[int, int] | None = None
    copies: int = 1
    read: bool = True


def unread_rule(origin: Origin, text: str) -> Rule:
    """Stands where a rule could not be read, so that nothing is claimed as if it were not there."""
    anything = Verdict(VerdictKind.UNKNOWN, "unread")
    return Rule(origin, (Uncertain("unread", text),), anything, read=False)


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """``hook``, ``priority`` and ``policy`` are None for a user chain.

    ``origin`` is the declaration; None where the kernel has the chain without one.
    """

    name: str
    rules: tuple[Rule, ...]
    hook: Hook | None = None
    priority: int | None = None
    policy: Verdict | None = None
    origin: Origin | None = None
    counters: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table of one family; chains in the order of the text."""

    family: Family
    name: str
    chains: Mapping[str, Chain]
    origin: Origin | None = None

    def base_chains(self) -> Iterator[Chain]:
        return (chain for chain in self.chains.values() if chain.hook is not None)

    def rules(self) -> Iterator[tuple[Chain, Rule]]:
        return ((chain, rule) for chain in self.chains.values() for rule in chain.rules)


@dataclass(frozen=True, slots=True, eq=False)
class Ruleset:
    """What one source holds. ``dialect`` is the language's name (``iptables-save`` …)."""

    source: SourceFile
    dialect: str
    tables: tuple[Table, ...]

    @property
    def families(self) -> tuple[Family, ...]:
        return tuple(dict.fromkeys(table.family for table in self.tables))

    def table(self, name: str, family: Family) -> Table | None:
        found = (t for t in self.tables if t.name == name and t.family is family)
        return next(found, None)

    def rules(self) -> Iterator[tuple[Table, Chain, Rule]]:
        for table in self.tables:
            for chain, rule in table.rules():
                yield table, chain, rule
