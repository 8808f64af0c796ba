"""What a run may take, and who sees to it that it takes no more.

A question that takes too long is given up, and the others are asked all the same. A timer looks
at the clock and at the memory several times a second, so that no loop anywhere has to.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

_INTERVAL = 0.2
_RESPITE = 1.0
"""Seconds after which who is told again that it takes too much has not listened; before, it may
still be on its way out."""
_PAGES = Path("/proc/self/statm")
_PAGE = 4096
_SHARE = 4
"""No question has more than one part in so many of the whole time."""


@dataclass(frozen=True, slots=True)
class Budget:
    """``seconds`` for each source, ``memory`` in bytes, ``findings`` that are shown, and of which,
    the gravest first, all is told; None: as it comes."""

    seconds: float | None = None
    memory: int | None = None
    findings: int | None = None
    told: int | None = None


Tell = Callable[[str], None]


def silent(_: str) -> None:
    """Whom nobody hears."""


class OverBudgetError(BaseException):
    """Not to be taken for a fault by whatever is at work. The text begins the sentence "… was not
    enough"."""


class Watch:
    """Sees to a budget while it is entered, where the system has timers and only in the main
    thread, as nothing else can be interrupted. ``tell`` is told what is being worked on."""

    def __init__(self, budget: Budget, sources: int, tell: Tell = silent) -> None:
        self._budget = budget
        self._tell = tell
        self._seconds = None if budget.seconds is None else budget.seconds * max(sources, 1)
        self._end = None if self._seconds is None else time.monotonic() + self._seconds
        self._until: float | None = None
        self._inside = False
        self._quiet_until = 0.0
        self._handler: Any = None

    def __enter__(self) -> Watch:
        limited = self._budget.seconds is not None or self._budget.memory is not None
        main = threading.current_thread() is threading.main_thread()
        if limited and main and hasattr(signal, "setitimer"):
            self._handler = signal.signal(signal.SIGALRM, self._tick)
            signal.setitimer(signal.ITIMER_REAL, _INTERVAL, _INTERVAL)
        return self

    def __exit__(self, *_: object) -> None:
        if self._handler is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler)

    @contextmanager
    def over(self, what: str = "", *, whole: bool = False) -> Iterator[None]:
        """While one question is worked on; OverBudgetError where it takes too much. ``whole``: it
        may have all the time there is."""
        self._tell(what)
        share = None if self._seconds is None else self._seconds / (1 if whole else _SHARE)
        ends = [end for end in (self._end, share and time.monotonic() + share) if end is not None]
        self._until = min(ends, default=None)
        self._inside, self._quiet_until = True, 0.0
        try:
            yield
        except RuntimeError as error:
            # Up to Python 3.11 what is raised while a class is made comes as another error.
            if isinstance(error.__cause__, (OverBudgetError, KeyboardInterrupt)):
                raise error.__cause__ from None
            raise
        finally:
            self._inside = False

    def _tick(self, _signal: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self._inside or now < self._quiet_until:
            return
        limit = self._exceeded(now)
        if limit is not None:
            self._quiet_until = now + _RESPITE
            raise OverBudgetError(limit)

    def _exceeded(self, now: float) -> str | None:
        if self._until is not None and now > self._until:
            return f"the time of {self._budget.seconds:g} s a file (--timeout)"
        if self._budget.memory is not None and _resident() > self._budget.memory:
            return f"the memory of {self._budget.memory >> 20} MiB (--max-memory)"
        return None


def _resident() -> int:
    """The memory that the process has, in bytes; 0 where the system does not say. As text it would
    need a codec: an import in a signal handler spoils the one that it interrupts."""
    with suppress(OSError):
        return int(_PAGES.read_bytes().split()[1]) * _PAGE
    return 0
