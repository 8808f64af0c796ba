"""Opaque tests of what the ruleset itself changes on the way are uncertain.

Such a test is one Boolean for a packet, so it cannot stand for what is there before a change
and after it: where any rule changes a set, or what a test reads, the test may hold or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from iptlint.model import AnyOf, Chain, EffectKind, Match, Opaque, Rule, Table, Uncertain

_HEADERS = ("u32 ", "bpf ", "string ", "length2 ", "webstr ", "layer7 ", "ndpi ")
_TCP_OPTIONS = ("tcpmss ", "tcp --tcp-option ", *_HEADERS)
_CONNECTION = ("conntrack ", "connlabel ", "helper ", "cluster ")

_READERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("TTL", "HL", "TOS", "DSCP", "ECN", "CHECKSUM", "DNPT", "SNPT"), _HEADERS),
    **dict.fromkeys(("TCPMSS", "TCPOPTSTRIP"), _TCP_OPTIONS),
    **dict.fromkeys(("CT", "NOTRACK"), _CONNECTION),
    **dict.fromkeys(("MARK", "HMARK", "CONNMARK"), ("rpfilter ",)),
    "TPROXY": ("socket ",),
}
"""How the keys of the tests start that read what the target changes."""

_LABELS = ("connlabel ",)


def with_changes(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """The tables, with every test uncertain whose answer a rule may change."""
    changed = tuple(dict.fromkeys(_changed(rule for table in tables for _, rule in table.rules())))
    return tuple(_table(table, changed) for table in tables) if changed else tables


def _changed(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        yield from _READERS.get(rule.verdict.name, ())
        for effect in rule.effects:
            if effect.kind is EffectKind.SET:
                yield f"set {effect.name} "
        for match in rule.matches:
            if isinstance(match, Uncertain) and match.kind == "connlabel":
                yield from _LABELS


def _table(table: Table, changed: tuple[str, ...]) -> Table:
    return replace(table, chains={n: _chain(c, changed) for n, c in table.chains.items()})


def _chain(chain: Chain, changed: tuple[str, ...]) -> Chain:
    return replace(chain, rules=tuple(_rule(rule, changed) for rule in chain.rules))


def _rule(rule: Rule, changed: tuple[str, ...]) -> Rule:
    matches = tuple(_test(match, changed) for match in rule.matches)
    return rule if matches == rule.matches else replace(rule, matches=matches)


def _test(match: Match, changed: tuple[str, ...]) -> Match:
    match match:
        case Opaque(key, negated) if key.startswith(changed):
            return Uncertain(key.partition(" ")[0], f"{'! ' if negated else ''}{key}")
        case AnyOf(alternatives):
            tests = tuple(tuple(_test(each, changed) for each in every) for every in alternatives)
            return match if tests == alternatives else replace(match, alternatives=tests)
        case _:
            return match
