"""Puts new texts into files: all of them, or none.

Each new text is written beside its file and brought to the disk; only when all are there do they
take the places of the old ones, each in one step, so that nobody ever reads half a file. What is
a link stays one: the file that it leads to is replaced.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from iptlint.dialects.decode import encode
from iptlint.source import SourceFile


class NotWrittenError(Exception):
    """No file was changed; the text says why."""


_SIGNALS = [s for s in signal.Signals if s.name in ("SIGINT", "SIGTERM", "SIGHUP")]


@dataclass(frozen=True, slots=True)
class _Replacement:
    """``old``: a second name of the file as it was, from which it comes back."""

    path: Path
    new: Path
    old: Path


def write_all(
    changes: Sequence[tuple[SourceFile, SourceFile]], new_files: Sequence[SourceFile] = ()
) -> None:
    """The file of each first source gets the text of the second; ``new_files`` are made. In this
    order: a new file is there before what needs it. NotWrittenError where that cannot be done for
    all of them, and then for none."""
    made: list[Path] = []
    with _finished_first():
        try:
            made.extend(map(_made, new_files))
            _replace_all(changes)
        except BaseException:
            for path in made:
                path.unlink()
            raise


@contextmanager
def _finished_first() -> Iterator[None]:
    """Whoever interrupts or ends the process waits the moment until all files are there, or
    none. Handlers and no mask: another thread may be given the signal."""
    if threading.current_thread() is not threading.main_thread():
        yield  # which gets no signals
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for each in came:
            signal.raise_signal(each)


def _made(source: SourceFile) -> Path:
    path = Path(source.path)
    try:
        with path.open("xb") as file:
            try:
                file.write(encode(source))
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                path.unlink()
                raise
    except FileExistsError:
        raise NotWrittenError(
            f"{path} is there already: name it too, by --ipset; no file was changed"
        ) from None
    except OSError as error:
        raise NotWrittenError(f"{path}: {error.strerror or error}; no file was changed") from None
    return path


def _replace_all(changes: Sequence[tuple[SourceFile, SourceFile]]) -> None:
    prepared: list[_Replacement] = []
    done: list[_Replacement] = []
    try:
        for before, after in changes:
            with _told(before.path):
                prepared.append(_prepared(before, after))
        for replacement in prepared:
            with _told(str(replacement.path)):
                replacement.new.replace(replacement.path)
            done.append(replacement)
    except BaseException:
        for replacement in done:
            replacement.old.replace(replacement.path)
        raise
    finally:
        for replacement in prepared:
            for left in (replacement.new, replacement.old):
                left.unlink(missing_ok=True)
        for directory in {replacement.path.parent for replacement in prepared}:
            _sync(directory)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """What the system refuses is told of the file that is to be replaced, whose copies have names
    that nobody knows."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise NotWrittenError(
            f"{path} cannot be replaced by a file beside it with its owner and mode: {why}; no "
            "file was changed"
        ) from None


def _prepared(before: SourceFile, after: SourceFile) -> _Replacement:
    path = Path(os.path.realpath(before.path))
    state = path.stat()
    if path.read_bytes() != encode(before):
        raise NotWrittenError(f"{before.path} has changed since it was read; no file was changed")
    if state.st_nlink > 1:
        raise NotWrittenError(
            f"{before.path} has another name (a hard link), which would keep the old text; no file "
            "was changed"
        )
    if not os.access(path, os.W_OK):
        raise NotWrittenError(f"{before.path} may not be written; no file was changed")
    new = _copy(path, encode(after), state)
    try:
        old = _copy(path, encode(before), state)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return _Replacement(path, new, old)


def _copy(path: Path, data: bytes, state: os.stat_result) -> Path:
    """A file beside it with the data, and with the mode, the owner and the attributes of it."""
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".iptlint", dir=path.parent)
    copy = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            shutil.copystat(path, copy)
            os.utime(copy)
            _give(copy, state)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return copy


def _give(copy: Path, state: os.stat_result) -> None:
    """To the owner of the file; a change of owner takes bits of the mode away, so that comes
    last."""
    own = copy.stat()
    if (own.st_uid, own.st_gid) != (state.st_uid, state.st_gid):
        os.chown(copy, state.st_uid, state.st_gid)
        copy.chmod(stat.S_IMODE(state.st_mode))


def _sync(directory: Path) -> None:
    with suppress(OSError):  # Windows opens no directory
        number = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
