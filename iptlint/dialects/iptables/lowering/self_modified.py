"""Opaque tests of what the ruleset itself changes on the way are uncertain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from iptlint.model import AnyOf, Chain, Opaque, Rule, Table, Uncertain
from iptlint.model.writes import (
    Things,
    looks_into,
    read_in,
    unsettled_where,
    writes_of,
    written_by,
)


class _Changed(NamedTuple):
    """``things``: what targets write; ``kinds``: of tests that themselves write what they read;
    ``sets``: those that rules fill."""

    things: Things
    kinds: frozenset[str]
    sets: frozenset[str]

    def touches(self, test: Opaque) -> bool:
        changed = test.kind in self.kinds or not self.things.isdisjoint(read_in(test))
        return changed or looks_into(test, self.sets)


def with_changes(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """The tables, with every test uncertain whose answer a rule may change."""
    rules = [rule for table in tables for _, rule in table.rules()]
    names = {rule.verdict.name for rule in rules}
    things = frozenset(thing for name in names for thing in written_by(name))
    changed = _Changed(things, frozenset(_kinds(rules)), writes_of(rules).sets)
    return tuple(_table(table, changed) for table in tables) if any(changed) else tables


def _kinds(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        for match in rule.matches:
            if isinstance(match, Uncertain) and match.kind == "connlabel":
                yield match.kind


def _table(table: Table, changed: _Changed) -> Table:
    """The same one where nothing in it is changed, with all that is known of it."""
    chains = {name: _chain(chain, changed) for name, chain in table.chains.items()}
    same = all(chains[name] is chain for name, chain in table.chains.items())
    return table if same else replace(table, chains=chains)


def _chain(chain: Chain, changed: _Changed) -> Chain:
    rules = tuple([_rule(rule, changed) for rule in chain.rules])
    same = all(one is other for one, other in zip(rules, chain.rules, strict=True))
    return chain if same else replace(chain, rules=rules)


def _rule(rule: Rule, changed: _Changed) -> Rule:
    if not any(isinstance(match, Opaque | AnyOf) for match in rule.matches):
        return rule
    matches = tuple(unsettled_where(match, changed.touches) for match in rule.matches)
    return rule if matches == rule.matches else replace(rule, matches=matches)
