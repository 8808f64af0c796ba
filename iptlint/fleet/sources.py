"""Where the hosts of a fleet are had from: a folder of captures, or ssh."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from iptlint.fleet.inventory import Target
from iptlint.fleet.likeness import still
from iptlint.fleet.rows import Taken
from iptlint.host.archive import ArchiveError, load, save
from iptlint.host.gathered import Gathered
from iptlint.host.remote import RemoteError, gather_remote
from iptlint.workers import DiedError, Workers

ENDINGS = (".tar.gz", ".tgz")


@dataclass(frozen=True, slots=True)
class Folder:
    """Captures, as ``iptlint live --save`` writes them, below a folder. A link is followed only
    where it stays below it."""

    path: Path

    def names(self) -> list[str]:
        """Of the hosts: their files without the ending."""
        top = self.path.resolve()
        files = (Path(at, name) for at, _, files in os.walk(self.path) for name in files)
        captures = (file for file in files if file.name.endswith(ENDINGS))
        inside = (file for file in captures if file.resolve().is_relative_to(top))
        return sorted({_bare(file.relative_to(self.path).as_posix()) for file in inside})

    def file(self, name: str) -> Path | None:
        files = (self.path / f"{name}{ending}" for ending in ENDINGS)
        return next((file for file in files if file.is_file()), None)

    def load(self, name: str) -> Gathered | None:
        """None where there is no such file; ArchiveError or OSError where it is no capture."""
        file = self.file(name)
        return None if file is None else load(str(file))


def _bare(name: str) -> str:
    return next(name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending))


def from_folder(folder: Folder, names: Iterable[str], since: Folder | None) -> Iterator[Taken]:
    for name in names:
        try:
            gathered = folder.load(name)
        except (ArchiveError, OSError) as error:
            yield Taken(name, None, _told(error))
            continue
        if gathered is None:
            yield Taken(name, None, "its file is gone")
        else:
            yield _with_before(Taken(name, gathered), since)


def _told(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)


def _with_before(taken: Taken, since: Folder | None) -> Taken:
    try:
        before = since.load(taken.name) if since is not None else None
        return replace(taken, before=before and still(before))
    except (ArchiveError, OSError) as error:
        return replace(taken, unreadable=_told(error))


def over_ssh(
    targets: Sequence[Target],
    connections: int,
    since: Folder | None,
    kept: Path | None = None,
    tick: Callable[[int], None] | None = None,
) -> Iterator[Taken]:
    """``kept``: a folder to which what was gathered is written."""

    def work(task: bytes) -> bytes:
        target = targets[int(task)]
        try:
            gathered = gather_remote(target.destination, target.port)
            if kept is not None:
                save(gathered, str(kept / f"{target.name}.tar.gz"))
            return pickle.dumps(gathered)
        except RemoteError as error:
            return pickle.dumps(str(error))
        except OSError as error:
            return pickle.dumps(f"its capture cannot be written: {_told(error)}")

    with Workers(work, connections, tick) as workers:
        answers = workers.answers(str(number).encode() for number in range(len(targets)))
        for target, answer in zip(targets, answers, strict=True):
            got = str(answer) if isinstance(answer, DiedError) else pickle.loads(answer or b"")
            if isinstance(got, Gathered):
                yield _with_before(Taken(target.name, got), since)
            else:
                yield Taken(target.name, None, str(got))
