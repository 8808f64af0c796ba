"""Opaque tests of what the ruleset itself changes on the way are uncertain.

Such a test is one Boolean for a packet, so it cannot stand for what is there before a change
and after it: where any rule changes a set, or what a test reads, the test may hold or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from iptlint.model import AnyOf, Chain, EffectKind, Match, Opaque, Rule, Table, Uncertain
from iptlint.model.matches import SetLookup

_HEADERS = ("u32", "bpf", "string", "length2", "webstr", "layer7", "ndpi")
_TCP_OPTIONS = ("tcpmss", "tcp", *_HEADERS)
_CONNECTION = ("conntrack", "connlabel", "helper", "cluster")

_READERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("TTL", "HL", "TOS", "DSCP", "ECN", "CHECKSUM", "DNPT", "SNPT"), _HEADERS),
    **dict.fromkeys(("TCPMSS", "TCPOPTSTRIP"), _TCP_OPTIONS),
    **dict.fromkeys(("CT", "NOTRACK"), _CONNECTION),
    **dict.fromkeys(("MARK", "HMARK", "CONNMARK"), ("rpfilter",)),
    "TPROXY": ("socket",),
}
"""The kinds of the tests that read what the target changes."""


class _Changed(NamedTuple):
    """``kinds``: of tests that read what rules change; ``sets``: those that rules fill."""

    kinds: frozenset[str]
    sets: frozenset[str]

    def touches(self, test: Opaque) -> bool:
        lookup = test.asks
        filled = isinstance(lookup, SetLookup) and lookup.name in self.sets
        return filled or test.kind in self.kinds


def with_changes(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """The tables, with every test uncertain whose answer a rule may change."""
    rules = [rule for table in tables for _, rule in table.rules()]
    changed = _Changed(frozenset(_kinds(rules)), frozenset(_sets(rules)))
    return tuple(_table(table, changed) for table in tables) if any(changed) else tables


def _kinds(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        yield from _READERS.get(rule.verdict.name, ())
        for match in rule.matches:
            if isinstance(match, Uncertain) and match.kind == "connlabel":
                yield match.kind


def _sets(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        for effect in rule.effects:
            if effect.kind is EffectKind.SET and effect.name is not None:
                yield effect.name


def _table(table: Table, changed: _Changed) -> Table:
    return replace(table, chains={n: _chain(c, changed) for n, c in table.chains.items()})


def _chain(chain: Chain, changed: _Changed) -> Chain:
    return replace(chain, rules=tuple(_rule(rule, changed) for rule in chain.rules))


def _rule(rule: Rule, changed: _Changed) -> Rule:
    matches = tuple(_test(match, changed) for match in rule.matches)
    return rule if matches == rule.matches else replace(rule, matches=matches)


def _test(match: Match, changed: _Changed) -> Match:
    match match:
        case Opaque() if changed.touches(match):
            return match.unsettled
        case AnyOf(alternatives):
            tests = tuple(tuple(_test(each, changed) for each in every) for every in alternatives)
            return match if tests == alternatives else replace(match, alternatives=tests)
        case _:
            return match
