"""A tree put at another place: what a variable stands for is where the variable is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import Place
from iptlint.dialects.nft.walking import AnyNode, rebuilt

Elements = Sequence[t.Expression | t.Element]

LONG = 64
"""Elements from which on a set is moved while it is looked at, not before."""


def moved(node: AnyNode, place: Place) -> AnyNode:
    """The node and all that is in it, at one place."""
    if isinstance(node, t.SetLiteral) and not _is_short(node.elements):
        return replace(node, elements=MovedElements(node.elements, **place), **place)
    return rebuilt(node, lambda part: moved(part, place), place)


def _is_short(elements: Elements) -> bool:
    return type(elements) is tuple and len(elements) <= LONG


@dataclass(frozen=True, slots=True, eq=False)
class MovedElements(Sequence[t.Expression | t.Element]):
    """The elements of a set, each made at its new place when it is looked at."""

    elements: Elements
    start: int
    end: int

    def __len__(self) -> int:
        return len(self.elements)

    def __iter__(self) -> Iterator[t.Expression | t.Element]:
        place = Place(start=self.start, end=self.end)
        return (moved(element, place) for element in self.elements)

    @overload
    def __getitem__(self, index: int) -> t.Expression | t.Element: ...
    @overload
    def __getitem__(self, index: slice) -> Elements: ...
    def __getitem__(self, index: int | slice) -> t.Expression | t.Element | Elements:
        if isinstance(index, slice):
            return tuple(self)[index]
        return moved(self.elements[index], Place(start=self.start, end=self.end))

    def __eq__(self, other: object) -> bool:
        return self.elements == getattr(other, "elements", other)

    def __hash__(self) -> int:
        return hash(self.elements)
