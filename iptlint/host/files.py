"""The files that the texts of a host may lead to: that host's own, never the analyst's."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from iptlint.dialects.decode import MAX_BYTES
from iptlint.dialects.files import DEFAULT_DIRECTORY, Files, NoFileError, is_of_kernel
from iptlint.host.gathered import Gathered
from iptlint.host.places import are_rules, is_kept_whole
from iptlint.host.tree import Tree


def files_of(gathered: Gathered) -> Files:
    """Of a host that is elsewhere, only what was gathered."""
    if gathered.root is None:
        whole = {
            p: data for p, data in gathered.files.items() if is_kept_whole(p) or are_rules(data)
        }
        return CapturedFiles(whole)
    return RootFiles(gathered.root)


@dataclass(frozen=True, slots=True)
class CapturedFiles:
    """``texts``: by their paths on the host; those of which only some lines were kept are none."""

    texts: Mapping[str, bytes]
    directories: tuple[str, ...] = (DEFAULT_DIRECTORY,)
    whereabouts: str = " in what was gathered of the host"

    def own_path(self, path: str) -> str:
        return path

    def shown_path(self, path: str) -> str:
        return path

    def real_path(self, path: str) -> str:
        return posixpath.normpath(posixpath.join("/", path))

    def matching(self, pattern: str) -> list[str]:
        parts = PurePosixPath(self.real_path(pattern)).parts
        return sorted(path for path in self.texts if _fits(PurePosixPath(path).parts, parts))

    def read(self, path: str) -> bytes:
        data = self.texts.get(self.real_path(path))
        if data is None:
            raise NoFileError("is not" + self.whereabouts)
        return data

    def of_script(self, path: str) -> Files:
        return self


def _fits(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(map(fnmatchcase, path, pattern))


@dataclass(frozen=True, slots=True)
class RootFiles:
    """The files below ``root``, as a process would find them whose root that is."""

    root: str
    directories: tuple[str, ...] = (DEFAULT_DIRECTORY,)

    @property
    def whereabouts(self) -> str:
        return f" below {self.root}" if self._prefix else ""

    @property
    def _prefix(self) -> str:
        return self.root.rstrip("/")

    def own_path(self, path: str) -> str:
        return path.removeprefix(self._prefix)

    def shown_path(self, path: str) -> str:
        return self._prefix + path

    def real_path(self, path: str) -> str:
        tree = Tree(self.root)
        real = tree.resolve(path)
        return path if real is None else f"/{real.relative_to(tree.root).as_posix()}"

    def matching(self, pattern: str) -> list[str]:
        tree = Tree(self.root)
        try:
            return [path for path in tree.find(pattern) if tree.is_regular(path)]
        except OSError:
            return []

    def read(self, path: str) -> bytes:
        if is_of_kernel(self.real_path(path)):
            raise NoFileError("is a file of the kernel")
        try:
            data = Tree(self.root).read(path, MAX_BYTES)
        except OSError as error:
            raise NoFileError(f"cannot be read: {error.strerror or error}") from None
        if data is None:
            raise NoFileError(f"is no regular file{self.whereabouts}")
        return data

    def of_script(self, path: str) -> Files:
        return self
