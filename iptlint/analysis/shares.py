"""Who decides these packets: the rules, through called chains, or the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import inf
from typing import TYPE_CHECKING

from iptlint.analysis.hook_verdicts import may_pass
from iptlint.model import Chain, Hook, Rule, VerdictKind
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.ordinary import ordinary
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@dataclass(frozen=True, slots=True)
class Decider:
    """``rule`` is None for the policy of ``chain``."""

    analysis: TableAnalysis
    chain: Chain
    rule: Rule | None
    kind: VerdictKind

    @property
    def name(self) -> str:
        """What to call it in a sentence, with its line."""
        if self.rule is None:
            return f"the policy of {self.chain.name}"
        return f"line {self.rule.origin.span.line}"

    def base(self, hook: Hook) -> Chain:
        """The base chain that leads to who decides: the one at the hook, if several do."""
        bases = self.analysis.calls.bases_of(self.chain.name)
        return next((base for base in bases if base.hook is hook), bases[0])

    @property
    def does(self) -> str:
        return _DOES.get(self.kind, "takes")

    @property
    def first(self) -> str:
        """That it gets packets which nothing before it accepts; the object is to follow."""
        if self.rule is None:
            return f"no rule accepts them, and {self.name} {self.does}"
        return f"before any rule accepts them, {self.name} {self.does}"

    @property
    def span(self) -> Span:
        if self.rule is not None:
            return self.rule.origin.span
        return self.analysis.declaration_of(self.chain)


@dataclass(frozen=True, slots=True)
class Share(Decider):
    """``packets``: those it may decide."""

    packets: PacketSet


def surely_decides(share: Share, hook: Hook) -> bool:
    """Whether it decides some ordinary packet, whatever its uncertain tests say."""
    usual = share.packets & ordinary(share.analysis.space, hook)
    sure = usual if share.rule is None else usual & share.analysis.tests(share.rule).sure
    return sure.satisfiable()


_DOES = {
    VerdictKind.ACCEPT: "accepts",
    VerdictKind.DROP: "drops",
    VerdictKind.REJECT: "rejects",
}


def packet_count(packets: PacketSet) -> float:
    """A number in proportion to how many packets these are; 512 keeps it far from the ends of
    what a float can hold, however many variables there are."""
    return packets.sat_count_float(512)


def shares(hooks: Hooks, hook: Hook, packets: PacketSet) -> list[Share]:
    """Who may decide ``packets`` at the hook, ``largest_first``. Empty without a base chain."""
    return largest_first(deciding_shares(hooks, hook, packets), hook)


def deciding_shares(hooks: Hooks, hook: Hook, packets: PacketSet) -> Iterator[Share]:
    """The same in no order. Any base chain may drop packets; of those that pass them the deciding
    one is named."""
    if any(base_chain.rewrites for base_chain in hooks.base_chains(hook)):
        yield from _followed(hooks, hook, packets)
        return
    main = hooks.deciding_chain(hook)
    arriving = packets & hooks.hook_packets(hook)

    @cache
    def passing() -> PacketSet:
        return may_pass(hooks, hook, arriving)

    for base_chain, coming in _coming(hooks.base_chains(hook), arriving):
        for share in shares_in(base_chain, coming & base_chain.seen):
            if not share.kind.passes:
                yield share
            elif base_chain is main:
                accepted = share.packets & passing()
                if accepted.satisfiable():
                    yield replace(share, packets=accepted)


def _coming(
    base_chains: Sequence[BaseChain], packets: PacketSet
) -> Iterator[tuple[BaseChain, PacketSet]]:
    """What comes to each of the base chains: where the last one leaves packets, nobody asks."""
    for number, base_chain in enumerate(base_chains):
        if number:
            before = base_chains[number - 1]
            packets = before.afterwards(before.surviving(packets))
        yield base_chain, packets


def _followed(hooks: Hooks, hook: Hook, packets: PacketSet) -> Iterator[Share]:
    """The same where a rule at the hook changes what later ones test: exact, and not cheap."""
    unknowns = Unknowns(hooks.space)
    traversal = Traversal(hooks.firewall, hooks.family, unknowns, by_rule=True)
    outcomes = traversal.follow((hook,), packets & hooks.hook_packets(hook))
    cube = unknowns.cube
    for outcome in outcomes:
        if outcome.decision is not None:
            _, table, chain, rule = outcome.decision
            share = outcome.packets.exists(cube)
            yield Share(hooks.firewall.analysis(table), chain, rule, outcome.kind, share)


def largest_first(each: Iterable[Share], hook: Hook | None = None) -> list[Share]:
    """The share with most of the ordinary packets first, or, where two have none, the larger one;
    of equal shares that which is sure of its packets, then the policy, or the last in the text,
    which leaves nothing open.

    Who drops only packets with some odd option drops few, though they are half of all that can be
    told apart; and who drops those from an address that is not known may drop none.
    """
    counted = [(share_size(share, hook), share) for share in each]
    counted.sort(key=lambda pair: pair[0], reverse=True)
    largest = counted[0][0][0] if counted else 0
    sure = (n for n, ((_, _, sure, _), _) in enumerate(counted) if 2 * sure >= largest > 0)
    counted.insert(0, counted.pop(next(sure, 0))) if counted else None
    return [share for _, share in counted]


def share_size(share: Share, hook: Hook | None) -> tuple[float, float, float, float]:
    """Of ordinary packets; of others, where it has none; of those it is sure of; its place."""
    packets, space = share.packets, share.analysis.space
    usual = packets & ordinary(space, hook)
    sure = usual if share.rule is None else usual & share.analysis.tests(share.rule).sure
    odd = 0 if usual.satisfiable() else packet_count(packets)
    place = inf if share.rule is None else share.span.start
    return packet_count(usual), odd, packet_count(sure), place


def shares_in(
    base_chain: BaseChain, packets: PacketSet, among: PacketSet | None = None
) -> Iterator[Share]:
    """Who may decide the packets in one base chain: in the order of calls, the policy last. Rules
    and a policy that decide none ``among`` them may be left out."""
    analysis, base = base_chain.analysis, base_chain.chain
    entering = {base.name: packets}
    for name in analysis.calls.callers_first(base.name):
        inside = entering.get(name)
        if inside is not None and inside.satisfiable():
            yield from _in_chain(analysis, analysis.flows[name], inside, entering, among)
    flow = analysis.flows[base.name]
    if base.policy is None or (
        among is not None and not flow.some_end((VerdictKind.RETURN,), packets & among)
    ):
        return
    left = flow.outcomes_of(packets)[VerdictKind.RETURN]
    if left.satisfiable():
        yield Share(analysis, base, None, base.policy.kind, left)


def shares_of(analysis: TableAnalysis, base: Chain, packets: PacketSet) -> Iterator[Share]:
    """The same of a base chain of a table that has been analysed, whatever comes before it."""
    return shares_in(BaseChain.of(analysis, base), packets)


def _in_chain(
    analysis: TableAnalysis,
    flow: ChainFlow,
    inside: PacketSet,
    entering: dict[str, PacketSet],
    among: PacketSet | None,
) -> Iterator[Share]:
    """The rules of one chain that decide; what it calls is added to ``entering``."""
    rules = flow.chain.rules
    concerning = flow.concerning(inside)
    if among is not None:
        # Who is called gets all that comes to it: it decides some of the others with the rest.
        wanted = {*flow.concerning(inside & among)}
        concerning = [n for n in concerning if n in wanted or rules[n].verdict.chain is not None]
    deciding = [n for n in concerning if not rules[n].verdict.kind.goes_on]
    for number, taken in flow.matched_of(deciding, inside):
        rule = rules[number]
        kind, callee = rule.verdict.kind, rule.verdict.chain
        if callee is None or callee not in analysis.flows:
            yield Share(analysis, flow.chain, rule, kind, taken)
        else:
            entering[callee] = entering.get(callee, analysis.space.false) | taken


def responsible_call(share: Share) -> Share:
    """The same packets, with the rule that chooses them: where what accepts tests nothing, the
    call of its chain for most of them."""
    analysis, chain, rule = share.analysis, share.chain, share.rule
    seen = {chain.name}
    while rule is not None and not rule.matches and chain.hook is None:
        calls = [
            Share(analysis, caller, call, call.verdict.kind, analysis.matched(call, share.packets))
            for name, number in analysis.calls.callers(chain.name)
            if (caller := analysis.table.chains[name]).name not in seen
            and (call := caller.rules[number])
        ]
        calls = largest_first(call for call in calls if call.packets.satisfiable())
        if not calls:
            break
        chain, rule = calls[0].chain, calls[0].rule
        seen.add(chain.name)
    return replace(share, chain=chain, rule=rule)
