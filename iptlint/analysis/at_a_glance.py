"""What the addresses and ports that rules name tell of them, without a set of packets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import pairwise
from typing import TypeGuard

from iptlint.model import Field, Match, Rule, Within
from iptlint.model.kinds import NAMED_FIELDS, names_values
from iptlint.model.matches import BITS
from iptlint.model.writes import reads

_MAXIMUM = {field: (1 << BITS[field]) - 1 for field in NAMED_FIELDS}


def are_apart_by(rules: Sequence[Rule], sort: Callable[[Rule], Hashable | None]) -> bool:
    """Whether it is seen that no two rules of the same sort may take one packet for certain, each
    by tests that nothing changes; rules of none are not asked about."""
    sorts: dict[Hashable, list[Rule]] = defaultdict(list)
    for rule in rules:
        if (own := sort(rule)) is not None:
            sorts[own].append(rule)
    return all(len(several) < 2 or _are_apart(several) for several in sorts.values())


def _are_apart(rules: Sequence[Rule]) -> bool:
    """Whether each names other values of one field."""
    first = (test.field for test in rules[0].matches if _is_range(test))
    return any(_name_others(rules, field) for field in first)


def _name_others(rules: Sequence[Rule], field: Field) -> bool:
    ranges: list[tuple[int, int]] = []
    for rule in rules:
        named = [test for test in rule.matches if _is_range(test) and test.field is field]
        if not named:
            return False
        ranges += named[0].ranges
    ranges.sort()
    return all(high < low for (_, high), (low, _) in pairwise(ranges))


def not_told_apart(rules: Sequence[Rule], numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Those together, of rules that do the same, that may be for the same packets: it is seen of
    the others that none is for all that another one is for. Where a rule is by itself it is left
    out."""
    if len(numbers) < 2:
        return
    named: dict[Hashable, list[int]] = defaultdict(list)
    for number in numbers:
        values = _named_by(rules[number])
        if values is None:
            yield numbers
            return
        named[values].append(number)
    yield from (several for several in named.values() if len(several) > 1)


def _named_by(rule: Rule) -> Hashable | None:
    """The addresses and ports that a rule names, a range of each; None where it is another thing
    that it says of them."""
    named: dict[Field, tuple[int, int]] = {}
    for test in rule.matches:
        if _is_range(test) and len(test.ranges) == 1 and test.field not in named:
            ((low, high),) = test.ranges
            if low or high < _MAXIMUM[test.field]:
                named[test.field] = low, high
        elif reads(test, NAMED_FIELDS):
            return None
    return frozenset(named.items())


def _is_range(test: Match) -> TypeGuard[Within]:
    """Whether the test names some values of a field that others may name, too."""
    return names_values(test) and not test.negated
