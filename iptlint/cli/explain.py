"""``iptlint explain FILE…``: the rules in plain sentences."""

from __future__ import annotations

from typing import Any

import click

from iptlint.cli import FAILED, streams
from iptlint.cli.budgets import Allowance, limits
from iptlint.cli.matrix import terminal_columns
from iptlint.cli.policy import hosts_of, of_hosts


@click.command(name="explain", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--whole", is_flag=True, help="Only what the rules do together, not chain by chain.")
@click.option(
    "--output-format",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How to print the sentences.",
)
@of_hosts
@limits
def command(
    files: tuple[str, ...], whole: bool, output_format: str, allowance: Allowance, **given: Any
) -> int:
    """Say in plain sentences what the firewall in the files does.

    First as a whole: what comes in, through and out, proved over all packets, with the lines that
    decide. Then chain by chain. The exit status is 2 where something could not be read.
    """
    from iptlint.policy.sentences import sentences_of
    from iptlint.reports import explanation as report

    hosts = hosts_of(files, given, allowance)
    with allowance.for_("to explain the rules; --whole leaves the chains out"):
        explained = [sentences_of(host, chains=not whole) for host in hosts.hosts]
    if output_format == "json":
        streams.write_utf8(report.explanation_json(explained))
    elif output_format == "markdown":
        streams.write_utf8(report.explanation_markdown(explained))
    else:
        streams.write(report.explanation_text(explained, terminal_columns()))
    return FAILED if hosts.unfinished else 0
