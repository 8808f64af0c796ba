"""Boxes of packets that are cut up by the rows of a long chain's columns, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from iptlint.packets.backgrounds import NONE, Backgrounds
from iptlint.packets.columns import Columns, Flags, Numbers, Values


class Pieces(NamedTuple):
    """``low``, ``high``: a line for each of the dimensions, a column for each piece. ``owner``:
    whose it is; ``background``: what its packets are beside the box."""

    owner: Numbers
    low: Values
    high: Values
    background: Numbers

    def where(self, which: Flags | Numbers) -> Pieces:
        return Pieces(
            self.owner[which], self.low[:, which], self.high[:, which], self.background[which]
        )


def joined(several: Sequence[Pieces]) -> Pieces:
    owners, lows, highs, backgrounds = zip(*several, strict=True)
    return Pieces(
        np.concatenate(owners),
        np.concatenate(lows, axis=1),
        np.concatenate(highs, axis=1),
        np.concatenate(backgrounds),
    )


def cut(
    pieces: Pieces, columns: Columns, rows: Numbers, backgrounds: Backgrounds
) -> tuple[Pieces, Pieces]:
    """Of each piece what the row beside it takes, and what it leaves; none of these overlap."""
    rests = columns.rest[rows]
    low, high = columns.low[:, rows], columns.high[:, rows]
    taken = backgrounds.taken(pieces.background, rests)
    meeting: Flags = taken != NONE
    for its_low, its_high, row_low, row_high in zip(
        pieces.low, pieces.high, low, high, strict=True
    ):
        meeting &= (its_low <= row_high) & (its_high >= row_low)
    left = [pieces.where(~meeting)]
    met, low, high = pieces.where(meeting), low[:, meeting], high[:, meeting]
    beside = met._replace(background=backgrounds.left(met.background, rests[meeting]))
    left.append(beside.where(beside.background != NONE))
    inside = met._replace(background=taken[meeting])
    for place in range(len(low)):
        inside, outside = _trimmed(inside, place, low[place], high[place])
        left += outside
    return inside, joined(left)


def _trimmed(
    pieces: Pieces, place: int, low: Values, high: Values
) -> tuple[Pieces, tuple[Pieces, Pieces]]:
    """In one dimension what lies from the low to the high values, and what is below and above."""
    one = np.uint64(1)
    is_below, is_above = pieces.low[place] < low, pieces.high[place] > high
    below, above = pieces.where(is_below), pieces.where(is_above)
    below.high[place] = low[is_below] - one
    above.low[place] = high[is_above] + one
    inside = pieces._replace(low=pieces.low.copy(), high=pieces.high.copy())
    np.maximum(inside.low[place], low, out=inside.low[place])
    np.minimum(inside.high[place], high, out=inside.high[place])
    return inside, (below, above)
