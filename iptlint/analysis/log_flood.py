"""Rules that log, and the packets from the world by which anyone can fill the log."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import is_shut_before, outside, public, public_hosts
from iptlint.analysis.exposure import outward, same_interface, uplinks
from iptlint.analysis.external_interfaces import names_all, only_card
from iptlint.analysis.handshake import untracks
from iptlint.analysis.reordering import is_uncertain
from iptlint.memo import memo
from iptlint.model import Chain, EffectKind, Field, Hook, Match, Rule, Uncertain, VerdictKind
from iptlint.model.kinds import numbers_where
from iptlint.model.matches import Threshold
from iptlint.netfilter.firewall import Hooks, is_early
from iptlint.netfilter.routes import shown_to
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.conntrack import untracked_anyway
from iptlint.packets.ordinary import typically_holds

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def logs(rule: Rule) -> bool:
    return any(effect.kind is EffectKind.LOG for effect in rule.effects)


def only_logs(rule: Rule) -> bool:
    """Whether the rule does nothing but log: the packet goes on."""
    return logs(rule) and rule.verdict.kind is VerdictKind.CONTINUE


class LogFlood:
    """The packets of strangers that get somewhere at the hook, however many of them come. Where a
    limit or a list decides they do not."""

    def __init__(self, hooks: Hooks, hook: Hook) -> None:
        self.hooks = hooks
        self.hook = hook
        self._entering = cache(self._worked_out)

    def reaching(self, analysis: TableAnalysis, rule: Rule) -> PacketSet:
        """Those that come to the rule and pass its tests; none where only some strangers can send
        them."""
        place = analysis.place(rule)
        packets = analysis.tests(rule).sure & self._entering(analysis, place.chain)
        if self._from_everyone(packets):
            packets = _left(analysis, place.chain, place.number, packets)
            if self._from_everyone(packets):
                return packets
        return self.hooks.space.false

    def _from_everyone(self, packets: PacketSet) -> bool:
        saddr = self.hooks.family.saddr
        senders = self.hooks.space.project(packets, saddr)
        return not (public(self.hooks, saddr) & ~senders).satisfiable()

    def _worked_out(self, analysis: TableAnalysis, name: str) -> PacketSet:
        """Those that enter a base chain at the hook, or a chain that it calls."""
        chain = analysis.table.chains[name]
        if chain.hook is not None:
            return (
                self._set_out(analysis, chain)
                if chain.hook is self.hook
                else self.hooks.space.false
            )
        arriving = self.hooks.space.false
        for caller, number in analysis.calls.callers(name):
            if _rank(analysis)[caller] > _rank(analysis)[name]:  # else the call closes a loop
                sure = analysis.flows[caller].tests[number].sure & self._entering(analysis, caller)
                arriving = arriving | _left(analysis, caller, number, sure)
        return arriving

    def _set_out(self, analysis: TableAnalysis, chain: Chain) -> PacketSet:
        if self.hook is not Hook.PREROUTING and is_shut_before(self.hooks):
            return self.hooks.space.false
        packets = _strangers(self.hooks) & self.hooks.hook_packets(self.hook)
        if self.hook is Hook.FORWARD:  # a router sends nobody back to where he came from
            packets = (
                packets
                & ~same_interface(analysis.space, named=True)
                & ~uplinks(self.hooks, Field.OIF)
            )
        packets = packets & shown_to(analysis.space, analysis.table, chain)
        if not is_early(chain) and not untracks(self.hooks):
            space = analysis.space
            packets = packets & (~space.state("untracked") | untracked_anyway(space))
        for base_chain in analysis.before(chain):
            packets = packets & ~base_chain.may_drop
        return packets


def _left(analysis: TableAnalysis, chain: str, number: int, packets: PacketSet) -> PacketSet:
    """Of the packets, what no earlier rule of the chain takes, be it by luck. Of those that a
    rate lets go elsewhere, most of a flood is left."""
    packets = analysis.flows[chain].arriving_at(number, packets)
    for earlier in _uncertain_rules(analysis)[chain]:
        if earlier < number:
            packets = packets & ~analysis.flows[chain].tests[earlier].may
    return packets


@memo
def _rank(analysis: TableAnalysis) -> dict[str, int]:
    """Chains have a higher one than those they call."""
    return {name: rank for rank, name in enumerate(analysis.calls.order)}


@memo
def _uncertain_rules(analysis: TableAnalysis) -> dict[str, list[int]]:
    """By chain, the numbers of the rules that may take a packet or not."""
    return {
        name: [
            number
            for number in numbers_where(flow.chain, _may_end_or_not)
            if _does_anything(flow.chain.rules[number]) or not flow.is_certain(number)
        ]
        for name, flow in analysis.flows.items()
    }


def _may_end_or_not(rule: Rule) -> bool:
    return rule.verdict.kind is not VerdictKind.CONTINUE and not _is_rate(rule)


def _does_anything(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.UNKNOWN


def _is_rate(rule: Rule) -> bool:
    """Whether more packets than a rate permits do not pass its tests."""
    uncertain = [match for match in rule.matches if is_uncertain(match)]
    return bool(uncertain) and all(map(_permits, uncertain))


def _permits(match: Match) -> bool:
    match match:
        case Uncertain("limit", asks=asks):
            return not (isinstance(asks, Threshold) and asks.over)
        case _:
            return False


def _strangers(hooks: Hooks) -> PacketSet:
    """Packets that anyone can send: from public addresses to public ones, by an interface that
    faces the world, of no connection that was asked for, unmarked, on no list."""
    space, family = hooks.space, hooks.family
    packets = (_from_uplinks(hooks) | only_card(space)) & outside(space)
    packets = packets & public_hosts(hooks, family.saddr) & public_hosts(hooks, family.daddr)
    packets = packets & space.state("new", "invalid", "untracked")
    for field in (Field.MARK, Field.CT_MARK):
        packets = packets & space.value(field, 0)
    for test, variable in space.opaques.items():
        packets = packets & (variable if typically_holds(test, None) else ~variable)
    return packets


def _from_uplinks(hooks: Hooks) -> PacketSet:
    """By an interface that no rule names strangers come only where none is known to be theirs."""
    packets = outward(hooks)
    if not any(hooks.facing.values()) and not names_all(hooks):
        return packets
    other = len(hooks.space.interfaces.classes)
    theirs = packets & ~hooks.space.value(Field.IIF, other)
    return theirs if theirs.satisfiable() else packets
