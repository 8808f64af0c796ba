"""Network namespaces without a name: they end with the last file descriptor that holds them.

A namespace belongs to a thread (setns(2)): what is opened or started inside ``entered`` stays
there, the thread itself comes back in any case.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_OWN = "/proc/thread-self/ns/net"

_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace of its own, with nothing in it but a loopback that is down.

    OSError where the kernel refuses one.
    """

    def __init__(self) -> None:
        home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _checked(_libc.unshare(_CLONE_NEWNET), "unshare")
            try:
                self._fd = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
            finally:
                _enter(home)
        finally:
            os.close(home)

    @property
    def path(self) -> str:
        """Where other processes find the namespace while it lasts."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    @contextmanager
    def entered(self) -> Iterator[None]:
        home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(self._fd)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)

    def run(self, command: Sequence[str], text: str = "") -> str:
        """What the command prints; RuntimeError with what it complains of."""
        with self.entered():
            done = subprocess.run(
                command, input=text, capture_output=True, text=True, check=False, timeout=300
            )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}\n{text}")
        return done.stdout

    def set(self, settings: dict[str, str]) -> None:
        """Sysctls below ``net``: which namespace is meant depends on who writes."""
        with self.entered():
            for name, value in settings.items():
                Path("/proc/sys/net", name).write_text(value)

    def close(self) -> None:
        os.close(self._fd)


def _enter(fd: int) -> None:
    _checked(_libc.setns(fd, _CLONE_NEWNET), "setns")


def _checked(result: int, name: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
