"""Which ipsets a rule cannot be loaded without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from iptlint.model import Chain, Match, Opaque, Rule, Ruleset, Table, Uncertain
from iptlint.model.kinds import rules_testing
from iptlint.model.matches import SetLookup

_VERDICT = -1


class SetUse(NamedTuple):
    """``part`` is what ``Origin.part`` takes; ``sides`` are those of the packet that are looked
    for, True for src: one for each part of an entry."""

    name: str
    sides: tuple[bool, ...]
    table: Table
    chain: Chain
    rule: Rule
    part: int


def uses_of_sets(ruleset: Ruleset) -> Iterator[SetUse]:
    """Every place that needs a set of whose contents nothing is known."""
    for table in ruleset.tables:
        for chain, rule in rules_testing(table, lambda rule: any(_needed(rule))):
            for lookup, part in _needed(rule):
                yield SetUse(lookup.name, lookup.sources, table, chain, rule, part)


def _needed(rule: Rule) -> Iterator[tuple[SetLookup, int]]:
    for part, match in enumerate(rule.matches):
        lookup = _tested(match)
        if lookup is not None:
            yield lookup, part
    for need in rule.verdict.needs:
        if isinstance(need, SetLookup):
            yield need, _VERDICT


def _tested(match: Match) -> SetLookup | None:
    match match:
        case Opaque(asks=SetLookup() as lookup) | Uncertain(asks=SetLookup() as lookup):
            return lookup if lookup.is_ipset else None
        case _:
            return None
