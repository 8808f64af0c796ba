"""A command of iptables, from its words to the rule it makes.

The words are read as a line of a table is, by the room that reads those. What of them is not
known before the script runs is taken out of the line, and the rule gets an uncertain test in
its place: it may match then, and nothing is claimed of it for certain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.lowering.line_checks import bad_value
from iptlint.dialects.iptables.lowering.lower import lower
from iptlint.dialects.iptables.lowering.tables import BUILT_IN
from iptlint.dialects.iptables.parsing.diagnostics import ShapeDiagnostic
from iptlint.dialects.iptables.parsing.shape_keys import Keys, ShapeKey
from iptlint.dialects.iptables.parsing.shapes import resolve
from iptlint.dialects.iptables.parsing.tree import (
    ChainLine,
    Command,
    CommandLine,
    CommitLine,
    Line,
    LoadedExtension,
    SaveFile,
    Shape,
    TableLine,
    Use,
    WordPlace,
)
from iptlint.dialects.iptables.parsing.words import span_of_words
from iptlint.dialects.script.generated_text import GeneratedOrigin, GeneratedText
from iptlint.dialects.script.symbolic_text import is_known, shown
from iptlint.dialects.script.tables import SpanOrigin
from iptlint.dialects.script.truths import doubt
from iptlint.model import Family, Match, Rule, Verdict, VerdictKind, unread_rule
from iptlint.source import Span

_SPEAKS_ONLY = frozenset({"comment"})
"""Matches that test nothing, whatever they are given."""
_ALONE = frozenset({"tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "multiport"})
"""Matches whose options test each for itself, so that one can go and the others stay."""
_PASSES_ON = frozenset({"LOG", "NFLOG", "ULOG", "REJECT"})
"""Targets that do the same with a packet, whatever their options say."""
_ANYTHING = Verdict(VerdictKind.UNKNOWN, "unread")
_RULE_COMMANDS = frozenset(
    {Command.APPEND, Command.INSERT, Command.REPLACE, Command.CHECK, Command.DELETE}
)


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command, read. ``shape`` is None where no version of iptables would read it.

    ``unknown``: what of it is known only when the script runs.
    """

    shape: Shape | None
    rule: Rule | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    unknown: tuple[str, ...] = ()

    def text(self, place: WordPlace | None, words: Sequence[str]) -> str | None:
        return None if place is None else place.text(tuple(words))


class CommandReader:
    """Reads the commands of one family; alike ones are worked out once."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.keys = Keys(family)
        self.shapes: dict[ShapeKey, Shape | ShapeDiagnostic] = {}

    def read(
        self, words: Sequence[str], generated: GeneratedText, whole: Span, table: str | None
    ) -> ParsedCommand:
        """``generated``: the words as one line. ``table``: that of a text for iptables-restore."""
        shape = self._shape(words, in_table=table is not None)
        unknown = tuple(shown(word) for word in words if not is_known(word))
        if isinstance(shape, Shape) and not unknown:
            shape = bad_value(shape, tuple(words)) or shape
        if isinstance(shape, ShapeDiagnostic):
            diagnostic = shape.of(tuple(words))
            if unknown and not self._is_certain(diagnostic, words, in_table=table is not None):
                return ParsedCommand(None, unknown=unknown)
            told = _shape_diagnostic(diagnostic, words, generated)
            return ParsedCommand(None, diagnostics=(told,))
        name = table or _table(shape, words)
        if name not in BUILT_IN:
            return ParsedCommand(shape, unknown=unknown)
        return self._lowered(shape, tuple(words), generated, whole, name, unknown)

    def _shape(self, words: Sequence[str], *, in_table: bool) -> Shape | ShapeDiagnostic:
        key = (str(in_table), *self.keys.key(list(words)))
        shape = self.shapes.get(key)
        if shape is None:
            shape = self.shapes[key] = resolve(tuple(words), self.family, in_table=in_table)
        return shape

    def _is_certain(
        self, diagnostic: ShapeDiagnostic, words: Sequence[str], *, in_table: bool
    ) -> bool:
        """Whether the tool, which reads from left to right, refuses the command before it comes to
        anything unknown. `-h` ends whatever it has not refused by then."""
        read = (*words[: diagnostic.last], "-h")
        refused = self._shape(read, in_table=in_table)
        certain = isinstance(refused, ShapeDiagnostic) and refused.of(read) == diagnostic
        return certain and all(map(is_known, read))

    # -- the rule -------------------------------------------------------------

    def _lowered(
        self,
        shape: Shape,
        words: tuple[str, ...],
        generated: GeneratedText,
        whole: Span,
        table: str,
        unknown: tuple[str, ...],
    ) -> ParsedCommand:
        chain = shape.chain.text(words) if shape.chain else ""
        kept, doubts = _without_unknown(shape, words) if unknown else (shape, _Doubts())
        is_rule = _makes_rule(shape)
        if is_rule:
            kept = replace(kept, command=Command.APPEND, number=None)
        # What rules there are by their numbers, the commands before it say.
        if not is_rule and (shape.number is not None or not is_known(" ".join(words))):
            return ParsedCommand(shape, unknown=unknown)
        end = len(generated.source.text)
        line = CommandLine(replace(kept, table=None), generated.source, None, 0, end, words)
        rules, diagnostics = self._execute(line, generated, table, chain)
        if not is_rule:
            return ParsedCommand(shape, None, diagnostics, unknown)
        if not rules:
            rule = unread_rule(SpanOrigin(whole), generated.source.text.replace("\0", ""))
            return ParsedCommand(shape, rule, diagnostics, unknown)
        rule = rules[0]
        if unknown and not rule.read:
            diagnostics = ()  # what is missing was taken out, so this is not the script's mistake
        origin = GeneratedOrigin(generated, rule.origin, whole)
        rule = replace(rule, origin=origin, matches=(*rule.matches, *doubts.tests))
        if doubts.target and rule.read:
            rule = replace(rule, verdict=_ANYTHING, read=False)
        return ParsedCommand(shape, rule, diagnostics, unknown)

    def _execute(
        self, line: CommandLine, generated: GeneratedText, table: str, chain: str
    ) -> tuple[tuple[Rule, ...], tuple[Diagnostic, ...]]:
        lines: list[Line] = [TableLine(table, self.family, 0, 0)]
        declared = chain and chain not in BUILT_IN[table]
        if declared and line.shape.command not in (Command.NEW_CHAIN, Command.POLICY):
            lines.append(ChainLine(chain, "-", None, 0, 0))
        tree = SaveFile(generated.source, (*lines, line, CommitLine(0, 0)), (), self.family)
        ruleset, diagnostics = lower(tree, generated.source)
        rules = tuple(rule for _, _, rule in ruleset.rules())
        return rules, tuple(generated.in_script(d) for d in diagnostics if d.end > 0)


def _makes_rule(shape: Shape) -> bool:
    return shape.command in _RULE_COMMANDS and not (
        shape.command is Command.DELETE and shape.number is not None
    )


def _table(shape: Shape, words: Sequence[str]) -> str:
    return shape.table.text(tuple(words)) if shape.table else "filter"


# -- what is unknown ---------------------------------------------------------------------------


@dataclass(slots=True)
class _Doubts:
    tests: tuple[Match, ...] = ()
    target: bool = False


def _without_unknown(shape: Shape, words: tuple[str, ...]) -> tuple[Shape, _Doubts]:
    """The shape without the options that have an unknown argument, and what to put there."""
    doubts = _Doubts()
    core = tuple(use for use in shape.core if not _doubted(use, words, doubts))
    loads = tuple(kept for load in shape.loads for kept in _load_without(load, words, doubts))
    known = replace(shape, core=core, loads=loads)
    if shape.jump is not None and (doubts.target or not is_known(shape.jump.text(words))):
        doubts.target = True
        known = replace(known, jump=None, goto=False)
        known = replace(known, loads=tuple(load for load in known.loads if not load.target))
    if any(not is_known(place.text(words)) for place in shape.counters):
        known = replace(known, counters=())
    return known, doubts


def _doubted(use: Use, words: tuple[str, ...], doubts: _Doubts) -> bool:
    given = words[use.start : use.end]
    if all(map(is_known, given)):
        return False
    doubts.tests += (doubt(shown(" ".join(given))),)
    return True


def _load_without(
    load: LoadedExtension, words: tuple[str, ...], doubts: _Doubts
) -> Iterator[LoadedExtension]:
    name = load.extension.name if load.extension else ""
    unknown = any(not is_known(words[i]) for u in load.uses for i in range(u.start, u.end))
    unknown |= any(not is_known(words[index]) for index in load.rest)
    if not unknown:
        yield load
    elif load.target and name in _PASSES_ON:
        yield replace(load, uses=tuple(u for u in load.uses if _is_known_use(u, words)))
    elif load.target:
        doubts.target = True
    elif name in _ALONE:
        uses = tuple(use for use in load.uses if not _doubted(use, words, doubts))
        if uses or not load.implicit:
            yield replace(load, uses=uses)
    elif name not in _SPEAKS_ONLY:
        text = shown(" ".join(words[load.start : load.end]))
        doubts.tests += (doubt(text),)


def _is_known_use(use: Use, words: tuple[str, ...]) -> bool:
    return all(map(is_known, words[use.start : use.end]))


# -- diagnostics ---------------------------------------------------------------------------------


def _shape_diagnostic(
    diagnostic: ShapeDiagnostic, words: Sequence[str], generated: GeneratedText
) -> Diagnostic:
    first, last = span_of_words(generated.source.text, diagnostic.first, diagnostic.last)
    span = generated.span(first, last)
    message, hint = diagnostic.sentence(tuple(words)), diagnostic.advice(tuple(words)) or ""
    split = _split_at(diagnostic.first, words, generated)
    if len(split) > 1 and not any(word.startswith("-") for word in split):
        text = shown(" ".join(split))
        message = f"`{span.text}` is {len(split)} words here (`{text}`), where one value belongs"
        hint = "give the variable one value, without blanks"
    return Diagnostic("IPT001", "error", span.start, span.end, message, hint, span.source)


def _split_at(index: int, words: Sequence[str], generated: GeneratedText) -> Sequence[str]:
    """The words that the one is of, where one variable became several."""
    spans = [piece.span for piece in generated.pieces]
    if not 0 <= index < len(words) == len(spans) or "$" not in spans[index].text:
        return ()
    return [word for word, span in zip(words, spans, strict=True) if span == spans[index]]
