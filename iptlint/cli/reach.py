"""``iptlint reach FILE``: for every rule, can a packet get here and match."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iptlint.cli import FAILED, options
from iptlint.cli.inputs import read_inputs

if TYPE_CHECKING:
    from iptlint.dialects import Reading


@click.command(name="reach", options_metavar="[OPTION…]")
@click.argument("file")
@options.output_format
@options.family
def command(file: str, output_format: str, family: str | None) -> int:
    """Say for every rule of FILE whether any packet can get there and match.

    Either with a packet that does, or with the lines that take them all. The exit status
    is 2 where a part of the file could not be read.
    """
    from iptlint.dialects import read
    from iptlint.netfilter.reach import reach
    from iptlint.reports.reach import reach_json, reach_text

    inputs = read_inputs((file,))
    readings = [read(source, options.family_of(family)) for source in inputs.sources]
    answers = [answer for reading in readings for answer in reach(reading.ruleset)]
    if output_format == "json":
        options.write_json(reach_json(answers))
    elif inputs.sources:
        options.write(reach_text(answers))
    complaints = [*inputs.complaints, *(c for reading in readings for c in _complaints(reading))]
    for complaint in complaints:
        click.echo(f"iptlint: {options.printable(complaint)}", err=True)
    return FAILED if complaints else 0


def _complaints(reading: Reading) -> list[str]:
    source = reading.ruleset.source
    return [
        f"{source.path}:{source.line_of(problem.start)}: {problem.message} ({problem.help})"
        for problem in reading.problems
        if problem.severity == "error"
    ]
