"""``--output-format NAME[:FILE]``: in which formats a report is written, and where to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import options, streams, terminal
from iptlint.cli.options import Output
from iptlint.reports.formats import FORMATS, PLAIN, Look, written

if TYPE_CHECKING:
    from iptlint.linter.report import Report


def _outputs(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[Output, ...]:
    try:
        return _compatible(tuple(map(_output, values)))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def _output(text: str) -> Output:
    name, colon, path = text.partition(":")
    if name not in FORMATS:
        raise ValueError(f"{name!r} is not one of {', '.join(FORMATS)}.")
    if colon and not path:
        raise ValueError(f"name the file: {name}:FILE")
    return Output(name, path or None)


def _compatible(outputs: tuple[Output, ...]) -> tuple[Output, ...]:
    printed = [output.format for output in outputs if output.path is None]
    if len(printed) > 1:
        both, one = " and ".join(printed), printed[0]
        raise ValueError(f"{both} would both be printed; write one to a file: {one}:FILE")
    paths = [os.path.realpath(output.path) for output in outputs if output.path is not None]
    if len(paths) > len({*paths}):
        raise ValueError("two formats would be written to the same file")
    return outputs


def _formats_like(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What a shell may go on with."""
    return [name for name in FORMATS if name.startswith(incomplete)]


output_formats = click.option(
    "--output-format",
    "outputs",
    callback=_outputs,
    multiple=True,
    metavar="FORMAT[:FILE]",
    default=("text",),
    shell_complete=_formats_like,
    help=f"How to answer: {', '.join(FORMATS)}. With a file (sarif:out.sarif) the answer is "
    "written to it. May be given again.  [default: text]",
)


def has_overview(asked: options.Asked) -> bool:
    """Whether a format that is asked for shows an overview of each ruleset."""
    return any(FORMATS[output.format].overview for output in asked.outputs)


Writers = Mapping[str, Callable[["Report", Look], str]]
"""What a command writes in a format, if it is not what the format's own file writes."""


def publish(
    report: Report,
    asked: options.Asked,
    instead: Writers = MappingProxyType({}),
    *,
    empty: bool = False,
) -> None:
    """Writes the report in all formats that were asked for; where it is ``empty``, as nothing
    could be read, in those that are for programs."""
    from iptlint.linter.publish import gravest_first

    report = report if asked.show_suppressed else replace(report, hidden=())
    if asked.sort == "severity":
        report = replace(report, findings=gravest_first(report.findings))
    printed = terminal.look_of(asked)
    for output in asked.outputs:
        for_people = FORMATS[output.format].for_people
        if empty and for_people:
            continue
        look = printed if output.path is None else replace(printed, **_IN_A_FILE)
        write = None if asked.statistics and for_people else instead.get(output.format)
        text = write(report, look) if write else written(output.format, report, look)
        if output.path is not None:
            _save(output.path, text)
        elif for_people:
            streams.write(text)
        else:
            streams.write_utf8(text)


_IN_A_FILE: dict[str, Any] = {"colour": False, "columns": PLAIN.columns, "links": False}


def _save(path: str, text: str) -> None:
    try:
        replace_file(Path(path), text.encode("utf-8", "replace"))
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror or error}") from None


def replace_file(path: Path, content: bytes) -> None:
    """Whoever reads the file finds all of the old text or all of the new one. A device or a pipe
    is written to."""
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    import tempfile

    target = Path(os.path.realpath(path))
    number, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        Path(name).chmod(_mode(target))
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _mode(target: Path) -> int:
    """That of the file which is there; else what a new file gets."""
    with contextlib.suppress(OSError):
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
