"""Which rows of a long chain get no packet because one earlier row takes all that they hold. Where
prefixes are nested, these are most; nobody who asks what becomes of packets need look at them."""

from __future__ import annotations

import numpy as np

from iptlint.packets.columns import Columns, Flags, Numbers, Values
from iptlint.packets.long_rules import LongRules
from iptlint.packets.point_search import PointSearch

_FEW_SIZES = 64
_FIRST_STEP = 2048
"""So many rows are looked at together at first, then ever more."""


def held_by(rules: LongRules, taking: Numbers) -> Numbers:
    """For each row the first row of an earlier rule, of those that are ``taking`` packets, which
    takes for certain all that it holds; -1 where there is none."""
    taking = taking[_some_may_be_held_by(rules.columns)[taking]]
    free: Numbers = taking[:0]
    begin, step = 0, _FIRST_STEP
    # A row that is held holds no more than its holder does: later ones need not look at it.
    while begin < len(taking):
        some = taking[begin : begin + step]
        some = some[_first_holding(rules, free, some) < 0]
        some = some[_first_holding(rules, some, some) < 0]
        free = np.concatenate([free, some])
        begin, step = begin + step, step * 2
    return _first_holding(rules, free, np.arange(len(rules.columns.number), dtype=np.int64))


def _some_may_be_held_by(columns: Columns) -> Flags:
    """Not by rows that have a box for themselves, and so small a one that no other is within."""
    small = _smallest(columns.high - columns.low)
    groups = columns.alike(np.flatnonzero(small), np.zeros(len(columns.rests), np.int64))
    holding: Flags = ~small
    holding[small] = np.bincount(groups)[groups] > 1
    return holding


def _smallest(sizes: Values) -> Flags:
    """Of boxes, by their size in each dimension, those that only boxes of the same size fit in."""
    sizes = np.concatenate([np.zeros((1, sizes.shape[1]), np.uint64), sizes])  # there may be none
    order = np.lexsort(sizes)
    new = np.ones(len(order), np.bool_)
    new[1:] = (sizes[:, order[1:]] != sizes[:, order[:-1]]).any(axis=0)
    different = sizes[:, order[new]]
    small: Flags = np.zeros(len(order), np.bool_)
    if different.shape[1] <= _FEW_SIZES:
        fitting = (different[:, :, None] <= different[:, None, :]).all(axis=0).sum(axis=0)
        small[order] = (fitting == 1)[np.cumsum(new) - 1]
    return small


def _first_holding(rules: LongRules, holders: Numbers, asked: Numbers) -> Numbers:
    columns = rules.columns

    def takes_all(points: Numbers, takers: Numbers) -> Flags:
        rows = asked[points]
        fitting: Flags = np.all(columns.high[:, rows] <= columns.high[:, takers], axis=0)
        fitting &= rules.covers(columns.rest[takers], columns.rest[rows])
        return fitting

    earlier = np.searchsorted(columns.number, columns.number[asked])
    return PointSearch(columns, holders).first(columns.low[:, asked], earlier, takes_all)
