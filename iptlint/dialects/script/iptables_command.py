"""What a command of iptables or ip6tables does to the tables.

As the tool does it: a command that is refused changes nothing. A command that depends on what
is known only at run time (``Order.conditions``) leaves both possible: rules it adds may match,
rules it takes away may be there no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.extensions.table import find_target
from iptlint.dialects.iptables.lowering.tables import ACCEPT, BUILT_IN, DROP
from iptlint.dialects.iptables.parsing.tree import Command, Shape
from iptlint.dialects.script.generated_text import Conditions, Made, of_words
from iptlint.dialects.script.iptables_line import Lines, Read
from iptlint.dialects.script.symbolic_text import is_known, shown
from iptlint.dialects.script.tables import (
    ChainState,
    Change,
    Inserted,
    Key,
    Opened,
    Place,
    Put,
    Tables,
    doubt,
    doubtful,
    has_loop,
)
from iptlint.model import Family, Match, Rule, Verdict, unread_rule
from iptlint.model.ownership import owner_of
from iptlint.source import Span

LATE = "IPT003"
REFUSED = "IPT006"
Chains = frozenset[tuple[Key, str]]


@dataclass(frozen=True, slots=True)
class Order:
    """A command as it is given: its words without the tool's name, and where they stand.

    ``table``: that of a text for iptables-restore, which the command stands in.
    """

    words: tuple[str, ...]
    spans: tuple[Span, ...]
    span: Span
    conditions: Conditions = ()
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """``unknown``: what of the command was not known. ``looks``: it asks and changes nothing."""

    changes: tuple[Change, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    failed: bool = False
    unknown: tuple[str, ...] = ()
    looks: bool = False
    output: str | None = None


class Iptables:
    """One family's tool. ``late``: chains that the script makes only after it uses them.

    ``strict``: the tables hold all that the host has; else a chain that nobody made may be
    there all the same.
    """

    def __init__(
        self, family: Family, tables: Tables, late: Chains = frozenset(), *, strict: bool = False
    ) -> None:
        self.family = family
        self.tables = tables
        self.late = late
        self.strict = strict
        self.lines = Lines(family)
        self.missing: set[tuple[Key, str]] = set()
        self.created: set[tuple[Key, str]] = set()

    def run(self, order: Order) -> Done:
        """What the command does; ``Tables.apply`` carries it out."""
        if not order.words or _tells(order.words):
            return Done(looks=True)
        made = of_words(order.span.source.path, order.words, order.spans)
        read = self.lines.read(order.words, made, order.span, order.table)
        if _other_family(read, self.family):
            return Done(failed=True)
        if read.shape is None:
            return self._unread(order, made, read)
        return _Carrying(self, order, made, read, read.shape).done()

    def _unread(self, order: Order, made: Made, read: Read) -> Done:
        """A rule that could not be read holds its place, where that can be told."""
        table = order.table or _given(order.words, ("-t", "--table")) or "filter"
        chain = _given(order.words, ("-A", "--append", "-I", "--insert", "-R", "--replace"))
        done = Done((), read.diagnostics, bool(read.diagnostics), read.unknown)
        if self.strict and not read.unknown:
            return done
        if chain is None or table not in BUILT_IN or not is_known(chain):
            return done
        key = (self.family, table)
        rule = unread_rule(Place(order.span), shown(made.source.text))
        at_front = any(word in ("-I", "--insert") for word in order.words)
        return replace(done, changes=(Inserted(key, chain, rule, 0 if at_front else None),))


def _tells(words: Sequence[str]) -> bool:
    return words[0] in ("-V", "--version", "-h", "--help")


def _other_family(read: Read, family: Family) -> bool:
    other = "ipv6" if family is Family.IP else "ipv4"
    return read.shape is not None and any(u.option.name == other for u in read.shape.core)


def _given(words: Sequence[str], options: Sequence[str]) -> str | None:
    return next((b for a, b in pairwise(words) if a in options), None)


class _Carrying:
    """One command on its way."""

    def __init__(self, tool: Iptables, order: Order, made: Made, read: Read, shape: Shape) -> None:
        self.tool = tool
        self.order = order
        self.made = made
        self.read = read
        self.shape = shape
        named = read.text(shape.table, order.words)
        self.table = order.table or ("filter" if named is None else named)
        self.key: Key = (tool.family, self.table)
        self.chain = read.text(shape.chain, order.words)
        self.states = tool.tables.states(self.key)
        self.diagnostics = list(read.diagnostics)
        self.failed = False
        self.output: str | None = None
        self.doubt: Match | None = doubt(order.conditions[-1].text) if order.conditions else None

    def done(self) -> Done:
        command = self.shape.command
        looks = command in _LOOKS
        if not is_known(self.table):
            changes: Iterator[Change] = self._anywhere()
        elif self.table not in BUILT_IN:
            self._no_table()
            changes = iter(())
        elif self.chain is not None and not is_known(self.chain):
            changes = self._in_any_chain()
        else:
            changes = _COMMANDS[command](self)
        made = tuple(changes)
        if self.tool.strict and (self._is_refused() or self._goes_round(made)):
            self.failed, made = True, ()
        if not looks and not self.failed and is_known(self.table) and self.table in BUILT_IN:
            made = (Opened(self.key), *made)
        unknown = self.read.unknown if made or looks else ()
        return Done(made, tuple(self.diagnostics), self.failed, unknown, looks, self.output)

    def _is_refused(self) -> bool:
        used = {use.option.name for use in self.shape.core}
        misplaced = _NO_INTERFACE.get(self.chain or "", "") in used
        return misplaced or any(p.severity == "error" for p in self.read.diagnostics)

    def _goes_round(self, changes: tuple[Change, ...]) -> bool:
        """Whether packets would come to a chain that they come from: the kernel refuses that."""
        if self.read.rule is None or self.read.rule.verdict.chain is None:
            return False
        after = self.tool.tables.copy()
        after.apply(changes)
        return has_loop(after.states(self.key), BUILT_IN[self.table])

    # -- what is not known ----------------------------------------------------

    def _anywhere(self) -> Iterator[Change]:
        """In a table that is not known: what takes rules away may have done so in any."""
        if self.shape.command in (Command.FLUSH, Command.DELETE, Command.REPLACE):
            for key, states in self.tool.tables.chains.items():
                for state in states.values():
                    if state.rules and key[0] is self.tool.family:
                        yield self._weakened(key, state)

    def _in_any_chain(self) -> Iterator[Change]:
        command = self.shape.command
        if command in (Command.FLUSH, Command.DELETE, Command.REPLACE, Command.DELETE_CHAIN):
            for state in self.states.values():
                if state.rules:
                    yield self._weakened(self.key, state)
        if command in (Command.APPEND, Command.INSERT, Command.REPLACE):
            rule = unread_rule(Place(self.order.span), shown(self.made.source.text))
            at = 0 if command is Command.INSERT else None
            for name in self.states:
                yield Inserted(self.key, name, rule, at)
        if command is Command.POLICY:
            for name in BUILT_IN[self.table]:
                yield self._open_policy(self.states[name])

    def _weakened(self, key: Key, state: ChainState) -> Change:
        why = self.doubt or doubt(shown(self.made.source.text))
        rules = tuple(doubtful(rule, why) for rule in state.rules)
        return Put(key, state.name, replace(state, rules=rules))

    def _open_policy(self, state: ChainState) -> Change:
        rule = unread_rule(Place(self.order.span), shown(self.made.source.text))
        return Put(self.key, state.name, replace(state, tail=(*state.tail, rule)))

    # -- rules ----------------------------------------------------------------

    def _rule(self) -> Rule:
        rule = self.read.rule
        assert rule is not None
        return doubtful(rule, self.doubt) if self.doubt else rule

    def _state(self) -> ChainState | None:
        """The chain; None where the command fails for want of it."""
        assert self.chain is not None
        found = self.states.get(self.chain)
        if found is not None:
            return found
        if (self.key, self.chain) in self.tool.late:
            self._late(self.chain)
            return None
        self.tool.missing.add((self.key, self.chain))
        if self.tool.strict or owner_of(self.chain) is None:
            self._no_chain()
        self.failed |= self.tool.strict
        return None if self.tool.strict else ChainState(self.chain, made=False)

    def _target_is_there(self) -> bool:
        """A jump to a chain that is made only later is refused, and the rule is not there."""
        jump = self.read.text(self.shape.jump, self.order.words)
        if jump is None or not is_known(jump) or jump in self.states:
            return True
        if find_target(jump, self.tool.family) is not None and not self.shape.goto:
            return True
        if self.shape.target is not None and not self.shape.goto:
            return True  # a target of somebody's own, for it is given options
        self.tool.missing.add((self.key, jump))
        if (self.key, jump) in self.tool.late:
            self._late(jump)
            return False
        self.failed |= self.tool.strict
        return not self.tool.strict

    def _append(self) -> Iterator[Change]:
        state = self._state()
        if state is not None and self._target_is_there():
            yield from self._made(state)
            yield Inserted(self.key, state.name, self._rule())

    def _made(self, state: ChainState) -> Iterator[Change]:
        if state.name not in self.states:
            yield Put(self.key, state.name, state)

    def _insert(self) -> Iterator[Change]:
        state = self._state()
        if state is None or not self._target_is_there():
            return
        number = self._number()
        if number is None:
            yield from self._made(state)
            yield from self._unplaced(state)
            return
        index = state.index(number)
        if index is None and number != state.number(len(state.rules)) + 1:
            self._no_rule(number, state)
            return
        yield from self._made(state)
        yield Inserted(self.key, state.name, self._rule(), index)

    def _unplaced(self, state: ChainState) -> Iterator[Change]:
        """Somewhere in the chain: before all the others it may do what it does."""
        rule = doubtful(self._rule(), doubt(shown(self.made.source.text)))
        yield Inserted(self.key, state.name, rule, 0)

    def _number(self) -> int | None:
        """The place that is given, from 1 on; None where it is not known."""
        text = self.read.text(self.shape.number, self.order.words)
        if text is None:
            return 1
        if not is_known(text):
            return None
        return int(text, 16 if text.lower().startswith("0x") else 10)

    def _replace(self) -> Iterator[Change]:
        state = self._state()
        if state is None or not self._target_is_there():
            return
        number = self._number()
        index = None if number is None else state.index(number)
        if number is None:
            yield self._weakened(self.key, state)
            yield from self._unplaced(state)
        elif index is None:
            self._no_rule(number, state)
        elif self.doubt or self._is_shifted(state, index):
            yield self._doubting(state, index)
            yield Inserted(self.key, state.name, self._rule(), index)
        else:
            rules = (*state.rules[:index], self._rule(), *state.rules[index + 1 :])
            yield Put(self.key, state.name, replace(state, rules=rules))

    def _delete(self) -> Iterator[Change]:
        state = self._state()
        if state is None:
            return
        if self.shape.number is not None:
            yield from self._delete_number(state)
            return
        rule = self.read.rule
        assert rule is not None
        if self.read.unknown or not rule.read:
            yield self._weakened(self.key, state)
            return
        index = next((i for i, other in enumerate(state.rules) if _alike(other, rule)), None)
        if index is not None:
            yield self._gone(state, index)
            return
        maybe = [i for i, other in enumerate(state.rules) if _alike(_certain(other), rule)]
        self.failed = not maybe
        if maybe:
            yield self._doubting(state, *maybe)

    def _delete_number(self, state: ChainState) -> Iterator[Change]:
        number = self._number()
        index = None if number is None else state.index(number)
        if number is None:
            yield self._weakened(self.key, state)
        elif index is None:
            self._no_rule(number, state)
        elif self._is_shifted(state, index) or state.rules[index].copies > 1:
            yield self._doubting(state, *range(index, len(state.rules)))
        else:
            yield self._gone(state, index)

    def _is_shifted(self, state: ChainState, index: int) -> bool:
        """Whether the number may be that of another rule, for one before it may not be there."""
        return any(_is_doubted(rule) for rule in state.rules[:index])

    def _gone(self, state: ChainState, index: int) -> Change:
        if self.doubt:
            return self._doubting(state, index)
        rules = state.rules[:index] + state.rules[index + 1 :]
        return Put(self.key, state.name, replace(state, rules=rules))

    def _doubting(self, state: ChainState, *indexes: int) -> Change:
        why = self.doubt or doubt(shown(self.made.source.text))
        rules = [*state.rules]
        for index in indexes:
            rules[index] = doubtful(rules[index], why)
        return Put(self.key, state.name, replace(state, rules=tuple(rules)))

    def _check(self) -> Iterator[Change]:
        """Fails where there is no such rule; asks, and changes nothing."""
        state = self.states.get(self.chain or "")
        rule = self.read.rule
        rules = () if state is None else state.rules
        self.failed = rule is None or not any(_alike(other, rule) for other in rules)
        self.diagnostics.clear()
        return iter(())

    # -- chains ---------------------------------------------------------------

    def _flush(self) -> Iterator[Change]:
        if self.chain is not None and self.chain not in self.states:
            self.failed = True
            return
        states = self.states.values() if self.chain is None else (self.states[self.chain],)
        for state in tuple(states):
            if state.rules and self.doubt:
                yield self._weakened(self.key, state)
            elif state.rules:
                yield Put(self.key, state.name, replace(state, rules=()))

    def _new_chain(self) -> Iterator[Change]:
        assert self.chain is not None
        known = self.states.get(self.chain)
        self.tool.created.add((self.key, self.chain))
        if self.diagnostics or (known is not None and known.made):
            self.failed = True
            return
        origin = Place(self.order.span)
        state = known or ChainState(self.chain)
        yield Put(self.key, self.chain, replace(state, origin=origin, made=True))

    def _delete_chain(self) -> Iterator[Change]:
        """One that others jump to stays, and so does one with rules in it."""
        called = {rule.verdict.chain for s in self.states.values() for rule in s.rules}
        names = [self.chain] if self.chain is not None else [*self.states]
        for name in names:
            state = self.states.get(name)
            if state is None or name in BUILT_IN[self.table] or state.rules or name in called:
                self.failed |= self.chain is not None
            elif self.doubt is None:
                yield Put(self.key, name, None)

    def _rename(self) -> Iterator[Change]:
        """Jumps follow: the kernel keeps them by chain, not by name."""
        old, new = self.chain, self.read.text(self.shape.new_name, self.order.words)
        assert old is not None
        assert new is not None
        state = self.states.get(old)
        if state is None or new in self.states or old in BUILT_IN[self.table]:
            self.failed = True
            return
        yield Put(self.key, old, None)
        yield Put(self.key, new, replace(state, name=new, rules=_renamed(state.rules, old, new)))
        for other in self.states.values():
            if other is not state and any(rule.verdict.chain == old for rule in other.rules):
                rules = _renamed(other.rules, old, new)
                yield Put(self.key, other.name, replace(other, rules=rules))

    def _policy(self) -> Iterator[Change]:
        text = self.read.text(self.shape.policy, self.order.words) or ""
        state = self.states.get(self.chain or "")
        if state is None or state.name not in BUILT_IN[self.table]:
            self.failed = True
            return
        policy = {"ACCEPT": ACCEPT, "DROP": DROP}.get(text)
        if not is_known(text):
            yield self._open_policy(state)
        elif policy is None or self.diagnostics:
            self.failed = True
        elif self.doubt:
            last = Rule(Place(self.order.span), (self.doubt,), policy)
            yield Put(self.key, state.name, replace(state, tail=(*state.tail, last)))
        else:
            origin = Place(self.order.span)
            made = replace(state, policy=policy, tail=(), origin=origin)
            yield Put(self.key, state.name, made)

    def _look(self) -> Iterator[Change]:
        """-L and -S fail where there is no such chain."""
        self.failed = self.chain is not None and self.chain not in self.states
        if self.shape.command is not Command.ZERO:
            self.output = None
        return iter(())

    # -- what is said ---------------------------------------------------------

    def _say(self, code: str, severity: str, message: str, help: str) -> None:
        span = self.order.span
        self.diagnostics.append(
            Diagnostic(code, severity, span.start, span.end, message, help, span.source)
        )

    def _no_table(self) -> None:
        self.failed = True
        message = f"there is no table {self.table}: expected filter, nat, mangle, raw or security"
        self._say(REFUSED, "error", message, "name the table the rule is meant for")

    def _no_chain(self) -> None:
        message = f"table {self.table} has no chain {self.chain} at this point of the script"
        self._say(REFUSED, "warning", message, f"make it before: iptables -N {self.chain}")

    def _late(self, chain: str) -> None:
        self.failed = True
        message = (
            f"chain {chain} is made only further down, so this command is refused and does nothing"
        )
        self._say(LATE, "error", message, f"move `-N {chain}` before this line")

    def _no_rule(self, number: int, state: ChainState) -> None:
        self.failed = True
        if not any(map(_is_doubted, state.rules)) and state.made:
            count = state.number(len(state.rules))
            message = f"there is no rule {number} in {state.name}, which has {count} at this point"
            self._say(REFUSED, "warning", message, "append the rule with -A")


def _alike(one: Rule, other: Rule) -> bool:
    return one.read == other.read and (one.matches, one.verdict, one.effects, one.comment) == (
        other.matches,
        other.verdict,
        other.effects,
        other.comment,
    )


def _is_doubted(rule: Rule) -> bool:
    return any(_is_doubt(match) for match in rule.matches)


def _is_doubt(match: Match) -> bool:
    return getattr(match, "kind", "") == "script"


def _certain(rule: Rule) -> Rule:
    """The rule without what says that it may not be there."""
    return replace(rule, matches=tuple(m for m in rule.matches if not _is_doubt(m)))


def _renamed(rules: tuple[Rule, ...], old: str, new: str) -> tuple[Rule, ...]:
    def follow(verdict: Verdict) -> Verdict:
        return replace(verdict, name=new, chain=new) if verdict.chain == old else verdict

    return tuple(replace(rule, verdict=follow(rule.verdict)) for rule in rules)


_NO_INTERFACE = {
    **dict.fromkeys(("INPUT", "PREROUTING"), "out-interface"),
    **dict.fromkeys(("OUTPUT", "POSTROUTING"), "in-interface"),
}
"""What the tool takes in none of its rules there."""

_LOOKS = frozenset({Command.CHECK, Command.LIST, Command.LIST_RULES, Command.ZERO})

_COMMANDS: dict[Command, Callable[[_Carrying], Iterator[Change]]] = {
    Command.APPEND: _Carrying._append,
    Command.INSERT: _Carrying._insert,
    Command.REPLACE: _Carrying._replace,
    Command.DELETE: _Carrying._delete,
    Command.CHECK: _Carrying._check,
    Command.FLUSH: _Carrying._flush,
    Command.NEW_CHAIN: _Carrying._new_chain,
    Command.DELETE_CHAIN: _Carrying._delete_chain,
    Command.RENAME_CHAIN: _Carrying._rename,
    Command.POLICY: _Carrying._policy,
    Command.LIST: _Carrying._look,
    Command.LIST_RULES: _Carrying._look,
    Command.ZERO: _Carrying._look,
}
