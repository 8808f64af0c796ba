"""One file that a command is about, read; and what was wrong with it, told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iptlint.cli import options
from iptlint.cli.inputs import read_inputs

if TYPE_CHECKING:
    from iptlint.dialects import Reading
    from iptlint.model import Family


def read_one(file: str, family: Family | None) -> Reading:
    """The file's reading; a click error where it cannot be read at all."""
    from iptlint.dialects import read

    inputs = read_inputs((file,))
    if inputs.complaints:
        raise click.ClickException("; ".join(map(options.printable, inputs.complaints)))
    if len(inputs.sources) != 1:
        raise click.UsageError(f"{file} holds several firewall files; name one")
    return read(inputs.sources[0], family)


def complain(reading: Reading) -> bool:
    """Tells what could not be read, and whether there was any of it."""
    found = complaints(reading)
    for complaint in found:
        click.echo(f"iptlint: {options.printable(complaint)}", err=True)
    return bool(found)


def complaints(reading: Reading) -> list[str]:
    source = reading.ruleset.source
    return [
        f"{source.path}:{source.line_of(problem.start)}: {problem.message}"
        + (f" ({problem.help})" if problem.help else "")
        for problem in reading.problems
        if problem.severity == "error"
    ]
