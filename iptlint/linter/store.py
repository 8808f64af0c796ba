"""Answers kept in a directory, each in a file that is called as the hash of its question.

Whoever may write there could say that all is well, so only a directory and files that belong to
this user, and that nobody else may write to, are believed. A file that was cut short or changed is
none: its first line is the hash of the rest.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

_MOST_BYTES = 64 << 20
"""Of one answer; a longer one is not kept."""
_MOST_FILES = 4000
_KEPT_FILES = 3000
_ENDING = ".answer"
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class StoreError(Exception):
    """The directory may not be used; the text ends the sentence "DIR …"."""


class Store:
    """The directory is made, with mode 0700, where it is not there; StoreError where it cannot be
    made, or is not this user's alone."""

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = directory.stat()
        except OSError as error:
            raise StoreError(f"cannot be used: {error.strerror or error}") from None
        if hasattr(os, "getuid"):
            if status.st_uid != os.getuid():
                raise StoreError("belongs to somebody else")
            if stat.S_IMODE(status.st_mode) & 0o022:
                raise StoreError("may be written to by others (chmod 700)")
        self.directory = directory

    def get(self, key: str) -> bytes | None:
        """What was kept for the key; None where there is nothing, or nothing that is whole."""
        try:
            descriptor = os.open(self._path(key), os.O_RDONLY | _NOFOLLOW)
            with os.fdopen(descriptor, "rb") as file:
                if not _is_ours(os.fstat(descriptor)):
                    return None
                digest, _, answer = file.read(_MOST_BYTES + 100).partition(b"\n")
        except OSError:
            return None
        return answer if digest == _digest(key, answer) else None

    def put(self, key: str, answer: bytes) -> None:
        """What cannot be written is not kept."""
        if len(answer) > _MOST_BYTES:
            return
        with suppress(OSError):
            handle, name = tempfile.mkstemp(dir=self.directory, prefix=".new.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_digest(key, answer) + b"\n" + answer)
                Path(name).replace(self._path(key))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def forget_old(self) -> None:
        """Where there are very many answers, those that were written first go."""
        with suppress(OSError):
            files = [each for each in os.scandir(self.directory) if each.name.endswith(_ENDING)]
            if len(files) > _MOST_FILES:
                files.sort(key=lambda each: each.stat(follow_symlinks=False).st_mtime)
                for each in files[:-_KEPT_FILES]:
                    Path(each.path).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}{_ENDING}"


def _is_ours(found: os.stat_result) -> bool:
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES + 100:
        return False
    if not hasattr(os, "getuid"):
        return True
    return found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o022


def _digest(key: str, answer: bytes) -> bytes:
    """With the key: a file that was renamed answers another question."""
    return sha256(key.encode() + b"\n" + answer).hexdigest().encode()
