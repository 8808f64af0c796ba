"""Reading below a root directory, never outside of it, whatever its links say."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

from iptlint.host.places import CROWD

_MOST_LINKS = 40  # as in the kernel
_PIECE = 2**16


class Tree:
    """``root``: where the host's ``/`` is here. Paths are the host's own, from its ``/``.

    OSError where something may not be read; what is not there is None, or left out.
    """

    def __init__(self, root: str) -> None:
        self.root = Path(root).resolve()

    def find(self, pattern: str) -> Iterator[str]:
        """The paths that fit, in order; ``*``, ``?`` and ``[…]`` stand for characters of one
        part."""
        paths = [""]
        for part in _parts(pattern)[::-1]:
            if any(character in part for character in "*?["):
                paths = [f"{path}/{name}" for path in paths for name in self._names(path, part)]
            else:
                paths = [f"{path}/{part}" for path in paths]
        for path in paths:
            place = self._place(path)
            if place is not None and _is_there(place):
                yield path

    def _names(self, path: str, pattern: str) -> list[str]:
        real = self.resolve(path or "/")
        if real is None or not real.is_dir():
            return []
        names = (entry.name for entry in real.iterdir() if not entry.name.startswith("."))
        return sorted(islice((name for name in names if fnmatchcase(name, pattern)), CROWD))

    def read(self, path: str, most: int) -> bytes | None:
        """What is in a regular file that is no longer than ``most``."""
        real = self.resolve(path)
        if real is None or not stat.S_ISREG(real.lstat().st_mode):
            return None
        # In the meantime it may have become a pipe, which would wait for a writer.
        opened = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(opened, "rb") as file:
            # Files of the kernel are not read in one large piece.
            pieces = iter(lambda: file.read(_PIECE), b"")
            data = b"".join(islice(pieces, most // _PIECE + 1))
        return data if len(data) <= most else None

    def is_regular(self, path: str) -> bool:
        real = self.resolve(path)
        return real is not None and stat.S_ISREG(real.lstat().st_mode)

    def is_executable(self, path: str) -> bool:
        real = self.resolve(path)
        return real is not None and real.lstat().st_mode & 0o111 != 0

    def link(self, path: str) -> str | None:
        place = self._place(path)
        return str(place.readlink()) if place is not None and place.is_symlink() else None

    def resolve(self, path: str) -> Path | None:
        """Where the file is here, as a process whose root this is would find it."""
        left, done, links = _parts(path), list[str](), 0
        while left:
            part = left.pop()
            if part == "..":
                del done[-1:]
                continue
            place = self.root.joinpath(*done, part)
            if not _is_there(place):
                return None
            if not place.is_symlink():
                done.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                return None
            target = str(place.readlink())
            if target.startswith("/"):
                done = []
            left += _parts(target)
        return self.root.joinpath(*done)

    def _place(self, path: str) -> Path | None:
        """Where the path itself is, which may be a link."""
        parent, _, name = path.rpartition("/")
        real = self.resolve(parent or "/")
        return real / name if real is not None else None


def _is_there(path: Path) -> bool:
    """Also a link that leads nowhere. PermissionError where that cannot be known."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _parts(path: str) -> list[str]:
    """The last first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
