"""Which chains of a table call which, by jumps and gotos."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain as joined
from typing import NamedTuple

from iptlint.memo import memo, recent
from iptlint.model.kinds import examples, numbers_where, rules_among
from iptlint.model.ruleset import Chain, Hook, Rule, Table


class Place(NamedTuple):
    """Rule ``number`` (from 0) of a chain."""

    chain: str
    number: int


class _Ordered(NamedTuple):
    """``closes``: whether a call closes a loop."""

    names: tuple[str, ...]
    closes: bool


class CallGraph:
    """``chains``: those of one table, by name. A call of a chain that is not among them leads
    nowhere."""

    def __init__(self, chains: Mapping[str, Chain]) -> None:
        self.chains = chains

    @cached_property
    def _calls(self) -> list[tuple[Place, Rule]]:
        """The rules that call a chain, chain by chain."""
        return [
            (Place(name, number), chain.rules[number])
            for name, chain in self.chains.items()
            for number in numbers_where(chain, _is_call)
        ]

    @cached_property
    def _callees(self) -> Mapping[str, Mapping[str, Rule]]:
        """For each chain the chains that it calls, each with the first rule that does."""
        callees: dict[str, dict[str, Rule]] = {name: {} for name in self.chains}
        for place, rule in self._calls:
            if rule.verdict.chain in callees:
                callees[place.chain].setdefault(rule.verdict.chain, rule)
        return callees

    @cached_property
    def _callers(self) -> Mapping[str, tuple[Place, ...]]:
        callers: dict[str, list[Place]] = defaultdict(list)
        for place, rule in self._calls:
            if rule.verdict.chain is not None:
                callers[rule.verdict.chain].append(place)
        return {name: tuple(places) for name, places in callers.items()}

    def callers(self, name: str) -> tuple[Place, ...]:
        """The rules that call the chain."""
        return self._callers.get(name, ())

    @property
    def order(self) -> tuple[str, ...]:
        """Every chain after the chains that it calls; a call that closes a loop is left out."""
        return self._ordered.names

    @property
    def closes_loops(self) -> bool:
        """Whether a call closes a loop."""
        return self._ordered.closes

    @cached_property
    def _ordered(self) -> _Ordered:
        done: dict[str, None] = {}
        closes = False
        for root in self.chains:
            path = {root: iter(self._callees[root])} if root not in done else {}
            while path:
                name, calls = next(reversed(path.items()))
                for callee in calls:
                    if callee in path:
                        closes = True
                    elif callee not in done:
                        path[callee] = iter(self._callees[callee])
                        break
                else:
                    path.popitem()
                    done[name] = None
        return _Ordered(tuple(done), closes)

    @recent
    def callers_first(self, name: str) -> tuple[str, ...]:
        """The chain, and those that calls lead to from it, each before the chains that it calls; a
        call that closes a loop is left out."""
        ranks = self._ranks
        return tuple(sorted(self.reachable_from(name), key=ranks.__getitem__, reverse=True))

    @cached_property
    def _ranks(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self.order)}

    @recent
    def reachable_from(self, name: str) -> frozenset[str]:
        """The chain, and those that calls lead to from it."""
        return frozenset(_nearest(self._callees, name))

    def nearest_from(self, name: str) -> Iterator[Chain]:
        """The same, those first that fewer calls lead to."""
        return (self.chains[each] for each in _nearest(self._callees, name))

    def leading_to(self, name: str) -> frozenset[str]:
        """The chain, and those from which calls lead to it."""
        return frozenset(_nearest(self._calling, name))

    @cached_property
    def _calling(self) -> Mapping[str, Iterable[str]]:
        """For each chain the chains that call it."""
        return {
            name: dict.fromkeys(place.chain for place in self.callers(name)) for name in self.chains
        }

    def rules_from(self, name: str) -> Iterator[tuple[Chain, Rule]]:
        """The rules of the chain and of all that calls lead to from it, in the table's order."""
        return ((chain, rule) for chain in self._from(name) for rule in chain.rules)

    def examples_from(self, name: str) -> Iterator[Rule]:
        """One of each kind of these rules."""
        return joined.from_iterable(map(examples, self._from(name)))

    def rules_where(self, name: str, holds: Callable[[Rule], bool]) -> Iterator[tuple[Chain, Rule]]:
        """Those of these rules for which it holds, whatever addresses and ports they name."""
        return rules_among(self._from(name), holds)

    def _from(self, name: str) -> Iterator[Chain]:
        """The chains that calls lead to, in the table's order."""
        reachable = sorted(self.reachable_from(name), key=self._places.__getitem__)
        return (self.chains[each] for each in reachable)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self.chains)}

    def bases_of(self, name: str) -> tuple[Chain, ...]:
        """The base chains from which calls lead to the chain."""
        return self._bases.get(name, ())

    def is_called(self, name: str) -> bool:
        """Whether a hook or another chain sends packets to the chain."""
        return bool(self._bases.get(name))

    def hooks_of(self, name: str) -> tuple[Hook, ...]:
        """The hooks from which calls lead to the chain."""
        return tuple(dict.fromkeys(base.hook for base in self.bases_of(name) if base.hook))

    @cached_property
    def _bases(self) -> Mapping[str, tuple[Chain, ...]]:
        """Most chains have those that their caller has, which are one object then."""
        bases: dict[str, tuple[Chain, ...]] = dict.fromkeys(self.chains, ())
        for name in reversed(self.order):
            own = bases[name]
            if self.chains[name].hook:
                own = bases[name] = tuple(dict.fromkeys((*own, self.chains[name])))
            for callee in self._callees[name]:
                known = bases[callee]
                if known is not own:
                    bases[callee] = tuple(dict.fromkeys((*known, *own))) if known else own
        return bases

    def loops(self) -> Iterator[tuple[Rule, ...]]:
        """The calls once round, the shortest way, of each group of chains that reach one another;
        the last one closes the loop."""
        seen: set[str] = set()
        for caller, callee in self._closing():
            if not {caller, callee} <= seen:
                seen |= self.reachable_from(callee) & self.leading_to(callee)
                yield (*self._shortest(callee, caller), self._callees[caller][callee])

    def _closing(self) -> Iterator[tuple[str, str]]:
        """The calls that lead back: where chains stand behind those they call, these do not fit."""
        position = self._ranks if self._ordered.closes else {}
        for caller in reversed(self.order) if position else ():
            for callee in self._callees[caller]:
                if position[callee] >= position[caller]:
                    yield caller, callee

    def _shortest(self, start: str, end: str) -> Iterable[Rule]:
        before = _nearest(self._callees, start)
        calls: list[Rule] = []
        while end != start:
            calls.append(self._callees[before[end]][end])
            end = before[end]
        return reversed(calls)


@memo
def calls_in(table: Table) -> CallGraph:
    """Which chains of the table call which."""
    return CallGraph(table.chains)


def _is_call(rule: Rule) -> bool:
    return rule.verdict.chain is not None


def _nearest(edges: Mapping[str, Iterable[str]], start: str) -> dict[str, str]:
    """For every node that edges lead to, the node before it on a shortest way."""
    before = {start: start}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for other in edges.get(node, ()):
            if other not in before:
                before[other] = node
                waiting.append(other)
    return before
