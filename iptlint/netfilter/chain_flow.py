"""One chain, walked once for all packets that could enter it.

What a packet meets in a chain does not depend on who called the chain, so each chain is
walked once, over every packet; who really enters is joined in afterwards (``analysis``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptlint.model import Chain, VerdictKind
from iptlint.packets.match import Matcher, Tests
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Outcomes = Mapping[VerdictKind, "PacketSet"]
"""For each outcome, the packets that may have it. RETURN: the packets go back to the caller."""


@dataclass(slots=True)
class ChainFlow:
    """Index i is rule i; ``arriving[len(rules)]`` are the packets that fall off the end.

    ``arriving``: may get there. ``outcomes``: what may become of the packets that enter;
    RETURN includes falling off.
    """

    chain: Chain
    tests: list[Tests]
    arriving: list[PacketSet]
    outcomes: dict[VerdictKind, PacketSet]

    @property
    def returns(self) -> PacketSet:
        return self.outcomes[VerdictKind.RETURN]

    def blocked_at(self, packets: PacketSet, end: int | None = None) -> int:
        """The first of the rules before ``end`` that none of the packets gets past; ``end`` where
        some get past them all. By bisection, as what arrives only shrinks: a hundred thousand
        rules cost seventeen looks."""
        if end is None:
            end = len(self.tests)
        return bisect_left(
            range(end),
            True,
            key=lambda number: not (packets & self.arriving[number + 1]).satisfiable(),
        )


class _Walker:
    """The packets under way through one chain; each verdict kind has its step."""

    def __init__(self, space: Space, callees: Mapping[str, ChainFlow]) -> None:
        self.space = space
        self.callees = callees
        self.arriving = space.universe
        self.outcomes: dict[VerdictKind, PacketSet] = {}

    def add(self, kind: VerdictKind, packets: PacketSet) -> None:
        known = self.outcomes.get(kind)
        self.outcomes[kind] = packets if known is None else known | packets

    def step(self, kind: VerdictKind, chain: str | None, tests: Tests) -> None:
        match kind:
            case VerdictKind.CONTINUE:
                pass
            case VerdictKind.JUMP | VerdictKind.GOTO if chain is not None:
                self._call(chain, tests, comes_back=kind is VerdictKind.JUMP)
            case VerdictKind.UNKNOWN:
                # It may do anything, going on included.
                self.add(kind, self.arriving & tests.may)
            case _:
                self.add(kind, self.arriving & tests.may)
                self.arriving = self.arriving & ~tests.sure

    def _call(self, chain: str, tests: Tests, *, comes_back: bool) -> None:
        taken = self.arriving & tests.may
        flow = self.callees.get(chain)
        if flow is None:
            # Undefined, or a call that closes a loop: the kernel would refuse it.
            self.add(VerdictKind.UNKNOWN, taken)
            return
        for kind, packets in flow.outcomes.items():
            if kind is not VerdictKind.RETURN:
                self.add(kind, taken & packets)
        if comes_back:
            self.arriving = self.arriving & ~(tests.sure & ~flow.returns)
        else:
            self.add(VerdictKind.RETURN, taken & flow.returns)
            self.arriving = self.arriving & ~tests.sure


def chain_flow(matcher: Matcher, chain: Chain, callees: Mapping[str, ChainFlow]) -> ChainFlow:
    """``callees``: the flows of the chains it calls; one that is missing may do anything."""
    walker = _Walker(matcher.space, callees)
    tests: list[Tests] = []
    arriving: list[PacketSet] = []
    for rule in chain.rules:
        tests.append(matcher.rule(rule))
        arriving.append(walker.arriving)
        walker.step(rule.verdict.kind, rule.verdict.chain, tests[-1])
    walker.add(VerdictKind.RETURN, walker.arriving)
    return ChainFlow(chain, tests, [*arriving, walker.arriving], walker.outcomes)
