"""``--cache DIR``: what was found before in the same files, with the same settings."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import streams

if TYPE_CHECKING:
    from iptlint.cli.judge import Judge
    from iptlint.linter.report import Report
    from iptlint.linter.store import Store
    from iptlint.source import SourceFile

_FORMAT = 1


def cached(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--cache",
        metavar="DIR",
        type=click.Path(file_okay=False),
        help="Keep what is found here, and look here first. [default: iptlint in the user's cache "
        "directory; none for root]",
    ),
    click.option("--no-cache", is_flag=True, help="Keep nothing, and look nowhere."),
)


def store_of(cache: str | None, *, no_cache: bool) -> Store | None:
    """Where to keep what is found; None: nowhere. Of a directory that was named it is told why it
    cannot be used."""
    if cache is not None and no_cache:
        raise click.UsageError("--cache and --no-cache ask for two different things")
    directory = Path(cache) if cache is not None else _of_the_user()
    if no_cache or directory is None:
        return None
    from iptlint.linter.store import Store, StoreError

    try:
        return Store(directory)
    except StoreError as error:
        if cache is not None:
            streams.complain(f"--cache: {cache}: {error}")
        return None


def _of_the_user() -> Path | None:
    """None for root, who looks at the files of others and leaves nothing behind."""
    if getattr(os, "geteuid", lambda: -1)() == 0:
        return None
    home = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(home):  # noqa: PTH117 - as the specification says, others are none
        home = os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(home, "iptlint") if os.path.isabs(home) else None  # noqa: PTH117


@dataclass(frozen=True, slots=True)
class Cache:
    """``store`` may be None: then nothing is known, and nothing kept."""

    judge: Judge
    store: Store | None

    def known(self, host: Sequence[SourceFile]) -> Report | None:
        """What was found in the files before; None where that is not known, or no longer so."""
        if not self._may_keep:
            return None
        from iptlint.dialects.watched_files import still_the_same
        from iptlint.linter.portable import NotPortableError, unpacked

        assert self.store is not None
        kept = self.store.get(self._key(host))
        if kept is None:
            return None
        try:
            data = json.loads(kept)
            seen = [(tuple(s), question, path, d) for s, question, path, d in data["seen"]]
            if not still_the_same(self.judge.reader.files, seen):
                return None
            return unpacked(data["report"], self._sources(host))
        except (NotPortableError, RecursionError, KeyError, TypeError, ValueError, AttributeError):
            return None  # somebody else wrote it

    def fresh(self, host: tuple[SourceFile, ...]) -> Report:
        """What is found in the files now, which is kept where nothing was left out."""
        if not self._may_keep:
            return self.judge.report(host)
        from iptlint.dialects.files import NoFiles
        from iptlint.dialects.watched_files import WatchedFiles

        reader = self.judge.reader
        if isinstance(reader.files, NoFiles):
            report = self.judge.report(host)
            self._keep(host, report, [])
            return report
        files = WatchedFiles(reader.files)
        report = replace(self.judge, reader=replace(reader, files=files)).report(host)
        for path in {finding.span.source.path for finding in report.each}:
            files.real_path(path)  # settings may be for files of that name
        self._keep(host, report, [[*key, digest] for key, digest in files.seen.items()])
        return report

    def tidy(self) -> None:
        if self.store is not None:
            self.store.forget_old()

    @property
    def _may_keep(self) -> bool:
        """What a script starts from is not told by the text of one file."""
        return self.store is not None and self.judge.reader.start is None

    def _keep(self, host: tuple[SourceFile, ...], report: Report, seen: list[Any]) -> None:
        from iptlint.linter.portable import packed

        if report.crashed or report.unfinished or self.store is None:
            return
        data = {"seen": seen, "report": packed(report, self._sources(host))}
        self.store.put(self._key(host), json.dumps(data).encode())

    def _sources(self, host: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
        return (*host, *self.judge.sets)

    def _key(self, host: Sequence[SourceFile]) -> str:
        judge = self.judge
        parts = [
            _FORMAT,
            _program(),
            str(Path.cwd()),
            os.environ.get("IPTLINT_CHECK_WITNESSES", ""),
            [repr(part) for part in judge.settings_for(host)],
            [type(judge.reader.files).__name__, *judge.reader.files.directories],
            [_text(source) for source in (*judge.sets_for(host), *judge.sets)],
            [(_text(source), os.path.realpath(source.path)) for source in host],
        ]
        return _digest(json.dumps(parts).encode())


def _text(source: SourceFile) -> tuple[str, bool, str]:
    text = source.text.encode("utf-8", "surrogatepass")
    return source.path, source.marked, _digest(text)


def _digest(data: bytes) -> str:
    from hashlib import sha256

    return sha256(data).hexdigest()


def _program() -> str:
    """This version, and a digest of when its files were written: whoever works on iptlint changes
    what it finds, and not its version."""
    import iptlint

    files = sorted(_stamps(Path(iptlint.__file__).parent))
    return f"{iptlint.__version__} {_digest(json.dumps(files).encode())}"


def _stamps(folder: Path) -> Iterator[tuple[str, int, int]]:
    for each in os.scandir(folder):
        if each.is_dir():
            if each.name != "__pycache__":
                yield from _stamps(Path(each.path))
        else:
            status = each.stat()
            yield each.path, status.st_size, status.st_mtime_ns
