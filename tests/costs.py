"""What something may cost at most, told so that a busy machine changes nothing of it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Of this process on the processor: what other processes take meanwhile does not count."""
    begun = time.process_time()
    yield
    taken = time.process_time() - begun
    assert taken < seconds, f"{taken:.1f} s"


def alone(check: Callable[[], None]) -> None:
    """Calls a function of a module in a new process, where all memory is its own."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned) as pool:
        pool.submit(check).result()
