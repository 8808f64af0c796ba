"""Tree to model: what the firewall is after the script, had it been run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.files import Files, LocalFiles
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.environment import Environment, assigned_in
from iptlint.dialects.script.iptables_execution import Chains
from iptlint.dialects.script.nft_command import NftPiece, NftState
from iptlint.dialects.script.not_understood import summary
from iptlint.dialects.script.shell import Shell
from iptlint.dialects.script.state import Run, RunningText, TooMuchError, syntax
from iptlint.dialects.script.steps import Script
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.dialects.script.tables import Tables
from iptlint.model import Ruleset
from iptlint.source import SourceFile, Span

_STARTS = ("start", "restart", "up", "load", "enable", "on", "apply", "reload")
"""What a script is taken to be called with, if it knows the word; the first it knows."""


def run_script(
    file: t.ScriptFile, start: Ruleset | None = None, files: Files | None = None
) -> Script:
    """The steps of a script, each with what it does.

    ``start`` is the firewall before it, all of it. Without one it is that of a kernel that has
    just started, and chains that the script uses and does not make are taken to be there. What
    a script does may depend on it (``iptables -C … || iptables -A …``). ``files`` are
    those of which it may read the ones that are its own.
    """
    files = (files or LocalFiles()).of_script(file.source.path)
    is_open = False
    first, late = _run(file, start, files, frozenset(), is_open)
    if not first.steps:
        # It wants something set that nobody set here; so anything may be.
        is_open = True
        first, late = _run(file, start, files, frozenset(), is_open)
    if not late:
        return first
    # Some chains are made only after commands use them: those commands fail.
    return _run(file, start, files, late, is_open)[0]


def _run(
    file: t.ScriptFile,
    start: Ruleset | None,
    files: Files,
    late: Chains,
    is_open: bool,
) -> tuple[Script, Chains]:
    source = file.source
    tables, nft = _started(source, start, files)
    run = Run(
        source,
        Environment(source.path, _arguments(file), open=is_open, assigned=assigned_in(source.text)),
        tables.copy(),
        nft,
        late,
        start is not None,
        RunningText(source),
        files,
        str(PurePosixPath(files.own_path(source.path)).parent),
    )
    run.diagnostics += [syntax(p, Span(source, p.start, p.end)) for p in file.diagnostics]
    try:
        Shell(run).execute_script(file.statements)
    except (TooMuchError, RecursionError):
        run.diagnostics.append(_too_much(source))
    used = {each for tool in run.tools.values() for each in tool.missing}
    created = {each for tool in run.tools.values() for each in tool.created}
    return _script(run, tables, nft), frozenset(used & created)


def _script(run: Run, start: Tables, start_nft: NftState) -> Script:
    commands = len(run.commands)
    not_understood = summary(run.notes, commands, run.absent)
    diagnostics = (*run.diagnostics, *(() if not_understood is None else (not_understood,)))
    doubted = {(n.span.source.path, n.span.start, n.span.end) for n in run.notes}
    return Script(
        run.main,
        tuple(run.steps),
        start,
        start_nft,
        tuple(_once(diagnostics)),
        commands,
        commands - len(doubted),
        frozenset(run.made_sets) if all(map(is_known, run.made_sets)) else None,
    )


def _started(source: SourceFile, start: Ruleset | None, files: Files) -> tuple[Tables, NftState]:
    nft = NftState(source.path, files)
    if start is None:
        return Tables(), nft
    if not start.is_nft:
        return Tables.of(start), nft
    text = start.source.text
    whole = Span(start.source, 0, len(text))
    return Tables(), nft.with_piece(NftPiece(((text, whole, True),)))


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


# -- arguments ---------------------------------------------------------------------------------


def _arguments(file: t.ScriptFile) -> tuple[str, ...]:
    """``start``, for a script that asks for it; none for one that does not."""
    known = set(_words_asked_for(file.statements, {"1"}))
    start = next((word for word in _STARTS if word in known), None)
    return () if start is None else (start,)


def _words_asked_for(statements: Sequence[t.Statement], from_first: set[str]) -> Iterator[str]:
    """What the first argument is compared with, itself or by a variable that it was put in."""
    for statement in statements:
        match statement:
            case t.Command(assignments=assignments):
                for each in assignments:
                    if _is_of(each.value, from_first):
                        from_first.add(each.name)
            case t.Case(subject, items) if _is_of(subject, from_first):
                yield from _plain_ones(word for item in items for word in item.patterns)
            case t.Test(words) if any(_is_of(word, from_first) for word in words):
                yield from _plain_ones(words)
        for body in _bodies(statement):
            yield from _words_asked_for(body, from_first)


def _bodies(statement: t.Statement) -> Iterator[Sequence[t.Statement]]:
    """The statements that it holds, as far as they are carried out where it stands."""
    match statement:
        case t.Case(_, items):
            yield from (item.body for item in items)
        case t.If(branches, otherwise):
            yield from ((*branch.condition, *branch.body) for branch in branches)
            yield otherwise or ()
        case t.Listing(first, rest):
            yield (first, *(s for _, s in rest))
        case t.Group(body) | t.While(body=body):
            yield body


def _is_of(word: t.Word | None, names: set[str]) -> bool:
    return word is not None and not names.isdisjoint(_names(word))


def _plain_ones(words: Iterable[t.Word]) -> Iterator[str]:
    return (text for word in words if (text := _plain(word)))


def _names(word: t.Word) -> set[str]:
    return {part.name for part in word.parts if isinstance(part, t.Parameter)}


def _plain(word: t.Word) -> str | None:
    texts = [part.text for part in word.parts if isinstance(part, t.Text)]
    text = "".join(texts).strip().lower()
    return text if len(texts) == len(word.parts) and re.fullmatch(r"\w+", text) else None
