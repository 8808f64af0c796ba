"""For every rule: can a packet get here and match, and if not, why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from iptlint.model import Chain, Rule, Ruleset, Table
from iptlint.netfilter.takers import takers
from iptlint.netfilter.walk import Walk
from iptlint.packets.packet import Packet
from iptlint.packets.witness import witness

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet


class Status(Enum):
    REACHABLE = "reachable"
    CONDITIONAL = "conditional"
    DEAD = "dead"


class Reason(Enum):
    """Why a rule is dead."""

    CONTRADICTION = "its own tests exclude each other"
    NEVER_CALLED = "chain is never called"
    NOT_SENT = "no packet that is sent to this chain can match"
    TAKEN = "earlier rules take every packet it could match"


@dataclass(frozen=True, slots=True)
class RuleReach:
    """The answer for one rule. ``taken_by`` only where the reason is TAKEN."""

    table: Table
    chain: Chain
    rule: Rule
    status: Status
    reason: Reason | None = None
    taken_by: tuple[Rule, ...] = ()
    witness: Packet | None = None

    @property
    def line(self) -> int:
        return self.rule.origin.span.line


def status(walk: Walk, rule: Rule) -> tuple[Status, Reason | None]:
    if walk.matched(rule).satisfiable():
        return (Status.REACHABLE if _is_sure(walk, rule) else Status.CONDITIONAL), None
    return Status.DEAD, _reason(walk, rule)


def _is_sure(walk: Walk, rule: Rule) -> bool:
    *sure, _ = _surest_first(walk, rule)
    return any(packets.satisfiable() for packets in sure)


def _surest_first(walk: Walk, rule: Rule) -> Iterator[PacketSet]:
    """Ever more packets that match the rule; the last need luck with uncertain tests."""
    surely = walk.surely_matched(rule)
    yield surely
    if not surely.satisfiable():
        yield walk.certainly_matched(rule)
    yield walk.matched(rule)


def _reason(walk: Walk, rule: Rule) -> Reason:
    if not walk.tests(rule).may.satisfiable():
        return Reason.CONTRADICTION
    if not walk.is_called(walk.place(rule).chain):
        return Reason.NEVER_CALLED
    if not walk.sent(rule).satisfiable():
        return Reason.NOT_SENT
    return Reason.TAKEN


def rule_witness(walk: Walk, rule: Rule) -> Packet | None:
    """A packet that gets to the rule and matches it, at the first hook that can send one;
    one that needs no luck with uncertain tests where there is such a packet."""
    for packets in _surest_first(walk, rule):
        for hook in walk.hooks_of(walk.place(rule).chain):
            found = witness(walk.space, packets & walk.hook_packets(hook), hook)
            if found is not None:
                return found
    return None


def reach(ruleset: Ruleset) -> Iterator[RuleReach]:
    """Every rule of the ruleset, in the order of its tables and chains."""
    for table in ruleset.tables:
        walk = Walk(ruleset, table)
        for chain, rule in table.rules():
            found, reason = status(walk, rule)
            yield RuleReach(
                table,
                chain,
                rule,
                found,
                reason,
                takers(walk, rule) if reason is Reason.TAKEN else (),
                rule_witness(walk, rule) if found is not Status.DEAD else None,
            )
