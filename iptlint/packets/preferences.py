"""What packets are preferred: of a set those are kept that are so, where some are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Field
from iptlint.packets.bdd import union
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_ENDS = (Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6)
_LARGE = 2000
"""As many nodes has a set that is for thousands of addresses."""
_RECENT = 4
"""So many ways to narrow a set are tried again."""


class _Way(NamedTuple):
    """``together``: what is so by all that was kept. ``otherwise``: of what packets another
    preference would have been kept."""

    together: PacketSet
    otherwise: PacketSet


_Narrowed = tuple["PacketSet", tuple[int, ...]]
"""What is left of packets, and by which preferences."""


class Preferences:
    """Tried in turn, the weightiest first; each is kept if some packet is left.

    The sets of a thousand rules of a list are mostly narrowed in one way, so the last ways are
    tried at once: a way is that of other packets, too, if some of these are so by all that was
    kept, and none is so by what was not.
    """

    def __init__(self, space: Space, preferred: Sequence[PacketSet]) -> None:
        self._space = space
        self._preferred = preferred
        self._ways: dict[tuple[int, ...], _Way | None] = {}

    def narrowed(self, packets: PacketSet) -> PacketSet:
        """Those that are kept of the packets."""
        for kept, way in self._ways.items():
            if way is not None and (narrowed := _by(way, packets)) is not None:
                self._remember(kept, way)
                return narrowed
        narrowed, kept = self._from(0, packets)
        known = kept in self._ways
        self._remember(kept, self._way(kept) if known else None)
        return narrowed

    def _remember(self, kept: tuple[int, ...], way: _Way | None) -> None:
        """As the first that is tried. One is worked out when it comes for the second time."""
        self._ways.pop(kept, None)
        self._ways = {kept: way, **self._ways}
        if len(self._ways) > _RECENT:
            self._ways.popitem()

    def _way(self, kept: tuple[int, ...]) -> _Way:
        together, otherwise, numbers = self._space.true, [], frozenset(kept)
        for number, preferred in enumerate(self._preferred):
            if number in numbers:
                together = together & preferred
            else:
                otherwise.append(together & preferred)
        return _Way(together, union(otherwise, self._space.false))

    def _from(self, first: int, packets: PacketSet) -> _Narrowed:
        """By the preferences from the first on."""
        if packets.node_count() > _LARGE:
            return self._slowly(first, packets)
        kept: list[int] = []
        for number in range(first, len(self._preferred)):
            narrowed = packets & self._preferred[number]
            if narrowed.satisfiable():
                packets = narrowed
                kept.append(number)
        return packets, tuple(kept)

    def _slowly(self, first: int, packets: PacketSet) -> _Narrowed:
        """The same, of a set that is dear to narrow: what is preferred of all but the addresses,
        which make it large, is tried on what the packets are beside these."""
        space, kept = self._space, list[int]()
        beside, together = space.forget(packets, _ENDS), space.true
        for number in range(first, len(self._preferred)):
            preferred = self._preferred[number]
            if space.forget(preferred, _ENDS) != preferred:
                packets = packets & together
                narrowed = packets & preferred
                if narrowed.satisfiable():
                    packets = narrowed
                    kept.append(number)
                narrowed, others = self._from(number + 1, packets)
                return narrowed, (*kept, *others)
            narrowed = beside & preferred
            if narrowed.satisfiable():
                beside, together = narrowed, together & preferred
                kept.append(number)
        return packets & together, tuple(kept)


def _by(way: _Way, packets: PacketSet) -> PacketSet | None:
    narrowed = packets & way.together
    if narrowed.satisfiable() and not (packets & way.otherwise).satisfiable():
        return narrowed
    return None
