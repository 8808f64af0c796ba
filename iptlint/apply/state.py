"""What waits for somebody to confirm it, in a directory that only root can enter.

One file says that rules wait. Who takes it away decides: whoever confirms, or who takes the rules
back, and the kernel lets only one of them rename it.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from iptlint.apply.saved import Saved, put_back

DIRECTORY = Path("/run/iptlint")
"""It is gone after a reboot, and so are the rules."""
_WAITING, _BEFORE, _TAKEN, _LAST, _LOCK = "waiting", "before.json", "taken", "last.json", "lock"


class StateError(Exception):
    """The text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """``until``: seconds of CLOCK_BOOTTIME, which goes on while the host sleeps."""

    files: tuple[str, ...]
    until: float

    @property
    def left(self) -> float:
        return self.until - now()


def now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class State:
    def __init__(self, directory: Path = DIRECTORY) -> None:
        self.directory = directory

    def prepare(self) -> None:
        """StateError where the directory is not root's alone."""
        try:
            with suppress(FileExistsError):
                self.directory.mkdir(0o700)
            status = self.directory.lstat()
        except OSError as error:
            raise StateError(f"{self.directory}: {error.strerror or error}") from None
        if (
            not stat.S_ISDIR(status.st_mode)
            or status.st_uid != os.geteuid()
            or status.st_mode & 0o077
        ):
            raise StateError(
                f"{self.directory} is not a directory that only root can enter; remove it"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """StateError where another process is about to apply rules, or to take some back."""
        descriptor = os.open(self.directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StateError("another iptlint is applying rules on this host") from None
        try:
            yield
        finally:
            os.close(descriptor)

    def waiting(self) -> Waiting | None:
        try:
            document = json.loads((self.directory / _WAITING).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StateError(f"{self.directory / _WAITING} cannot be read: {error}") from None
        return Waiting(tuple(document["files"]), document["until"])

    def begin(self, waiting: Waiting, before: Saved) -> None:
        """From now on the rules before come back, unless somebody confirms."""
        self.write(_LAST, json.dumps({"ended": "", "complaints": []}))
        self.remember(before)
        self.write(_WAITING, json.dumps(asdict(waiting)))

    def remember(self, before: Saved) -> None:
        self.write(_BEFORE, before.as_json())

    def write(self, name: str, text: str) -> None:
        """Whole or not at all, for nobody but root, and there after a crash of the process."""
        path = self.directory / f"{name}.new"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        path.rename(self.directory / name)

    def confirm(self) -> bool:
        """Whether something waited, and stays now."""
        if not self._take():
            return False
        self._end("kept", [])
        return True

    def roll_back(self) -> list[str] | None:
        """A sentence for what could not be put back; None where somebody has confirmed."""
        if not self._take():
            return None
        before = Saved.of_json((self.directory / _BEFORE).read_text("utf-8"))
        complaints = put_back(before)
        self._end("rolled back", complaints)
        return complaints

    def _take(self) -> bool:
        try:
            (self.directory / _WAITING).rename(self.directory / _TAKEN)
        except FileNotFoundError:
            return False
        return True

    def _end(self, ended: str, complaints: list[str]) -> None:
        self.write(_LAST, json.dumps({"ended": ended, "complaints": complaints}))
        (self.directory / _TAKEN).unlink(missing_ok=True)

    def last(self) -> tuple[str, tuple[str, ...]]:
        """How what waited last has ended, ``kept`` or ``rolled back``, and what failed; empty
        where nothing has."""
        try:
            document = json.loads((self.directory / _LAST).read_text("utf-8"))
        except (OSError, ValueError):
            return "", ()
        return document["ended"], tuple(document["complaints"])
