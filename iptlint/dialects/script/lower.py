"""Tree to model: what the firewall is after the script, had it been run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.files import Files, LocalFiles
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.arguments import ScriptCall, call_of, given_in, with_arguments
from iptlint.dialects.script.environment import Environment, assigned_in
from iptlint.dialects.script.files import (
    CONTAINERS,
    STARTERS,
    called_files,
    is_named_beside,
    sets_filled_beside,
)
from iptlint.dialects.script.generated_text import TextPart
from iptlint.dialects.script.ipset_command import tell_early_sets
from iptlint.dialects.script.iptables_execution import Chains
from iptlint.dialects.script.nft_command import NftPiece, NftState
from iptlint.dialects.script.not_understood import Reason, summary
from iptlint.dialects.script.shell import Shell
from iptlint.dialects.script.state import Run, RunningText, TooMuchError, syntax
from iptlint.dialects.script.steps import Script
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.dialects.script.tables import Tables
from iptlint.dialects.script.trials import without_rollback
from iptlint.dialects.script.written_rules import load_written
from iptlint.model import Family, Ruleset
from iptlint.model.roles import facing
from iptlint.model.script import Kind
from iptlint.source import SourceFile, Span


def run_script(
    file: t.ScriptFile,
    start: Ruleset | None = None,
    files: Files | None = None,
    arguments: tuple[str, ...] | None = None,
) -> Script:
    """The steps of a script, each with what it does.

    ``start`` is the firewall before it, all of it of the families that it has. Without one it is
    that of a kernel that has just started, and chains that the script uses and does not make are
    taken to be there. What a script does may depend on it (``iptables -C … || iptables -A …``).
    ``files`` are those of which it may read the ones that are its own. ``arguments`` are what it is
    called with, else what such scripts are called with to start.
    """
    return without_rollback(_carried_out(file, start, files, call_of(file, arguments)))


def _carried_out(
    file: t.ScriptFile, start: Ruleset | None, files: Files | None, call: ScriptCall
) -> Script:
    files = (files or LocalFiles()).of_script(file.source.path)
    is_open, assigned = False, assigned_in(file.source.text)
    first, late = _run(file, start, files, call, frozenset(), assigned, is_open=is_open)
    if not first.steps:
        # It wants something set that nobody set here; so anything may be.
        is_open = True
        first, late = _run(file, start, files, call, frozenset(), assigned, is_open=is_open)
    given = None if any(s.kind is Kind.CHANGE for s in first.steps) else with_arguments(call, file)
    if given is not None:
        call = given
        other, late = _run(file, start, files, call, frozenset(), assigned, is_open=is_open)
        if not any(step.kind is Kind.CHANGE and not step.conditions for step in other.steps):
            return first  # which words they are decides what it does
        first = other
    if not late:
        return first
    # Some chains are made only after commands use them: those commands fail.
    return _run(file, start, files, call, late, assigned, is_open=is_open)[0]


def _run(
    file: t.ScriptFile,
    start: Ruleset | None,
    files: Files,
    call: ScriptCall,
    late: Chains,
    assigned: frozenset[str],
    *,
    is_open: bool,
) -> tuple[Script, Chains]:
    source = file.source
    tables, nft = _started(source, start, files)
    run = Run(
        source,
        _environment(file, call, assigned, is_open=is_open),
        tables.copy(),
        nft,
        late,
        frozenset() if start is None else _families(start),
        RunningText(source),
        files,
        str(PurePosixPath(files.own_path(source.path)).parent),
    )
    run.diagnostics += [syntax(p, Span(source, p.start, p.end)) for p in file.diagnostics]
    run.diagnostics += [] if call.left_out is None else [call.left_out]
    try:
        Shell(run).execute_script(file.statements)
        load_written(run)
        tell_early_sets(run)
        is_cut = False
    except (TooMuchError, RecursionError):
        run.diagnostics.append(_too_much(source))
        is_cut = True
    used = {each for tool in run.tools.values() for each in tool.missing}
    created = {each for tool in run.tools.values() for each in tool.created}
    rest = (Span(source, len(source.text), len(source.text)),) if is_cut else ()
    return _script(run, tables, nft, start, rest, call.note), frozenset(used & created)


def _environment(
    file: t.ScriptFile, call: ScriptCall, assigned: frozenset[str], *, is_open: bool
) -> Environment:
    return Environment(
        file.source.path,
        call.arguments,
        open=is_open,
        assigned=assigned,
        guessed=call.guessed,
        given=given_in(file.statements),
        settings=_settings(file.source.text),
    )


def _settings(text: str) -> frozenset[str]:
    """Those that the first line switches on: ``#!/bin/sh -e``."""
    match = re.match(r"#!\s*\S+(?:\s+\w*sh)?\s+-([a-z]+)\s*$", text, re.MULTILINE)
    return frozenset(match[1]) if match else frozenset()


def _script(
    run: Run,
    start: Tables,
    start_nft: NftState,
    given: Ruleset | None,
    rest: tuple[Span, ...],
    note: str,
) -> Script:
    """``rest``: where the script goes on that is not followed to its end."""
    commands = len(run.commands)
    absent = [note.span for note in run.absent]
    # A script that is carried out and is not here may make any set.
    makes_known = all(map(is_known, run.made_sets)) and not called_files(absent)
    not_understood = summary(run.notes, commands, run.absent)
    diagnostics = (*run.diagnostics, *(() if not_understood is None else (not_understood,)))
    doubted = {(n.span.source.path, n.span.start, n.span.end) for n in run.notes}
    path = run.files.own_path(run.main.path)
    asks = "--match-set" in run.main.text
    made_beside = sets_filled_beside(run.files, path) if asks else frozenset()
    return Script(
        run.main,
        tuple(run.steps),
        start,
        start_nft,
        tuple(_once(diagnostics)),
        commands,
        commands - len(doubted),
        frozenset(run.made_sets) | made_beside if makes_known else None,
        None if given is None else _families(given),
        facing(run.environment.variables),
        (*absent, *_unread(run), *rest),
        tuple(run.rule_files),
        note,
        is_named_beside(run.files, path, STARTERS),
        is_named_beside(run.files, path, CONTAINERS),
    )


def _unread(run: Run) -> Iterator[Span]:
    """Where rules are loaded from a file that is not there."""
    unread = {note.span for note in run.notes if note.reason is Reason.FILE}
    return (step.span for step in run.steps if step.kind is Kind.CHANGE and step.span in unread)


def _started(source: SourceFile, start: Ruleset | None, files: Files) -> tuple[Tables, NftState]:
    nft = NftState(source.path, files)
    if start is None:
        return Tables(), nft
    if not start.is_nft:
        return Tables.of(start), nft
    text = start.source.text
    whole = Span(start.source, 0, len(text))
    return Tables(), nft.with_piece(NftPiece((TextPart(text, whole, True),)))


def _families(start: Ruleset) -> frozenset[Family]:
    """Those that it says all of."""
    whole = start.is_nft or not start.tables
    return frozenset((Family.IP, Family.IP6) if whole else start.families)


def _once(diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """A loop says the same of the same command each time."""
    seen = set()
    for diagnostic in diagnostics:
        key = (diagnostic.code, diagnostic.start, diagnostic.message, diagnostic.source)
        if key not in seen:
            seen.add(key)
            yield diagnostic


def _too_much(source: SourceFile) -> Diagnostic:
    message = "the script goes on for too long, so what it does in the end is not known"
    advice = "lint what `iptables-save` prints after it ran"
    return Diagnostic("IPT010", "warning", 0, source.line_span(1).end, message, advice)
