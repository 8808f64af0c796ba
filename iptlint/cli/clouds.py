"""The documents of a cloud that a command line names, read and joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iptlint.cli import streams
from iptlint.cli.inputs import candidates, documents_in, read_inputs

if TYPE_CHECKING:
    from iptlint.cli.budgets import Allowance
    from iptlint.dialects import Reader, Reading
    from iptlint.source import SourceFile


def read_cloud(paths: Sequence[str], reader: Reader, allowance: Allowance) -> Reading:
    """The documents as one reading; click errors where there is none, or one cannot be opened."""
    sources = [source for path in paths for source in _sources(path, allowance.most_bytes)]
    return _read(sources, ", ".join(paths), reader, allowance)


def ask_aws(
    region: str | None, profile: str | None, reader: Reader, allowance: Allowance
) -> Reading:
    """What AWS's API says, as the same documents."""
    from iptlint.host.aws_api import CloudError, documents

    try:
        sources = documents(region, profile)
    except CloudError as error:
        raise click.ClickException(str(error)) from None
    return _read(sources, "AWS", reader, allowance)


def _read(
    sources: Sequence[SourceFile], name: str, reader: Reader, allowance: Allowance
) -> Reading:
    from iptlint.dialects.clouds import one_of

    with allowance.for_("to read the documents of the cloud"):
        readings = [*_of_clouds(sources, reader)]
    if not readings:
        what = "what `aws ec2 describe-security-groups` and the like print"
        raise click.ClickException(f"{name}: no document of a cloud ({what})")
    cut = [d for each in readings for d in each.diagnostics if d.severity == "warning"]
    if cut:
        raise click.ClickException("; ".join(f"{each.message} ({each.help})" for each in cut))
    return one_of(readings)


def is_cloud(path: str) -> bool:
    """Whether it is a directory with documents of a cloud."""
    return bool(path) and Path(path).is_dir() and any(documents_in(Path(path)))


def _sources(path: str, most_bytes: int) -> list[SourceFile]:
    named: Sequence[str] = (path,)
    if path and Path(path).is_dir():
        named = [str(file) for file in candidates(Path(path))]
    inputs = read_inputs(named, most_bytes)
    if inputs.complaints:
        raise click.ClickException("; ".join(inputs.complaints))
    return [*inputs.sources]


def _of_clouds(sources: Sequence[SourceFile], reader: Reader) -> Iterator[Reading]:
    """Those that are documents of a cloud. What else is there is named."""
    from iptlint.dialects import read
    from iptlint.dialects.clouds import is_of_cloud

    for source in sources:
        if is_of_cloud(source):
            yield read(source, reader)
        else:
            streams.complain(f"{source.path}: no document of a cloud that iptlint knows; left out")
