"""Puts what is in the sets in the place of the tests that name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from iptlint.dialects.ipset.membership import Membership, match_of
from iptlint.model import Chain, EffectKind, Family, Match, Opaque, Rule, Ruleset, Table
from iptlint.model.matches import SetLookup
from iptlint.model.sets import SavedSets


def with_changes(sets: SavedSets, rulesets: Iterable[Ruleset]) -> SavedSets:
    """The sets, with those told that any rule adds to or deletes from, itself or by a list."""
    named = {
        effect.name
        for ruleset in rulesets
        for _, _, rule in ruleset.rules()
        for effect in rule.effects
        if effect.kind is EffectKind.SET and effect.name is not None
    }
    known = (sets.contents[name] for name in named if name in sets.contents)
    members = {member for contents in known for member in contents.members}
    return replace(sets, changed=frozenset(named | members))


def with_sets(ruleset: Ruleset, sets: SavedSets) -> Ruleset:
    """The ruleset with every test of a set whose contents are known told by its fields.

    One test stays one test, so that places in the text stay what they are.
    """
    if ruleset.is_nft:
        return ruleset
    provision = _Provision(sets)
    tables = tuple(map(provision.table, ruleset.tables))
    if all(new is old for new, old in zip(tables, ruleset.tables, strict=True)):
        return ruleset
    return replace(ruleset, tables=tables)


class _Provision:
    def __init__(self, sets: SavedSets) -> None:
        self.sets = sets
        self.known: dict[tuple[Family, Match], Match] = {}

    def table(self, table: Table) -> Table:
        if table.family not in (Family.IP, Family.IP6):
            return table
        chains = {name: self.chain(chain, table.family) for name, chain in table.chains.items()}
        if all(chains[name] is chain for name, chain in table.chains.items()):
            return table
        return replace(table, chains=chains)

    def chain(self, chain: Chain, family: Family) -> Chain:
        rules = tuple(self.rule(rule, family) for rule in chain.rules)
        if all(new is old for new, old in zip(rules, chain.rules, strict=True)):
            return chain
        return replace(chain, rules=rules)

    def rule(self, rule: Rule, family: Family) -> Rule:
        if not any(isinstance(match, Opaque) for match in rule.matches):
            return rule
        matches = tuple(self.match(match, family) for match in rule.matches)
        return rule if matches == rule.matches else replace(rule, matches=matches)

    def match(self, match: Match, family: Family) -> Match:
        if not isinstance(match, Opaque):
            return match
        tests = self.known.get((family, match))
        if tests is None:
            tests = self.known[family, match] = self._read(match, family) or match
        return tests

    def _read(self, match: Opaque, family: Family) -> Match | None:
        match match.asks:
            case SetLookup(name, sources, return_nomatch):
                asked = Membership(sources, family, return_nomatch)
                return match_of(name, asked, match.negated, self.sets)
            case _:
                return None
