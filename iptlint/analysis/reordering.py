"""Rules that others could stand for: which are alike but for one field, and which of them can be
moved together without changing a decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from iptlint.memo import memo
from iptlint.model import AnyOf, Chain, Decided, Field, Match, Rule, Uncertain, VerdictKind, Within
from iptlint.model.kinds import Kind, kinds, names_values, numbers_where
from iptlint.model.verdicts import Verdict
from iptlint.netfilter.table_analysis import TableAnalysis

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class Alike(NamedTuple):
    """Plain rules of a chain, by their numbers, that differ in the values of one field alone."""

    field: Field
    verdict: Verdict
    numbers: list[int]


def alike_but_for(chain: Chain, fields: Sequence[Field]) -> list[Alike]:
    """All plain rules with one test for values of one of the fields, those together that are alike
    but for these; what begins first, first. ``fields``: some of ``NAMED_FIELDS``."""
    several: dict[Hashable, dict[Hashable, Alike]] = defaultdict(dict)
    for kind in kinds(chain):
        first = kind.first
        named = [test.field for test in first.matches if names_values(test)]
        for field in fields if is_plain(first) else ():
            if named.count(field) == 1:
                rest = frozenset(test for test in first.matches if not names_values(test))
                _sort_in(several[field, first.verdict, rest], kind, field)
    each = [alike for known in several.values() for alike in known.values()]
    for alike in each:
        alike.numbers.sort()
    return sorted(each, key=lambda alike: (alike.numbers[0], fields.index(alike.field)))


def _sort_in(known: dict[Hashable, Alike], kind: Kind, field: Field) -> None:
    """The rules of a kind, by what they name in other fields."""
    verdict, matches = kind.first.verdict, kind.first.matches
    others = [n for n, m in enumerate(matches) if names_values(m) and m.field is not field]
    if not others:
        known.setdefault((), Alike(field, verdict, [])).numbers.extend(kind.numbers)
        return
    for number, rule in zip(kind.numbers, kind.rules, strict=True):
        tests = [rule.matches[place] for place in others]
        named = {(m.field.value, m.negated, m.ranges) for m in tests if names_values(m)}
        beside = tuple(named) if len(named) == 1 else tuple(sorted(named))
        alike = known.get(beside)
        if alike is None:
            alike = known[beside] = Alike(field, verdict, [])
        alike.numbers.append(number)


def match_of(rule: Rule, field: Field) -> tuple[int, Within]:
    """The rule's first test for values of the field, and its place."""
    for place, test in enumerate(rule.matches):
        if type(test) is Within and test.field is field:
            return place, test
    raise LookupError(field)


def is_plain(rule: Rule) -> bool:
    """Whether nothing but its verdict would be lost with the rule."""
    return (
        _decides(rule.verdict.kind)
        and rule.whole is None
        and not rule.effects
        and rule.comment is None
        and (rule.counters is None or not any(rule.counters))
        and not _is_uncertain(rule)
    )


def _is_uncertain(rule: Rule) -> bool:
    return any(map(is_uncertain, rule.matches))


def _decides(kind: VerdictKind) -> bool:
    return kind.terminates or _leaves_chain(kind) or kind is VerdictKind.JUMP


def _leaves_chain(kind: VerdictKind) -> bool:
    """Whether no rule of the chain sees the packets that have this verdict."""
    return kind.terminates or kind in (VerdictKind.RETURN, VerdictKind.GOTO)


def is_uncertain(match: Match) -> bool:
    match match:
        case Uncertain() | Decided():
            return True
        case AnyOf(alternatives):
            return any(is_uncertain(test) for tests in alternatives for test in tests)
        case _:
            return False


class MovableRuns:
    """Which rules of one chain can be moved together."""

    def __init__(self, analysis: TableAnalysis, chain: Chain) -> None:
        self.analysis = analysis
        self.chain = chain
        self.flow = analysis.flows[chain.name]
        self.uncertain = numbers_where(chain, _is_uncertain)

    def runs(self, verdict: Verdict, numbers: list[int]) -> Iterator[list[int]]:
        """Rules that can all be moved up to the first of them; the others make other runs."""
        stops = self._stops(verdict, numbers) if numbers else {}
        while numbers:
            yield [number for number in numbers if stops[number] < numbers[0]]
            numbers = [number for number in numbers if stops[number] >= numbers[0]]

    def _stops(self, verdict: Verdict, numbers: list[int]) -> dict[int, int]:
        """For each rule the last one, from the first of them on, past which it cannot move up;
        -1: none."""
        first = numbers[0]
        meetings = self.flow.last_meetings(numbers, self._otherwise(verdict), first)
        if not self.uncertain:
            return {number: meetings.get(number, -1) for number in numbers}
        return {n: max(meetings.get(n, -1), self._counting(first, n)) for n in numbers}

    def _counting(self, first: int, number: int) -> int:
        """The last uncertain rule before it that counts packets of the rule."""
        counting = [other for other in self.uncertain if first <= other < number]
        if not counting:
            return -1
        packets = self.flow.tests[number].may
        return next((o for o in reversed(counting) if self._counts(o, packets)), -1)

    @memo
    def _otherwise(self, verdict: Verdict) -> list[int]:
        """The rules with another outcome."""
        return numbers_where(self.chain, lambda rule: not _same_outcome(rule, verdict))

    def _counts(self, number: int, packets: PacketSet) -> bool:
        return (self._seen(number) & packets).satisfiable()

    def _seen(self, number: int) -> PacketSet:
        """The packets that an uncertain rule's limit counts: all that get to it."""
        matches = self.chain.rules[number].matches
        before = takewhile(lambda match: not is_uncertain(match), matches)
        return (
            self.analysis.matcher_of(self.chain.name)
            .all_of(before, self.analysis.space.universe)
            .may
        )


def _same_outcome(rule: Rule, verdict: Verdict) -> bool:
    """Whether it is all the same if this rule takes a packet or one with the verdict does. Two
    calls of a chain are not the same as one, and a limit counts what it sees."""
    return (
        _leaves_chain(verdict.kind)
        and rule.verdict == verdict
        and not rule.effects
        and not _is_uncertain(rule)
    )
