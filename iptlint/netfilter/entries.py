"""Which packets enter the chains of a table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain as joined
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Chain, Table
from iptlint.model.call_graph import CallGraph, Place
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class Entry:
    """The packets that enter a chain, asked for as far as somebody needs them: of most chains that
    is whether there are any."""

    def __init__(self, name: str, entries: Entries) -> None:
        self._name = name
        self._entries = entries

    @property
    def some(self) -> PacketSet:
        """Those of the first call that sends any."""
        return self._entries.some(self._name)

    @property
    def reachable(self) -> PacketSet:
        """The packets that may enter."""
        return self._entries.entering(self._name)

    @property
    def is_reachable(self) -> bool:
        """Whether any may."""
        is_seen = self._name in self._entries.seen
        return is_seen or self.some.satisfiable() or self.reachable.satisfiable()

    @property
    def intended(self) -> PacketSet:
        """Those that would if no earlier rule took any."""
        return self._entries.intended(self._name)


class Callers:
    """The rules of a table that call a chain, but for those that close a loop."""

    def __init__(self, table: Table, calls: CallGraph) -> None:
        self.table = table
        self._calls = calls

    @property
    def order(self) -> Sequence[str]:
        """Each chain after those that it calls."""
        return self._calls.order

    def of(self, name: str) -> Sequence[Place]:
        if not self._calls.closes_loops:
            return self._calls.callers(name)
        own = self._positions[name]
        return [place for place in self._calls.callers(name) if self._positions[place.chain] > own]

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self._calls.order)}


class Hooked(NamedTuple):
    """Of a base chain: what enters, and what would if no earlier one took any."""

    entering: PacketSet
    sent: PacketSet


class Entries(Mapping[str, Entry]):
    """By the names of the chains, each before those that it calls. ``hooked`` is asked of the base
    chains. ``seen``: chains that some packet is known to enter.

    Calls may be nested deeper than Python's own.
    """

    def __init__(
        self,
        callers: Callers,
        space: Space,
        flows: Mapping[str, ChainFlow],
        hooked: Callable[[Chain], Hooked],
        seen: Collection[str],
    ) -> None:
        self._callers = callers
        self._chains = callers.table.chains
        self._space = space
        self._flows = flows
        self._hooked = hooked
        self.seen = seen
        self._made = {name: Entry(name, self) for name in reversed(callers.order)}
        self._some: dict[str, PacketSet] = {}
        self._entering: dict[str, PacketSet] = {}
        self._intended: dict[str, PacketSet] = {}
        self._calling: set[Place] = set()
        """Calls that some packet may get to and match."""

    def __getitem__(self, name: str) -> Entry:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def are_sent_by(self, place: Place) -> bool:
        """Whether it has shown that some packet gets to the call and matches."""
        return place in self._calling

    def some(self, name: str) -> PacketSet:
        """Packets by which the chain is entered; of one call, these are all."""
        under_way = [(name, iter(self._callers.of(name)))]
        while under_way and name not in self._some:
            asked, calls = under_way[-1]
            if self._chains[asked].hook:
                self._some[asked] = self._hooked(self._chains[asked]).entering
            place = None if asked in self._some else next(calls, None)
            if place is not None and place.chain not in self._some:
                under_way[-1] = asked, joined((place,), calls)
                under_way.append((place.chain, iter(self._callers.of(place.chain))))
            elif place is not None:
                self._take_call(asked, place)
            else:
                self._some.setdefault(asked, self._space.false)
                under_way.pop()
        return self._some[name]

    def _take_call(self, name: str, place: Place) -> None:
        """Where the call sends some packets on, they are those by which the chain is entered."""
        calling = self._some[place.chain]
        some = self._by(place, calling)
        if some.satisfiable():
            self._some[name] = some
            self._calling.add(place)
            if self._entering.get(place.chain) == calling and len(self._callers.of(name)) == 1:
                self._entering[name] = some

    def _by(self, place: Place, entering: PacketSet) -> PacketSet:
        """What a call sends on of the packets that enter the chain it stands in."""
        return self._flows[place.chain].met(place.number, entering)

    def entering(self, name: str) -> PacketSet:
        """All packets that may enter the chain."""
        return self._joined(
            name, self._entering, lambda chain: self._hooked(chain).entering, self._by
        )

    def intended(self, name: str) -> PacketSet:
        """The packets that would enter the chain if no earlier rule took any."""
        return self._joined(
            name,
            self._intended,
            lambda chain: self._hooked(chain).sent,
            lambda place, sent: self._flows[place.chain].tests[place.number].may & sent,
        )

    def _joined(
        self,
        name: str,
        known: dict[str, PacketSet],
        hooked: Callable[[Chain], PacketSet],
        by: Callable[[Place, PacketSet], PacketSet],
    ) -> PacketSet:
        """What all calls of the chain send; ``by``: what one does of the packets that enter the
        chain it stands in."""
        waiting = [name]
        while waiting:
            asked = waiting[-1]
            if asked not in known and self._chains[asked].hook:
                known[asked] = hooked(self._chains[asked])
            if asked in known:
                waiting.pop()
                continue
            calls = self._callers.of(asked)
            callers = [place.chain for place in calls if place.chain not in known]
            waiting += callers
            if not callers:
                sent = self._space.false
                for place in calls:
                    sent |= by(place, known[place.chain])
                known[asked] = sent
        return known[name]
