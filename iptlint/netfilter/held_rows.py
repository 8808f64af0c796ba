"""Which rows of a long chain get no packet because one earlier row takes all that they hold. Where
prefixes are nested, these are most; nobody who asks what becomes of packets need look at them."""

from __future__ import annotations

import numpy as np

from iptlint.packets.columns import Flags, Numbers
from iptlint.packets.long_rules import LongRules
from iptlint.packets.point_search import PointSearch

_FIRST_STEP = 2048
"""So many rows are looked at together at first, then ever more."""


def held_by(rules: LongRules, taking: Numbers) -> Numbers:
    """For each row the first row of an earlier rule, of those that are ``taking`` packets, which
    takes for certain all that it holds; -1 where there is none."""
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


def _first_holding(rules: LongRules, holders: Numbers, asked: Numbers) -> Numbers:
    columns = rules.columns

    def takes_all(points: Numbers, takers: Numbers) -> Flags:
        rows = asked[points]
        fitting: Flags = np.all(columns.high[:, rows] <= columns.high[:, takers], axis=0)
        fitting &= rules.covers(columns.rest[takers], columns.rest[rows])
        return fitting

    earlier = np.searchsorted(columns.number, columns.number[asked])
    return PointSearch(columns, holders).first(columns.low[:, asked], earlier, takes_all)
