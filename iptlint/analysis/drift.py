"""What differs between two states of one host, told by what a person would ask of it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import outside
from iptlint.analysis.diff import compared
from iptlint.analysis.divergence import Divergence, Fate
from iptlint.analysis.shares import shares
from iptlint.memo import memo
from iptlint.model import Family, Hook, Ruleset
from iptlint.model.edits import without_generated
from iptlint.model.software import software_in, with_open_forward
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.netfilter.packet_group import Decision
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def most_telling(space: Space, change: Divergence) -> tuple[PacketSet, PacketSet]:
    """What of the packets to tell, and among which: those that come from elsewhere to open a
    connection, where there are such."""
    packets = compared(space, change.family, change.hook)
    new = packets & space.state("new")
    for within in (new & outside(space), new, packets):
        if (change.packets & within).satisfiable():
            return change.packets & within, within
    return change.packets, packets


def comparable(running: Ruleset, saved: Ruleset) -> tuple[Ruleset, Ruleset]:
    """The two without what software puts there anew whenever it starts."""
    software = software_in(running) or software_in(saved)
    now, then = without_generated(running), without_generated(saved)
    return (with_open_forward(now), with_open_forward(then)) if software else (now, then)


def as_written(ruleset: Ruleset) -> list[object]:
    """Where it is equal, so is the meaning: most hosts are as they were saved, and comparing
    packets takes long."""
    chains: list[object] = []
    for table in ruleset.tables:
        for chain in table.chains.values():
            rules = tuple((rule.matches, rule.verdict, rule.effects) for rule in chain.rules)
            base = chain.hook, chain.priority, chain.policy, chain.type, chain.devices
            chains.append((table.family, table.name, chain.name, base, rules))
    return chains


class Deciders:
    """Who decides, in the old state and in the new one. ``space``: the one of the divergences."""

    def __init__(self, old: Ruleset, new: Ruleset, space: Space) -> None:
        self._old, self._new = Firewall(old, space), Firewall(new, space)

    def of(self, change: Divergence, packets: PacketSet) -> tuple[Decision | None, Decision | None]:
        """Those of most of the packets, some of the divergence's."""
        old, new = self._hooks(self._old, change.family), self._hooks(self._new, change.family)
        return (
            _decided(old, change.hook, packets, change.old),
            _decided(new, change.hook, packets, change.new),
        )

    @memo
    def _hooks(self, firewall: Firewall, family: Family) -> Hooks:
        return Hooks(firewall, family)


def _decided(hooks: Hooks, hook: Hook, packets: PacketSet, fate: Fate) -> Decision | None:
    """Who decides most of the packets, if that is told by the hook alone."""
    share = next(iter(shares(hooks, hook, packets)), None)
    if share is None or share.kind.passes is not fate.kind.passes:
        return fate.decision
    return Decision(hooks.ruleset, share.analysis.table, share.chain, share.rule)
