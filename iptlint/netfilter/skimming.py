"""Packets followed past long chains, where only what becomes of them is asked and not which of many
rules that do the same has a hand in it."""

from __future__ import annotations

from iptlint.memo import memo
from iptlint.model import Chain, VerdictKind
from iptlint.netfilter.packet_group import PacketGroups, Statements
from iptlint.netfilter.traversal import Traversal

_UNREAD = 8
"""Of more rules in a row that could not be read the later ones add nothing to what may be."""


class SkimmingTraversal(Traversal):
    """Of long chains rules are left out that do no more than others."""

    def statements(self, chain: Chain, groups: PacketGroups) -> Statements:
        concerning = self.meetings.concerning(chain, groups)
        left_out = doing_no_more(chain) if concerning is not None else frozenset()
        if concerning is None or not left_out:
            return Statements(chain, concerning)
        return Statements(
            chain, lambda packets: [n for n in concerning(packets) if n not in left_out]
        )


@memo
def doing_no_more(chain: Chain) -> frozenset[int]:
    """The numbers of rules that do nothing with a packet that would not be done without them: those
    that only go on, and those that could not be read behind several that could not either, of which
    one has done or left undone whatever these may do."""
    numbers, run = set(), 0
    for number, rule in enumerate(chain.rules):
        run = 0 if rule.read else run + 1
        idle = rule.verdict.kind is VerdictKind.CONTINUE and not rule.effects
        if run > _UNREAD or idle:
            numbers.add(number)
    return frozenset(numbers)
