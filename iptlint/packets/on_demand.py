"""The tests of many rules as sets, each made when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from iptlint.packets.match import Tests


class TestsOnDemand(Sequence[Tests]):
    """``make`` gives those of the rule with a number, of so many."""

    __test__ = False  # pytest takes it for a class of tests

    def __init__(self, make: Callable[[int], Tests], count: int) -> None:
        self._make = make
        self._known: list[Tests | None] = [None] * count

    @overload
    def __getitem__(self, number: int) -> Tests: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Tests]: ...
    def __getitem__(self, number: int | slice) -> Tests | Sequence[Tests]:
        if isinstance(number, slice):
            return [self[n] for n in range(*number.indices(len(self)))]
        known = self._known[number]
        if known is None:
            known = self._known[number] = self._make(number)
        return known

    def __iter__(self) -> Iterator[Tests]:
        return (self[number] for number in range(len(self)))

    def __len__(self) -> int:
        return len(self._known)
