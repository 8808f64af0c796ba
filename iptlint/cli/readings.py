"""Files that a command is about, read; and what was wrong with them, told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from iptlint.cli import streams
from iptlint.cli.clouds import is_cloud, read_cloud
from iptlint.cli.inputs import read_inputs

if TYPE_CHECKING:
    from iptlint.cli.budgets import Allowance
    from iptlint.dialects import Reader, Reading
    from iptlint.source import SourceFile


def read_one(file: str, reader: Reader, ipsets: Sequence[str], allowance: Allowance) -> Reading:
    """The file's reading, with the sets that other files hold; a click error where one of them
    cannot be read at all. A directory with documents of a cloud is one of them."""
    if is_cloud(file):
        return read_cloud((file,), reader, allowance)
    return with_sets(source_of(file, allowance.most_bytes), reader, ipsets, allowance)


def with_sets(
    source: SourceFile, reader: Reader, ipsets: Sequence[str], allowance: Allowance
) -> Reading:
    from iptlint.dialects import read
    from iptlint.dialects.sets import read_sets, together

    texts = [source_of(file, allowance.most_bytes) for file in ipsets]
    with allowance.for_(f"to read {source.path}"):
        sets = [read_sets(text) for text in texts]
        (reading, *others), _ = together([read(source, reader), *sets])
    unread = [diagnostic for other in others for diagnostic in _errors(other)]
    if unread:
        raise click.ClickException("; ".join(unread))
    return reading


def source_of(file: str, most_bytes: int) -> SourceFile:
    inputs = read_inputs((file,), most_bytes)
    if inputs.complaints:
        raise click.ClickException("; ".join(inputs.complaints))
    if len(inputs.sources) != 1:
        raise click.UsageError(f"{file} holds several firewall files; name one")
    return inputs.sources[0]


def complain(reading: Reading) -> bool:
    """Tells what could not be read, and whether there was any of it."""
    complaints = _errors(reading)
    streams.complain(*complaints)
    return bool(complaints)


def _errors(reading: Reading) -> list[str]:
    from iptlint.model.quotes import shortened

    return [
        f"{source.path}:{source.line_of(diagnostic.start)}: {shortened(diagnostic.message)}"
        + (f" ({diagnostic.help})" if diagnostic.help else "")
        for diagnostic in reading.diagnostics
        if diagnostic.severity == "error"
        and (source := diagnostic.source or reading.ruleset.source)
    ]
