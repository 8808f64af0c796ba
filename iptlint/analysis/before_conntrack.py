"""Chains before connection tracking, whose rules cannot know of a packet's connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import EffectKind, Field, Rule
from iptlint.model.kinds import examples_testing
from iptlint.model.writes import Writes, reads_conntrack
from iptlint.netfilter.firewall import is_early
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.match import Matcher

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@memo
def early_chains(analysis: TableAnalysis) -> frozenset[str]:
    """The base chains before connection tracking, and the chains that only they lead to."""
    bases = {name: analysis.calls.bases_of(name) for name in analysis.table.chains}
    return frozenset(
        name for name, several in bases.items() if several and all(map(is_early, several))
    )


@memo
def untracked_packets(analysis: TableAnalysis) -> PacketSet:
    """The packets as they are before connection tracking: of no connection. What comes over lo was
    sent by this host and keeps the connection it was sent with."""
    space = analysis.space
    effects = (e.kind for rule in examples_testing(analysis.table) for e in rule.effects)
    names = ("invalid", "untracked") if EffectKind.NOTRACK in effects else ("invalid",)
    return space.universe & space.state(*names) & space.value(Field.CT_MARK, 0)


def untestable_state(analysis: TableAnalysis, rule: Rule) -> int | None:
    """The test for a connection that no packet can pass yet, those over lo aside."""
    if analysis.place(rule).chain not in early_chains(analysis):
        return None
    matcher = Matcher(analysis.space, Writes())
    for number, match in enumerate(rule.matches):
        if (
            reads_conntrack((match,))
            and not (untracked_packets(analysis) & matcher.test(match).may).satisfiable()
        ):
            return number
    return None
