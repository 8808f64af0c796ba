"""Lists of addresses that are written as rules: those of a chain that one rule with a set could
stand for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iptlint.analysis.reordering import Kind, MovableRuns, is_plain
from iptlint.analysis.shadowing import later_copies, unmatched_rules
from iptlint.memo import memo
from iptlint.model import Chain, Family, Field, Rule, Within
from iptlint.model.matches import Ranges
from iptlint.model.ownership import is_generated, owner_of_chain
from iptlint.netfilter.table_analysis import TableAnalysis

_FAMILIES = {
    Field.SADDR: Family.IP,
    Field.DADDR: Family.IP,
    Field.SADDR6: Family.IP6,
    Field.DADDR6: Family.IP6,
}
"""Whose addresses an address field holds."""

FEWEST = 6
"""As many addresses are a list."""


@dataclass(frozen=True, slots=True)
class AddressList:
    """Rules of a chain that one rule with a set can replace; at least one."""

    analysis: TableAnalysis
    chain: Chain
    field: Field
    rules: tuple[Rule, ...]

    @property
    def copies(self) -> int:
        return sum(rule.copies for rule in self.rules)

    @property
    def copies_left(self) -> int:
        """The kernel's rules for one address of the list."""
        first = self.rules[0]
        return max(1, first.copies // len(addresses(first, self.field)[1]))

    def ranges(self) -> Iterator[tuple[int, int]]:
        return (r for rule in self.rules for r in addresses(rule, self.field)[1])


@memo
def address_lists(analysis: TableAnalysis) -> tuple[AddressList, ...]:
    """The lists of a table that a set can replace."""
    lists: list[AddressList] = []
    for chain in analysis.table.chains.values():
        ours = _is_called(analysis, chain) and not is_generated(analysis.table, chain.name)
        kinds = _kinds(chain, unmatched_rules(analysis) | later_copies(analysis)) if ours else {}
        if kinds:
            lists += _of_kinds(analysis, chain, kinds)
    return tuple(lists)


def _is_called(analysis: TableAnalysis, chain: Chain) -> bool:
    """Software may call its chains later, those for the user's rules among them."""
    called = analysis.entries[chain.name].is_reachable
    return called or owner_of_chain(analysis.table, chain.name) is not None


def _kinds(chain: Chain, others: frozenset[Rule] = frozenset()) -> dict[Kind, list[int]]:
    """The rules of each kind, by their numbers; kinds with few left out. ``others``: the
    rules that another finding reports."""
    kinds: dict[Kind, list[int]] = defaultdict(list)
    for number, rule in enumerate(chain.rules):
        if is_plain(rule) and rule not in others:
            for kind in _kinds_of(rule):
                kinds[kind].append(number)
    return {
        kind: numbers
        for kind, numbers in kinds.items()
        if sum(chain.rules[n].copies for n in numbers) >= FEWEST
    }


def _kinds_of(rule: Rule) -> Iterator[Kind]:
    for field in _FAMILIES:
        tests = [m for m in rule.matches if type(m) is Within and m.field is field]
        if len(tests) == 1 and _are_prefixes(tests[0]):
            others = frozenset(match for match in rule.matches if match is not tests[0])
            yield Kind(field, rule.verdict, others)


def _are_prefixes(test: Within) -> bool:
    """A set of type hash:net takes no prefix of length 0, ipset(8)."""
    everything = (1 << _FAMILIES[test.field].address_bits) - 1
    return not test.negated and all(
        (high - low) & (high - low + 1) == 0 and low & (high - low) == 0 and high - low < everything
        for low, high in test.ranges
    )


def addresses(rule: Rule, field: Field) -> tuple[int, Ranges]:
    """The index of the rule's test of the field, and its prefixes."""
    return next(
        (index, match.ranges)
        for index, match in enumerate(rule.matches)
        if isinstance(match, Within) and match.field is field
    )


def _of_kinds(
    analysis: TableAnalysis, chain: Chain, kinds: dict[Kind, list[int]]
) -> Iterator[AddressList]:
    """The largest first; a rule is in one list only."""
    used: set[int] = set()
    search = MovableRuns(analysis, chain)
    for kind, numbers in sorted(kinds.items(), key=lambda item: -len(item[1])):
        free = [number for number in numbers if number not in used]
        for run in search.runs(kind.verdict, free):
            rules = _uncovered(tuple(chain.rules[n] for n in run), kind.field)
            listed = AddressList(analysis, chain, kind.field, rules)
            if listed.copies >= FEWEST and len(set(listed.ranges())) >= FEWEST:
                used.update(run)
                yield listed


def _uncovered(rules: Sequence[Rule], field: Field) -> tuple[Rule, ...]:
    """Those whose addresses are not all part of a wider prefix of another: the set does not need
    the others, which are redundant."""
    widest: list[tuple[int, int]] = []
    ranges = {r for rule in rules for r in addresses(rule, field)[1]}
    for low, high in sorted(ranges, key=lambda each: (each[0], -each[1])):
        if not widest or high > widest[-1][1]:
            widest.append((low, high))
    kept = set(widest)
    return tuple(rule for rule in rules if kept & {*addresses(rule, field)[1]})
