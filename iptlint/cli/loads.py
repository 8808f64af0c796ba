"""``iptlint loads FILE…``: would the tool and the kernel take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iptlint.cli import FAILED, options, streams
from iptlint.cli.inputs import Inputs, read_inputs

if TYPE_CHECKING:
    from iptlint.dialects import Reader, Reading
    from iptlint.loads.refusal import Load
    from iptlint.loads.target import Target


def _target(ctx: click.Context, param: click.Parameter, value: str | None) -> Target | None:
    from iptlint.loads.target import UnknownTargetError, target_of

    try:
        return None if value is None else target_of(value)
    except UnknownTargetError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@click.command(name="loads", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--from",
    "starts",
    multiple=True,
    metavar="FILE",
    help="What is loaded already: a file, or what `nft list ruleset` or `iptables-save` printed. "
    "May be given again. Without it nothing is, as at boot.",
)
@click.option(
    "--target",
    metavar="VERSIONS",
    callback=_target,
    help="The versions it is for: nft=1.0.6,kernel=5.10, or a distribution: debian-12. Without "
    "it nothing is said of versions.",
)
@options.output_format
@options.family
@options.includes
def command(
    files: tuple[str, ...],
    starts: tuple[str, ...],
    target: Target | None,
    output_format: str,
    family: str | None,
    include_dirs: tuple[str, ...],
    no_include: bool,
) -> int:
    """Say whether `nft -f` or `iptables-restore` would take each FILE, and why not.

    At the token, in the tool's order, with what was carried out before. The exit status is 0
    where every file is taken, 1 where one is refused, 2 where one cannot be judged.
    """
    reader = options.reader_of(family, include_dirs, no_include=no_include)
    before = _readings(_whole(read_inputs(starts)), reader)
    inputs = read_inputs(files)
    complaints = [*inputs.complaints]
    loads = _judged(_readings(inputs, reader), before, target, complaints)
    _print(loads, output_format)
    for complaint in complaints:
        streams.say(f"iptlint: {options.printable(complaint)}\n")
    return FAILED if complaints else int(any(not load.taken for load in loads))


def _whole(inputs: Inputs) -> Inputs:
    """A click error where one of them cannot be read."""
    if inputs.complaints:
        raise click.ClickException("; ".join(inputs.complaints))
    return inputs


def _readings(inputs: Inputs, reader: Reader) -> list[Reading]:
    from iptlint.dialects import read

    return [read(source, reader) for source in inputs.sources]


def _judged(
    readings: list[Reading], before: list[Reading], target: Target | None, complaints: list[str]
) -> list[Load]:
    from iptlint.loads.judges import load

    loads = []
    for reading in readings:
        judged = load(reading, before, target)
        if judged is None:
            path, dialect = reading.ruleset.source.path, reading.ruleset.dialect
            complaints.append(f"{path}: neither nft -f nor iptables-restore loads it ({dialect})")
        else:
            loads.append(judged)
    return loads


def _print(loads: list[Load], output_format: str) -> None:
    from iptlint.reports.loads import loads_json, loads_text

    if output_format == "json":
        options.write_json(loads_json(loads))
    elif loads:
        options.write(loads_text(loads))
