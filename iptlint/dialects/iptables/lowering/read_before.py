"""What lines meant when a text was read before: read again, as while somebody edits it, only lines
that are new are worked out.

A line means what its words mean, wherever it stands, unless something is to be said of it or of its
place: such lines are worked out each time.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from iptlint.dialects.iptables.lowering.parts import Pool
from iptlint.dialects.iptables.lowering.plan import Plan
from iptlint.model import Effect, Family, Match, Verdict

_MOST_TEXTS = 4
_MOST_LINES = 50_000
"""Of a text; what is longer is not edited by hand."""
_MOST_PARTS, _MORE_PARTS = 8, 10_000
"""So many a line, and so many more: most are then of lines that are gone."""


class Meaning(NamedTuple):
    """What a rule is, wherever it is written."""

    matches: tuple[Match, ...]
    verdict: Verdict
    effects: tuple[Effect, ...]
    comment: str | None
    copies: int


class Appended(NamedTuple):
    """A line that appends a rule to the chain."""

    chain: str
    plan: Plan
    meaning: Meaning


Lines = dict[tuple[Family, str, str], Appended]
"""By the family and the name of its table, and its text."""


class Before(NamedTuple):
    """The last reading. ``pool``: what the plans of the lines know."""

    lines: Lines
    pool: Pool


_texts: OrderedDict[str, Before] = OrderedDict()
"""By the path of each, those last that were read last."""


def last(path: str) -> Before:
    return _texts.get(path) or Before({}, {})


def keep(path: str, reading: Before) -> None:
    """In the place of what was kept of the text."""
    _texts.pop(path, None)
    parts = sum(map(len, reading.pool.values()))
    count = len(reading.lines)
    if count <= _MOST_LINES and parts <= _MOST_PARTS * count + _MORE_PARTS:
        _texts[path] = reading
    while len(_texts) > _MOST_TEXTS:
        _texts.popitem(last=False)


def forget() -> None:
    """All that is kept."""
    _texts.clear()
