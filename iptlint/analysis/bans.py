"""Rules that deny some senders, and such as come too late: what could let their packets in stands
before them, and all that gets past it is denied in any case."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import public_hosts
from iptlint.analysis.delivery import delivery
from iptlint.analysis.exposure import external_probes
from iptlint.analysis.shadowing import later_copies, unmatched_rules
from iptlint.model import (
    AnyOf,
    Chain,
    Decided,
    Family,
    Field,
    Hook,
    Interface,
    Masked,
    Match,
    Opaque,
    Rule,
    Uncertain,
    VerdictKind,
    Within,
)
from iptlint.model.kinds import examples, numbers_where
from iptlint.model.matches import SetLookup
from iptlint.model.ownership import is_generated
from iptlint.model.protocols import TCP, UDP
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

_TRIED = 16
"""Bans of which one has to be let in: a list of more is one of the same kind."""


class LateBans(NamedTuple):
    """``accepting``: the rule that lets ``packets`` in, of senders that a ban names; ``asked``: the
    rules of the base chain that are the bans or call them; ``bans``: each with all that is asked on
    the way to it; ``closing``: the rule that leaves nothing to any of them, if there is one."""

    analysis: TableAnalysis
    accepting: Rule
    packets: PacketSet
    asked: tuple[Rule, ...]
    bans: tuple[tuple[Rule, tuple[Match, ...]], ...]
    closing: Rule | None


def names_senders(family: Family, match: Match) -> bool:
    """Whether the test is for addresses of senders, or for a list of them."""
    match match:
        case Within(field=field, negated=False) | Masked(field=field, negated=False):
            return field is family.saddr
        case Opaque(asks=SetLookup() as lookup, negated=False):
            return lookup.sources[:1] == (True,)
        case Uncertain() as uncertain:
            return uncertain.names_senders
        case AnyOf(alternatives, negated=False):
            return any(names_senders(family, test) for tests in alternatives for test in tests)
        case _:
            return False


def late_bans(hooks: Hooks, hook: Hook) -> LateBans | None:
    """Those of the chain that decides at the hook."""
    base_chain = hooks.deciding_chain(hook)
    if base_chain is None or is_generated(base_chain.table, base_chain.chain.name):
        return None
    late = _Late(hooks, hook, base_chain)
    return late.found() if late.numbers else None


class _Late:
    def __init__(self, hooks: Hooks, hook: Hook, base_chain: BaseChain) -> None:
        self.hooks = hooks
        self.hook = hook
        self.base_chain = base_chain
        self.analysis = base_chain.analysis
        self.chain = base_chain.chain
        self.numbers = self._numbers()

    def _numbers(self) -> Sequence[int]:
        """The rules behind the last one that lets anything go on, up to where all is denied; else
        those behind that, where nothing else stands there."""
        rules, denied = self.chain.rules, self._all_denied()
        passing = numbers_where(self.chain, lambda rule: not _stops(rule, self._stopping))
        first = max((n for n in passing if n < denied), default=-1) + 1
        if first == 0 or denied > len(rules):
            return ()
        silent = unmatched_rules(self.analysis)
        asked = numbers_where(self.chain, self._is_ban)
        late = [n for n in asked if first <= n < denied and rules[n] not in silent]
        return late or self._behind(denied, [n for n in asked if n > denied])

    def _behind(self, denied: int, asked: Sequence[int]) -> Sequence[int]:
        """Of the rules behind that one, the bans that are no copies; none where others are there,
        which are lost with them."""
        rules, copies = self.chain.rules, later_copies(self.analysis)
        if len(asked) < len(rules) - denied - 1:
            return ()
        return [n for n in asked if rules[n] not in copies]

    def _all_denied(self) -> int:
        """The number of the rule that denies all that comes to it; one behind the last where the
        policy does, and more where none does."""
        closing = numbers_where(self.chain, lambda rule: rule.denies_all)
        if closing:
            return closing[0]
        policy = self.chain.policy
        return len(self.chain.rules) + (policy is None or not policy.kind.denies)

    def _closing(self) -> Rule | None:
        denied = self._all_denied()
        return self.chain.rules[denied] if self.numbers[0] > denied else None

    @cached_property
    def _stopping(self) -> frozenset[str]:
        """The chains that let nothing go on but to where they were called."""
        calls, stopping = self.analysis.calls, set[str]()
        for name in calls.order:
            each = examples(calls.chains[name])
            if all(
                rule.verdict.kind is VerdictKind.RETURN or _stops(rule, stopping) for rule in each
            ):
                stopping.add(name)
        return frozenset(stopping)

    def _called(self, rule: Rule) -> Chain | None:
        jump = rule.verdict.kind is VerdictKind.JUMP
        return self.analysis.table.chains.get(rule.verdict.chain or "") if jump else None

    def _is_ban(self, rule: Rule) -> bool:
        """Whether it denies senders, whatever they send, or calls a chain of such rules."""
        if rule.verdict.kind.denies:
            return self._is_for_senders(rule, named=True)
        chain = self._called(rule)
        if chain is None or not self._is_for_senders(rule, named=False):
            return False
        if is_generated(self.analysis.table, chain.name):
            return False
        denying = [each for each in chain.rules if each.verdict.kind.denies]
        named = not self._is_for_senders(rule, named=True)
        return bool(denying) and all(self._is_for_senders(each, named=named) for each in denying)

    def _is_for_senders(self, rule: Rule, *, named: bool) -> bool:
        family = self.hooks.family
        each = [names_senders(family, match) for match in rule.matches]
        others = (m for m, sender in zip(rule.matches, each, strict=True) if not sender)
        return (any(each) or not named) and all(map(_is_of_way, others))

    def found(self) -> LateBans | None:
        asked = tuple(self.chain.rules[number] for number in self.numbers)
        bans = [(rule, *ban) for rule in asked for ban in self._bans_of(rule)]
        accepting = [*self._for_everybody()]
        for rule, ban, _ in bans[:_TRIED] if accepting else ():
            let_in = self._let_in(self.analysis.intended(rule) & self.analysis.intended(ban))
            for each in accepting if let_in.satisfiable() else ():
                packets = self.analysis.matched(each, let_in)
                if packets.satisfiable():
                    tests = tuple((ban, tests) for _, ban, tests in bans)
                    return LateBans(self.analysis, each, packets, asked, tests, self._closing())
        return None

    def _bans_of(self, rule: Rule) -> Iterator[tuple[Rule, tuple[Match, ...]]]:
        called = self._called(rule)
        if called is None:
            yield rule, rule.matches
            return
        for each in called.rules:
            if each.verdict.kind.denies:
                yield each, (*rule.matches, *each.matches)

    @cached_property
    def _strangers(self) -> PacketSet:
        """The first packets of connections from the world."""
        saddr = self.hooks.family.saddr
        each = [
            probe
            for protocol in (TCP, UDP)
            for probe in external_probes(self.hooks, self.hook, protocol, saddr)
        ]
        return union(each, self.hooks.space.false) & public_hosts(self.hooks, saddr)

    def _let_in(self, banned: PacketSet) -> PacketSet:
        """Those of the strangers' packets that are accepted for certain."""
        packets = self._strangers & banned
        if not packets.satisfiable():
            return packets
        delivered = delivery(self.hooks, self.hook, packets)
        return packets & delivered.through & ~delivered.lost

    def _for_everybody(self) -> Iterator[Rule]:
        """The accepting rules that name no sender: they all stand before the bans."""
        called = self.base_chain.rules_where(lambda rule: rule.verdict.kind is VerdictKind.ACCEPT)
        return (rule for chain, rule in called if self._is_for_everybody(chain.name, rule))

    def _is_for_everybody(self, chain: str, rule: Rule) -> bool:
        """Whether neither the rule nor a call that leads to it asks for the sender."""
        calls = self.analysis.calls
        places = (place for name in calls.leading_to(chain) for place in calls.callers(name))
        asked = (rule, *(calls.chains[place.chain].rules[place.number] for place in places))
        return not any(self.analysis.restricts(each, self.hooks.family.saddr) for each in asked)


def _stops(rule: Rule, stopping: Container[str | None]) -> bool:
    """Whether no packet that the rule takes lives on by it: what it does not deny goes on to what
    denies it. ``stopping``: the chains of which that is so."""
    kind = rule.verdict.kind
    called = rule.verdict.chain if kind is VerdictKind.JUMP else None
    return kind.denies or kind is VerdictKind.CONTINUE or called in stopping


def _is_of_way(match: Match) -> bool:
    """Whether the test is of the interface, or of what is known when a script runs."""
    match match:
        case Interface() | Decided():
            return True
        case Within(field=field):
            return field in (Field.IIF, Field.FAMILY)
        case Uncertain(kind="script", key=key):
            return not key.startswith("-")  # a condition of the shell, and no option
        case AnyOf(alternatives):
            return all(_is_of_way(test) for tests in alternatives for test in tests)
        case _:
            return False
