"""Packets under way through a chain, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from iptlint.model import VerdictKind
from iptlint.packets.bdd import union
from iptlint.packets.match import Tests
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Outcomes = Mapping[VerdictKind, "PacketSet"]
"""For each outcome, the packets that may have it. RETURN: the packets go back to the caller."""


class Called(Protocol):
    """A chain, as one that calls it has to know it."""

    @property
    def gives_all_back(self) -> bool: ...
    def outcomes_of(self, packets: PacketSet, /) -> Outcomes: ...
    def outcomes_of_anyones(self, packets: PacketSet, /) -> Outcomes: ...
    def kept(self, called: PacketSet, arriving: PacketSet, /) -> PacketSet: ...
    def kept_of_anyones(self, called: PacketSet, arriving: PacketSet, /) -> PacketSet: ...


class Walker:
    """The packets under way through one chain; each verdict kind has its step."""

    def __init__(
        self,
        space: Space,
        callees: Mapping[str, Called],
        entering: PacketSet,
        *,
        anyones: bool = False,
    ) -> None:
        self.space = space
        self.callees = callees
        self.arriving = entering
        self._ending: dict[VerdictKind, list[PacketSet]] = {}
        self.anyones = anyones
        self._every = space.true if anyones else space.universe

    @property
    def outcomes(self) -> Outcomes:
        """Of the packets that have come so far to an end."""
        return {kind: union(each, self.space.false) for kind, each in self._ending.items()}

    def add(self, kind: VerdictKind, packets: PacketSet) -> None:
        self._ending.setdefault(kind, []).append(packets)

    def step(self, kind: VerdictKind, chain: str | None, tests: Tests) -> None:
        match kind:
            case VerdictKind.CONTINUE:
                pass
            case VerdictKind.JUMP | VerdictKind.GOTO if chain is not None:
                self._call(chain, tests, comes_back=kind is VerdictKind.JUMP)
            case VerdictKind.UNKNOWN:
                # It may do anything, going on included.
                self.add(kind, self._taken(tests))
            case _:
                self.add(kind, self._taken(tests))
                self.arriving = self.arriving & ~tests.sure

    def _taken(self, tests: Tests) -> PacketSet:
        """Where all packets arrive that there are, tests tell already which are taken."""
        return tests.may if self.arriving == self._every else self.arriving & tests.may

    def _call(self, chain: str, tests: Tests, *, comes_back: bool) -> None:
        flow = self.callees.get(chain)
        if comes_back and flow is not None and flow.gives_all_back:
            return
        taken = self._taken(tests)
        if flow is None:
            # Undefined, or a call that closes a loop: the kernel would refuse it.
            self.add(VerdictKind.UNKNOWN, taken)
            return
        outcomes = flow.outcomes_of_anyones(taken) if self.anyones else flow.outcomes_of(taken)
        for kind, packets in outcomes.items():
            if kind is not VerdictKind.RETURN:
                self.add(kind, packets)
        if comes_back:
            kept = flow.kept_of_anyones if self.anyones else flow.kept
            self.arriving = self.arriving & ~kept(tests.sure, self.arriving)
        else:
            self.add(VerdictKind.RETURN, outcomes[VerdictKind.RETURN])
            self.arriving = self.arriving & ~tests.sure
