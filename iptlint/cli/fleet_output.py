"""``--output-format`` of ``iptlint fleet``: rows are written as they come, to several places."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from iptlint.cli import streams

if TYPE_CHECKING:
    from iptlint.fleet.table import AskedColumns
    from iptlint.fleet.writers import Writer

Write = Callable[[Callable[["Writer"], Iterable[str]]], None]
"""Has each writer say something, and writes it where that one's text goes."""

_FORMATS = ("text", "csv", "json", "markdown", "html")


def _outputs(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str | None], ...]:
    outputs = [(name, path or None) for name, _, path in (v.partition(":") for v in values)]
    for name, _ in outputs:
        if name not in _FORMATS:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(_FORMATS)}.", ctx, param)
    if sum(path is None for _, path in outputs) > 1:
        raise click.BadParameter("two would be printed; write one to a file: html:FILE", ctx, param)
    return tuple(outputs)


output_formats = click.option(
    "--output-format",
    "outputs",
    callback=_outputs,
    multiple=True,
    default=("text",),
    metavar="FORMAT[:FILE]",
    help=f"How to answer: {', '.join(_FORMATS)}. With a file the answer is written to it. May be "
    "given again.  [default: text]",
)


@contextmanager
def writing(outputs: Iterable[tuple[str, str | None]], asked: AskedColumns) -> Iterator[Write]:
    """Files take the place of old ones when they are whole."""
    from iptlint.fleet.writers import WRITERS

    with ExitStack() as stack:
        files = [
            (WRITERS[name](asked), None if path is None else stack.enter_context(_replacing(path)))
            for name, path in outputs
        ]

        def write(say: Callable[[Writer], Iterable[str]]) -> None:
            for writer, file in files:
                for piece in say(writer):
                    (streams.write_utf8 if file is None else file.write)(piece)
            streams.finish()

        write(lambda writer: [writer.begin()])
        yield write


@contextmanager
def _replacing(path: str) -> Iterator[IO[str]]:
    from iptlint.cli.formats import replace_file

    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace", newline="") as file:
        yield file
        file.seek(0)
        try:
            replace_file(Path(path), file.read().encode("utf-8", "replace"))
        except OSError as error:
            raise click.ClickException(f"cannot write {path}: {error.strerror or error}") from None
