"""Two boxes of addresses and ports for each of many rules: one that holds all packets that the rule
takes, and one, the plainest, that holds none beside which its other tests decide alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from iptlint.model import Field, Match, Rule, Within
from iptlint.model.writes import reads
from iptlint.packets.columns import (
    BOX_FIELDS,
    WORD,
    WORD_MAXIMUM,
    Dimension,
    Flags,
    Numbers,
    Values,
    dimensions_of,
    without,
)
from iptlint.packets.match import Matcher, Tests


class RuleBoxes(NamedTuple):
    """A line for each of the dimensions, a column for each rule. The tests of a rule take nothing
    outside its ``outer`` box. In the ``inner`` one they take what its rest takes, whatever address
    or port it has; those that are ``odd`` have none. ``rest``: which of the ``rests`` stands beside
    the boxes, what it takes of packets whether there can be such or not."""

    dimensions: tuple[Dimension, ...]
    inner: tuple[Values, Values]
    outer: tuple[Values, Values]
    odd: Flags
    rest: Numbers
    rests: Sequence[Tests]


class _Alike(NamedTuple):
    """Rules that are alike in their tests but for the values in the fields of the ``places``."""

    matcher: Matcher
    numbers: list[int]
    places: tuple[int, ...]


def rule_boxes(rules: Sequence[Rule], matchers: Sequence[Matcher]) -> RuleBoxes:
    """``matchers``: of each rule the one that tells its tests; those of one space."""
    alike = _alike(rules, matchers)
    fields = {_side(rules[each.numbers[0]], place).field for each in alike for place in each.places}
    dimensions = dimensions_of(fields)
    shape = len(dimensions), len(rules)
    low, high = np.zeros(shape, np.uint64), np.zeros(shape, np.uint64)
    for place, dimension in enumerate(dimensions):
        high[place] = dimension.maximum
    boxes = RuleBoxes(
        dimensions,
        (low, high),
        (low.copy(), high.copy()),
        np.zeros(len(rules), np.bool_),
        np.zeros(len(rules), np.int64),
        [],
    )
    rests = _Rests()
    for each in alike:
        _fill_in(boxes, rests, rules, each)
    return boxes._replace(rests=rests.all)


def _alike(rules: Sequence[Rule], matchers: Sequence[Matcher]) -> list[_Alike]:
    known: dict[tuple[object, ...], _Alike] = {}
    boxed = {matcher: _boxed(matcher) for matcher in {*matchers}}
    for number, (rule, matcher) in enumerate(zip(rules, matchers, strict=True)):
        fields = boxed[matcher]
        key = (
            id(matcher),
            *(
                (test.field, test.negated)
                if type(test) is Within and test.field in fields
                else id(test)
                for test in rule.matches
            ),
        )
        alike = known.get(key)
        if alike is None:
            places = (n for n, of in enumerate(key[1:]) if type(of) is tuple)
            alike = known[key] = _Alike(matcher, [], tuple(places))
        alike.numbers.append(number)
    return [*known.values()]


def _boxed(matcher: Matcher) -> frozenset[Field]:
    """The fields of which boxes are made: those that nothing changes on the way."""
    return (BOX_FIELDS & matcher.space.fields.keys()) - matcher.changes.fields


def _side(rule: Rule, place: int) -> Within:
    test = rule.matches[place]
    assert type(test) is Within
    return test


class _Rests:
    """The different rests, numbered. Few are different, so that each is made once."""

    def __init__(self) -> None:
        self.all: list[Tests] = []
        self._known: dict[tuple[object, ...], int] = {}

    def number(self, matcher: Matcher, tests: Iterable[Match]) -> int:
        rest = tuple(tests)
        known = self._known.setdefault((id(matcher), *rest), len(self.all))
        if known == len(self.all):
            self.all.append(matcher.all_of(rest, matcher.space.true))
        return known


def _fill_in(boxes: RuleBoxes, rests: _Rests, rules: Sequence[Rule], alike: _Alike) -> None:
    numbers = np.array(alike.numbers, np.int64)
    first = rules[alike.numbers[0]]
    rest = [test for n, test in enumerate(first.matches) if n not in alike.places]
    fields = [_side(first, place).field for place in alike.places]
    if len({*fields}) < len(fields) or any(reads(test, _boxed(alike.matcher)) for test in rest):
        boxes.odd[numbers] = True  # outside of which box they take nothing is not asked either
        boxes.rest[numbers] = rests.number(alike.matcher, ())
        return
    boxes.rest[numbers] = rests.number(alike.matcher, rest)
    for place, field in zip(alike.places, fields, strict=True):
        tests = [_side(rules[number], place) for number in alike.numbers]
        most = (1 << alike.matcher.space.fields[field].width) - 1
        inner = [_one_of(test, most) for test in tests]
        outer = [_around(test, most) for test in tests]
        for told, edges, odd in ((boxes.inner, inner, boxes.odd), (boxes.outer, outer, None)):
            _write(boxes.dimensions, told, field, numbers, edges)
            if odd is not None:
                odd[numbers] |= np.array([low > high for low, high in edges], np.bool_)


def _one_of(test: Within, most: int) -> tuple[int, int]:
    """One of the ranges in which the values may be; none of them where the low end is higher."""
    ranges = test.ranges
    if test.negated:
        ranges = without(ranges, test.field)
    if not ranges:
        return 1, 0
    low, high = ranges[0] if len(ranges) == 1 else max(ranges, key=_span)
    if most > WORD_MAXIMUM and low >> WORD != high >> WORD:
        high = low if low & WORD_MAXIMUM or ~high & WORD_MAXIMUM else high
    return low, min(high, most)


def _span(edges: tuple[int, int]) -> int:
    return edges[1] - edges[0]


def _around(test: Within, most: int) -> tuple[int, int]:
    """A range outside of which the values are not."""
    if test.negated or not test.ranges:
        return 0, most
    if len(test.ranges) == 1:
        low, high = test.ranges[0]
        return low, min(high, most)
    return min(low for low, _ in test.ranges), min(max(high for _, high in test.ranges), most)


def _write(
    dimensions: Sequence[Dimension],
    told: tuple[Values, Values],
    field: Field,
    numbers: Numbers,
    edges: Sequence[tuple[int, int]],
) -> None:
    places = [place for place, dimension in enumerate(dimensions) if dimension.field is field]
    lows, highs = [low for low, _ in edges], [high for _, high in edges]
    if len(places) == 1:
        told[0][places[0], numbers] = np.array(lows, np.uint64)
        told[1][places[0], numbers] = np.array(highs, np.uint64)
        return
    upper, lower = places
    alike = np.array([low >> WORD == high >> WORD for low, high in edges], np.bool_)
    told[0][upper, numbers] = np.array([low >> WORD for low in lows], np.uint64)
    told[1][upper, numbers] = np.array([high >> WORD for high in highs], np.uint64)
    lower_low = np.array([low & WORD_MAXIMUM for low in lows], np.uint64)
    lower_high = np.array([high & WORD_MAXIMUM for high in highs], np.uint64)
    told[0][lower, numbers] = np.where(alike, lower_low, np.uint64(0))
    told[1][lower, numbers] = np.where(alike, lower_high, np.uint64(WORD_MAXIMUM))
