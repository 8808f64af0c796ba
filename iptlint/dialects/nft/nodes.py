"""What every node of the tree has in common."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """``start <= i < end`` are offsets into the text of the source the node was read from.

    They say where, not what: trees of the same meaning are equal wherever they were written.
    """

    start: int = field(default=0, compare=False, repr=False, kw_only=True)
    end: int = field(default=0, compare=False, repr=False, kw_only=True)
