"""Policy tests as an editor has them open: read and judged as ``iptlint test`` would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from iptlint.cli import test
from iptlint.cli.budgets import Allowance
from iptlint.cli.inputs import read_inputs
from iptlint.cli.policy import read_hosts
from iptlint.cli.policy_files import beside, others_of

if TYPE_CHECKING:
    from iptlint.editor.desk import Document
    from iptlint.findings import Finding
    from iptlint.policy.tests import PolicyFile
    from iptlint.source import SourceFile


def read_policy(document: Document) -> PolicyFile:
    """PolicyError with all that is wrong with it."""
    from iptlint.dialects.decode import load
    from iptlint.policy.file import read_tests

    def read_list(written: str) -> SourceFile:
        return load(str(beside(Path(document.path), written, named=False)))

    return read_tests(document.text, document.path, read_list)


def failures(document: Document, policy: PolicyFile) -> list[Finding]:
    """Of the firewall beside it, as it is open, or saved; a click error where there is none."""
    from iptlint.dialects import Reader
    from iptlint.editor.open_files import OpenFiles
    from iptlint.linter.budget import Budget, Watch
    from iptlint.policy.findings import findings
    from iptlint.policy.judge import judge
    from iptlint.source import SourceFile

    path = Path(document.path)
    given = test.command.make_context("test", ["--tests", document.path]).params
    inputs = read_inputs((str(path.parent),), given["max_bytes"])
    if inputs.complaints:
        raise click.ClickException("; ".join(inputs.complaints))
    sources = tuple(
        SourceFile(each.path, document.others[each.path]) if each.path in document.others else each
        for each in inputs.sources
    )
    reader = Reader()
    reader = OpenFiles.over(reader, document.others)
    budget = Budget(given["timeout"], given["max_memory"] << 20)
    with Watch(budget, len(sources)) as watch:
        allowance = Allowance(watch, given["max_bytes"])
        hosts = read_hosts(sources, (), reader, given, allowance).hosts
        others = others_of(policy, path, hosts, reader, given["max_bytes"])
        with allowance.for_("for the tests"):
            results = [*judge(policy, hosts, others)]
    return [*findings(results, several_hosts=len(hosts) > 1)]
