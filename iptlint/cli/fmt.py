"""``iptlint fmt FILE…``: files in the layout of the tools that print them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, options, streams
from iptlint.cli.budgets import Allowance, CutShortError, limits
from iptlint.cli.inputs import STDIN, read_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iptlint.convert.formatting import Formatted
    from iptlint.dialects import Reader
    from iptlint.source import SourceFile

CHANGES = 1


@click.command(name="fmt", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--check", is_flag=True, help="Change nothing; name the files that would change.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
@options.output_format
@options.family
@options.includes
@limits
def command(
    files: tuple[str, ...],
    check: bool,
    diff: bool,
    output_format: str,
    allowance: Allowance,
    **given: Any,
) -> int:
    """Lay each FILE out as `nft list ruleset` or `iptables-save` would.

    Words, comments, variables and includes stay. Each new text is read again, and written only if
    it says the same; of several files all are written or none. The exit status is 0, with --check
    and --diff 1 where a file would change, 2 where one cannot be laid out.
    """
    reader = options.reader_of(given)
    inputs = read_inputs(files, allowance.most_bytes)
    complaints = [*inputs.complaints]
    done = []
    for source in inputs.sources:
        try:
            with allowance.for_(f"to lay {source.path} out"):
                done.append(_formatted(source, reader))
        except CutShortError as error:
            complaints.append(error.message)
    complaints += [f"{each.old.path}: {each.refused}" for each in done if each.refused]
    changed = [each for each in done if each.changed]
    not_written: list[str] = []
    if diff:
        _show(changed)
    elif not check:
        not_written = _write(done, to_stdout=output_format == "text")
    complaints += not_written
    _tell(done, complaints, output_format, written=not (check or diff or not_written))
    if complaints:
        return FAILED
    return CHANGES if changed and (check or diff) else 0


def _formatted(source: SourceFile, reader: Reader) -> Formatted:
    from iptlint.convert.formatting import formatted

    return formatted(source, reader)


def _show(changed: Sequence[Formatted]) -> None:
    from iptlint.reports.fixes import unified_diff

    streams.write(unified_diff([(each.old, each.new) for each in changed]))


def _write(done: Sequence[Formatted], *, to_stdout: bool) -> list[str]:
    """Standard input goes to standard output; files are replaced. What went wrong."""
    from iptlint.fixes.write import NotWrittenError, write_all

    for each in done:
        if each.old.path == STDIN and to_stdout:
            streams.write_utf8(each.new.text)
    try:
        write_all([(e.old, e.new) for e in done if e.changed and e.old.path != STDIN])
    except NotWrittenError as error:
        return [str(error)]
    return []


def _tell(
    done: Sequence[Formatted], complaints: Sequence[str], output_format: str, *, written: bool
) -> None:
    from iptlint.reports.formatting import formatting_json, formatting_text

    if output_format == "json":
        streams.write_utf8(formatting_json(done, complaints))
        return
    named = [each for each in done if each.old.path != STDIN]
    streams.say(formatting_text(named, written=written))
    streams.complain(*complaints)
