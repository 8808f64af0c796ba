"""What ``nft -f`` does with a file: it reads all of it, evaluates all of it, and hands it to the
kernel, which takes all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from iptlint.dialects import Reading
from iptlint.dialects.diagnostics import Diagnostic, Fate, SyntaxDiagnostic
from iptlint.dialects.nft.execution.state import State, line_seen_from
from iptlint.dialects.nft.tree import NftFile
from iptlint.dialects.nft_json.parser import NO_JSON
from iptlint.loads.nft.blank_lines import check_blank_lines
from iptlint.loads.nft.checks import EMPTY_SET, PRIORITY, SYNTAX, VALUE, VARIABLE
from iptlint.loads.nft.commands import CommandTrial
from iptlint.loads.nft.last_line import check_last_line
from iptlint.loads.nft.places import check_jumps, check_places
from iptlint.loads.nft.readded import check_readded
from iptlint.loads.nft.state import Tables
from iptlint.loads.nft.trial import Trial
from iptlint.loads.nft.versions import check_versions
from iptlint.loads.refusal import Load, Refusal, Stage, in_order
from iptlint.loads.target import Target
from iptlint.source import Span


def judge(reading: Reading, before: Sequence[Reading], target: Target | None = None) -> Load:
    assert isinstance(reading.tree, NftFile)
    tree = reading.tree
    refusals = [*_unread(tree)]
    if tree.diagnostics:
        refusals = _among(refusals, [*_while_reading(tree, target)])
    else:
        refusals += _tried(tree, before, target)
        refusals += _values(reading, refusals)
    return Load(tree.source, "nft -f", in_order(refusals))


def judge_json(
    reading: Reading, before: Sequence[Reading], target: Target | None = None
) -> Load | None:
    """The same of ``nft -j -f``; None where something of the JSON is not understood here, since
    nft may know what it means."""
    assert isinstance(reading.tree, NftFile)
    tree = reading.tree
    refusals = [] if tree.diagnostics else _tried(tree, before, target, json=True)
    if tree.diagnostics:
        if not tree.diagnostics[0].message.startswith(NO_JSON):
            return None
        refusals = [_refusal(tree.diagnostics[0])]
    return Load(tree.source, "nft -j -f", in_order(refusals))


def _tried(
    tree: NftFile, before: Sequence[Reading], target: Target | None, *, json: bool = False
) -> list[Refusal]:
    trial, tables = Trial(silent=True, json=json), Tables()
    commands = CommandTrial(tables, trial)
    for reading in before:
        if isinstance(reading.tree, NftFile):
            commands.run(reading.tree)
    for table in tables.tables.values():
        table.was_there()
    trial.silent, trial.target = False, target
    if not json:
        check_last_line(tree.source, tree.items, trial)
        check_blank_lines(tree.source, tree.items, trial)
    state = commands.run(tree)
    for table in tables.tables.values():
        trial.part = f"table {table.family.value} {table.name}"
        check_jumps(table, trial)
        check_readded(table, trial)
        check_places(table, trial)
    for key, number in tables.asked_for.items():
        if key in tables.tables and number < len(trial.refusals):
            trial.refusals[number] = replace(trial.refusals[number], made_later=True)
    variables = (_of_variable(diagnostic, tree) for diagnostic in state.diagnostics)
    refusals = (_at_definition(refusal, state) for refusal in trial.refusals)
    return _among([*variables, *refusals], _lacking(tree, target, json=json))


def _while_reading(tree: NftFile, target: Target | None) -> Iterator[Refusal]:
    """What else nft finds wrong before it evaluates anything."""
    trial = Trial(target=target)
    state = CommandTrial(Tables(), trial).run(tree)
    yield from (_of_variable(diagnostic, tree) for diagnostic in state.diagnostics)
    check_blank_lines(tree.source, tree.items, trial)
    refusals = (*trial.refusals, *_lacking(tree, target))
    yield from (each for each in refusals if each.check.stage is Stage.READING)


def _lacking(tree: NftFile, target: Target | None, *, json: bool = False) -> Sequence[Refusal]:
    trial = Trial(json=json)
    if target is not None:
        check_versions(tree, target, trial)
    return trial.refusals


def _among(refusals: list[Refusal], lacking: Sequence[Refusal]) -> list[Refusal]:
    """What versions lack where the text has it: nft evaluates one command after the other."""
    for refusal in lacking:
        at = refusal.span.start
        later = (n for n, other in enumerate(refusals) if other.span.start > at)
        refusals.insert(next(later, len(refusals)), refusal)
    return refusals


def _of_variable(diagnostic: Diagnostic, tree: NftFile) -> Refusal:
    span = Span(diagnostic.source or tree.source, diagnostic.start, diagnostic.end)
    check = replace(VARIABLE, says=diagnostic.says or VARIABLE.says, alone=diagnostic.alone)
    return Refusal(span, check, diagnostic.message, diagnostic.help)


def _at_definition(refusal: Refusal, state: State) -> Refusal:
    """nft tells of a value where it is written, which for a variable is its definition."""
    use = refusal.span
    binding = state.uses.get(use)
    if refusal.check in _TOLD_AT_THE_USE or binding is None or binding.value is None:
        return refusal
    if refusal.check is EMPTY_SET and use.source.text[: use.start].rstrip().endswith("{"):
        return refusal  # the braces around the variable are the set
    origin, value = binding.origin, binding.value
    cause = f"{refusal.cause}: {line_seen_from(use, origin.source)} uses it as {use.text}"
    span = Span(origin.source, value.start, value.end)
    return _at_definition(replace(refusal, span=span, cause=cause), state)


_TOLD_AT_THE_USE = (PRIORITY,)


def _values(reading: Reading, others: Sequence[Refusal]) -> Iterator[Refusal]:
    """What was found wrong while the tests were read, and is not among the others."""
    for diagnostic in reading.diagnostics:
        source = diagnostic.source or reading.ruleset.source
        span = Span(source, diagnostic.start, diagnostic.end)
        known = any(span.overlaps(other.span) for other in others)
        if diagnostic.code == "IPT006" and diagnostic.severity == "error" and not known:
            yield Refusal(span, VALUE, diagnostic.message, diagnostic.help)


def _unread(tree: NftFile) -> Iterator[Refusal]:
    for diagnostic in tree.diagnostics:
        if diagnostic.code == "IPT001" or diagnostic.fate is Fate.MISSING:
            yield _refusal(diagnostic)


def _refusal(diagnostic: SyntaxDiagnostic) -> Refusal:
    span = Span(diagnostic.source, diagnostic.start, diagnostic.end)
    expected = f"; expected {diagnostic.expected}" if diagnostic.expected else ""
    message = diagnostic.message + expected
    missing = diagnostic.fate is Fate.MISSING
    return Refusal(span, SYNTAX, message, diagnostic.hint or "", missing)
