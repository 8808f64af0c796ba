"""What writes to a log, and which packets of the world get there whatever limits say."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import outside, public, public_hosts
from iptlint.analysis.exposure import outward
from iptlint.analysis.reordering import is_uncertain
from iptlint.analysis.shadowing import per_walk
from iptlint.model import Chain, EffectKind, Field, Hook, Match, Rule, Uncertain, VerdictKind
from iptlint.netfilter.hooks import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.ordinary import typically_holds

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def logs(rule: Rule) -> bool:
    return any(effect.kind is EffectKind.LOG for effect in rule.effects)


def only_logs(rule: Rule) -> bool:
    """Whether that is all it does: the packet goes on."""
    return logs(rule) and rule.verdict.kind is VerdictKind.CONTINUE


class LogFlood:
    """The packets of strangers that get somewhere at the hook, however many of them come. Where a
    limit or a list has its say they do not."""

    def __init__(self, path: Hooks, hook: Hook) -> None:
        self.path = path
        self.hook = hook
        self._entering = cache(self._worked_out)

    def reaching(self, walk: TableAnalysis, rule: Rule) -> PacketSet:
        """Those that come to the rule and pass its tests; none where only some strangers can send
        them."""
        place = walk.place(rule)
        packets = walk.tests(rule).sure & self._entering(walk, place.chain)
        if self._from_everyone(packets):
            packets = _left(walk, place.chain, place.number, packets)
            if self._from_everyone(packets):
                return packets
        return self.path.space.false

    def _from_everyone(self, packets: PacketSet) -> bool:
        saddr = self.path.family.saddr
        senders = self.path.space.project(packets, saddr)
        return not (public(self.path, saddr) & ~senders).satisfiable()

    def _worked_out(self, walk: TableAnalysis, name: str) -> PacketSet:
        """Those that enter a base chain at the hook, or a chain that it calls."""
        chain = walk.table.chains[name]
        if chain.hook is not None:
            return self._set_out(walk, chain) if chain.hook is self.hook else self.path.space.false
        found = self.path.space.false
        for caller, number in walk.callers.get(name, ()):
            if _rank(walk)[caller] > _rank(walk)[name]:  # else the call closes a loop
                sure = walk.flows[caller].tests[number].sure & self._entering(walk, caller)
                found = found | _left(walk, caller, number, sure)
        return found

    def _set_out(self, walk: TableAnalysis, chain: Chain) -> PacketSet:
        packets = _strangers(self.path) & self.path.hook_packets(self.hook)
        packets = packets & walk.shown_to(chain)
        for station in walk.before(chain):
            packets = packets & ~station.may_kill
        return packets


def _left(walk: TableAnalysis, chain: str, number: int, packets: PacketSet) -> PacketSet:
    """Of the packets, what no earlier rule of the chain takes, be it by luck. Of those that a
    rate lets go elsewhere, most of a flood is left."""
    packets = packets & walk.flows[chain].arrives[number]
    for earlier in _lucky(walk)[chain]:
        if earlier < number:
            packets = packets & ~walk.flows[chain].tests[earlier].may
    return packets


@per_walk
def _rank(walk: TableAnalysis) -> dict[str, int]:
    """Chains have a higher one than those they call."""
    return {name: rank for rank, name in enumerate(walk.order)}


@per_walk
def _lucky(walk: TableAnalysis) -> dict[str, list[int]]:
    """By chain, the numbers of the rules that may take a packet or not."""
    return {
        name: [
            number
            for number, (rule, tests) in enumerate(zip(flow.chain.rules, flow.tests, strict=False))
            if rule.verdict.kind is not VerdictKind.CONTINUE
            if rule.verdict.kind is VerdictKind.UNKNOWN or tests.may != tests.sure
            if not _is_rate(rule)
        ]
        for name, flow in walk.flows.items()
    }


def _is_rate(rule: Rule) -> bool:
    """Whether more packets than a rate permits do not pass its tests."""
    uncertain = [match for match in rule.matches if is_uncertain(match)]
    return bool(uncertain) and all(map(_permits, uncertain))


def _permits(match: Match) -> bool:
    match match:
        case Uncertain("limit", key):
            return " over " not in key
        case _:
            return False


def _strangers(path: Hooks) -> PacketSet:
    """Packets that anyone can send: from public addresses to public ones, by an interface that
    faces the world, of no connection that was asked for, unmarked, on no list."""
    space, family = path.space, path.family
    packets = outward(path) & outside(space)
    packets = packets & public_hosts(path, family.saddr) & public_hosts(path, family.daddr)
    packets = packets & space.state("new", "invalid", "untracked")
    for field in (Field.MARK, Field.CT_MARK):
        packets = packets & space.value(field, 0)
    for key, test in space.opaques.items():
        packets = packets & (test if typically_holds(key, None) else ~test)
    return packets
