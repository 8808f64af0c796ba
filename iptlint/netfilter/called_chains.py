"""The rules of many chains in one row of numbers, those of a chain before those that it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from iptlint.model import Chain, Rule, VerdictKind
from iptlint.model.call_graph import Place
from iptlint.packets.columns import Flags, Numbers

_GOING_ON = frozenset((VerdictKind.CONTINUE, VerdictKind.UNKNOWN))
_COMING_BACK = frozenset((VerdictKind.RETURN, *_GOING_ON))
_CALLS = frozenset((VerdictKind.JUMP, VerdictKind.GOTO))


class CalledChains:
    """``chains``: those of a table, each before the chains that it calls. ``calls_of``: the rules
    that call a chain, but for those that close a loop. ``start``: of each chain, in the order of
    ``chains``, the number of its first rule; ``chain_of``: of each rule the number of its chain."""

    def __init__(self, chains: Sequence[Chain], calls_of: Callable[[str], Sequence[Place]]) -> None:
        calls = {chain.name: calls_of(chain.name) for chain in chains}
        self._levels = _levels(calls)
        self.chains = sorted(chains, key=lambda chain: self._levels[chain.name])
        lengths = np.array([len(chain.rules) for chain in self.chains], np.int64)
        self.start: Numbers = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        self.chain_of: Numbers = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
        starts: list[int] = self.start.tolist()
        self._first = dict(zip((c.name for c in self.chains), starts, strict=False))
        self.called = self._called(calls)

    def number_of(self, place: Place) -> int:
        return self._first[place.chain] + place.number

    @property
    def depth(self) -> int:
        """How many chains call each other, one the next, at most."""
        return max(self._levels.values(), default=-1) + 1

    @cached_property
    def rules(self) -> list[Rule]:
        return [rule for chain in self.chains for rule in chain.rules]

    def levels(self) -> Iterator[Numbers]:
        """The rules of the chains that equally many others lead to, at most, in turn."""
        levels = np.array([self._levels[chain.name] for chain in self.chains], np.int64)
        bounds = np.searchsorted(levels, np.arange(self.depth + 1))
        for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            yield np.arange(self.start[first], self.start[last], dtype=np.int64)

    def _called(self, calls: Mapping[str, Sequence[Place]]) -> Numbers:
        """Of each rule the chain that it calls; -1 where it calls none."""
        called = np.full(len(self.chain_of), -1, np.int64)
        for number, chain in enumerate(self.chains):
            called[[*map(self.number_of, calls[chain.name])]] = number
        return called

    def with_verdict(self, kind: VerdictKind) -> Flags:
        """Of each rule, whether that is its verdict."""
        return np.fromiter(
            (r.verdict.kind is kind for r in self.rules), np.bool_, len(self.chain_of)
        )

    @cached_property
    def takers(self) -> Numbers:
        """The rules that may take packets, so that those behind do not see them."""
        coming_back = self._coming_back()
        taking = (
            rule.verdict.kind not in _GOING_ON
            and (rule.verdict.kind is not VerdictKind.JUMP or rule.verdict.chain not in coming_back)
            for rule in self.rules
        )
        return np.flatnonzero(np.fromiter(taking, np.bool_, len(self.chain_of))).astype(np.int64)

    def _coming_back(self) -> frozenset[str | None]:
        """The chains from which all packets come back."""
        known: set[str | None] = set()
        for chain in reversed(self.chains):
            if all(
                rule.verdict.kind in _COMING_BACK
                or (rule.verdict.kind in _CALLS and rule.verdict.chain in known)
                for rule in chain.rules
            ):
                known.add(chain.name)
        return frozenset(known)


def _levels(calls: Mapping[str, Sequence[Place]]) -> dict[str, int]:
    levels: dict[str, int] = {}
    for name, places in calls.items():
        levels[name] = 1 + max((levels[place.chain] for place in places), default=-1)
    return levels
