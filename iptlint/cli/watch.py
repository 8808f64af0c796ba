"""``--watch``: looks again whenever a file has changed that the answer rests on."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import wraps
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, INTERRUPTED, streams
from iptlint.cli.inputs import STDIN, expanded
from iptlint.cli.settings import META, TYPED

if TYPE_CHECKING:
    from iptlint.dialects import Reader

_INTERVAL = 0.3
"""Seconds. Nothing tells of changes on every system and every file system, so files are asked."""
_SETTLED = 0.1
"""Seconds without a further change: an editor may write a file in several steps."""
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"
_PATHS = ("ipsets", "starts", "baseline")
"""The parameters that name further files."""


def watching(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option, and what it does instead of the command."""

    @wraps(command)
    def watched(*, watch: bool, **given: Any) -> Any:
        if not watch:
            return command(**given)
        context = click.get_current_context()
        _refuse(given)
        args = [word for word in context.meta[TYPED] if word != "--watch"]
        return _look_again(context.command, args)

    return click.option(
        "--watch",
        is_flag=True,
        help="Look again whenever a file changes, until Ctrl-C; the exit status is that of the "
        "last look.",
    )(watched)


def noted(reader: Reader) -> Reader:
    """The reader; where somebody watches, one that notes what it reads."""
    watched = click.get_current_context().obj
    return watched.over(reader) if isinstance(watched, Watched) else reader


@dataclass(slots=True)
class Watched:
    """Which files were read. It is the ``obj`` of the context of a command that is watched."""

    paths: dict[str, None] = field(default_factory=dict)

    def over(self, reader: Reader) -> Reader:
        """The reader, with what it reads noted."""
        from iptlint.dialects.files import Through

        paths = self.paths

        class Noted(Through):
            __slots__ = ()

            def matching(self, pattern: str) -> list[str]:
                paths[pattern] = None  # a file of such a name may come to be
                return self.others.matching(pattern)

            def read(self, path: str) -> bytes:
                paths[path] = None
                return self.others.read(path)

        return replace(reader, files=Noted(reader.files))


def _refuse(given: dict[str, Any]) -> None:
    """What cannot be done again and again."""
    for name in ("fix", "diff", "write_baseline"):
        if given.get(name):
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"--watch only looks; leave out {option}")
    if STDIN in given["files"]:
        raise click.UsageError("standard input does not change; name a file to watch")


def _look_again(command: click.Command, args: Sequence[str]) -> int:
    """Runs the command with these arguments, at once and after each change."""
    status, paths = INTERRUPTED, list[str]()
    try:
        while True:
            began, before = datetime.now(), _state(paths)
            _clear()
            status, paths = _look(command, args)
            # What changed while it was looked at is looked at again.
            seen = _state(paths)
            seen |= {file: state for file, state in before.items() if file in seen}
            streams.say(f"\n{began:%H:%M:%S}: watching {_counted(seen)}; Ctrl-C ends\n")
            gc.collect()  # while nobody waits; see main
            _wait(paths, seen)
    except KeyboardInterrupt:
        streams.say("\n")
        return status


def _clear() -> None:
    if sys.stdout is not None and sys.stdout.isatty():
        streams.write(_CLEAR)


def _counted(seen: dict[str, object]) -> str:
    there = sum(state is not None for state in seen.values())
    return "1 file" if there == 1 else f"{there} files"


def _look(command: click.Command, args: Sequence[str]) -> tuple[int, list[str]]:
    """The status, and the files that it may depend on: a mistake may be mended, too."""
    watched = Watched()
    paths: list[str] = []
    try:
        context = command.make_context("iptlint check", [*args], obj=watched)
        paths = [*_named(context)]
        with context:
            status: int = command.invoke(context)
    except click.ClickException as error:
        streams.complain(error.format_message())
        paths = paths or [*args, *_configurations(args)]
        status = FAILED
    streams.finish()
    return status, [*paths, *watched.paths]


def _named(context: click.Context) -> Iterator[str]:
    yield from context.params["files"]
    yield from _configurations(context.params["files"])
    for name in _PATHS:
        value = context.params.get(name) or ()
        yield from (value,) if isinstance(value, str) else value
    configuration = context.meta[META].found
    if configuration is not None:
        yield str(configuration.path)


def _configurations(files: Iterable[str]) -> Iterator[str]:
    """Where one may come to be."""
    from iptlint.cli.configuration import OWN, SHARED

    for file in files:
        folder = Path(file) if Path(file).is_dir() else Path(file).parent
        yield from (str(folder / name) for name in (OWN, SHARED))


def _wait(paths: Sequence[str], seen: dict[str, object]) -> None:
    while _state(paths) == seen:
        time.sleep(_INTERVAL)
    while (now := _state(paths)) != seen:
        seen = now
        time.sleep(_SETTLED)


def _state(paths: Sequence[str]) -> dict[str, object]:
    """Of each file, and of those in a directory, what changes with it; None where it is not."""
    return {os.path.realpath(file): _stamp(file) for path in paths for file in _files(path)}


def _files(path: str) -> Iterator[str]:
    yield path
    if has_magic(path) and not Path(path).exists():
        yield from sorted(glob(path))  # noqa: PTH207 - patterns may be absolute
    elif Path(path).is_dir():
        yield from expanded(path)


def _stamp(path: str) -> object:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return None if Path(path).is_dir() else (status.st_mtime_ns, status.st_size, status.st_ino)
