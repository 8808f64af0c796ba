"""Chains that stand before connection tracking: what their rules ask of a connection is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.model import EffectKind, Field, Rule
from iptlint.netfilter.stack import is_early
from iptlint.netfilter.walk import Walk
from iptlint.packets.matcher import Changes, Matcher, reads_conntrack
from iptlint.rules.sharing import per_walk

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet


@per_walk
def early_chains(walk: Walk) -> frozenset[str]:
    """Those that only base chains before connection tracking lead to, and these."""
    bases = {name: walk.bases_of(name) for name in walk.table.chains}
    return frozenset(
        name for name, several in bases.items() if several and all(map(is_early, several))
    )


@per_walk
def unseen(walk: Walk) -> PacketSet:
    """The packets as they are before connection tracking: of no connection. What comes over lo was
    sent by this host and keeps the connection it was sent with."""
    space = walk.space
    effects = (e.kind for _, rule in walk.table.rules() for e in rule.effects)
    names = ("invalid", "untracked") if EffectKind.NOTRACK in effects else ("invalid",)
    return space.universe & space.state(*names) & space.value(Field.CT_MARK, 0)


def asks_too_early(walk: Walk, rule: Rule) -> int | None:
    """The test for a connection that no packet can pass yet, those over lo aside."""
    if walk.place(rule).chain not in early_chains(walk):
        return None
    matcher = Matcher(walk.space, Changes())
    for number, match in enumerate(rule.matches):
        if reads_conntrack((match,)) and not (unseen(walk) & matcher.test(match).may).satisfiable():
            return number
    return None
