"""What is being done, on standard error while it is done: on a terminal, and once it has taken a
second."""

from __future__ import annotations

import os
import sys
import threading
import time
from types import TracebackType

from iptlint.cli import streams

_PATIENCE = 1.0
_INTERVAL = 0.3
_CLEAR = "\r\x1b[K"


class Progress:
    """While it is entered, one line that comes and goes. ``doing`` says what is in it."""

    def __init__(self, *, verbose: bool = False) -> None:
        """``verbose``: in the end it says how long each thing took."""
        self._verbose = verbose
        self._times: dict[str, float] = {}
        self._since = time.monotonic()
        self._what = ""
        self._began = time.monotonic()
        self._shown = False
        self._seen = sys.stderr is not None and sys.stderr.isatty() and _can_clear()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._shown:
            streams.say(_CLEAR)
        if self._verbose:
            self._tell_times()

    def _tell_times(self) -> None:
        self._count()
        longest = sorted(self._times.items(), key=lambda item: -item[1])
        rows = (*longest, ("in all", time.monotonic() - self._began))
        for what, seconds in rows:
            streams.say(streams.printable(f"iptlint: {seconds:7.3f} s: {what}") + "\n")

    def _count(self) -> None:
        """The time that has gone by is that of what was being done."""
        now = time.monotonic()
        what = self._what or "getting ready"
        self._times[what] = self._times.get(what, 0) + now - self._since
        self._since = now

    def doing(self, what: str) -> None:
        """For work that tells when it begins something else: a clock of its own shows it."""
        if self._verbose:
            self._count()
        self._what = what
        if self._seen and self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    def show(self, what: str) -> None:
        """For work that calls often enough."""
        self._what = what
        if self._seen and time.monotonic() - self._began > _PATIENCE:
            self._draw()

    def _watch(self) -> None:
        self._over.wait(_PATIENCE)
        while not self._over.is_set():
            self._draw()
            self._over.wait(_INTERVAL)

    def _draw(self) -> None:
        import shutil

        self._shown = True
        seconds = int(time.monotonic() - self._began)
        columns = shutil.get_terminal_size().columns - 1
        line = streams.printable(f"iptlint: {seconds} s: {self._what}")
        streams.say(_CLEAR + line[: max(columns, 1)])


def _can_clear() -> bool:
    return os.environ.get("TERM", "") not in ("", "dumb")
