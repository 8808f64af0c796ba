"""Rules that are alike but for the addresses and ports that they name.

A chain of ten thousand rules has a handful of kinds of them, so what addresses and ports do not
change is asked of one rule of each kind, and holds for all.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain as joined
from typing import NamedTuple, TypeGuard

from iptlint.memo import memo
from iptlint.model.matches import Field, Match, Within
from iptlint.model.ruleset import Chain, Rule, Table
from iptlint.model.verdicts import Effect, EffectKind

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
    return rules_among(table.chains.values(), holds)


def rules_among(
    chains: Iterable[Chain], holds: Callable[[Rule], bool]
) -> Iterator[tuple[Chain, Rule]]:
    """The same of these chains."""
    for chain in chains:
        if len(chain.rules) <= _FEW:  # as most of many are
            for rule in chain.rules:
                if holds(rule):
                    yield chain, rule
        else:
            for number in numbers_where(chain, holds):
                yield chain, chain.rules[number]


def examples(chain: Chain) -> Iterator[Rule]:
    """One rule of each kind, the first."""
    if len(chain.rules) <= _FEW:
        return iter(chain.rules)
    return (kind.first for kind in kinds(chain))


def examples_in(table: Table) -> Iterator[tuple[Chain, Rule]]:
    for chain in table.chains.values():
        for rule in chain.rules if len(chain.rules) <= _FEW else examples(chain):
            yield chain, rule


class Sorts(NamedTuple):
    """The rules of a table, in order, and the numbers of those that test alike: they differ in what
    rules of a kind may differ in, in the values that they write, in comments, and in which chains
    they call."""

    rules: Sequence[tuple[Chain, Rule]]
    alike: Sequence[Sequence[int]]

    @property
    def firsts(self) -> Iterator[Rule]:
        return (self.rules[numbers[0]][1] for numbers in self.alike)


@memo
def sorts(table: Table) -> Sorts:
    alike: dict[Hashable, list[int]] = {}
    rules: list[tuple[Chain, Rule]] = []
    for chain in table.chains.values():
        if len(chain.rules) <= _FEW:
            for number, rule in enumerate(chain.rules, len(rules)):
                alike.setdefault(_sort_of(rule), []).append(number)
        else:
            for kind in kinds(chain):
                numbers = (len(rules) + number for number in kind.numbers)
                alike.setdefault(_sort_of(kind.first), []).extend(numbers)
        rules += [(chain, rule) for rule in chain.rules]
    return Sorts(rules, tuple(alike.values()))


def _sort_of(rule: Rule) -> Hashable:
    verdict, effects = rule.verdict, rule.effects
    return (
        verdict.kind,
        verdict.name if verdict.chain is None else None,
        verdict.needs,
        rule.read,
        rule.is_policy,
        tuple([_sort_of_effect(effect) for effect in effects]) if effects else (),
        *[_key_of_test(test) for test in rule.matches],
    )


def _sort_of_effect(effect: Effect) -> Hashable:
    if effect.kind is not EffectKind.WRITE:
        return effect
    return effect.field, effect.mask, effect.value is None, effect.source, effect.choice


def rules_testing(table: Table, holds: Callable[[Rule], bool]) -> Iterator[tuple[Chain, Rule]]:
    """The rules for which it holds, whatever addresses and ports they name or write, whichever
    chains they call, and whatever is said of them."""
    rules, alike = sorts(table)
    holding = [numbers for numbers in alike if holds(rules[numbers[0]][1])]
    if len(holding) == 1:
        return (rules[number] for number in holding[0])
    return (rules[number] for number in sorted(joined.from_iterable(holding)))


def testing_by_chain(table: Table, holds: Callable[[Rule], bool]) -> Mapping[str, list[Rule]]:
    """The same rules by the names of their chains; those aside that have none."""
    by_chain: dict[str, list[Rule]] = {}
    for chain, rule in rules_testing(table, holds):
        by_chain.setdefault(chain.name, []).append(rule)
    return by_chain


def examples_testing(table: Table) -> Iterator[Rule]:
    """One rule of each that test alike."""
    return sorts(table).firsts
