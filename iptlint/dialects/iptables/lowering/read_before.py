"""What lines meant when a text was read before: read again, as while somebody edits it, only lines
that are new are worked out.

A line means what its words mean, wherever it stands, unless something is to be said of it or of its
place: such lines are worked out each time.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from iptlint.dialects.iptables.lowering.plan import Plan
from iptlint.model import Effect, Family, Match, Verdict

_MOST_TEXTS = 4
_MOST_LINES = 50_000
"""Of a text; what is longer is not edited by hand."""


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

_texts: OrderedDict[str, Lines] = OrderedDict()
"""Of each path the lines of the last reading, those last that were read last."""


def lines_of(path: str) -> Lines:
    return _texts.get(path, {})


def keep(path: str, lines: Lines) -> None:
    """In the place of what was kept of the text."""
    _texts.pop(path, None)
    if len(lines) <= _MOST_LINES:
        _texts[path] = lines
    while len(_texts) > _MOST_TEXTS:
        _texts.popitem(last=False)


def forget() -> None:
    _texts.clear()
