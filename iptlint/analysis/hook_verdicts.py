"""What one hook alone does with the packets that come to it, through all its base chains.

Sets are of packets as they come to the first chain of the hook. What becomes of packets on their
whole way is ``delivery``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from iptlint.memo import memo
from iptlint.model import Hook, VerdictKind
from iptlint.netfilter.routes import ROUTES
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.netfilter.base_chain import BaseChain
    from iptlint.netfilter.hooks import Hooks
    from iptlint.packets.bdd import PacketSet


class HookVerdicts(NamedTuple):
    """``ends``: for each end the packets that may have it; ``passing``, ``dropped``: those that may
    leave the hook alive (queue and unknown targets among them), and those that may not."""

    ends: dict[VerdictKind, PacketSet]
    passing: PacketSet
    dropped: PacketSet


def may_end(hooks: Hooks, hook: Hook, kind: VerdictKind) -> PacketSet:
    """The packets at the hook that may end so."""
    return hook_verdicts(hooks, hook).ends.get(kind, hooks.space.false)


def may_pass(hooks: Hooks, hook: Hook) -> PacketSet:
    """The packets that may leave the hook alive."""
    return hook_verdicts(hooks, hook).passing


def may_be_dropped(hooks: Hooks, hook: Hook) -> PacketSet:
    """The packets that may not leave the hook alive."""
    return hook_verdicts(hooks, hook).dropped


@memo
def surely_accepted(hooks: Hooks, hook: Hook) -> PacketSet:
    """The packets that are accepted at the hook whatever is left open."""
    return may_end(hooks, hook, VerdictKind.ACCEPT) & ~may_be_dropped(hooks, hook)


def surely_ends(base_chain: BaseChain, packets: PacketSet, kind: VerdictKind) -> bool:
    """Whether the base chain gives this verdict to all of the packets that it sees."""
    others = (base_chain.end(other) for other in VerdictKind if other is not kind)
    return not any((packets & ending).satisfiable() for ending in others)


def lets_nothing_through(hooks: Hooks, hook: Hook) -> bool:
    """Whether no packet comes through the hook, of the other family neither if one chain decides
    for both."""
    main = hooks.deciding_chain(hook)
    accepts = main is not None and main.end(VerdictKind.ACCEPT).satisfiable()
    return not accepts and not may_pass(hooks, hook).satisfiable()


def interpret_tests(hooks: Hooks, hook: Hook) -> None:
    """Makes the tests on the way with the hook known to the space, those among them that are not
    interpreted: packets that are ordinary in all of them can only be made then."""
    for each in ROUTES[hook]:
        hook_verdicts(hooks, each)


@memo
def hook_verdicts(hooks: Hooks, hook: Hook) -> HookVerdicts:
    """Worked out from the last base chain of the hook to the first."""
    everything = hooks.hook_packets(hook)
    verdicts = HookVerdicts({VerdictKind.ACCEPT: everything}, everything, hooks.space.false)
    for base_chain in reversed(hooks.base_chains(hook)):
        if not base_chain.is_open:
            verdicts = _before(base_chain, verdicts, everything)
    return verdicts


def _before(base_chain: BaseChain, later: HookVerdicts, everything: PacketSet) -> HookVerdicts:
    """The verdicts on packets that stop at the base chain first."""
    by_kind = {kind: base_chain.end(kind) & everything for kind in VerdictKind}
    passed = [by_kind[kind] for kind in VerdictKind if kind.passes]
    on = union([everything & ~base_chain.seen, *passed], base_chain.space.false)
    perhaps = everything & base_chain.may_survive
    dropped = perhaps & base_chain.beforehand(later.dropped)
    ends: dict[VerdictKind, PacketSet] = {}
    for kind in (kind for kind in VerdictKind if kind.may_deny):
        dropped = dropped | by_kind[kind]
        after = base_chain.beforehand(later.ends.get(kind, base_chain.space.false))
        ends[kind] = by_kind[kind] | (perhaps & after)
    ends[VerdictKind.ACCEPT] = on & base_chain.beforehand(later.ends[VerdictKind.ACCEPT])
    return HookVerdicts(ends, perhaps & base_chain.beforehand(later.passing), dropped)
