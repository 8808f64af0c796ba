"""Things in a row, as people say them: what is in, or what is left out, whichever is shorter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Enumerate = Callable[["PacketSet"], Iterator[str]]

_UNSAID = 1000
"""What a list counts for that is too long to be said."""

_FAR_FROM_OVERFLOW = 512


def listed(words: Iterable[str], word: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``; nothing where there are none."""
    *others, last = [*words] or [""]
    return f"{', '.join(others)} {word} {last}" if others else last


def few(words: Sequence[str], most: int) -> str:
    """``a, b``; of more than ``most``, and one more, the first: ``a, b and 3 more``."""
    more = len(words) - most
    return ", ".join(words) if more <= 1 else f"{', '.join(words[:most])} and {more} more"


@dataclass(frozen=True, slots=True)
class Listing:
    """``negated``: the items are what is left out. ``rest``: what stands for the items that are
    too many to be said; empty if there are none. ``said``: the values that the list stands for."""

    items: tuple[str, ...]
    said: PacketSet
    negated: bool = False
    rest: str = ""

    @property
    def length(self) -> float:
        """How much there is to read."""
        return len(self.items) + 0.5 * self.negated + (_UNSAID if self.rest else 0)

    @property
    def single(self) -> bool:
        return len(self.items) == 1 and not self.negated and not self.rest

    def text(self, *, word: str = "or", but: str = "any but ") -> str:
        """``22, 80 or 443``, ``any but 22 and 80``."""
        start = but if self.negated else ""
        if self.rest:
            return f"{start}{', '.join(self.items)} {self.rest}"
        return start + listed(self.items, "and" if self.negated else word)


class Choice(NamedTuple):
    """One way to say it. ``negated``: the values are what is left out."""

    values: PacketSet
    items: Enumerate
    negated: bool = False

    @property
    def said(self) -> PacketSet:
        return ~self.values if self.negated else self.values


def shortest(choices: Sequence[Choice], most: int, how_many: Callable[[PacketSet], str]) -> Listing:
    """The first of the shortest lists, of at most ``most`` items. Where there is none, some
    items of the smallest set stand for all, and ``how_many`` says so."""
    fitting: list[Listing] = []
    for choice in choices:
        items = tuple(islice(choice.items(choice.values), most + 1))
        if 0 < len(items) <= most:
            fitting.append(Listing(items, choice.said, choice.negated))
    if fitting:
        return min(fitting, key=lambda listing: listing.length)
    few = min(choices, key=lambda choice: choice.values.sat_count_float(_FAR_FROM_OVERFLOW))
    items = tuple(islice(few.items(few.values), max(most // 2, 1)))
    return Listing(items, few.said, few.negated, how_many(few.values))
