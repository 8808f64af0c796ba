"""Rules that get no packet because chains at prerouting drop all of them: what comes to INPUT and
FORWARD has been through those."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.blockers import Blocker, needed
from iptlint.analysis.default_verdict import is_shut_before
from iptlint.model import Field, Hook, Rule, Table, VerdictKind
from iptlint.model.ownership import is_generated
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

_KEPT = (
    *(Field.FAMILY, Field.IIF, Field.PROTO, Field.FRAGMENT, Field.SADDR, Field.SADDR6),
    *(Field.SPORT, Field.TCP_FLAGS, Field.ICMP_TYPE, Field.ICMP_CODE),
)
"""What a packet has at prerouting as it has it later on. Its connection, its mark and the way out
are not known there yet, and where it goes a translation may change."""
_DESTINATION = (Field.DADDR, Field.DADDR6, Field.DPORT)
_LATER = (Hook.INPUT, Hook.FORWARD)
_MOST = 2_000
"""Rules of a table that are asked one by one."""


class DroppedBefore(NamedTuple):
    """``by``: the rules at prerouting that drop all packets of the rule; ``packets``: such that the
    first of them drops, as they come there."""

    analysis: TableAnalysis
    rule: Rule
    by: tuple[Rule, ...]
    packets: PacketSet


def dropped_before(hooks: Hooks) -> Iterator[DroppedBefore]:
    """Accepting rules of the chains that decide what comes in and what is forwarded, of those that
    get a packet as far as their own hook says."""
    dropping = [each for each in hooks.base_chains(Hook.PREROUTING) if _may_drop(each)]
    if not dropping or any(each.rewrites or _is_large(each.table) for each in dropping):
        return
    if is_shut_before(hooks):  # then it is no matter of one rule
        return
    before = _Before(hooks, dropping)
    seen: set[Rule] = set()
    for hook in _LATER:
        main = hooks.deciding_chain(hook)
        if main is None or _is_large(main.table):
            continue
        for chain, rule in main.rules_where(_accepts):
            if rule not in seen and not is_generated(main.table, chain.name):
                seen.add(rule)
                yield from before.lost(main.analysis, rule)


def _accepts(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.ACCEPT


def _denies(rule: Rule) -> bool:
    return rule.verdict.kind.denies


def _may_drop(base_chain: BaseChain) -> bool:
    return base_chain.chain.type != "nat" and any(map(_denies, base_chain.examples()))


def _is_large(table: Table) -> bool:
    return sum(len(chain.rules) for chain in table.chains.values()) > _MOST


class _Before:
    """What chains at prerouting, which change no packet, leave to those behind them."""

    def __init__(self, hooks: Hooks, dropping: Sequence[BaseChain]) -> None:
        self.space = hooks.space
        self._hooks = hooks
        self._dropping = dropping
        kept = _KEPT if hooks.translates else (*_KEPT, *_DESTINATION)
        self._kept = tuple(field for field in kept if field in hooks.space.fields)
        later = union([hooks.hook_packets(hook) for hook in _LATER], self.space.false)
        self._coming = ~later | self._survivors()

    def _survivors(self) -> PacketSet:
        packets = self._hooks.hook_packets(Hook.PREROUTING)
        for base_chain in self._dropping:
            packets = base_chain.surviving(packets)
        return self.space.project(packets, *self._kept)

    @cached_property
    def _takers(self) -> list[tuple[Blocker, PacketSet]]:
        """Each dropping rule, with its packets as they come there, too."""
        prerouting = self._hooks.hook_packets(Hook.PREROUTING)
        return [
            (Blocker(rule, self.space.project(taken, *self._kept)), taken)
            for base_chain in self._dropping
            for _, rule in base_chain.rules_testing(_denies)
            if (taken := base_chain.analysis.matched(rule) & prerouting).satisfiable()
        ]

    def lost(self, analysis: TableAnalysis, rule: Rule) -> Iterator[DroppedBefore]:
        matched = analysis.matched(rule)
        if not matched.satisfiable() or (matched & self._coming).satisfiable():
            return
        meant = self.space.project(matched, *self._kept)
        coming = {
            taker.rule: both
            for taker, taken in self._takers
            if (both := taken & meant).satisfiable()
        }
        takers = [taker for taker, _ in self._takers if taker.rule in coming]
        by = tuple(taker.rule for taker in needed(takers, matched))
        if by:
            yield DroppedBefore(analysis, rule, by, coming[by[0]])
