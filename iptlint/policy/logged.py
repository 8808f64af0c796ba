"""What is logged of the packets that get nowhere, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.analysis.delivery import by_rule
from iptlint.model import EffectKind, Hook, Rule
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Visit
from iptlint.netfilter.routes import ROUTES
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.describe.lists import listed

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_MOST_RULES = 3000
"""Of more rules it is not followed which packets they log."""


def logged(hooks: Hooks, way: Hook, packets: PacketSet) -> str:
    """The end of a sentence: ``, and logged as "x"``; empty where nothing is."""
    if sum(len([*table.rules()]) for table in hooks.tables()) > _MOST_RULES:
        return ""
    logs = _Logs(hooks, way, packets)
    if not logs.prefixes:
        return ""
    shown = listed([f'"{prefix}"' for prefix in logs.prefixes if prefix])
    name = f" as {shown}" if shown else ""
    if not (packets & ~logs.surely).satisfiable():
        return f", and logged{name}"
    if not (packets & ~logs.perhaps).satisfiable():
        return f", and logged{name} within a limit"
    return f"; some of it is logged{name}"


class _Logs:
    """What is logged of packets on their way, by whatever rule."""

    def __init__(self, hooks: Hooks, way: Hook, packets: PacketSet) -> None:
        unknowns = Unknowns(hooks.space)
        self._taken: list[PacketSet] = []
        self.prefixes: dict[str, None] = {}
        by_rule(hooks, unknowns, self._visit).follow(ROUTES[way], packets)
        taken = union(self._taken, hooks.space.false)
        self.perhaps = taken.exists(unknowns.cube)
        self.surely = taken.forall(unknowns.cube)

    def _visit(self, rule: Rule, visit: Visit) -> None:
        for effect in rule.effects:
            if effect.kind is EffectKind.LOG and visit.taken.satisfiable():
                self._taken.append(visit.taken)
                self.prefixes[(effect.name or "").strip()] = None
