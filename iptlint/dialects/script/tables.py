"""The tables of iptables while commands change them, and how they were after each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from iptlint.dialects.iptables.lowering.tables import ACCEPT, BUILT_IN
from iptlint.dialects.script.truths import may_hold, opposite
from iptlint.model import Chain, Family, Hook, Match, Rule, Ruleset, Table, Verdict
from iptlint.source import Origin, Span

TableKey = tuple[Family, str]


@dataclass(frozen=True, slots=True, eq=False)
class ChainState:
    """``tail``: what packets may meet at the end of a base chain before its policy, where it
    is not sure what that is. ``made``: the script makes the chain, or the kernel has it.
    ``emptied``: the script has taken out what was there before, or nothing was."""

    name: str
    rules: tuple[Rule, ...] = ()
    policy: Verdict | None = None
    tail: tuple[Rule, ...] = ()
    origin: Origin | None = None
    made: bool = True
    emptied: bool = False

    def number(self, index: int) -> int:
        """How many rules of the kernel's stand before the rule with this index."""
        return sum(rule.copies for rule in self.rules[:index])

    def index(self, number: int) -> int | None:
        """The rule that has this number, from 1 on, in the kernel."""
        for index, rule in enumerate(self.rules):
            number -= rule.copies
            if number <= 0:
                return index
        return None


# -- changes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class UseTable:
    """The table is used from here on."""

    key: TableKey


@dataclass(frozen=True, slots=True, eq=False)
class ResetTable:
    """The table is as the kernel makes it: no rules, no further chains, policies ACCEPT."""

    key: TableKey


@dataclass(frozen=True, slots=True, eq=False)
class OnlyKnown:
    """From here on the table has no chains but those that are known of it."""

    key: TableKey


@dataclass(frozen=True, slots=True, eq=False)
class InsertRule:
    """A rule is put in, at the end where ``index`` is None."""

    key: TableKey
    chain: str
    rule: Rule
    index: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SetChain:
    """The chain is now so; with None it is gone."""

    key: TableKey
    chain: str
    state: ChainState | None


TableChange = UseTable | ResetTable | OnlyKnown | InsertRule | SetChain


@dataclass(slots=True)
class Tables:
    """A state. Chain states are shared with its copies, so that copying is cheap. ``known``: the
    tables that have no chains but these."""

    chains: dict[TableKey, dict[str, ChainState]] = field(default_factory=dict)
    known: frozenset[TableKey] = frozenset()

    @classmethod
    def of(cls, ruleset: Ruleset) -> Tables:
        """What a ruleset of iptables holds."""
        return cls({(t.family, t.name): dict(_states(t)) for t in ruleset.tables})

    def copy(self) -> Tables:
        return Tables({key: dict(chains) for key, chains in self.chains.items()}, self.known)

    def take(self, other: Tables) -> None:
        self.chains, self.known = other.chains, other.known

    def apply(self, changes: Iterable[TableChange]) -> None:
        for change in changes:
            match change:
                case UseTable(key):
                    self._open(key)
                case ResetTable(key):
                    built_in = BUILT_IN.get(key[1], {})
                    self.chains[key] = {n: ChainState(n, emptied=True) for n in built_in}
                    self.known |= {key}
                case OnlyKnown(key):
                    self.known |= {key}
                case InsertRule(key, name, rule, index):
                    states = self._open(key)
                    state = states.get(name) or ChainState(name)
                    at = len(state.rules) if index is None else index
                    # Joined by `+`, what is only added to is copied once.
                    rules = state.rules[:at] + (rule,) + state.rules[at:]  # noqa: RUF005
                    states[name] = replace(state, rules=rules)
                case SetChain(key, name, None):
                    self._open(key).pop(name, None)
                case SetChain(key, name, state):
                    assert state is not None
                    self._open(key)[name] = state

    def _open(self, key: TableKey) -> dict[str, ChainState]:
        chains = self.chains.get(key)
        if chains is None:
            built_in = BUILT_IN.get(key[1], {})
            chains = self.chains[key] = {name: ChainState(name) for name in built_in}
        return chains

    def states(self, key: TableKey) -> dict[str, ChainState]:
        """The chains of a table, also of one that nothing was done to yet; not to be changed."""
        return self.chains.get(key) or {name: ChainState(name) for name in BUILT_IN.get(key[1], {})}


def _states(table: Table) -> Iterator[tuple[str, ChainState]]:
    for name, chain in table.chains.items():
        yield name, ChainState(name, chain.rules, chain.policy, origin=chain.origin)


def has_loop(
    states: Mapping[str, ChainState], starts: Iterable[str], caller: str | None = None
) -> bool:
    """Whether jumps that begin at ``starts`` lead back to a chain they came through, or to the
    ``caller`` of these."""
    done: set[str] = set()
    for start in starts:
        if start == caller:
            return True
        path: list[tuple[str, list[str]]] = [(start, _called(states, start))]
        while path:
            name, rest = path[-1]
            if not rest:
                done.add(name)
                path.pop()
                continue
            following = rest.pop()
            if following == caller or any(following == before for before, _ in path):
                return True
            if following not in done:
                path.append((following, _called(states, following)))
    return False


def _called(states: Mapping[str, ChainState], name: str) -> list[str]:
    state = states.get(name)
    rules = () if state is None else state.rules
    return [rule.verdict.chain for rule in rules if rule.verdict.chain is not None]


# -- doubt -----------------------------------------------------------------------------------


def doubtful(rule: Rule, why: Match) -> Rule:
    """The rule, which may be there or not."""
    return rule if why in rule.matches else replace(rule, matches=(*rule.matches, why))


def only_if(truth: Match, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that may be there if that holds, too."""
    doubted = (doubtful(rule, truth) for rule in rules)
    return tuple(rule for rule in doubted if may_hold(rule.matches))


def emptied(tables: Tables, origin: Origin, truth: Match | None) -> Iterator[TableChange]:
    """What leaves the tables as the kernel makes them, if the truth holds; None: it does."""
    for key, states in tables.chains.items():
        if truth is None:
            yield ResetTable(key)
            continue
        for name, state in states.items():
            rules = only_if(opposite(truth), state.rules)
            accepts = (
                (Rule(origin, (truth,), ACCEPT),) if state.policy not in (None, ACCEPT) else ()
            )
            kept = replace(state, rules=rules, tail=(*accepts, *state.tail))
            yield SetChain(key, name, kept)


# -- the model -------------------------------------------------------------------------------


class ModelBuilder:
    """Tables as the model has them. What did not change since it was last asked is the same
    object as then."""

    def __init__(self) -> None:
        self._chains: dict[ChainState, Chain] = {}
        self._tables: dict[TableKey, tuple[tuple[Chain, ...], Table]] = {}
        self._parts = StatementParts()

    def tables(self, tables: Tables) -> tuple[Table, ...]:
        return tuple(self._table(key, states) for key, states in tables.chains.items())

    def _table(self, key: TableKey, states: dict[str, ChainState]) -> Table:
        chains = tuple(self._chain(key, state) for state in states.values())
        known = self._tables.get(key)
        if known is not None and known[0] == chains:
            return known[1]
        made = Table(key[0], key[1], {chain.name: chain for chain in chains})
        self._tables[key] = (chains, made)
        return made

    def _chain(self, key: TableKey, state: ChainState) -> Chain:
        chain = self._chains.get(state)
        if chain is None:
            chain = self._chains[state] = _chain(key[1], state, self._parts)
        return chain


def _chain(table: str, state: ChainState, parts: StatementParts) -> Chain:
    priority = BUILT_IN.get(table, {}).get(state.name)
    rules = tuple(parts.by_command(state.rules))
    if priority is None:
        return Chain(state.name, rules, origin=state.origin)
    return Chain(
        state.name,
        (*rules, *state.tail),
        Hook[state.name],
        priority,
        state.policy or ACCEPT,
        state.origin,
        type=_type(table, state.name),
    )


class StatementParts:
    """What a command makes in a loop, one rule behind the other, is one statement. A rule that
    stays is the same object after every round."""

    def __init__(self) -> None:
        self._wholes: dict[Rule, SpanOrigin] = {}
        self._parts: dict[tuple[Rule, SpanOrigin], Rule] = {}

    def by_command(self, rules: tuple[Rule, ...]) -> Iterator[Rule]:
        for span, group in groupby(rules, key=_span):
            same = tuple(group)
            if len(same) == 1:
                yield same[0]
                continue
            whole = self._wholes.setdefault(same[0], SpanOrigin(span))
            yield from (rule if rule.whole else self._part(rule, whole) for rule in same)

    def _part(self, rule: Rule, whole: SpanOrigin) -> Rule:
        part = self._parts.get((rule, whole))
        if part is None:
            part = self._parts[rule, whole] = replace(rule, whole=whole)
        return part


def _span(rule: Rule) -> Span:
    return rule.origin.span


def _type(table: str, chain: str) -> str:
    if table == "nat":
        return "nat"
    return "route" if (table, chain) == ("mangle", "OUTPUT") else "filter"


@dataclass(frozen=True, slots=True, eq=False)
class SpanOrigin:
    """All of a span, as where something was written."""

    where: Span

    @property
    def span(self) -> Span:
        return self.where

    def part(self, index: int) -> Span:
        return self.where
