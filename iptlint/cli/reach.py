"""``iptlint reach FILE``: for every rule, can a packet get here and match."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iptlint.cli import FAILED, options
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
def command(
    file: str,
    host_addresses: tuple[IPv4Network | IPv6Network, ...],
    output_format: str,
    family: str | None,
    ipsets: tuple[str, ...],
    include_dirs: tuple[str, ...],
    no_include: bool,
    starts: tuple[str, ...],
    arguments: tuple[str, ...] | None,
) -> int:
    """Say for every rule of FILE whether any packet can get there and match.

    Either with a packet that does, or with the lines that take them all. The exit status
    is 2 where a part of the file could not be read.
    """
    from iptlint.analysis.reach import reach
    from iptlint.model.host_addresses import with_own
    from iptlint.reports.reach import reach_json, reach_text

    reader = options.reader_of(family, include_dirs, no_include=no_include)
    reading = read_one(file, script_reader(reader, starts, arguments), ipsets)
    addresses = with_own(host_addresses, reading.ruleset) if host_addresses else None
    answers = list(reach(reading.ruleset, addresses))
    if output_format == "json":
        options.write_json(reach_json(answers))
    else:
        options.write(reach_text(answers))
    return FAILED if complain(reading) else 0
