"""Who denies most of some packets that a hook lets nothing of through, and how many others do.

A list of ten thousand bans, each of which has a share in them, is a million nodes as a set. How
many packets a box can hold is known without: only shares that may be the largest are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.shares import Decider, Share, packet_count, share_size, shares
from iptlint.model import Hook, VerdictKind
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.ordinary import ordinary

if TYPE_CHECKING:
    from iptlint.netfilter.long_chain import LongChain
    from iptlint.packets.bdd import PacketSet

_FEW = 3
"""Of fewer each is named, so that all are made."""
_MADE = 64
"""More are not made to find the largest."""
_ROUNDED = 1 + 2.0**-20
"""What a count may be off by."""


class LargestShare(NamedTuple):
    """``part``: those of some packets that it decides, of the packets in question; ``others``: how
    many more there are; ``other``: what to call it, if it is one."""

    by: Decider
    part: Callable[[PacketSet], PacketSet]
    others: int
    other: str = ""

    def share_of(self, packets: PacketSet) -> Share:
        """What it decides of the packets."""
        by = self.by
        return Share(by.analysis, by.chain, by.rule, by.kind, self.part(packets))


def largest_of(each: Sequence[Share]) -> LargestShare | None:
    """Of shares, the largest first."""
    if not each:
        return None
    first = each[0]
    other = each[1].name if len(each) == 2 else ""
    return LargestShare(first, first.packets.__and__, len(each) - 1, other)


def largest_denier(hooks: Hooks, hook: Hook, packets: PacketSet) -> LargestShare | None:
    """Of those that deny the packets at the hook, which lets none of them through."""
    main = _only_chain(hooks, hook)
    if main is not None and main.analysis.flows[main.chain.name].is_long:
        found = _by_columns(main, hook, packets & hooks.hook_packets(hook) & main.seen)
        if found is not None:
            return found
    return largest_of([share for share in shares(hooks, hook, packets) if share.kind.denies])


def _only_chain(hooks: Hooks, hook: Hook) -> BaseChain | None:
    """The chain that decides, where no other one has a say and nothing is changed."""
    several = [each for each in hooks.base_chains(hook) if not each.is_open]
    if len(several) != 1 or several[0] is not hooks.deciding_chain(hook) or several[0].rewrites:
        return None
    return several[0]


def _by_columns(main: BaseChain, hook: Hook, packets: PacketSet) -> LargestShare | None:
    """None where that does not tell."""
    from iptlint.netfilter.long_chain import LongChain  # numpy: dear, and seldom used

    flow, rules = main.analysis.flows[main.chain.name], main.chain.rules
    concerned = [n for n in flow.concerning(packets) if not rules[n].verdict.kind.goes_on]
    if not isinstance(flow, LongChain) or any(rules[n].verdict.chain for n in concerned):
        return None
    denying = [n for n in concerned if not rules[n].verdict.kind.passes]
    deciding = _matched(flow, denying, packets)
    policy = _policy(main, packets)
    kinds = {*(rules[n].verdict.kind for n in deciding), *(each.kind for each in policy)}
    count = len(deciding) + len(policy)
    # Of two the other one has a name, for which both are made.
    if count < _FEW or not all(kind.denies for kind in kinds):
        return None
    perhaps = [*_perhaps_large(main, hook, flow, deciding, packets)]

    def part(some: PacketSet) -> PacketSet:
        return flow.outcomes_of(some & packets)[VerdictKind.RETURN]

    if policy and _leave_most(packets & ordinary(flow.space, hook), perhaps):
        return LargestShare(policy[0], part, count - 1)
    made = [Share(each.analysis, each.chain, None, each.kind, part(packets)) for each in policy]
    largest = _largest(hook, made, perhaps)
    return None if largest is None else LargestShare(largest, largest.packets.__and__, count - 1)


def _matched(flow: LongChain, numbers: Sequence[int], packets: PacketSet) -> Sequence[int]:
    """Those of the rules that some of the packets get to and match."""
    if len(numbers) > _MADE:
        unmatched = flow.unmatched(packets)
        return [n for n in numbers if n not in unmatched]
    meant = ((n, flow.tests[n].may & packets) for n in numbers)
    return [n for n, packets in meant if flow.arriving_at(n, packets).satisfiable()]


def _policy(main: BaseChain, packets: PacketSet) -> tuple[Decider, ...]:
    """The policy, where some of the packets come to it."""
    flow, policy = main.analysis.flows[main.chain.name], main.chain.policy
    if policy is None or not flow.some_end((VerdictKind.RETURN,), packets):
        return ()
    return (Decider(main.analysis, main.chain, None, policy.kind),)


def _leave_most(usual: PacketSet, rules: Sequence[_Perhaps]) -> bool:
    """Whether what the rules leave of the packets, who may take nothing twice, is more than one of
    them may take."""
    most = [perhaps.at_most for perhaps in rules]
    left = packet_count(usual) / _ROUNDED - sum(most)
    return left > max(most, default=0.0)


class _Perhaps(NamedTuple):
    """A share that is not made yet, and of how many ordinary packets it is at most."""

    at_most: float
    make: Callable[[], Share]


def _perhaps_large(
    main: BaseChain, hook: Hook, flow: LongChain, deciding: Sequence[int], packets: PacketSet
) -> Iterator[_Perhaps]:
    """The shares of the rules, those first that may be larger."""
    rules, columns, space = flow.chain.rules, flow.columns, flow.space
    usual = packets & ordinary(space, hook)
    anywhere = packet_count(space.forget(usual, columns.fields))
    widest = sum(dimension.width for dimension in columns.dimensions)
    rows = [0] * len(rules)
    for number in columns.number.tolist():
        rows[number] += 1
    breadths = columns.breadths(len(rules))

    def made(number: int) -> Share:
        taken = flow.arriving_at(number, packets & flow.tests[number].may)
        return Share(main.analysis, main.chain, rules[number], rules[number].verdict.kind, taken)

    for number in sorted(deciding, key=lambda n: (breadths[n], rows[n]), reverse=True):
        part = rows[number] * 2.0 ** (breadths[number] - widest) if rows[number] else 1.0
        yield _Perhaps(anywhere * min(part, 1.0) * _ROUNDED, partial(made, number))


def _largest(hook: Hook, made: Iterable[Share], others: Iterable[_Perhaps]) -> Share | None:
    """None where many may be, or the largest is not sure of its packets."""
    sized = [(share_size(share, hook), share) for share in made]
    for perhaps in others:
        if perhaps.at_most < max((size[0] for size, _ in sized), default=0.0):
            continue
        if len(sized) >= _MADE:
            return None
        share = perhaps.make()
        sized.append((share_size(share, hook), share))
    (usual, _, sure, _), largest = max(sized, key=lambda each: each[0])
    return largest if 2 * sure >= usual > 0 else None
