"""What becomes of packets on their whole way, in, out or through: the door for all who ask.

The answer is exact: all hooks, with everything that is changed on the way. Where what one hook
does is all there is to it, that hook is asked alone, which costs little; nobody outside chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from iptlint.analysis.hook_verdicts import may_be_dropped, may_end, may_pass
from iptlint.analysis.shares import Share, largest_first, shares, shares_in
from iptlint.memo import memo
from iptlint.model import EffectKind, Hook, Rule, VerdictKind
from iptlint.model.kinds import examples
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Decision, Outcome, Visit
from iptlint.netfilter.routes import ROUTES
from iptlint.netfilter.skimming import SkimmingTraversal
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.rewrite import Rewrite

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@dataclass(frozen=True)
class Delivery:
    """``through``: the packets, as they set out, that may come through (queued ones, and those
    that an unknown target decides, among them), be it on another way, where a translation sends
    them; ``arrived``: what those are in the end that stay on the way. ``lost``: that may not come
    through. ``is_denied``: somebody denies some; ``denied_by`` says who, which may be dear."""

    through: PacketSet
    arrived: PacketSet
    lost: PacketSet
    is_denied: bool
    denied_by: Callable[[], list[Share]]

    @cached_property
    def droppers(self) -> list[Share]:
        """Who denies them, the largest share first."""
        return self.denied_by()

    @property
    def comes_through(self) -> bool:
        """Whether some packet does, or nothing is known to drop any."""
        return self.through.satisfiable() or not self.is_denied


def delivery(hooks: Hooks, hook: Hook, packets: PacketSet) -> Delivery:
    """Of packets that set out on the way with the hook: input, forward or output. What a
    translation takes from it may come through or not; it is not followed. Where nobody knows
    whether an address that they are translated to is the host's, they may go either way."""
    packets = packets & hooks.hook_packets(hook)
    if hooks.decides_alone(hook):
        return _by_hook_alone(hooks, hook, packets)
    unknowns, false = Unknowns(hooks.space), hooks.space.false
    routing = hooks.on_any_host(unknowns, stays=True)
    traversal = SkimmingTraversal(hooks.firewall, hooks.family, unknowns, routing=routing)
    outcomes = traversal.follow(ROUTES[hook], packets)
    cube = unknowns.cube
    gone = packets & ~union([outcome.packets for outcome in outcomes], false)
    through = [outcome for outcome in outcomes if not outcome.kind.denies]
    lost = [outcome.packets for outcome in outcomes if outcome.kind is not VerdictKind.ACCEPT]
    denied = [o for o in outcomes if o.kind.denies and o.decision is not None]
    return Delivery(
        union([gone, *(outcome.packets for outcome in through)], false).exists(cube),
        union([o.rewrite.image(o.packets.exists(cube)) for o in through], false),
        union([gone, *lost], false).exists(cube),
        bool(denied),
        lambda: largest_first(
            (share for outcome in denied if (share := share_of(hooks, outcome, cube)) is not None),
            hook,
        ),
    )


def left(hook: Hook, outcome: Outcome) -> bool:
    """Whether the packets go another way than that with the hook, on which they set out."""
    return outcome.hook not in ROUTES.get(hook, (outcome.hook,))


def _by_hook_alone(hooks: Hooks, hook: Hook, packets: PacketSet) -> Delivery:
    """Nothing is changed before the hook, and its own changes concern no later one."""
    through = may_pass(hooks, hook, packets)
    kinds = (kind for kind in VerdictKind if kind.denies)
    is_denied = any(may_end(hooks, hook, kind, packets).satisfiable() for kind in kinds)
    lost = may_be_dropped(hooks, hook, packets)
    return Delivery(through, through, lost, is_denied, lambda: droppers_at(hooks, hook, packets))


def droppers_at(hooks: Hooks, hook: Hook, packets: PacketSet) -> list[Share]:
    """Who denies the packets, the largest share first, where the hook decides alone."""
    return [share for share in shares(hooks, hook, packets) if share.kind.denies]


def share_of(hooks: Hooks, outcome: Outcome, unknowns: PacketSet) -> Share | None:
    """The packets of the outcome, whatever is left open, and who decides; None where nobody
    stood in their way."""
    if outcome.decision is None:
        return None
    _, table, chain, rule = outcome.decision
    analysis = hooks.firewall.analysis(table)
    return Share(analysis, chain, rule, outcome.kind, outcome.packets.exists(unknowns))


@dataclass(frozen=True, slots=True)
class Fates:
    """What becomes of packets. ``outcomes``: of all of them; those of several rules may be told
    together, by nobody. ``decided``: of some of them, with who decides; rules that decide none
    of the packets named last may be left out."""

    outcomes: Sequence[Outcome]
    decided: Callable[[PacketSet, PacketSet], Iterable[Outcome]]


def fates_of(
    hooks: Hooks,
    hook: Hook,
    packets: PacketSet,
    unknowns: Unknowns,
    on_visit: Callable[[Rule, Visit], None],
) -> Fates:
    """What becomes of packets on the way with the hook, and who accepts them. ``on_visit`` is
    called for each rule that packets come to which may do something else than decide. What a
    translation takes from the way is not followed; of an address that nobody knows it is taken for
    granted that it is another host's."""
    packets, main = packets & hooks.hook_packets(hook), hooks.deciding_chain(hook)
    if main is not None and is_told_at_once(hooks, hook):
        return Fates(
            [*_together(main, hook, packets)],
            lambda some, among: _at_once(main, hook, packets & some, among),
        )
    followed = by_rule(hooks, unknowns, on_visit, skims=True).follow(ROUTES[hook], packets)
    return Fates(followed, lambda some, among: followed)


def by_rule(
    hooks: Hooks,
    unknowns: Unknowns,
    on_visit: Callable[[Rule, Visit], None],
    *,
    skims: bool = False,
) -> Traversal:
    """Tells who decides, on a host that has no address but those that the rules show."""
    kind = SkimmingTraversal if skims else Traversal
    return kind(
        hooks.firewall,
        hooks.family,
        unknowns,
        by_rule=True,
        routing=hooks.on_likely_host(unknowns),
        on_visit=on_visit,
    )


@memo
def is_told_at_once(hooks: Hooks, hook: Hook) -> bool:
    """Whether the fates on the way with the hook cost less, the fewer packets are asked about."""
    main = hooks.deciding_chain(hook)
    return main is not None and hooks.decides_alone(hook) and _tells_all(hooks, hook, main)


def _tells_all(hooks: Hooks, hook: Hook, main: BaseChain) -> bool:
    """Whether no other chain at the hook has rules, and nothing in the table of this one is left
    open or changed: then what is known of it tells all, and packets need not be followed."""
    if any(not other.is_open for other in hooks.base_chains(hook) if other is not main):
        return False
    flows = main.analysis.flows.values()
    return all(
        rule.verdict.kind is not VerdictKind.UNKNOWN
        and all(effect.kind is EffectKind.LOG for effect in rule.effects)
        for flow in flows
        for rule in examples(flow.chain)
    ) and all(flow.is_certain(number) for flow in flows for number in range(len(flow.chain.rules)))


def _together(main: BaseChain, hook: Hook, packets: PacketSet) -> Iterator[Outcome]:
    """What becomes of packets that meet no other chain on their way: by rules, whichever; by the
    policy."""
    same, chain = Rewrite(main.space, {}), main.chain
    ends = main.analysis.flows[chain.name].outcomes_of(packets & main.seen)
    for kind, ending in ends.items():
        if kind is not VerdictKind.RETURN:
            yield Outcome(kind, None, same, ending, hook)
        elif chain.policy is not None:
            decision = Decision(main.analysis.ruleset, main.table, chain, None)
            yield Outcome(chain.policy.kind, decision, same, ending, hook)
    yield Outcome(VerdictKind.ACCEPT, None, same, packets & ~main.seen, hook)


def _at_once(
    main: BaseChain, hook: Hook, packets: PacketSet, among: PacketSet
) -> Iterator[Outcome]:
    """The same with each that decides."""
    same = Rewrite(main.space, {})
    for share in shares_in(main, packets & main.seen, among):
        decision = Decision(main.analysis.ruleset, main.table, share.chain, share.rule)
        yield Outcome(share.kind, decision, same, share.packets, hook)
