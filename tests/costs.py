"""What something may cost at most, told so that a busy machine changes nothing of it."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Of this process on the processor: what other processes take meanwhile does not count."""
    begun = time.process_time()
    yield
    taken = time.process_time() - begun
    assert taken < seconds, f"{taken:.1f} s"


def steps(work: Callable[[], object]) -> int:
    """How many functions it calls, of ours and of Python's: on every machine the same."""
    count = 0

    def called(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def peak() -> int:
    """The most memory that this program has had, in KiB. What getrusage(2) says goes on over exec:
    it may be that of a test run that has grown before."""
    status = Path("/proc/self/status")
    if not status.exists():
        import resource  # there is none on Windows

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


def alone(check: Callable[[], None]) -> None:
    """Calls a function of a module in a new process, where all memory is its own."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned) as pool:
        pool.submit(check).result()
