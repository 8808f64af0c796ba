"""Sets and maps that are written into a rule: which of their keys exclude each other."""

from __future__ import annotations

from itertools import pairwise

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering.datatypes import DataType
from iptlint.loads.nft import checks
from iptlint.loads.nft.elements import MOST_COMPARED, elements_of, meets
from iptlint.loads.nft.features import SINGLE_AMONG_RANGES
from iptlint.loads.nft.trial import Trial
from iptlint.loads.nft.values import Bad, Interval, differ, interval, parts_of, ranges_in


def check_keys(
    trial: Trial, where: BlockContext, literal: t.SetLiteral, types: tuple[DataType | None, ...]
) -> None:
    """nft merges what overlaps in a set, and cannot in a map, whose elements have data."""
    seen: dict[tuple[object, ...], t.Node | None] = {}
    ranges: list[tuple[Interval, t.Node]] = []
    for key, data in elements_of(literal):
        value = _value(key, types)
        if value is None:
            continue
        if value in seen and differ(seen[value], data):
            cause = "the key is in the map already, with other data"
            trial.refuse(checks.DUPLICATE_KEY, where, key, cause, "delete one of the two")
            return
        if value not in seen and len(value) == 1 and isinstance(value[0], tuple):
            ranges.append((value[0], key))
        seen[value] = data
    ranges.sort(key=lambda each: each[0])
    for (before, _), (after, key) in pairwise(ranges):
        if after[0] <= before[1]:
            cause = "it overlaps another key of the map, so it is not clear whose data counts"
            mend = "make them apart, or write two rules, the narrower one first"
            trial.refuse(checks.KEYS_OVERLAP, where, key, cause, mend)
            return


def check_apart(
    trial: Trial, where: BlockContext, literal: t.SetLiteral, types: tuple[DataType | None, ...]
) -> None:
    """Keys of several parts, of which some are ranges, as those of a set that is declared."""
    keys = [key for key, _ in elements_of(literal)]
    if len(types) < 2 or len(keys) > MOST_COMPARED or not any(any(ranges_in(k)) for k in keys):
        return
    seen: list[tuple[object, ...]] = []
    for key in keys:
        value = _value(key, types)
        if value is not None and value not in seen and any(meets(value, each) for each in seen):
            cause = "it overlaps another element of the set"
            trial.refuse(checks.PARTS_OVERLAP, where, key, cause, "make two rules of it")
            return
        seen += [value] if value is not None else []


def check_data(trial: Trial, where: BlockContext, literal: t.SetLiteral) -> None:
    """Single values beside ranges, as what a map to addresses leads to."""
    elements = list(elements_of(literal))
    single = [key for key, data in elements if data is not None and not any(ranges_in(data))]
    if single and len(single) < len(elements):
        trial.forbids(SINGLE_AMONG_RANGES, where, single[0], "write a range of one: a-a")


def _value(key: t.Node, types: tuple[DataType | None, ...]) -> tuple[object, ...] | None:
    """None where it is not known."""
    made = []
    for part, kind in zip(parts_of(key), types, strict=False):
        value = None if kind is None else interval(part, kind)
        if value is None or isinstance(value, Bad):
            return None
        made.append(value)
    return tuple(made)
