"""What becomes of SSH while a script is applied, command by command.

For each state of the firewall: can somebody open a new connection to this host, does a running
one live on, both ways? Most commands have nothing to do with that. They are told by the rules
they add and take away: packets that were seen to pass still do so if no rule that they match
came or went; and what lets nobody in does not let anybody in for one more DROP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from iptlint.analysis.default_verdict import outside
from iptlint.analysis.half_written import has_bare_number
from iptlint.analysis.handshake import (
    answers,
    between_machines,
    clients,
    flags,
    guests,
    opening,
    redirects,
    samples,
    sent_by_root,
    untracks,
)
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.model import Chain, Family, Field, Hook, Rule, Ruleset, Table, VerdictKind
from iptlint.model.names import no_interface
from iptlint.model.protocols import TCP
from iptlint.model.syntax import Syntax
from iptlint.model.writes import writes_of
from iptlint.netfilter.firewall import Firewall, Hooks, is_early, space_of
from iptlint.netfilter.routes import at_hook
from iptlint.packets.bdd import union
from iptlint.packets.match import Matcher

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.space import Space

_T = TypeVar("_T", Table, Chain)
_HOOKS = (Hook.PREROUTING, Hook.INPUT, Hook.OUTPUT)


class SshState(NamedTuple):
    """``opens``: somebody may open a new connection. ``runs``: a running one of somebody's may
    live on. ``shown``: packets that show what holds."""

    opens: bool
    runs: bool
    shown: PacketSet


def ssh_states(
    states: Sequence[Ruleset], family: Family, ports: tuple[int, ...]
) -> Iterator[SshState]:
    """For each of the states, one after the other, of one firewall."""
    watch = _Watch(states, family, ports)
    return map(watch.life, states)


def opens_for_more(
    states: Sequence[Ruleset], family: Family, ports: tuple[int, ...], early: Ruleset, late: Ruleset
) -> bool:
    """Whether ``late`` lets in somebody by SSH whom ``early`` does not, both of the states."""
    watch = _Watch(states, family, ports)
    return (watch.callers(late) & ~watch.callers(early)).satisfiable() or (
        watch.answered(late) & ~watch.answered(early)
    ).satisfiable()


def _nobodys(space: Space) -> PacketSet:
    """The packets of guests, and by what is no interface: what a script has for one is final."""
    names = [cls.name for cls in space.interfaces.classes if no_interface(cls.name) is not None]
    sides = [space.interface(side, name) for name in names for side in (Field.IIF, Field.OIF)]
    return guests(space) | union(sides, space.false)


class _Signature(NamedTuple):
    """What of a firewall some packets may notice: by chain the rules that they may match, those
    that deny apart, and the policies."""

    others: dict[tuple[Family, str, str], tuple[Rule, ...]]
    denying: dict[tuple[Family, str, str], tuple[Rule, ...]]
    policies: dict[tuple[Family, str, str], VerdictKind | None]

    def only_denies_more(self, before: _Signature) -> bool:
        same = self.others == before.others and self.policies == before.policies
        return same and all(
            {*rules} <= {*self.denying.get(key, ())} for key, rules in before.denying.items()
        )


class _Watch:
    """The packets of one family."""

    def __init__(self, states: Sequence[Ruleset], family: Family, ports: tuple[int, ...]) -> None:
        self.family = family
        self.ports = ports
        every = _everything(states)
        self.space = space_of(every)
        self._matcher = Matcher(self.space, writes_of(rule for _, _, rule in every.rules()))
        self._early = {
            (table.family, table.name)
            for table in every.tables
            if any(map(is_early, table.base_chains()))
        }
        self._syntax = states[0].syntax
        self._ssh = _Filter(self._matcher, self._syntax, self._packets())
        self._any = _Filter(self._matcher, self._syntax, self.space.true)
        self._shown = _Filter(self._matcher, self._syntax, self.space.false)
        self._last: SshState | None = None
        self._last_shown: _Signature | None = None
        self._last_ssh: _Signature | None = None

    def _packets(self) -> PacketSet:
        """All packets that one of the questions is about, to and from the port."""
        space = self.space
        ranges = tuple((port, port) for port in self.ports)
        coming = space.ranges(Field.DPORT, ranges) & space.no_interface(Field.OIF)
        leaving = space.ranges(Field.SPORT, ranges) & space.no_interface(Field.IIF)
        packets = space.universe & space.family(self.family.value) & outside(space)
        return packets & space.value(Field.PROTO, TCP) & (coming | leaving)

    def life(self, ruleset: Ruleset) -> SshState:
        ssh = self._signature(ruleset, self._ssh)
        last = self._last
        if last is None or not self._holds(last, ruleset, ssh):
            last = self._last = self._worked_out(ruleset)
            self._shown = _Filter(self._matcher, self._syntax, last.shown)
            self._last_shown = self._signature(ruleset, self._shown)
        self._last_ssh = ssh
        return last

    def _holds(self, last: SshState, ruleset: Ruleset, ssh: _Signature) -> bool:
        before = self._last_ssh
        assert before is not None
        if ssh == before:
            return True
        stays_shut = (last.opens and last.runs) or ssh.only_denies_more(before)
        stays_open = not last.runs or self._signature(ruleset, self._shown) == self._last_shown
        return stays_shut and stays_open

    def _signature(self, ruleset: Ruleset, which: _Filter) -> _Signature:
        signature = _Signature({}, {}, {})
        for table in self._tables(ruleset):
            # Before connection tracking, tests of it are told by what is not known here.
            early = (table.family, table.name) in self._early
            met = self._any if early else which
            for name, chain in met.reached(table).items():
                key = (table.family, table.name, name)
                rules = met.rules(chain)
                signature.others[key], signature.denying[key] = rules
                signature.policies[key] = chain.policy.kind if chain.policy else None
        return signature

    def _tables(self, ruleset: Ruleset) -> Iterator[Table]:
        return (t for t in ruleset.tables if self.family.value in t.family.packets)

    def _hooks(self, ruleset: Ruleset) -> Hooks:
        """With the rules that SSH may notice."""
        tables = tuple(map(self._reduced, self._tables(ruleset)))
        return Hooks(Firewall(replace(ruleset, tables=tables), self.space), self.family)

    def callers(self, ruleset: Ruleset) -> PacketSet:
        """Those who may come in with the first packet of a connection: by which interface, from
        which address."""
        hooks = self._hooks(ruleset)
        came = may_pass(hooks, Hook.INPUT, opening(hooks, self.ports) & ~_nobodys(hooks.space))
        return hooks.space.project(came, Field.IIF, hooks.family.saddr)

    def answered(self, ruleset: Ruleset) -> PacketSet:
        """Those to whom an answer may leave: by which interface, to which address."""
        hooks, space = self._hooks(ruleset), self.space
        ranges = tuple((port, port) for port in self.ports)
        back = space.universe & space.family(self.family.value) & space.value(Field.PROTO, TCP)
        back = back & space.state("established") & space.value(Field.CT_DIRECTION, 1)
        back = back & flags(space, "ack") & space.ranges(Field.SPORT, ranges) & outside(space)
        back = back & at_hook(space, Hook.OUTPUT) & sent_by_root(space) & ~_nobodys(space)
        left = may_pass(hooks, Hook.OUTPUT, back)
        return space.project(left, Field.OIF, hooks.family.daddr)

    def _worked_out(self, ruleset: Ruleset) -> SshState:
        hooks = self._hooks(ruleset)
        runs = _first_pair(hooks, _established(hooks, self.ports), "ack")
        coming = opening(hooks, self.ports) & ~_nobodys(hooks.space)
        opens = _first_pair(hooks, coming, "syn", "ack") if runs else ()
        return SshState(bool(opens), bool(runs), union([*opens, *runs], self.space.false))

    def _reduced(self, table: Table) -> Table:
        if (table.family, table.name) in self._early:
            return table
        chains = self._ssh.reached(table)
        return replace(table, chains={n: self._ssh.chain(c) for n, c in chains.items()})


class _Filter:
    """Knows which rules may match some packets, of those at the hook of their chain. What is let in
    for a port that was written as an address (``-d 53``), nobody comes by."""

    def __init__(self, matcher: Matcher, syntax: Syntax, packets: PacketSet) -> None:
        self._matcher = matcher
        self._syntax = syntax
        self._packets: dict[Hook | None, PacketSet] = {None: packets}
        self._is_met_at: dict[tuple[Rule, Hook | None], bool] = {}
        self._rules: dict[Chain, tuple[tuple[Rule, ...], tuple[Rule, ...]]] = {}
        self._calls: dict[Chain, tuple[str, ...]] = {}

    def _is_met(self, rule: Rule, hook: Hook | None) -> bool:
        key = (rule, hook)
        known = self._is_met_at.get(key)
        if known is None:
            may = self._matcher.all_of(rule.matches, self._at(hook)).may
            bare = not rule.verdict.kind.denies and has_bare_number(self._syntax, rule)
            known = self._is_met_at[key] = not bare and may.satisfiable()
        return known

    def _at(self, hook: Hook | None) -> PacketSet:
        if hook not in self._packets:
            assert hook is not None
            self._packets[hook] = self._packets[None] & at_hook(self._matcher.space, hook)
        return self._packets[hook]

    def _met(self, chain: Chain) -> tuple[Rule, ...]:
        return tuple(rule for rule in chain.rules if self._is_met(rule, chain.hook))

    def reached(self, table: Table) -> dict[str, Chain]:
        """The chains that the packets may enter, on their way in or out of this host."""
        reached_chains = {
            chain.name: chain for chain in table.base_chains() if chain.hook in _HOOKS
        }
        pending = [*reached_chains.values()]
        while pending:
            for name in self._called(pending.pop()):
                if name in table.chains and name not in reached_chains:
                    reached_chains[name] = table.chains[name]
                    pending.append(reached_chains[name])
        return reached_chains

    def _called(self, chain: Chain) -> tuple[str, ...]:
        known = self._calls.get(chain)
        if known is None:
            calls = (rule.verdict.chain for rule in self._met(chain))
            known = self._calls[chain] = tuple(dict.fromkeys(c for c in calls if c))
        return known

    def chain(self, chain: Chain) -> Chain:
        return replace(chain, rules=self._met(chain))

    def rules(self, chain: Chain) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
        """Of the rules that may match: those that do not deny, and those that do."""
        known = self._rules.get(chain)
        if known is None:
            met = self._met(chain)
            known = self._rules[chain] = (
                tuple(rule for rule in met if not rule.verdict.kind.denies),
                tuple(rule for rule in met if rule.verdict.kind.denies),
            )
        return known


def _first_pair(hooks: Hooks, packets: PacketSet, *answer: str) -> tuple[PacketSet, ...]:
    """Some packets that may come in, and the answers to them that may leave; nothing where none
    may. A few are tried before all are: the answers to very many pairs of addresses are dear."""
    arriving = may_pass(hooks, Hook.PREROUTING, packets)
    if not arriving.satisfiable() and not redirects(hooks):
        return ()
    passed = may_pass(hooks, Hook.INPUT, packets)
    for sample in (*samples(hooks, passed), passed):
        back = answers(hooks, sample, Hook.OUTPUT, *answer, reply=True)
        back = may_pass(hooks, Hook.OUTPUT, back & sent_by_root(hooks.space))
        if back.satisfiable():
            return sample, back
    return ()


def _established(hooks: Hooks, ports: tuple[int, ...]) -> PacketSet:
    """What comes in of running connections to the ports."""
    space = hooks.space
    state = space.state("established") & space.value(Field.CT_DIRECTION, 0)
    state = state | space.state("untracked") if untracks(hooks) else state
    packets = space.universe & space.family(hooks.family.value) & state
    packets = packets & space.value(Field.PROTO, TCP) & flags(space, "ack")
    packets = packets & space.ranges(Field.DPORT, tuple((port, port) for port in ports))
    return packets & clients(space) & outside(space) & between_machines(hooks) & ~_nobodys(space)


def _everything(states: Sequence[Ruleset]) -> Ruleset:
    """The rules of all states in one, each once."""
    tables: dict[tuple[Family, str], dict[str, tuple[Chain, dict[Rule, None]]]] = {}
    seen: set[Table | Chain] = set()
    first: dict[tuple[Family, str], Table] = {}
    for table in _new((table for state in states for table in state.tables), seen):
        key = (table.family, table.name)
        first.setdefault(key, table)
        chains = tables.setdefault(key, {})
        for chain in _new(table.chains.values(), seen):
            _, rules = chains.setdefault(chain.name, (chain, {}))
            rules.update(dict.fromkeys(chain.rules))
    made = (
        replace(
            first[key],
            chains={
                name: replace(chain, rules=tuple(rules)) for name, (chain, rules) in chains.items()
            },
        )
        for key, chains in tables.items()
    )
    return replace(states[0], tables=tuple(made))


def _new(things: Iterable[_T], seen: set[Table | Chain]) -> Iterator[_T]:
    for thing in things:
        if thing not in seen:
            seen.add(thing)
            yield thing
