"""Files that a command is about, read; and what was wrong with them, told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from iptlint.cli import options, streams
from iptlint.cli.inputs import read_inputs

if TYPE_CHECKING:
    from iptlint.dialects import Reader, Reading
    from iptlint.source import SourceFile


def read_one(file: str, reader: Reader, ipsets: Sequence[str] = ()) -> Reading:
    """The file's reading, with the sets that other files hold; a click error where one of them
    cannot be read at all."""
    return with_sets(source_of(file), reader, ipsets)


def with_sets(source: SourceFile, reader: Reader, ipsets: Sequence[str]) -> Reading:
    from iptlint.dialects import read
    from iptlint.dialects.sets import read_sets, together

    sets = [read_sets(source_of(file)) for file in ipsets]
    (reading, *others), _ = together([read(source, reader), *sets])
    unread = [diagnostic for other in others for diagnostic in _errors(other)]
    if unread:
        raise click.ClickException("; ".join(unread))
    return reading


def source_of(file: str) -> SourceFile:
    inputs = read_inputs((file,))
    if inputs.complaints:
        raise click.ClickException("; ".join(inputs.complaints))
    if len(inputs.sources) != 1:
        raise click.UsageError(f"{file} holds several firewall files; name one")
    return inputs.sources[0]


def complain(reading: Reading) -> bool:
    """Tells what could not be read, and whether there was any of it."""
    complaints = _errors(reading)
    for complaint in complaints:
        streams.say(f"iptlint: {options.printable(complaint)}\n")
    return bool(complaints)


def _errors(reading: Reading) -> list[str]:
    return [
        f"{source.path}:{source.line_of(diagnostic.start)}: {diagnostic.message}"
        + (f" ({diagnostic.help})" if diagnostic.help else "")
        for diagnostic in reading.diagnostics
        if diagnostic.severity == "error"
        and (source := diagnostic.source or reading.ruleset.source)
    ]
