"""Rules that are alike but for the addresses and ports that they name.

A chain of ten thousand rules has a handful of kinds of them, so what addresses and ports do not
change is asked of one rule of each kind, and holds for all.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain as joined
from typing import TypeGuard

from iptlint.memo import memo
from iptlint.model.matches import Field, Match, Within
from iptlint.model.ruleset import Chain, Rule, Table

NAMED_FIELDS = frozenset(
    (Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6, Field.SPORT, Field.DPORT)
)
"""Those of which rules of a kind may name other values, as tests ``Within``."""
_FEW = 8
"""Of so few rules each is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Rules of a chain, by their numbers, in order. They differ in where they are written, in what
    the kernel has counted, and in the values of the fields that they name."""

    chain: Chain
    numbers: Sequence[int]

    @property
    def first(self) -> Rule:
        return self.chain.rules[self.numbers[0]]

    @property
    def rules(self) -> list[Rule]:
        rules = self.chain.rules
        return [rules[number] for number in self.numbers]


@memo
def kinds(chain: Chain) -> tuple[Kind, ...]:
    """Those of the rules of a chain, in the order of their first rules."""
    numbers: dict[Hashable, list[int]] = {}
    for number, rule in enumerate(chain.rules):
        numbers.setdefault(_key(rule), []).append(number)
    return tuple(Kind(chain, each) for each in numbers.values())


def _key(rule: Rule) -> Hashable:
    """Rules share their parts, so that most are known by who they are."""
    return (
        id(rule.verdict),
        rule.comment,
        rule.counters is not None and any(rule.counters),
        rule.copies,
        rule.read,
        rule.whole is None,
        rule.occasions,
        rule.is_policy,
        *map(id, rule.effects),
        *map(_key_of_test, rule.matches),
    )


def _key_of_test(test: Match) -> Hashable:
    if not names_values(test):
        return id(test)
    return (test.field,) if test.negated else test.field


def names_values(test: Match) -> TypeGuard[Within]:
    """Whether other rules of a kind may name other values in its place."""
    return type(test) is Within and test.field in NAMED_FIELDS


def numbers_where(chain: Chain, holds: Callable[[Rule], bool]) -> list[int]:
    """The numbers of the rules for which it holds, whatever addresses and ports they name."""
    if len(chain.rules) <= _FEW:
        return [number for number, rule in enumerate(chain.rules) if holds(rule)]
    return sorted(joined.from_iterable(k.numbers for k in kinds(chain) if holds(k.first)))


def rules_where(table: Table, holds: Callable[[Rule], bool]) -> Iterator[tuple[Chain, Rule]]:
    """The rules for which it holds, whatever addresses and ports they name."""
    for chain in table.chains.values():
        for number in numbers_where(chain, holds):
            yield chain, chain.rules[number]


def examples(chain: Chain) -> Iterator[Rule]:
    """One rule of each kind, the first."""
    if len(chain.rules) <= _FEW:
        return iter(chain.rules)
    return (kind.first for kind in kinds(chain))


def examples_in(table: Table) -> Iterator[tuple[Chain, Rule]]:
    return ((chain, rule) for chain in table.chains.values() for rule in examples(chain))
