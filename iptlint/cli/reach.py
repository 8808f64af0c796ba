"""``iptlint reach FILE``: for every rule, can a packet get here and match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, options, streams, terminal
from iptlint.cli.budgets import Allowance, limits
from iptlint.cli.readings import complain, read_one
from iptlint.cli.scripts import script_options, script_reader

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


@click.command(name="reach", options_metavar="[OPTION…]")
@click.argument("file")
@options.host_addresses
@options.output_format
@options.family
@options.ipsets
@options.includes
@script_options
@limits
def command(
    file: str,
    host_addresses: tuple[IPv4Network | IPv6Network, ...],
    output_format: str,
    ipsets: tuple[str, ...],
    allowance: Allowance,
    **given: Any,
) -> int:
    """Say for every rule of FILE whether any packet can get there and match.

    Either with a packet that does, or with the lines that take them all. The exit status
    is 2 where a part of the file could not be read, or rules were left out for want of time.
    """
    from iptlint.analysis.bridge_ports import not_followed
    from iptlint.analysis.reach import reach
    from iptlint.model.host_addresses import with_own
    from iptlint.reports.formats import PLAIN
    from iptlint.reports.reach import reach_json, reach_text

    reader = script_reader(options.reader_of(given), given)
    reading = read_one(file, reader, ipsets, allowance)
    addresses = with_own(host_addresses, reading.ruleset) if host_addresses else None
    rules = sum(len([*table.statements()]) for table in reading.ruleset.tables)
    answers = allowance.as_many(
        reach(reading.ruleset, addresses),
        lambda known: f"{known} of {rules} rules of {file} were looked at",
    )
    notes = not_followed(reading.ruleset)
    if output_format == "json":
        streams.write_utf8(reach_json(answers, notes))
    else:
        columns = terminal.fitted(PLAIN).columns
        streams.write(reach_text(answers, notes, columns))
    unread, is_cut = complain(reading), allowance.complain()
    return FAILED if unread or is_cut else 0
