"""All tables of a ruleset over one space, and the hooks as the packets of one family meet them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain as joined
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import Chain, Family, Field, Hook, Interface, Rule, Ruleset, Table, VerdictKind
from iptlint.model.call_graph import calls_in
from iptlint.model.host_addresses import HostAddresses, others, shown_by
from iptlint.model.kinds import (
    examples_in,
    examples_testing,
    kinds,
    rules_testing,
    testing_by_chain,
)
from iptlint.model.matches import Ranges, is_decided
from iptlint.model.writes import (
    CONNTRACK_FIELDS,
    Writes,
    reads_conntrack,
    writes_of,
    writes_on_the_way,
)
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.routes import ROUTES, at_hook
from iptlint.netfilter.routing import AssumingRouting, OpenRouting
from iptlint.netfilter.table_analysis import EarlierChain, TableAnalysis, is_of_a_field
from iptlint.netfilter.unknowns import LeftOpen, Unknowns, left_open_by, plain_tests
from iptlint.packets.address_types import ask_for_types
from iptlint.packets.match import EarlyMatcher, Matcher
from iptlint.packets.space import MOST_NAMED, Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_CONNTRACK_PRIORITY = -200  # NF_IP_PRI_CONNTRACK, linux/netfilter_ipv4.h

_AT_DEVICE = (Hook.INGRESS, Hook.EGRESS)
_APART = (Family.ARP, Family.BRIDGE)


class Firewall:
    """One ruleset. A table is analysed when somebody asks what becomes of all its packets.

    ``space`` is one that several rulesets share, where their packets are to be compared.
    Of chains with equal priorities the kernel asks the last registered first
    (nf_hook_entries_grow in net/netfilter/core.c). That the tables of a text were registered
    in its order is likely and no more: ``first_first`` turns them round. ``by_decision``: see
    ``Matcher``.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        space: Space | None = None,
        *,
        first_first: bool = False,
        by_decision: bool = False,
    ) -> None:
        self.ruleset = ruleset
        self._first_first = first_first
        self._by_decision = by_decision
        self.space = space or space_of(ruleset)
        self._past_each: dict[Family, dict[EarlierChain, PacketSet]] = {}
        self.sets = writes_of(_examples(ruleset)).sets
        """The sets that rules change, by the names that effects give them."""

    @memo
    def analysis(self, table: Table) -> TableAnalysis:
        matchers = dict(self._matchers(table))
        before, past = partial(self.before, table), self._past_each.setdefault(table.family, {})
        return TableAnalysis(self.ruleset, table, self.space, matchers.__getitem__, before, past)

    @cached_property
    def shown_addresses(self) -> HostAddresses:
        """What the rules show of the host's."""
        return shown_by(self.ruleset)

    @memo
    def plain(self, rule: Rule) -> PacketSet:
        """The packets that pass the rule's tests, those aside that are left open, where nothing on
        the way is changed."""
        return self._unchanging.each_of(plain_tests(rule, self.sets), self.space.true).may

    @cached_property
    def _unchanging(self) -> Matcher:
        return Matcher(self.space, Writes())

    @memo
    def concerning(self, chain: Chain) -> Callable[[PacketSet], Sequence[int]] | None:
        """Tells the numbers, in order, of all rules of a chain that packets may match, as they are
        when they come to it, and perhaps of a few more. None: ask each rule."""
        from iptlint.packets.chain_shape import concerning_by_columns  # numpy: as in flow_of

        return concerning_by_columns(Matcher(self.space, Writes(sets=self.sets)), chain)

    @cached_property
    def chains_in_order(self) -> tuple[Chain, ...]:
        """All chains in the order in which packets may come to them: that of tables and chains in a
        text means nothing."""
        tables = self.ruleset.tables
        base_chains = [(table, chain) for table in tables for chain in table.base_chains()]
        base_chains.sort(key=_turn)
        ways = (calls_in(table).nearest_from(chain.name) for table, chain in base_chains)
        others = (table.chains.values() for table in tables)
        return tuple(dict.fromkeys(joined.from_iterable((*ways, *others))))

    @cached_property
    def left_open(self) -> LeftOpen:
        # Whoever follows packets needs it. A translation changes of which type a destination is,
        # also for a rule that is first met behind it.
        odd = self._in_turn(lambda rule: not all(map(is_of_a_field, rule.matches)))
        ask_for_types(self.space, (match for rule in odd for match in rule.matches))

        def leaves_open(rule: Rule) -> bool:
            return next(left_open_by(rule, self.sets), None) is not None

        return LeftOpen(self._in_turn(leaves_open), self.sets)

    def _in_turn(self, holds: Callable[[Rule], bool]) -> Iterator[Rule]:
        """The rules for which it holds, as ``rules_testing`` has them, in the order in which
        packets may come to them."""
        by_chain: dict[Chain, list[Rule]] = {}
        for table in self.ruleset.tables:
            by_chain |= {table.chains[n]: r for n, r in testing_by_chain(table, holds).items()}
        return joined.from_iterable(by_chain.get(chain, ()) for chain in self.chains_in_order)

    def _matchers(self, table: Table) -> Iterator[tuple[str, Matcher]]:
        """For each chain what tells its tests: what may be changed on the way there depends on the
        base chains that the way begins with."""
        calls = calls_in(table)
        changed: dict[str, set[Field]] = {name: set() for name in table.chains}
        early: dict[str, set[bool]] = {name: set() for name in table.chains}
        writing = testing_by_chain(table, lambda rule: bool(rule.effects))
        for base in table.base_chains():
            called, comes_early = calls.reachable_from(base.name), is_early(base)
            fields = writes_on_the_way(r for name in called for r in writing.get(name, ())).fields
            for name in called:
                changed[name] |= fields
                early[name].add(comes_early)
        known: dict[object, Matcher] = {}
        for name in table.chains:
            key = frozenset(changed[name]), frozenset(early[name])
            if key not in known:
                known[key] = self._matcher(key[0], early[name])
            yield name, known[key]

    def _matcher(self, fields: frozenset[Field], early: set[bool]) -> Matcher:
        if early == {True}:
            return EarlyMatcher(
                self.space, Writes(fields, self.sets), by_decision=self._by_decision
            )
        if True in early:
            fields |= CONNTRACK_FIELDS
        return Matcher(self.space, Writes(fields, self.sets), by_decision=self._by_decision)

    @memo
    def by_decision(self) -> Firewall:
        """The same one for questions about its rules, each of which is only asked about where it
        is there: rules that are there together are seen together."""
        matches = (match for rule in _examples(self.ruleset) for match in rule.matches)
        if not any(map(is_decided, matches)):
            return self
        return Firewall(self.ruleset, self.space, first_first=self._first_first, by_decision=True)

    def analyses(self) -> Iterator[TableAnalysis]:
        return map(self.analysis, self.ruleset.tables)

    @cached_property
    def _bases(self) -> dict[tuple[Family, Hook], list[tuple[Table, Chain]]]:
        bases: dict[tuple[Family, Hook], list[tuple[Table, Chain]]] = {}
        tables = self.ruleset.tables
        for table in tables if self._first_first else reversed(tables):
            for chain in reversed([*table.base_chains()]):
                if chain.hook is not None:
                    line = _line(table.family, chain.hook), chain.hook
                    bases.setdefault(line, []).append((table, chain))
        for several in bases.values():
            several.sort(key=lambda base: _priority(base[1]))
        return bases

    def other_orders(self) -> tuple[Firewall, ...]:
        """The same tables as the kernel may have them just as well."""
        if not any(map(_has_ties, self._bases.values())):
            return ()
        return (Firewall(self.ruleset, self.space, first_first=not self._first_first),)

    @memo
    def base_chains(self, family: Family, hook: Hook) -> tuple[BaseChain, ...]:
        """Where the packets that a table of the family sees stop at the hook, in order."""
        seen = {*family.packets}
        bases = self._bases.get((_line(family, hook), hook), ())
        return tuple(
            self._base_chain(table, chain)
            for table, chain in bases
            if seen & {*table.family.packets}
        )

    @memo
    def _base_chain(self, table: Table, chain: Chain) -> BaseChain:
        return BaseChain(self.space, table, chain, self.analysis)

    def before(self, table: Table, chain: Chain) -> tuple[BaseChain, ...]:
        """Where packets stop before they enter the base chain, whatever was loaded first."""
        if chain.hook is None:
            return ()
        filled = self._filled(table.family, chain.hook)
        return filled[: bisect_left(filled, _priority(chain), key=lambda b: _priority(b.chain))]

    @memo
    def _filled(self, family: Family, hook: Hook) -> tuple[BaseChain, ...]:
        """Those at the hook that have rules, in order."""
        return tuple(each for each in self.base_chains(family, hook) if not each.is_open)


class Hooks:
    """``family``: ip or ip6. Sets are of packets as they come to the first chain of a hook.
    ``facing``: of interfaces by name, where it is known, whether the world is behind them.
    ``addresses``: the host's, where they are known."""

    def __init__(
        self,
        firewall: Firewall,
        family: Family,
        facing: Mapping[str, bool] | None = None,
        addresses: HostAddresses | None = None,
    ) -> None:
        self.firewall = firewall
        self.ruleset = firewall.ruleset
        self.space = firewall.space
        self.family = family
        self.facing = dict(facing or {})
        self._known_addresses = addresses

    @cached_property
    def addresses(self) -> HostAddresses:
        """The host's, or what its rules show of them."""
        return self._known_addresses or self.firewall.shown_addresses

    def on_any_host(self, unknowns: Unknowns, *, stays: bool = False) -> OpenRouting:
        """Where packets go from prerouting, on any host that may have the rules."""
        return OpenRouting(self.family, self.addresses, unknowns, stays=stays)

    def on_likely_host(self, unknowns: Unknowns, *, stays: bool = True) -> AssumingRouting:
        """The same on the likely host: what is not known to be its address is another's.
        ``stays``: what leaves the way that it set out on is not followed."""
        return AssumingRouting(self.family, self.addresses, unknowns, self._others, stays=stays)

    @cached_property
    def _others(self) -> Ranges:
        return others(self.addresses, self.family, self.ruleset)

    @memo
    def hook_packets(self, hook: Hook) -> PacketSet:
        """The packets at the hook."""
        return at_hook(self.space, hook) & self.space.family(self.family.value)

    def base_chains(self, hook: Hook) -> tuple[BaseChain, ...]:
        return self.firewall.base_chains(self.family, hook)

    def deciding_chain(self, hook: Hook) -> BaseChain | None:
        """The chain where the host decides what passes the hook, if there is one: of several,
        the one at the filter priority, or with most rules."""
        filtering = [each for each in self.base_chains(hook) if each.chain.filters]
        return max(filtering, key=_weight, default=None)

    def tables(self) -> tuple[Table, ...]:
        """Those that see packets of the family."""
        return tuple(t for t in self.ruleset.tables if self.family.value in t.family.packets)

    def examples(self) -> Iterator[Rule]:
        """One rule of each kind in these tables."""
        return (rule for table in self.tables() for _, rule in examples_in(table))

    def testing(self) -> Iterator[Rule]:
        """One rule of these tables of each that test alike."""
        return (rule for table in self.tables() for rule in examples_testing(table))

    def rules_testing(self, holds: Callable[[Rule], bool]) -> Iterator[Rule]:
        """The rules of these tables for which it holds, as ``rules_testing`` has them."""
        return (rule for table in self.tables() for _, rule in rules_testing(table, holds))

    @cached_property
    def translates(self) -> bool:
        """Whether a rule translates addresses or ports. Then later packets of a connection are
        translated too, and back, before and after the hooks, which is not followed here."""
        return any(rule.verdict.kind is VerdictKind.NAT for rule in self.testing())

    @memo
    def decides_alone(self, hook: Hook) -> bool:
        """Whether what the hook does with packets is what becomes of them on the whole way: no
        chain before them on the way changes a packet, and none at another hook drops any. What
        prerouting does is not: where packets go from there, they are asked again."""
        return hook in ROUTES and not any(self._has_a_say(hook))

    def _has_a_say(self, hook: Hook) -> Iterator[bool]:
        route = ROUTES[hook]
        for at in route:
            for base_chain in self.base_chains(at):
                if not base_chain.is_open:
                    yield at is not hook and base_chain.may_drop.satisfiable()
                    yield route.index(at) <= route.index(hook) and base_chain.rewrites


def space_of(*rulesets: Ruleset) -> Space:
    """One that tells packets apart as finely as the rules of all the rulesets do."""
    tables = [table for ruleset in rulesets for table in ruleset.tables]
    families = dict.fromkeys(family for table in tables for family in table.family.packets)
    rules = [rule for table in tables for rule in _some_of_each_kind(table)]
    tests = [match for rule in rules for match in rule.matches]
    bases = (chain for table in tables for chain in table.base_chains())
    tests += (Interface(Field.IIF, name) for chain in bases for name in chain.devices)
    own = [network for ruleset in rulesets for network in shown_by(ruleset).own]
    defragmented = any(map(_defragments, rulesets))
    every = (match for table in tables for _, rule in table.rules() for match in rule.matches)
    large = next(islice(every, _LARGE - 1, None), None) is not None
    return Space(tuple(families), tuple(tests), defragmented=defragmented, own=own, large=large)


_LARGE = 200
"""So many tests are worth more room for what is worked out of their sets."""


def _some_of_each_kind(table: Table) -> Iterator[Rule]:
    """In their order, as many of each as values that a space tells of a field."""
    for chain in table.chains.values():
        if len(chain.rules) <= MOST_NAMED:
            yield from chain.rules
            continue
        some = (number for kind in kinds(chain) for number in kind.numbers[:MOST_NAMED])
        yield from (chain.rules[number] for number in sorted(some))


def _has_ties(bases: Sequence[tuple[Table, Chain]]) -> bool:
    """Whether chains with rules, of different tables, have the same priority."""
    filled = [(table, chain) for table, chain in bases if chain.rules]
    return any(
        _priority(one) == _priority(other) and table is not beside
        for (table, one), (beside, other) in pairwise(filled)
    )


def _priority(chain: Chain) -> int:
    return chain.priority or 0


def is_early(chain: Chain) -> bool:
    """Whether the chain comes before connection tracking, so that it sees no connection yet."""
    if chain.hook is Hook.INGRESS:
        return True
    tracked = chain.hook in (Hook.PREROUTING, Hook.OUTPUT)
    return tracked and chain.priority is not None and chain.priority <= _CONNTRACK_PRIORITY


def _line(family: Family, hook: Hook) -> Family:
    """The chains of ip, ip6 and inet tables at a hook stand in one line, and those of inet and
    netdev tables at a device (nf_hook_entry_head in net/netfilter/core.c)."""
    if hook in _AT_DEVICE:
        return Family.NETDEV
    return family if family in _APART else Family.INET


def _defragments(ruleset: Ruleset) -> bool:
    """Whether connections are tracked: a rule asks for one, or a chain translates. Packets at
    an ingress hook come before that."""
    chains = [chain for table in ruleset.tables for chain in table.base_chains()]
    if any(chain.hook in (Hook.INGRESS, Hook.EGRESS) for chain in chains):
        return False
    translates = any(
        chain.type == "nat" and any(table.rules())
        for table in ruleset.tables
        for chain in table.base_chains()
    )
    return translates or any(reads_conntrack(rule.matches) for rule in _examples(ruleset))


def _examples(ruleset: Ruleset) -> Iterator[Rule]:
    """One of each kind of its rules."""
    return (rule for table in ruleset.tables for rule in examples_testing(table))


_HOOKS = tuple(Hook)


def _turn(base_chain: tuple[Table, Chain]) -> tuple[int, int, str]:
    table, chain = base_chain
    hook = 0 if chain.hook is None else _HOOKS.index(chain.hook)
    return hook, chain.priority or 0, table.family.value


def _weight(base_chain: BaseChain) -> tuple[int, int]:
    return -abs(base_chain.chain.priority or 0), len(base_chain.chain.rules)
