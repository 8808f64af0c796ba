"""What the command line says of a script: how the firewall is before it, and what it is called
with."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from iptlint.dialects import Reader, Reading


def _arguments(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    try:
        return None if value is None else tuple(shlex.split(value))
    except ValueError as error:
        raise click.BadParameter(f"{value!r}: {error}", ctx, param) from None


def script_options(command: Callable[..., Any]) -> Callable[..., Any]:
    return _starts(_script_args(command))


_starts = click.option(
    "--from",
    "starts",
    multiple=True,
    metavar="FILE",
    help="How the firewall is before a script runs: rules.v4, or what `iptables-save` or "
    "`nft list ruleset` printed; given again, rules.v6 too. Nothing is said of a family that "
    "is in none of them. Without it, accept-all and empty.",
)
_script_args = click.option(
    "--script-args",
    "arguments",
    callback=_arguments,
    metavar="WORDS",
    help="What a script is called with: stop, or 'start eth0'. Else start, where it knows that.",
)


def with_scripts(reader: Reader, given: Mapping[str, Any]) -> tuple[Reader, tuple[str, ...]]:
    """The reader for scripts that run so, by the values of ``script_options``; and what to complain
    of."""
    starts: tuple[str, ...] = given["starts"]
    reader = replace(reader, arguments=given["arguments"])
    if not starts:
        return reader, ()
    readings, complaints = _read(starts, replace(reader, family=None))
    complaints += tuple(_unusable(readings))
    if not readings:
        return reader, complaints
    first = readings[0].ruleset
    tables = tuple(table for reading in readings for table in reading.ruleset.tables)
    return replace(reader, start=replace(first, tables=tables)), complaints


def script_reader(reader: Reader, given: Mapping[str, Any]) -> Reader:
    """The same for a command that cannot do without."""
    reader, complaints = with_scripts(reader, given)
    if complaints:
        raise click.ClickException("; ".join(complaints))
    return reader


def _read(starts: Sequence[str], reader: Reader) -> tuple[list[Reading], tuple[str, ...]]:
    from iptlint.cli.inputs import read_inputs
    from iptlint.dialects import read

    inputs = read_inputs(starts)
    return [read(source, reader) for source in inputs.sources], inputs.complaints


def _unusable(readings: Sequence[Reading]) -> Iterator[str]:
    for number, reading in enumerate(readings):
        path = reading.ruleset.source.path
        errors = (p.message for p in reading.diagnostics if p.severity == "error")
        yield from (f"{path}: {message}" for message in [*errors][:1])
        for other in readings[:number]:
            if other.ruleset.is_nft or reading.ruleset.is_nft:
                yield f"{path}: what `nft list ruleset` printed is all there is; name it alone"
            elif set(other.ruleset.families) & set(reading.ruleset.families):
                yield f"{path}: it is for the same family as {other.ruleset.source.path}"
