"""What a text that a script hands to iptables-restore does to the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.lowering.lower import lower
from iptlint.dialects.iptables.lowering.tables import BUILT_IN
from iptlint.dialects.iptables.parsing.parser import parse
from iptlint.dialects.iptables.parsing.words import split_words
from iptlint.dialects.script.generated_text import Conditions, Made, MadeOrigin, of_spans
from iptlint.dialects.script.iptables_command import Iptables, Order
from iptlint.dialects.script.streams import Part
from iptlint.dialects.script.symbolic_text import is_known, names
from iptlint.dialects.script.tables import (
    ChainState,
    Change,
    Emptied,
    Key,
    Place,
    Put,
    Tables,
    doubt,
    doubtful,
)
from iptlint.model import Chain, Family, Rule, unread_rule
from iptlint.source import Span


@dataclass(frozen=True, slots=True)
class Options:
    file: str | None = None
    keep: bool = False
    test_only: bool = False


_WITH_VALUE = ("-T", "--table", "-M", "--modprobe", "-w", "--wait", "-W", "--wait-interval")


def options(words: Sequence[str]) -> Options:
    """``keep``: what is there stays (``--noflush``)."""
    file: str | None = None
    skip = False
    for index, word in enumerate(words):
        if skip:
            skip = False
        elif word in _WITH_VALUE:
            following = words[index + 1] if index + 1 < len(words) else ""
            skip = not word.startswith(("-w", "--w", "-W")) or following.isdigit()
        elif not word.startswith("-"):
            file = word
    flags = {word for word in words if word.startswith("-")}
    short = "".join(word[1:] for word in flags if not word.startswith("--"))
    return Options(file, "--noflush" in flags or "n" in short, "--test" in flags or "t" in short)


@dataclass(frozen=True, slots=True)
class Loaded:
    changes: tuple[Change, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    unknown: tuple[str, ...] = ()


def unknown(tables: Tables, family: Family, span: Span) -> tuple[Change, ...]:
    """A file that is not there may have emptied any table, and put any rules there."""
    keys = [key for key in tables.chains if key[0] is family] or [(family, "filter")]
    return tuple(change for key in keys for change in _fogged(tables, key, span))


def _fogged(tables: Tables, key: Key, span: Span) -> Iterator[Change]:
    why = doubt(span.text[:40])
    for name, state in tables.states(key).items():
        rules = tuple(doubtful(rule, why) for rule in state.rules)
        if name in BUILT_IN[key[1]]:
            rules = (unread_rule(Place(span), span.text[:40]), *rules)
        yield Put(key, name, ChainState(name, rules, state.policy, state.tail, state.origin))


def load(
    tool: Iptables, parts: tuple[Part, ...], span: Span, conditions: Conditions, *, keep: bool
) -> Loaded:
    if not parts:
        return Loaded(())
    made = of_spans(span.source.path, parts)
    whole = not keep and not conditions and is_known(made.source.text)
    return _loaded(tool, made) if whole else _ByLine(tool, made, conditions, keep).loaded()


def _loaded(tool: Iptables, made: Made) -> Loaded:
    """A text that says all: its tables take the place of those that were there."""
    tree = parse(made.source, tool.family)
    ruleset, diagnostics = lower(tree, made.source)
    changes: list[Change] = []
    for table in ruleset.tables:
        key = (table.family, table.name)
        changes.append(Emptied(key))
        changes += (Put(key, chain.name, _state(chain, made)) for chain in table.chains.values())
    return Loaded(tuple(changes), tuple(_in_script(diagnostic, made) for diagnostic in diagnostics))


def _state(chain: Chain, made: Made) -> ChainState:
    rules = tuple(_written(rule, made) for rule in chain.rules)
    origin = None if chain.origin is None else MadeOrigin(made, chain.origin)
    return ChainState(chain.name, rules, chain.policy, origin=origin)


def _written(rule: Rule, made: Made) -> Rule:
    return replace(rule, origin=MadeOrigin(made, rule.origin))


def _in_script(diagnostic: Diagnostic, made: Made) -> Diagnostic:
    span = made.span(diagnostic.start, diagnostic.end)
    return replace(diagnostic, start=span.start, end=span.end, source=span.source)


class _ByLine:
    """A text on top of what is there, or one that is not known in all its parts."""

    def __init__(self, tool: Iptables, made: Made, conditions: Conditions, keep: bool) -> None:
        # The lines are carried out one by one on a state of their own, and kept as changes.
        self.tables = tool.tables.copy()
        self.tool = Iptables(tool.family, self.tables, tool.late, strict=tool.strict)
        self.made = made
        self.conditions = conditions
        self.keep = keep
        self.table: str | None = None
        self.changes: list[Change] = []
        self.diagnostics: list[Diagnostic] = []
        self.unknown: list[str] = []

    def loaded(self) -> Loaded:
        at = 0
        for line in self.made.source.text.split("\n"):
            self._line(line.strip(), self.made.span(at, at + len(line)))
            at += len(line) + 1
        return Loaded(tuple(self.changes), tuple(self.diagnostics), tuple(self.unknown))

    def _line(self, line: str, span: Span) -> None:
        if not line or line.startswith("#") or line == "COMMIT":
            return
        if line.startswith("*"):
            self.table = line[1:].strip()
            self._open(span)
        elif line.startswith(":"):
            self._chain(line[1:].split(), span)
        elif not is_known(line) and "-" not in line.partition("\0")[0]:
            # A whole line, or several: whatever they may be.
            self.unknown += names(line)
            self._apply(unknown(self.tables, self.tool.family, span))
        else:
            words = split_words(line.partition("]")[2] if line.startswith("[") else line) or []
            self._order(words, span)

    def _open(self, span: Span) -> None:
        if self.keep or self.table not in BUILT_IN:
            return
        key = (self.tool.family, self.table)
        if not self.conditions:
            self._apply((Emptied(key),))
            return
        why = doubt(self.conditions[-1].text)
        for name, state in self.tables.states(key).items():
            rules = tuple(doubtful(rule, why) for rule in state.rules)
            put = ChainState(name, rules, state.policy, state.tail, state.origin)
            self._apply((Put(key, name, put),))

    def _chain(self, words: Sequence[str], span: Span) -> None:
        if len(words) < 2 or self.table not in BUILT_IN:
            return
        name, policy = words[:2]
        states = self.tables.states((self.tool.family, self.table))
        if name in BUILT_IN[self.table]:
            if policy != "-":
                self._order(("-P", name, policy), span)
        else:
            self._order(("-F" if name in states else "-N", name), span)

    def _order(self, words: Sequence[str], span: Span) -> None:
        spans = (span,) * len(words)
        order = Order(tuple(words), spans, span, self.conditions, self.table or "filter")
        done = self.tool.run(order)
        self.diagnostics += done.diagnostics
        self.unknown += done.unknown
        self._apply(done.changes)

    def _apply(self, changes: Sequence[Change]) -> None:
        self.tables.apply(changes)
        self.changes += changes
