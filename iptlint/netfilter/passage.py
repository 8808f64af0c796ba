"""Some packets on their way down a chain: which of them get to one of its rules, and what stops the
others before it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class Flow(Protocol):
    def arriving_at(self, number: int, packets: PacketSet) -> PacketSet: ...

    def blocked_at(self, packets: PacketSet, end: int | None = None) -> int: ...

    def taken_by(self, number: int) -> PacketSet: ...


class Passage:
    """``arriving``: the packets that get to the rule with the number ``end``."""

    def __init__(self, flow: Flow, end: int, packets: PacketSet) -> None:
        self._flow = flow
        self._end = end
        self.arriving = flow.arriving_at(end, packets)

    def stopping(self, packets: PacketSet) -> Iterator[tuple[int, PacketSet]]:
        """Rules, the last one first, that together stop all of these packets, which are some of
        those that do not arrive; each with what it takes that none behind it takes."""
        end = self._end
        while packets.satisfiable():
            end = self._flow.blocked_at(packets, end)
            taken = self._flow.taken_by(end)
            yield end, packets & taken
            packets = packets & ~taken


class PassageBySight(Passage):
    """The same where it is known which rules may take some of the packets: these ``takers``."""

    def __init__(self, flow: Flow, takers: Sequence[int], packets: PacketSet) -> None:
        self._flow = flow
        self._numbers: list[int] = []
        self._coming = [packets]
        """What comes to each of these rules, and at last past them."""
        for number in takers:
            beyond = self._coming[-1] & ~flow.taken_by(number)
            if beyond != self._coming[-1]:
                self._numbers.append(number)
                self._coming.append(beyond)
                if not beyond.satisfiable():
                    break
        self.arriving = self._coming[-1]

    def stopping(self, packets: PacketSet) -> Iterator[tuple[int, PacketSet]]:
        last = len(self._numbers)
        rest = packets
        while rest.satisfiable():
            # Without some packets, what comes to a rule is what came before without them.
            left = rest
            last = bisect_left(
                range(last), True, key=lambda n: not (self._coming[n + 1] & left).satisfiable()
            )
            taken = self._flow.taken_by(self._numbers[last])
            yield self._numbers[last], rest & taken
            rest = rest & ~taken
