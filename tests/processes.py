"""Processes that a test starts and ends, on a machine that may be slow or busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 120.0
"""Seconds for what takes a moment: only what never comes takes so long."""


def until(look: Callable[[], list[int]], number: int) -> list[int]:
    """What is seen once there are so many of them, or at the end of all patience."""
    deadline = time.monotonic() + PATIENCE
    while len(seen := look()) != number and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


def children(pid: int) -> list[int]:
    return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def running(pids: list[int]) -> list[int]:
    """Those that have not ended; a zombie has."""
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
