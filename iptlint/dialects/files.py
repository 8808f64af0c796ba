"""The files that a text may lead to: what nft includes, what a script reads.

Whoever runs iptlint is often root, and did not always write what it reads. So no reader opens a
file by itself: it asks a ``Files``, which knows which of them the text may have. What is no
regular file (a device, a pipe, a file of the kernel) is none to any of them.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path
from typing import Protocol

from iptlint.dialects.decode import MAX_BYTES

DEFAULT_DIRECTORY = "/etc"
"""What ``nft -I`` is without being told."""
# Windows has none of these.
_NOFOLLOW, _NONBLOCK, _CLOEXEC = (
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC")
)
_KERNELS = ("/proc", "/sys", "/dev")
"""Below them even a regular file may wait for something, or hold secrets of a process."""


class NoFileError(Exception):
    """There is no such file for this text. The reason ends the sentence "FILE …"."""


class FileTooLongError(NoFileError):
    """The file is there, and longer than anything that is read."""


class Files(Protocol):
    """Paths are those that the text uses, which need not be this machine's."""

    @property
    def directories(self) -> tuple[str, ...]:
        """Where a name is looked for that is not beside the text (``nft -I``)."""

    @property
    def whereabouts(self) -> str:
        """What ends the sentence "There is no file X": `` below /srv/image``."""

    def own_path(self, path: str) -> str:
        """What the text calls the file that is shown to people as ``path``."""

    def shown_path(self, path: str) -> str:
        """The other way round."""

    def real_path(self, path: str) -> str:
        """The same for two names of one file."""

    def matching(self, pattern: str) -> list[str]:
        """The regular files that the name or pattern stands for, in order."""

    def read(self, path: str) -> bytes:
        """What is in the file; NoFileError where it may not be had."""

    def of_script(self, path: str) -> Files:
        """The files that a script which is shown as ``path`` may read."""


@dataclass(frozen=True, slots=True)
class SameFiles(Files):
    """What answers as other files do, save where a kind of it says otherwise."""

    files: Files

    @property
    def directories(self) -> tuple[str, ...]:
        return self.files.directories

    @property
    def whereabouts(self) -> str:
        return self.files.whereabouts

    def own_path(self, path: str) -> str:
        return self.files.own_path(path)

    def shown_path(self, path: str) -> str:
        return self.files.shown_path(path)

    def real_path(self, path: str) -> str:
        return self.files.real_path(path)

    def matching(self, pattern: str) -> list[str]:
        return self.files.matching(pattern)

    def read(self, path: str) -> bytes:
        return self.files.read(path)

    def of_script(self, path: str) -> Files:
        return self.files.of_script(path)


@dataclass(frozen=True, slots=True)
class _OfThisMachine:
    given: tuple[str, ...] = ()
    """The directories that the user named."""

    @property
    def directories(self) -> tuple[str, ...]:
        return (*self.given, DEFAULT_DIRECTORY)

    @property
    def whereabouts(self) -> str:
        return ""

    def own_path(self, path: str) -> str:
        return path

    def shown_path(self, path: str) -> str:
        return path

    def real_path(self, path: str) -> str:
        return Path(os.path.realpath(path)).as_posix()


class LocalFiles(_OfThisMachine):
    """Any file of this machine, as nft itself would include it."""

    def matching(self, pattern: str) -> list[str]:
        paths = glob(pattern)  # noqa: PTH207 - patterns may be absolute
        return sorted(path for path in paths if _is_regular(path))

    def read(self, path: str) -> bytes:
        return read_regular(path)

    def of_script(self, path: str) -> Files:
        beside = (str(Path(path).parent),) if Path(path).is_file() else ()
        return FilesBelow((*beside, *self.given))


class FilesBelow(_OfThisMachine):
    """The files below the directories. A link in one of them that leads out is no file, and a
    hidden file holds settings of people and programs, not rules."""

    @property
    def directories(self) -> tuple[str, ...]:
        return self.given

    def matching(self, pattern: str) -> list[str]:
        return [path for path in LocalFiles().matching(pattern) if self._holds(path)]

    def read(self, path: str) -> bytes:
        if not self._holds(path):
            raise NoFileError("is not below the directory of the script")
        return read_regular(path)

    def of_script(self, path: str) -> Files:
        return self

    def _holds(self, path: str) -> bool:
        real = Path(os.path.realpath(path))
        tops = map(os.path.realpath, self.given)
        return any(
            real.is_relative_to(top) and not _is_hidden(real.relative_to(top)) for top in tops
        )


class NoFiles(_OfThisMachine):
    """Nothing but the text itself."""

    def matching(self, pattern: str) -> list[str]:
        return []

    def read(self, path: str) -> bytes:
        raise NoFileError("is not read (--no-include)")

    def of_script(self, path: str) -> Files:
        return self


@dataclass(frozen=True, slots=True)
class Through:
    """Those of others, for who has something to add to what they say."""

    others: Files

    @property
    def directories(self) -> tuple[str, ...]:
        return self.others.directories

    @property
    def whereabouts(self) -> str:
        return self.others.whereabouts

    def own_path(self, path: str) -> str:
        return self.others.own_path(path)

    def shown_path(self, path: str) -> str:
        return self.others.shown_path(path)

    def real_path(self, path: str) -> str:
        return self.others.real_path(path)

    def matching(self, pattern: str) -> list[str]:
        return self.others.matching(pattern)

    def read(self, path: str) -> bytes:
        return self.others.read(path)

    def of_script(self, path: str) -> Files:
        return replace(self, others=self.others.of_script(path))


def read_regular(path: str) -> bytes:
    """What is in a regular file of this machine that is not the kernel's."""
    real = os.path.realpath(path)
    if is_of_kernel(real):
        raise NoFileError("is a file of the kernel")
    try:
        # In the meantime it may have become a link, or a pipe, which would wait for a writer.
        descriptor = os.open(real, os.O_RDONLY | _NOFOLLOW | _NONBLOCK | _CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NoFileError("is no regular file")
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise NoFileError(f"cannot be read: {reason or error}") from None
    if len(data) > MAX_BYTES:
        raise FileTooLongError(f"is longer than {MAX_BYTES >> 20} MiB")
    return data


def is_of_kernel(path: str) -> bool:
    return any(Path(path).is_relative_to(directory) for directory in _KERNELS)


def _is_regular(path: str) -> bool:
    real = os.path.realpath(path)
    return Path(real).is_file() and not is_of_kernel(real)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
