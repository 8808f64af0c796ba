"""Packets under way that were changed alike, what they meet, and what becomes of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from iptlint.maker import maker
from iptlint.model import Chain, Hook, Rule, Ruleset, Table, VerdictKind
from iptlint.packets.rewrite import Rewrite
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class Decision(NamedTuple):
    """``rule`` is None for the policy of the chain."""

    ruleset: Ruleset
    table: Table
    chain: Chain
    rule: Rule | None

    @property
    def span(self) -> Span:
        """The whole statement, or where the chain with the policy is declared."""
        if self.rule is not None:
            return self.rule.statement.span
        return self.ruleset.declaration_of(self.table, self.chain)


@dataclass(frozen=True, slots=True)
class PacketGroup:
    """``translated``: the sides that a nat chain has settled. ``redirected``: they are sent to this
    host by that. ``out``: the bits of the interface that they leave by, where they have been sent
    another way. ``looped``: the host has sent them to itself. ``zone``: where conntrack looks for
    their connection, 0 unless a rule says so and None if which is not known; ``stray``: it is not
    there. ``decision``: who accepted. ``queued``: who gave them to a program, which let them go
    on."""

    rewrite: Rewrite
    packets: PacketSet
    translated: frozenset[bool] = frozenset()
    redirected: bool = False
    out: tuple[tuple[int, PacketSet], ...] = ()
    looped: bool = False
    zone: int | None = 0
    stray: bool = False
    decision: Decision | None = None
    queued: Decision | None = None

    def having(self, packets: PacketSet) -> PacketGroup:
        """The same with other packets: made so often that it counts how."""
        return _group(
            self.rewrite,
            packets,
            self.translated,
            self.redirected,
            self.out,
            self.looped,
            self.zone,
            self.stray,
            self.decision,
            self.queued,
        )

    def rewritten(self, rewrite: Rewrite) -> PacketGroup:
        """The same, changed otherwise."""
        return _group(
            rewrite,
            self.packets,
            self.translated,
            self.redirected,
            self.out,
            self.looped,
            self.zone,
            self.stray,
            self.decision,
            self.queued,
        )


_group = maker(PacketGroup)


class PacketGroups:
    """Groups that differ in nothing but their packets are one."""

    def __init__(self, groups: Iterable[PacketGroup] = ()) -> None:
        self._by_key: dict[object, PacketGroup] = {}
        for group in groups:
            self.add(group)

    def add(self, group: PacketGroup) -> None:
        if not group.packets.satisfiable():
            return
        key = (
            *(group.rewrite, group.translated, group.redirected, group.out),
            *(group.looped, group.zone, group.stray, group.decision, group.queued),
        )
        before = self._by_key.get(key)
        if before is not None:
            group = group.having(before.packets | group.packets)
        self._by_key[key] = group

    def __iter__(self) -> Iterator[PacketGroup]:
        return iter(tuple(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)


class TraversalStep(NamedTuple):
    """A rule that took some of the packets under way, or the policy of a base chain."""

    hook: Hook
    decision: Decision
    kind: VerdictKind


class Visit(NamedTuple):
    """``matching``: the packets that come to a rule and pass its tests, those aside that are left
    open; ``taken``: those of them that pass these too. ``rewrite``: what has been changed of them
    by then; None where several visits are joined."""

    hook: Hook
    matching: PacketSet
    taken: PacketSet
    rewrite: Rewrite | None = None


class Outcome(NamedTuple):
    """``decision`` is None where nothing stood in the way, or no rule. ``packets`` as they came.
    ``hook``: the last one that they came to. ``zone``: that of their connection."""

    kind: VerdictKind
    decision: Decision | None
    rewrite: Rewrite
    packets: PacketSet
    hook: Hook
    zone: int | None = 0

    @property
    def expired(self) -> bool:
        """The time to live ran out; by no rule packets are lost else for want of a route."""
        return self.kind.denies and self.decision is None and self.hook is Hook.FORWARD


class Statements:
    """``concerning``: which rules packets may match, by number and in order, where that is cheaper
    to ask than each rule is. Then statements are left out that no packet under way can match."""

    def __init__(
        self, chain: Chain, concerning: Callable[[PacketSet], Sequence[int]] | None
    ) -> None:
        self._rules = chain.rules
        self._every: Iterator[tuple[Rule, ...]] = chain.statements()
        self._concerning = concerning
        self._known: dict[object, tuple[PacketSet, Sequence[int]]] = {}
        self._last: dict[object, tuple[PacketSet, Sequence[int]]] = {}
        self._behind = 0
        """The number of the rule behind the last statement."""

    def following(self, groups: Iterable[PacketGroup]) -> tuple[Rule, ...] | None:
        """The next statement that is to be asked about these; None where there is none."""
        if self._concerning is None:
            return next(self._every, None)
        numbers = (self._first_for(group, self._concerning) for group in groups)
        number = min((number for number in numbers if number is not None), default=None)
        return None if number is None else self._around(number)

    def _first_for(
        self, group: PacketGroup, concerning: Callable[[PacketSet], Sequence[int]]
    ) -> int | None:
        key, packets = group.rewrite, group.packets
        last, numbers = self._last.get(key, (None, ()))
        # Those that were asked for last are mostly the same but for what one rule took: that is
        # seen sooner than that they are among all that the numbers are for.
        if last is None or (packets & ~last).satisfiable():
            every, numbers = self._known.get(key, (None, ()))
            if every is None or (packets & ~every).satisfiable():
                numbers = concerning(group.rewrite.image(packets))
                self._known[key] = packets, numbers
        self._last[key] = packets, numbers
        place = bisect_left(numbers, self._behind)
        return numbers[place] if place < len(numbers) else None

    def _around(self, number: int) -> tuple[Rule, ...]:
        """All parts of the statement that the rule is of."""
        statement, first = self._rules[number].statement, number
        while first and self._rules[first - 1].statement == statement:
            first -= 1
        self._behind = number + 1
        while self._behind < len(self._rules) and self._rules[self._behind].statement == statement:
            self._behind += 1
        return self._rules[first : self._behind]
