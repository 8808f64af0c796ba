"""``iptlint loads FILE…``: would the tool and the kernel take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, options, streams
from iptlint.cli.budgets import Allowance, CutShortError, limits
from iptlint.cli.inputs import Inputs, read_inputs

if TYPE_CHECKING:
    from iptlint.dialects import Reader, Reading
    from iptlint.loads.refusal import Load
    from iptlint.loads.target import Target
    from iptlint.source import SourceFile


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
@limits
def command(
    files: tuple[str, ...],
    starts: tuple[str, ...],
    target: Target | None,
    output_format: str,
    allowance: Allowance,
    **given: Any,
) -> int:
    """Say whether `nft -f` or `iptables-restore` would take each FILE, and why not.

    At the token, in the tool's order, with what was carried out before. The exit status is 0
    where every file is taken, 1 where one is refused, 2 where one cannot be judged.
    """
    from iptlint.dialects import read

    reader = options.reader_of(given)
    starting = _whole(read_inputs(starts, allowance.most_bytes))
    with allowance.for_("to read what is loaded already"):
        before = [read(source, reader) for source in starting.sources]
    inputs = read_inputs(files, allowance.most_bytes)
    complaints = [*inputs.complaints]
    judge = _Judge(reader, before, target, complaints, allowance)
    loads = [load for source in inputs.sources if (load := judge.judged(source)) is not None]
    _print(loads, output_format)
    streams.complain(*complaints)
    return FAILED if complaints else int(any(not load.taken for load in loads))


def _whole(inputs: Inputs) -> Inputs:
    """A click error where one of them cannot be read."""
    if inputs.complaints:
        raise click.ClickException("; ".join(inputs.complaints))
    return inputs


@dataclass(slots=True)
class _Judge:
    """One file after another, each read and asked about; ``complaints``: those that could not
    be."""

    reader: Reader
    before: list[Reading]
    target: Target | None
    complaints: list[str]
    allowance: Allowance

    def judged(self, source: SourceFile) -> Load | None:
        from iptlint.dialects import read
        from iptlint.loads.judges import load, unjudged

        try:
            with self.allowance.for_(f"to judge {source.path}"):
                reading = read(source, self.reader)
                judged = load(reading, self.before, self.target)
        except CutShortError as error:
            self.complaints.append(error.message)
            return None
        if judged is None:
            self.complaints.append(f"{source.path}: {unjudged(reading)}")
        return judged


def _print(loads: list[Load], output_format: str) -> None:
    from iptlint.reports.loads import loads_json, loads_text

    if output_format == "json":
        streams.write_utf8(loads_json(loads))
    elif loads:
        streams.write(loads_text(loads))
