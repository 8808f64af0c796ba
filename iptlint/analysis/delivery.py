"""Whether packets come through all hooks on their way, and who ends those that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Hook, VerdictKind
from iptlint.netfilter.decision import Share, largest_first
from iptlint.netfilter.hooks import Hooks
from iptlint.netfilter.traversal import ROUTES, Outcome, Traversal
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class Delivery(NamedTuple):
    """``arrived``: what the packets that may come through are in the end (queued ones, and those
    that an unknown target decides, among them); ``enders``: who ends the others, the largest
    share first."""

    arrived: PacketSet
    enders: list[Share]

    @property
    def comes_through(self) -> bool:
        """Whether some packet does, or nothing is known to end any."""
        return self.arrived.satisfiable() or not self.enders


def delivery(hooks: Hooks, hook: Hook, packets: PacketSet) -> Delivery:
    """Of packets that set out on the way with the hook: input, forward or output."""
    unknowns = Unknowns(hooks.space)
    ends = Traversal(hooks.firewall, hooks.family, unknowns).follow(ROUTES[hook], packets)
    cube = unknowns.cube
    arrived = [end.change.image(end.packets.exists(cube)) for end in ends if not end.kind.denies]
    enders = [_ender(end, cube) for end in ends if end.kind.denies]
    return Delivery(
        union(arrived, hooks.space.false), largest_first(e for e in enders if e is not None)
    )


def _ender(end: Outcome, unknowns: PacketSet) -> Share | None:
    if end.decided is None:
        return None
    analysis, chain, rule = end.decided
    return Share(analysis, chain, rule, end.kind, end.packets.exists(unknowns))


def is_winding(hooks: Hooks, hook: Hook) -> bool:
    """Whether more than one chain on the way has something to say: then what one hook does with
    packets is not all there is to it."""
    base_chains = (base_chain for at in ROUTES[hook] for base_chain in hooks.base_chains(at))
    return sum(not base_chain.is_open for base_chain in base_chains) > 1


def translates(hooks: Hooks) -> bool:
    """Whether a rule translates addresses or ports. Then later packets of a connection are
    translated too, and back, before and after the hooks, which is not followed here."""
    rules = (rule for table in hooks.tables() for _, rule in table.rules())
    return any(rule.verdict.kind is VerdictKind.NAT for rule in rules)
