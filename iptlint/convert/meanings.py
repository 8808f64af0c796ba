"""Both rulesets in the same words, where several things of nft stand for one of iptables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain as chained

from iptlint.convert.asking import Meanings
from iptlint.convert.rendering import NewTable
from iptlint.model import (
    Effect,
    EffectKind,
    Family,
    Match,
    Opaque,
    Rule,
    Ruleset,
    Uncertain,
    VerdictKind,
)
from iptlint.model.matches import SetLookup
from iptlint.model.verdicts import CONTINUE


def said_old(old: Ruleset, tables: Sequence[NewTable]) -> Ruleset:
    """The old rules, with equal questions asked in equal words."""
    words = {k: v for table in tables for k, v in table.meanings.words.items()}
    rules = {k: v for table in tables for k, v in table.meanings.rules.items()}
    if not (words or rules):
        return old
    return _rewritten(old, {}, lambda _: lambda rule: said(rule, words, rules))


def said(
    rule: Rule, words: Mapping[Match, Match], rules: Mapping[Rule, tuple[Rule, ...]]
) -> tuple[Rule, ...]:
    """What the rule is, one after another."""
    return tuple(
        replace(known, matches=tuple(words.get(match, match) for match in known.matches))
        for known in rules.get(rule, (rule,))
    )


def said_new(new: Ruleset, tables: Sequence[NewTable]) -> Ruleset:
    """The new rules, with what sets and chains of their own mean in the place of these."""
    meanings = {(Family(table.family), table.name): table.meanings for table in tables}
    if not any(each.tests or each.effects for each in meanings.values()):
        return new
    return _rewritten(new, meanings, _Saying)


class _Saying:
    """Says the rules of one table."""

    def __init__(self, place: tuple[Family, str, Meanings]) -> None:
        family, table, self.meanings = place
        self.prefix = f"@{family.value} {table} "

    def __call__(self, rule: Rule) -> tuple[Rule, ...]:
        return (self._said(rule),)

    def _said(self, rule: Rule) -> Rule:
        matches = tuple(said for match in rule.matches for said in self._match(match))
        effects = tuple(said for effect in rule.effects for said in self._effect(effect))
        called = self.meanings.effects.get(rule.verdict.chain or "")
        if called is not None:
            return replace(rule, matches=matches, effects=called, verdict=CONTINUE)
        if rule.effects and not effects and rule.verdict.kind is VerdictKind.CONTINUE:
            return replace(rule, matches=matches, effects=(), verdict=CONTINUE)
        return replace(rule, matches=matches, effects=effects)

    def _match(self, match: Match) -> tuple[Match, ...]:
        match match:
            case Opaque(asks=SetLookup(name)) | Uncertain(asks=SetLookup(name)):
                return self.meanings.tests.get(name.removeprefix(self.prefix), (match,))
            case Opaque(key, negated=False):
                return self.meanings.tests.get(key, (match,))
        return (match,)

    def _effect(self, effect: Effect) -> tuple[Effect, ...]:
        if effect.kind is not EffectKind.SET or effect.name is None:
            return (effect,)
        return self.meanings.effects.get(effect.name.removeprefix(self.prefix), (effect,))


_Place = tuple[Family, str, Meanings]


def _rewritten(
    ruleset: Ruleset,
    meanings: dict[tuple[Family, str], Meanings],
    saying: Callable[[_Place], Callable[[Rule], tuple[Rule, ...]]],
) -> Ruleset:
    tables = []
    for table in ruleset.tables:
        own = meanings.get((table.family, table.name), Meanings())
        say = saying((table.family, table.name, own))
        chains = {
            name: replace(chain, rules=tuple(chained.from_iterable(map(say, chain.rules))))
            for name, chain in table.chains.items()
            if name not in own.effects
        }
        tables.append(replace(table, chains=chains))
    return replace(ruleset, tables=tuple(tables))


def without_rules(ruleset: Ruleset, others: Collection[Rule]) -> Ruleset:
    if not others:
        return ruleset
    return _rewritten(ruleset, {}, lambda _: lambda rule: () if rule in others else (rule,))
