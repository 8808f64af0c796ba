"""``iptlint matrix FILE…``: who reaches which service."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, streams
from iptlint.cli.budgets import Allowance, limits
from iptlint.cli.policy import hosts_of, of_hosts
from iptlint.cli.policy_files import read_policy

if TYPE_CHECKING:
    from iptlint.policy.matrix import Matrix
    from iptlint.policy.tests import PolicyFile
    from iptlint.policy.zones import Zone

_COLUMNS = 80


@click.command(name="matrix", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--tests",
    "named",
    metavar="FILE",
    help="Take zones and services from this test file; else from the rules.",
)
@click.option(
    "--to", "target", metavar="ZONE", help="Who reaches this zone through the host; else the host."
)
@click.option(
    "--output-format",
    type=click.Choice(["text", "csv", "markdown", "json", "html"]),
    default="text",
    show_default=True,
    help="How to print the table.",
)
@of_hosts
@limits
def command(
    files: tuple[str, ...],
    named: str | None,
    target: str | None,
    output_format: str,
    allowance: Allowance,
    **given: Any,
) -> int:
    """Say which zones reach which services of the hosts in the files.

    A cell is yes, no, some (from where is told below) or limited, where only a limit or a list
    that is not known decides; where hosts or families differ, it says so. The exit status is 2
    where something could not be read.
    """
    from iptlint.policy.matrix import matrix_of

    policy = read_policy(Path(named), named=True, needs_tests=False) if named is not None else None
    where = _zone(target, policy) if target is not None else None
    hosts = hosts_of(files, given, allowance)
    with allowance.for_("for the table; name fewer files, or zones with --tests"):
        matrix = matrix_of(hosts.hosts, policy, where)
    _print(matrix, output_format)
    return FAILED if hosts.unfinished else 0


def _zone(word: str, policy: PolicyFile | None) -> Zone:
    from iptlint.policy.language import Names, SentenceError, read_zone
    from iptlint.source import SourceFile

    source = SourceFile("--to", word)
    names = Names(policy.zones if policy else {}, policy.services if policy else {})
    try:
        return read_zone(source.line_span(1), names)
    except SentenceError as error:
        raise click.UsageError(f"--to: {error}") from None


def _print(matrix: Matrix, output_format: str) -> None:
    from iptlint.reports import matrix as report

    match output_format:
        case "text":
            streams.write(report.matrix_text(matrix, terminal_columns()))
        case "html":
            from iptlint.reports.html.matrix_page import matrix_html

            streams.write_utf8(matrix_html(matrix))
        case _:
            write = {
                "csv": report.matrix_csv,
                "markdown": report.matrix_markdown,
                "json": report.matrix_json,
            }[output_format]
            streams.write_utf8(write(matrix))


def terminal_columns() -> int:
    """Those of the terminal, if it is one."""
    if sys.stdout is None or not sys.stdout.isatty():
        return _COLUMNS
    return max(_COLUMNS, shutil.get_terminal_size((_COLUMNS, 24)).columns)
