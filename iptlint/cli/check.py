"""``iptlint check FILE…``: what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

import click

from iptlint.cli import FAILED, options, streams
from iptlint.cli.inputs import host_archive, read_inputs
from iptlint.cli.scripts import script_options, with_scripts

if TYPE_CHECKING:
    from iptlint.cli.inputs import Inputs
    from iptlint.dialects import Reader
    from iptlint.linter.budget import Budget
    from iptlint.linter.report import Report


@click.command(name="check", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@options.output_format
@options.comma_list("--select", str, help="Only these rules: IPT101,IPT5,rule-name.")
@options.comma_list("--ignore", str, help="Not these rules.")
@click.option(
    "--profile",
    type=click.Choice(options.PROFILES),
    default="default",
    show_default=True,
    help="Which rules run where none is selected: strict adds what few want to know; cis is what "
    "the CIS benchmarks ask for, with a table of their items.",
)
@click.option(
    "--fail-on",
    type=click.Choice(options.THRESHOLDS),
    default="warning",
    show_default=True,
    help="The mildest severity that makes the exit status 1.",
)
@options.family
@options.ipsets
@options.includes
@script_options
@options.comma_list("--ssh-ports", options.port, help="Where sshd listens (22).")
@options.comma_list(
    "--management-networks",
    options.network,
    help="From where the host is managed: 10.0.0.0/8,fd00::/8.",
)
@options.limits
def command(
    files: tuple[str, ...],
    output_format: str,
    select: Sequence[str],
    ignore: Sequence[str],
    profile: str,
    fail_on: str,
    family: str | None,
    ipsets: tuple[str, ...],
    include_dirs: tuple[str, ...],
    no_include: bool,
    starts: tuple[str, ...],
    arguments: tuple[str, ...] | None,
    ssh_ports: tuple[int, ...],
    management_networks: tuple[IPv4Network | IPv6Network, ...],
    timeout: float,
    max_memory: int,
    max_findings: int,
    max_bytes: int,
) -> int:
    """Say what is wrong with the firewall in the files.

    All files are taken together, so name rules.v4, rules.v6 and ipsets of a host at once. `-` is
    standard input; a directory is searched for the names that people use.
    """
    asked = options.Asked(
        output_format, select, ignore, profile, fail_on, ssh_ports, management_networks
    )
    if (archive := host_archive(files)) is not None:
        from iptlint.cli.live import lint_archive

        return lint_archive(archive, asked)
    inputs, sets = read_inputs(files, max_bytes), read_inputs(ipsets, max_bytes)
    reader = options.reader_of(family, include_dirs, no_include=no_include)
    reader, unread = with_scripts(reader, starts, arguments)
    complaints = (*inputs.complaints, *sets.complaints, *unread)
    for complaint in complaints:
        streams.say(f"iptlint: {options.printable(complaint)}\n")
    from iptlint.linter.budget import Budget

    budget = Budget(timeout, max_memory << 20, max_findings)
    report = _linted(inputs, sets, reader, asked, budget)
    if inputs.sources or output_format == "json":
        _print(report, output_format)
    return FAILED if complaints or report.crashed else options.failing(report, fail_on)


def _linted(
    inputs: Inputs, sets: Inputs, reader: Reader, asked: options.Asked, budget: Budget
) -> Report:
    from iptlint.analysis.session import Settings
    from iptlint.linter.run import lint
    from iptlint.rules.registry import Profile, UnknownRuleError

    settings = Settings(asked.ssh_ports or (22,), asked.management_networks)
    profile = Profile(asked.profile)
    try:
        return lint(
            inputs.sources,
            settings,
            asked.select,
            asked.ignore,
            reader,
            sets.sources,
            profile,
            budget=budget,
        )
    except UnknownRuleError as error:
        raise click.UsageError(str(error)) from None


def _print(report: Report, output_format: str) -> None:
    if output_format == "json":
        from iptlint.reports.json_report import json_report

        options.write_json(json_report(report))
    else:
        from iptlint.reports.text import text_report

        options.write(text_report(report, colour=options.use_colour()))
