"""Elements that a file puts into a set, takes out, and puts in again with other bounds.

With a set that the file declares nft hands over all that is in it in the end, and behind it what
each command puts in and takes out.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering.datatypes import Text
from iptlint.loads.nft.features import Fault
from iptlint.loads.nft.state import Interval, KnownSet, KnownTable
from iptlint.loads.nft.trial import Trial
from iptlint.loads.refusal import Stage

_ALL_AT_FIRST = Fault(
    "an element that the file takes out again, and that overlaps one which stays,",
    *((1, 0, 3), (1, 1, 0), "src/intervals.c set_overlap, src/cmd.c nft_cmd_expand"),
)
_STILL_LISTED = Fault(
    "an element that overlaps one of the declaration, though a command takes that one out before,",
    *((1, 0, 3), (1, 1, 0), "src/intervals.c setelem_delete, set_overlap", Stage.EVALUATION),
)


def note_put(
    trial: Trial, known: KnownSet, value: Interval | Text, key: t.Node, where: BlockContext
) -> None:
    """A command puts the element in."""
    if isinstance(value, Text) or known.merges or known.put is None or known.listed:
        return
    known.put.setdefault(value, (key, where))
    if _overlaps(value, known.kept):
        mend = "declare the set without what is taken out"
        trial.has_fault(_STILL_LISTED, where, key, mend)


def note_taken_out(known: KnownSet, value: object) -> None:
    """What the first command takes out of the declaration nft remembers until it is taken out
    again."""
    if not isinstance(value, tuple) or known.declared is None or known.listed:
        return
    if value in known.kept:
        known.kept.remove(value)
    elif not known.cut and value not in (known.put or ()):
        insort(known.kept, value)


def check_readded(table: KnownTable, trial: Trial) -> None:
    for known in table.sets.values():
        if known.declared is None or known.listed or not known.put or known.merges:
            continue
        last = sorted({*known.intervals, *known.kept})
        for value, (node, where) in known.put.items():
            if _overlaps(value, last):
                trial.has_fault(_ALL_AT_FIRST, where, node, "put in what stays, and nothing else")
                break


def _overlaps(value: Interval, others: Sequence[Interval]) -> bool:
    """Whether it is none of the others, which do not overlap, and overlaps one of them."""
    at = bisect_left(others, value)
    beside = others[max(0, at - 1) : at + 1]
    return value not in beside and any(low <= value[1] and value[0] <= high for low, high in beside)
