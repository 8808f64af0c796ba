"""Accepts of one base chain that a later one at the same hook undoes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import outside
from iptlint.analysis.exposure import same_interface
from iptlint.analysis.shadowing import is_ban
from iptlint.analysis.shares import Share, largest_first, shares_in
from iptlint.model import Family, Field, Hook, Rule, Ruleset, Table, VerdictKind
from iptlint.model.kinds import rules_where
from iptlint.model.owners import Owner
from iptlint.model.ownership import made_by_iptables, owner_of_chain, writer_of
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.routes import at_hook

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class UndoneAccept(NamedTuple):
    """An accepting rule of ``base_chain``; ``by`` decides most of its packets in ``later``.
    ``owner``: the software that wrote the rule, and would anew; None for a person's."""

    rule: Rule
    packets: PacketSet
    base_chain: BaseChain
    later: BaseChain
    by: Share
    owner: Owner | None


def undone_accepts(firewall: Firewall, hook: Hook) -> Iterator[list[UndoneAccept]]:
    """Those of each base chain at the hook, in the order of the kernel."""
    base_chains, space = firewall.base_chains(Family.INET, hook), firewall.space
    if sum(map(_has_a_say, base_chains)) < 2:
        return
    packets = at_hook(space, hook) & space.state("new") & outside(space)
    packets = packets & space.value(Field.CT_SNAT, 0)
    publishing = _publishing(firewall.ruleset) if hook is Hook.FORWARD else frozenset()
    for _, equals in groupby(base_chains, key=_priority):
        several = tuple(equals)
        for base_chain in several:
            if _decides(base_chain):
                # What a chain of the same priority drops is dropped, whichever comes first.
                others = (s for s in base_chains if s is not base_chain)
                later = [s for s in others if _priority(s) >= _priority(base_chain)]
                yield [*_undone(base_chain, later, packets, publishing)]
        for base_chain in several:
            packets = base_chain.afterwards(base_chain.surviving(packets))


def _publishing(ruleset: Ruleset) -> frozenset[Owner]:
    """The software that sends on what comes to the host."""
    owners = (
        writer_of(table, chain.name, rule)
        for table in ruleset.tables
        for chain, rule in rules_where(table, _sends_on)
    )
    return frozenset(owner for owner in owners if owner is not None)


def _sends_on(rule: Rule) -> bool:
    return rule.verdict.name.upper() == "DNAT"


def _decides(base_chain: BaseChain) -> bool:
    return base_chain.chain.filters and not base_chain.is_open


def _has_a_say(base_chain: BaseChain) -> bool:
    """Whether it may have the last word, at whatever priority."""
    return base_chain.chain.type == "filter" and not base_chain.is_open


def _priority(base_chain: BaseChain) -> int:
    return base_chain.chain.priority or 0


def _lets_in(base_chain: BaseChain, packets: PacketSet) -> bool:
    """Whether an accept of the chain is one that people wrote to let packets in, not to except
    them from what it drops."""
    policy = base_chain.chain.policy
    if policy is not None and policy.kind is not VerdictKind.ACCEPT:
        return True
    denying = any(rule.verdict.kind.denies for rule in base_chain.examples())
    return not denying or not (_undecided(base_chain) & packets).satisfiable()


def _undecided(base_chain: BaseChain) -> PacketSet:
    """The packets that come to the policy."""
    return base_chain.analysis.flows[base_chain.chain.name].returns & base_chain.seen


def _only_bans(base_chain: BaseChain) -> bool:
    """Whether the chain drops what it lists and has nothing to say of the rest."""
    policy = base_chain.chain.policy
    if policy is not None and policy.kind is not VerdictKind.ACCEPT:
        return False
    decisive = (rule for rule in base_chain.examples() if rule.verdict.kind.terminates)
    return all(is_ban(rule) for rule in decisive)


def _undone(
    base_chain: BaseChain,
    later: Sequence[BaseChain],
    packets: PacketSet,
    publishing: frozenset[Owner],
) -> Iterator[UndoneAccept]:
    # Nobody has translated them: what is accepted as translated is another matter, but for whom
    # translates what it accepts.
    as_sent = base_chain.analysis.space.value(Field.CT_DNAT, 0)
    lets_in = _lets_in(base_chain, packets & as_sent)
    for share in shares_in(base_chain, packets & base_chain.seen):
        rule = share.rule
        if rule is None or share.kind is not VerdictKind.ACCEPT:
            continue
        owner = _owner(base_chain.table, share.chain.name, rule)
        if lets_in if owner is None else owner.transient:
            sent = share.packets if owner in publishing else share.packets & as_sent
            sent = sent if owner is None else sent & ~_back(base_chain)
            denier = _denier(base_chain.afterwards(sent), later) if sent.satisfiable() else None
            if denier is not None:
                yield UndoneAccept(rule, sent, base_chain, *denier, owner)


def _owner(table: Table, chain: str, rule: Rule) -> Owner | None:
    """The software whose rule it is. In chains of a person's own it is the person's, whatever it is
    for."""
    if owner_of_chain(table, chain) is None and not made_by_iptables(table):
        return None
    return writer_of(table, chain, rule)


def _back(base_chain: BaseChain) -> PacketSet:
    """What leaves as it came: of guests on one bridge, it passes the hook only where bridges ask
    the firewall."""
    space = base_chain.analysis.space
    forwarded = base_chain.chain.hook is Hook.FORWARD
    return same_interface(space, named=True) if forwarded else space.false


def _denier(packets: PacketSet, later: Sequence[BaseChain]) -> tuple[BaseChain, Share] | None:
    """Where the last of the packets are denied, and what decides most of them there."""
    for base_chain in later:
        left = base_chain.surviving(packets)
        if not left.satisfiable():
            if not _has_a_say(base_chain) or _only_bans(base_chain):
                return None
            deciding = shares_in(base_chain, packets & base_chain.seen)
            shares = largest_first(deciding, base_chain.chain.hook)
            by = next((each for each in shares if each.kind.denies), None)
            return None if by is None else (base_chain, by)
        packets = base_chain.afterwards(left)
    return None
