"""What one hook alone does with packets that come to it, through all its base chains.

Sets are of packets as they come to the first chain of the hook. What becomes of packets on their
whole way is ``delivery``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.memo import memo
from iptlint.model import Hook, VerdictKind
from iptlint.netfilter.routes import ROUTES
from iptlint.packets.bdd import union
from iptlint.packets.samples import samples

if TYPE_CHECKING:
    from iptlint.netfilter.base_chain import BaseChain
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet


class HookVerdicts(NamedTuple):
    """``ends``: for each end the packets that may have it; ``passing``, ``dropped``: those that may
    leave the hook alive (queue and unknown targets among them), and those that may not."""

    ends: dict[VerdictKind, PacketSet]
    passing: PacketSet
    dropped: PacketSet


def may_end(hooks: Hooks, hook: Hook, kind: VerdictKind, packets: PacketSet) -> PacketSet:
    """Those of the packets at the hook that may end so."""
    return packets & _asked_of(hooks, hook, packets).ends.get(kind, hooks.space.false)


def may_pass(hooks: Hooks, hook: Hook, packets: PacketSet) -> PacketSet:
    """Those of the packets at the hook that may leave it alive."""
    return packets & _asked_of(hooks, hook, packets).passing


def may_be_dropped(hooks: Hooks, hook: Hook, packets: PacketSet) -> PacketSet:
    """Those of the packets at the hook that may not leave it alive."""
    return packets & _asked_of(hooks, hook, packets).dropped


def surely_accepted(hooks: Hooks, hook: Hook, packets: PacketSet) -> PacketSet:
    """Those of the packets that are accepted at the hook whatever is left open."""
    accepted = may_end(hooks, hook, VerdictKind.ACCEPT, packets)
    return accepted & ~may_be_dropped(hooks, hook, accepted)


def some_pass(hooks: Hooks, hook: Hook, packets: PacketSet) -> bool:
    """Whether some of the packets may leave the hook alive. A few are tried before all are: what
    a long list does with all packets is dear."""
    at_hook = packets & hooks.hook_packets(hook)
    tried = samples(hooks.space, at_hook)
    if any(may_pass(hooks, hook, some).satisfiable() for some in tried):
        return True
    only = _only_chain(hooks, hook)
    if only is not None:
        return only.some_survive(at_hook)
    return may_pass(hooks, hook, at_hook).satisfiable()


def some_accepted(hooks: Hooks, hook: Hook, packets: PacketSet) -> bool:
    """Whether some of the packets at the hook may be accepted."""
    at_hook, only = packets & hooks.hook_packets(hook), _only_chain(hooks, hook)
    if only is not None and only.is_long and only.some_end([VerdictKind.ACCEPT], at_hook):
        return True
    return may_end(hooks, hook, VerdictKind.ACCEPT, packets).satisfiable()


def _only_chain(hooks: Hooks, hook: Hook) -> BaseChain | None:
    """The one base chain at the hook that may hold up anything, where there is but one."""
    several = [each for each in hooks.base_chains(hook) if not each.is_open]
    return several[0] if len(several) == 1 else None


def surely_ends(base_chain: BaseChain, packets: PacketSet, kind: VerdictKind) -> bool:
    """Whether the base chain gives this verdict to all of the packets that it sees."""
    ends = base_chain.ends_of(packets)
    return not any(ending.satisfiable() for other, ending in ends.items() if other is not kind)


def lets_nothing_through(hooks: Hooks, hook: Hook) -> bool:
    """Whether no packet comes through the hook, of the other family neither if one chain decides
    for both."""
    main = hooks.deciding_chain(hook)
    accepts = main is not None and main.end(VerdictKind.ACCEPT).satisfiable()
    return not accepts and not some_pass(hooks, hook, hooks.hook_packets(hook))


def interpret_tests(hooks: Hooks, hook: Hook) -> None:
    """Makes the tests on the way with the hook known to the space, those among them that are not
    interpreted: packets that are ordinary in all of them can only be made then."""
    for each in ROUTES[hook]:
        for base_chain in hooks.base_chains(each):
            _ = base_chain.analysis


def _asked_of(hooks: Hooks, hook: Hook, packets: PacketSet) -> HookVerdicts:
    """The verdicts on the packets, at least: on all, where that costs little."""
    at_hook = hooks.hook_packets(hook)
    is_long = any(base_chain.is_long for base_chain in hooks.base_chains(hook))
    return hook_verdicts(hooks, hook, packets & at_hook if is_long else at_hook)


@memo
def hook_verdicts(hooks: Hooks, hook: Hook, packets: PacketSet) -> HookVerdicts:
    """On the packets that come to the hook."""
    base_chains = [each for each in hooks.base_chains(hook) if not each.is_open]
    nothing = hooks.space.false
    on_the_way: list[tuple[BaseChain, PacketSet]] = []
    for base_chain in base_chains:
        on_the_way.append((base_chain, packets))
        packets = base_chain.afterwards(base_chain.surviving(packets))
    # From the last to the first, and not each by the next: there may be thousands.
    verdicts = HookVerdicts({VerdictKind.ACCEPT: packets}, packets, nothing)
    for base_chain, seen in reversed(on_the_way):
        verdicts = _before(verdicts, base_chain, seen, nothing)
    return verdicts


def _before(
    later: HookVerdicts, base_chain: BaseChain, packets: PacketSet, nothing: PacketSet
) -> HookVerdicts:
    """On packets that come to the base chain, where ``later`` is what becomes of those that it
    lets go on."""
    by_kind = base_chain.ends_of(packets)
    perhaps = base_chain.surviving(packets)
    passed = [ending for kind, ending in by_kind.items() if kind.passes]
    on = union([packets & ~base_chain.seen, *passed], nothing)
    dropped = perhaps & base_chain.beforehand(later.dropped)
    ends: dict[VerdictKind, PacketSet] = {}
    for kind in (kind for kind in VerdictKind if kind.may_deny):
        ending = by_kind.get(kind, nothing)
        dropped = dropped | ending
        after = base_chain.beforehand(later.ends.get(kind, nothing))
        ends[kind] = ending | (perhaps & after)
    ends[VerdictKind.ACCEPT] = on & base_chain.beforehand(later.ends[VerdictKind.ACCEPT])
    return HookVerdicts(ends, perhaps & base_chain.beforehand(later.passing), dropped)


def denied_by_policies(hooks: Hooks, hook: Hook, packets: PacketSet) -> Iterator[BaseChain]:
    """The base chains at the hook whose policies deny, of the packets, all that come there."""
    for base in hooks.base_chains(hook):
        policy = base.chain.policy
        denies = policy is not None and policy.kind.denies
        if denies and not base.surviving(packets).satisfiable():
            yield base


def left_to_policy(hooks: Hooks, hook: Hook, packets: PacketSet) -> PacketSet:
    """Those of the packets that no rule decides of in the chain where a host decides."""
    main = hooks.deciding_chain(hook)
    if main is None:
        return packets
    ends = main.analysis.flows[main.chain.name].outcomes_of(packets)
    return packets & ends.get(VerdictKind.RETURN, hooks.space.false)
