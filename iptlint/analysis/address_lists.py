"""Lists of addresses that are written as rules: those of a chain that one rule with a set could
stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain as joined
from itertools import compress
from operator import attrgetter

from iptlint.analysis.reordering import Alike, MovableRuns, alike_but_for, match_of
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

_COPIES_OF = attrgetter("copies")

FEWEST = 6
"""As many addresses are a list."""


@dataclass(frozen=True, slots=True)
class AddressList:
    """Rules of a chain that one rule with a set can replace; at least one. ``written``: what each
    has for prefixes."""

    analysis: TableAnalysis
    chain: Chain
    field: Field
    rules: tuple[Rule, ...]
    written: tuple[Ranges, ...]

    @property
    def copies(self) -> int:
        return sum(map(_COPIES_OF, self.rules))

    @property
    def copies_left(self) -> int:
        """The kernel's rules for one address of the list."""
        return max(1, self.rules[0].copies // len(self.written[0]))

    def ranges(self) -> Iterator[tuple[int, int]]:
        return joined.from_iterable(self.written)


@memo
def address_lists(analysis: TableAnalysis) -> tuple[AddressList, ...]:
    """The lists of a table that a set can replace."""
    lists: list[AddressList] = []
    for chain in analysis.table.chains.values():
        if len(chain.rules) < FEWEST and sum(map(_COPIES_OF, chain.rules)) < FEWEST:
            continue
        ours = _is_called(analysis, chain) and not is_generated(analysis.table, chain.name)
        others = unmatched_rules(analysis) | later_copies(analysis)
        if ours and (long_enough := _long_enough(chain, others)):
            lists += _of_chain(analysis, chain, long_enough)
    return tuple(lists)


def _is_called(analysis: TableAnalysis, chain: Chain) -> bool:
    """Software may call its chains later, those for the user's rules among them."""
    called = analysis.entries[chain.name].is_reachable
    return called or owner_of_chain(analysis.table, chain.name) is not None


def _long_enough(chain: Chain, others: frozenset[Rule]) -> list[Alike]:
    """The rules that differ in an address alone, where they are many. ``others``: those that
    another finding reports."""
    rules, each = chain.rules, alike_but_for(chain, tuple(_FAMILIES))
    left = [
        alike._replace(numbers=[n for n in alike.numbers if _is_listed(rules[n], alike, others)])
        for alike in each
        if _copies(chain, alike) >= FEWEST
    ]
    return [alike for alike in left if _copies(chain, alike) >= FEWEST]


def _copies(chain: Chain, alike: Alike) -> int:
    return sum(map(_COPIES_OF, map(chain.rules.__getitem__, alike.numbers)))


def _is_listed(rule: Rule, alike: Alike, others: frozenset[Rule]) -> bool:
    return _are_prefixes(match_of(rule, alike.field)[1]) and rule not in others


def _are_prefixes(test: Within) -> bool:
    """A set of type hash:net takes no prefix of length 0, ipset(8)."""
    everything = (1 << _FAMILIES[test.field].address_bits) - 1
    for low, high in () if test.negated else test.ranges:
        hosts = high - low
        if hosts & (hosts + 1) or low & hosts or hosts >= everything:
            return False
    return not test.negated


def _of_chain(
    analysis: TableAnalysis, chain: Chain, long_enough: Sequence[Alike]
) -> Iterator[AddressList]:
    """The largest first; a rule is in one list only."""
    used: set[int] = set()
    search = MovableRuns(analysis, chain)
    for alike in sorted(long_enough, key=lambda alike: -len(alike.numbers)):
        free = [number for number in alike.numbers if number not in used]
        for run in search.runs(alike.verdict, free):
            listed = AddressList(analysis, chain, alike.field, *_uncovered(chain, run, alike.field))
            if listed.copies >= FEWEST and len(set(listed.ranges())) >= FEWEST:
                used.update(run)
                yield listed


def _uncovered(
    chain: Chain, numbers: Sequence[int], field: Field
) -> tuple[tuple[Rule, ...], tuple[Ranges, ...]]:
    """Those whose addresses are not all part of a wider prefix of another, and their addresses: the
    set does not need the others, which are redundant."""
    rules = [chain.rules[number] for number in numbers]
    written = [match_of(rule, field)[1].ranges for rule in rules]
    widest: list[tuple[int, int]] = []
    furthest = -1
    for low, high in sorted({*joined.from_iterable(written)}, key=lambda each: (each[0], -each[1])):
        if high > furthest:
            widest.append((low, high))
            furthest = high
    kept = set(widest)
    needed = [not kept.isdisjoint(ranges) for ranges in written]
    return tuple(compress(rules, needed)), tuple(compress(written, needed))
