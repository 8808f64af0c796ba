"""Which row behind a row is the first to share a point with it, where it is near."""

from __future__ import annotations

import numpy as np

from iptlint.packets.columns import Columns, Flags, Numbers

_WINDOWS = (16, 64, 256)
"""So many rows behind one are looked at; where none of them does, so many more."""
_TOGETHER = 1 << 20


def nearest(columns: Columns, rows: Numbers, fitting: Flags) -> Numbers:
    """Two lines: those of the rows that share a point with one of the next behind them, and the
    first of these. ``fitting``: by two rests, whether rows with them may share a packet."""
    found: list[Numbers] = []
    begin = 1
    for window in _WINDOWS:
        parts = np.array_split(rows, len(rows) * window // _TOGETHER + 1)
        pairs = [_nearest(columns, part, fitting, begin, begin + window) for part in parts]
        found += pairs
        rows = np.setdiff1d(rows, np.concatenate([pair[0] for pair in pairs]))
        begin += window
    return np.concatenate(found, axis=1)


def _nearest(columns: Columns, rows: Numbers, fitting: Flags, begin: int, end: int) -> Numbers:
    mine = rows[:, None]
    others = mine + np.arange(begin, end)
    there = others < len(columns.number)
    others[~there] = 0
    sharing: Flags = there & fitting[columns.rest[mine], columns.rest[others]]
    for low, high in zip(columns.low, columns.high, strict=True):
        sharing &= (low[others] <= high[mine]) & (low[mine] <= high[others])
    some = sharing.any(axis=1)
    first = sharing[some].argmax(axis=1)
    return np.stack([rows[some], others[some, first]])
