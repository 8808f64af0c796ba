"""What packets are beside their addresses and ports, for many packets at once: few sets, by their
numbers, and what is left of each by the tests of rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from iptlint.packets.columns import BOX_FIELDS, Numbers
from iptlint.packets.match import Tests
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

NONE = -1
"""Stands for no packets."""


class Backgrounds:
    """``rests``: what rules test beside their boxes. A set has with each packet all that differ
    from it in addresses and ports only."""

    def __init__(self, space: Space, rests: Sequence[Tests]) -> None:
        self._space = space
        self._rests = rests
        self._sets: list[PacketSet] = []
        self._numbers: dict[PacketSet, int] = {}
        self._taken: dict[int, int] = {}
        self._left: dict[int, int] = {}

    def all_beside(self, packets: PacketSet) -> int:
        """Those beside which any address and port is among the packets."""
        return self._number(~self._space.forget(~packets, BOX_FIELDS))

    def _number(self, packets: PacketSet) -> int:
        known = self._numbers.get(packets)
        if known is None:
            known = NONE
            if packets.satisfiable():
                known = len(self._sets)
                self._sets.append(packets)
            self._numbers[packets] = known
        return known

    def packets(self, number: int) -> PacketSet:
        """Those with the background."""
        return self._sets[number]

    def taken(self, backgrounds: Numbers, rests: Numbers) -> Numbers:
        """What a rest may take, pair by pair."""
        return self._each(backgrounds, rests, self._taken, lambda b, rest: b & rest.may)

    def left(self, backgrounds: Numbers, rests: Numbers) -> Numbers:
        """What a rest does not take for certain, pair by pair."""
        return self._each(backgrounds, rests, self._left, lambda b, rest: b & ~rest.sure)

    def _each(
        self,
        backgrounds: Numbers,
        rests: Numbers,
        known: dict[int, int],
        answer: Callable[[PacketSet, Tests], PacketSet],
    ) -> Numbers:
        pairs, which = np.unique(backgrounds * len(self._rests) + rests, return_inverse=True)
        pairs[pairs < 0] = NONE
        numbers = np.full(len(pairs), NONE, np.int64)
        for place, pair in enumerate(pairs.tolist()):
            if pair < 0:
                continue
            number = known.get(pair)
            if number is None:
                background, rest = divmod(pair, len(self._rests))
                number = self._number(answer(self._sets[background], self._rests[rest]))
                known[pair] = number
            numbers[place] = number
        of_pairs: Numbers = numbers[which]
        return of_pairs
