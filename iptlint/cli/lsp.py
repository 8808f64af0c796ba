"""``iptlint lsp``: a language server on standard input and output."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import check, options, scripts
from iptlint.cli.baseline import without_known
from iptlint.cli.inputs import Inputs, read_inputs, twins
from iptlint.cli.judge import Judge
from iptlint.cli.settings import META

if TYPE_CHECKING:
    from iptlint.editor.desk import Document, Host
    from iptlint.findings import Finding
    from iptlint.fixes.proof import State
    from iptlint.linter.report import Report
    from iptlint.policy.tests import PolicyFile


@click.command(name="lsp", options_metavar="[OPTION…]")
@click.option("--stdio", is_flag=True, help="What is spoken on in any case; editors may say it.")
def command(stdio: bool) -> int:
    """Speak to an editor: findings as one types, what reaches a line, fixes that are proved.

    Editors start it by themselves; docs/editors.md says how they are told to. It speaks the
    language server protocol on standard input and output.
    """
    try:
        from iptlint.editor.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise click.ClickException(
            "the language server needs pygls, which is not installed: pip install 'iptlint[editor]'"
        ) from None
    if hasattr(signal, "SIGPIPE"):
        # A worker that is gone is an answer that there is not, and no end.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # What anything else prints must not get between the messages.
    spoken = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(spoken, "wb") as out:
        serve(ConfiguredDesk, sys.stdin.buffer, out)
    return 0


class ConfiguredDesk:
    """Looks at a document as ``iptlint --twins FILE`` would, were everything saved that is open."""

    def host(self, document: Document) -> Host:
        from iptlint.editor.desk import DeskError

        try:
            return _host(document)
        except click.ClickException as error:
            raise DeskError(error.format_message()) from None

    def policy(self, document: Document) -> PolicyFile:
        from iptlint.cli.lsp_tests import read_policy

        return read_policy(document)

    def failures(self, document: Document, policy: PolicyFile) -> list[Finding]:
        from iptlint.cli.lsp_tests import failures
        from iptlint.editor.desk import DeskError

        try:
            return failures(document, policy)
        except click.ClickException as error:
            raise DeskError(error.format_message()) from None


def _host(document: Document) -> Host:
    from iptlint.editor.desk import Host
    from iptlint.editor.open_files import OpenFiles
    from iptlint.rules.registry import Profile, selected

    context = check.command.make_context("check", ["--", document.path])
    given = {**context.params, "overrides": context.meta[META].overrides}
    asked = options.Asked.of({**given, "budget": options.budget_of(given), "outputs": ()})
    inputs = _inputs(document, given)
    sets = read_inputs(given["ipsets"], given["max_bytes"])
    reader = options.reader_of(given)
    reader = OpenFiles.over(reader, document.others)
    reader = scripts.script_reader(reader, given)
    if sets.complaints:
        raise click.ClickException("; ".join(sets.complaints))
    look = _Look(asked, given)
    early = selected(asked.select, asked.ignore, Profile(asked.profile))
    first = tuple(code for code in early if _is_told_by_reading(code))
    every = tuple({*selected((), (), Profile(asked.profile)), *early})
    return Host(
        inputs.sources,
        sets.sources,
        reader,
        asked.budget,
        look.with_rules(first) if first else _nothing,
        look,
        look.with_rules(every) if asked.select or asked.ignore else look,
    )


def _is_told_by_reading(code: str) -> bool:
    """What is about comments asks what all the other rules find."""
    from iptlint.rules.meta import Group
    from iptlint.rules.registry import rule_of

    rule = rule_of(code)
    return rule.meta.group is Group.READING and rule.check_comments is None


def _nothing(_: State) -> Report:
    from iptlint.linter.report import Report

    return Report((), (), 0, crashed=False)


@dataclass(frozen=True, slots=True)
class _Look:
    asked: options.Asked
    given: Mapping[str, Any]

    def __call__(self, state: State) -> Report:
        judge = Judge(
            state.reader,
            state.ipsets,
            self.asked,
            self.given["overrides"],
            self.given["max_bytes"],
        )
        return without_known(judge.report(state.sources), self.given["baseline"])

    def with_rules(self, codes: tuple[str, ...]) -> _Look:
        return replace(self, asked=replace(self.asked, select=codes, ignore=()))


def _inputs(document: Document, given: Mapping[str, Any]) -> Inputs:
    """The document, and what is beside it of the same host: as it is open, or as it is saved."""
    from iptlint.source import SourceFile

    texts = {**document.others, document.path: document.text}
    beside = [str(path) for path in twins(Path(document.path))]
    opened = [SourceFile(path, texts[path]) for path in (document.path, *beside) if path in texts]
    saved = [path for path in beside if path not in texts and Path(path).is_file()]
    inputs = read_inputs(saved, given["max_bytes"])
    return Inputs((*opened, *inputs.sources), inputs.complaints)
