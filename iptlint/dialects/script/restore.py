"""What a text that a script hands to iptables-restore does to the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.lowering.lower import lower
from iptlint.dialects.iptables.lowering.tables import BUILT_IN
from iptlint.dialects.iptables.parsing.parser import parse
from iptlint.dialects.iptables.parsing.words import split_words
from iptlint.dialects.script.generated_text import (
    Conditions,
    GeneratedOrigin,
    GeneratedText,
    TextPart,
    text_of_parts,
    together,
)
from iptlint.dialects.script.iptables_command import run_command
from iptlint.dialects.script.iptables_execution import IptablesCall, IptablesTool
from iptlint.dialects.script.symbolic_text import is_known, mark, names
from iptlint.dialects.script.tables import (
    ChainState,
    ResetTable,
    SetChain,
    SpanOrigin,
    TableChange,
    TableKey,
    Tables,
    doubtful,
    only_if,
)
from iptlint.dialects.script.truths import doubt, opposite
from iptlint.model import Chain, Family, Rule, unread_rule
from iptlint.model.numbers import is_decimal
from iptlint.source import Span


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    file: str | None = None
    keep: bool = False
    test_only: bool = False


_WITH_VALUE = ("-T", "--table", "-M", "--modprobe", "-w", "--wait", "-W", "--wait-interval")


def options(words: Sequence[str]) -> RestoreOptions:
    """``keep``: what is there stays (``--noflush``)."""
    file: str | None = None
    skip = False
    for index, word in enumerate(words):
        if skip:
            skip = False
        elif word in _WITH_VALUE:
            following = words[index + 1] if index + 1 < len(words) else ""
            skip = not word.startswith(("-w", "--w", "-W")) or is_decimal(following)
        elif not word.startswith("-"):
            file = word
    flags = {word for word in words if word.startswith("-")}
    short = "".join(word[1:] for word in flags if not word.startswith("--"))
    return RestoreOptions(
        file, "--noflush" in flags or "n" in short, "--test" in flags or "t" in short
    )


@dataclass(frozen=True, slots=True)
class RestoreResult:
    changes: tuple[TableChange, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    unknown: tuple[str, ...] = ()


def unknown(tables: Tables, family: Family, span: Span) -> tuple[TableChange, ...]:
    """A file that is not there may have emptied any table, and put any rules there."""
    keys = [key for key in tables.chains if key[0] is family] or [(family, "filter")]
    return tuple(change for key in keys for change in _unknown_table(tables, key, span))


def _unknown_table(tables: Tables, key: TableKey, span: Span) -> Iterator[TableChange]:
    why = doubt(span.text[:40])
    for name, state in tables.states(key).items():
        rules = tuple(doubtful(rule, why) for rule in state.rules)
        if name in BUILT_IN[key[1]]:
            rules = (unread_rule(SpanOrigin(span), span.text[:40]), *rules)
        yield SetChain(key, name, ChainState(name, rules, state.policy, state.tail, state.origin))


def as_it_was(then: Tables, family: Family) -> tuple[TableChange, ...]:
    """What a text that was printed before makes of the tables."""
    changes: list[TableChange] = []
    for key, chains in then.chains.items():
        if key[0] is family:
            changes.append(ResetTable(key))
            changes += (SetChain(key, name, state) for name, state in chains.items())
    return tuple(changes)


def load(
    tool: IptablesTool,
    parts: tuple[TextPart, ...],
    span: Span,
    conditions: Conditions,
    *,
    keep: bool,
) -> RestoreResult:
    if not parts:
        return RestoreResult(())
    generated = text_of_parts(span.source.path, parts)
    sure = not conditions and not any(part.conditions for part in parts)
    whole = not keep and sure and is_known(generated.source.text)
    return (
        _load_whole(tool, generated)
        if whole
        else _LineByLine(tool, generated, conditions, keep).load()
    )


def _load_whole(tool: IptablesTool, generated: GeneratedText) -> RestoreResult:
    """A text that says all: its tables take the place of those that were there."""
    tree = parse(generated.source, tool.family)
    ruleset, diagnostics = lower(tree, generated.source)
    changes: list[TableChange] = []
    for table in ruleset.tables:
        key = (table.family, table.name)
        changes.append(ResetTable(key))
        changes += (
            SetChain(key, chain.name, _state(chain, generated)) for chain in table.chains.values()
        )
    return RestoreResult(tuple(changes), tuple(map(generated.in_script, diagnostics)))


def _state(chain: Chain, generated: GeneratedText) -> ChainState:
    rules = tuple(_written(rule, generated) for rule in chain.rules)
    origin = None if chain.origin is None else GeneratedOrigin(generated, chain.origin)
    return ChainState(chain.name, rules, chain.policy, origin=origin)


def _written(rule: Rule, generated: GeneratedText) -> Rule:
    return replace(rule, origin=GeneratedOrigin(generated, rule.origin))


class _LineByLine:
    """A text on top of what is there, or one that is not known in all its parts.

    ``conditions``: those of the line that is carried out, ``of_all`` those of every line.
    """

    def __init__(
        self, tool: IptablesTool, generated: GeneratedText, conditions: Conditions, keep: bool
    ) -> None:
        # The lines are carried out one by one on a state of their own, and kept as changes.
        self.tables = tool.tables.copy()
        self.tool = IptablesTool(tool.family, self.tables, tool.late, strict=tool.strict)
        self.generated = generated
        self.conditions = self.of_all = conditions
        self.keep = keep
        self.table: str | None = None
        self.changes: list[TableChange] = []
        self.diagnostics: list[Diagnostic] = []
        self.unknown: list[str] = []

    def load(self) -> RestoreResult:
        at = 0
        for line in self.generated.source.text.split("\n"):
            end = at + len(line)
            of_line, *others = self.generated.all_conditions(at, end)
            self.conditions = (*of_line, *self.of_all)
            self._line(mark(line) if others else line.strip(), self.generated.span(at, end))
            at = end + 1
        return RestoreResult(tuple(self.changes), tuple(self.diagnostics), tuple(self.unknown))

    def _line(self, line: str, span: Span) -> None:
        if not line or line.startswith("#") or line == "COMMIT":
            return
        if line.startswith("*"):
            self.table = line[1:].strip()
            self._open_table(span)
        elif line.startswith(":"):
            self._declare_chain(line[1:].split(), span)
        elif not is_known(line) and "-" not in line.partition("\0")[0]:
            # A whole line, or several: whatever they may be.
            self.unknown += names(line)
            self._apply(unknown(self.tables, self.tool.family, span))
        else:
            words = split_words(line.partition("]")[2] if line.startswith("[") else line) or []
            self._call(words, span)

    def _open_table(self, span: Span) -> None:
        if self.keep or self.table not in BUILT_IN:
            return
        key = (self.tool.family, self.table)
        if not self.conditions:
            self._apply((ResetTable(key),))
            return
        replaced = together(self.conditions)
        assert replaced is not None
        for name, state in self.tables.states(key).items():
            rules = only_if(opposite(replaced), state.rules)
            put = ChainState(name, rules, state.policy, state.tail, state.origin)
            self._apply((SetChain(key, name, put),))

    def _declare_chain(self, words: Sequence[str], span: Span) -> None:
        if len(words) < 2 or self.table not in BUILT_IN:
            return
        name, policy = words[:2]
        states = self.tables.states((self.tool.family, self.table))
        if name in BUILT_IN[self.table]:
            if policy != "-":
                self._call(("-P", name, policy), span)
        else:
            self._call(("-F" if name in states else "-N", name), span)

    def _call(self, words: Sequence[str], span: Span) -> None:
        spans = (span,) * len(words)
        call = IptablesCall(tuple(words), spans, span, self.conditions, self.table or "filter")
        result = run_command(self.tool, call)
        self.diagnostics += result.diagnostics
        self.unknown += result.unknown
        self._apply(result.changes)

    def _apply(self, changes: Sequence[TableChange]) -> None:
        self.tables.apply(changes)
        self.changes += changes
