"""The same work on a Dask cluster.

A task of Dask runs in a thread, where no timer of a budget could interrupt it. So each thread has a
process beside it that does the work, as those of ``workers`` do, and ends with it.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import TracebackType
from typing import Any

from iptlint.fleet.judge import Judge
from iptlint.workers import DiedError, is_last, outcome, receive, send, serve

_PATIENCE = 30
"""Seconds in which the scheduler answers, or it is none."""
_AHEAD = 4
_TICK = 0.3


class ClusterError(Exception):
    """The cluster cannot be used; the text is a sentence for the user."""


class Cluster:
    """``answers`` as those of ``Workers``. ClusterError where there is none."""

    def __init__(
        self, address: str, judge: Judge, tick: Callable[[int], None] | None = None
    ) -> None:
        try:
            distributed: Any = import_module("distributed")
        except ImportError:
            raise ClusterError("install iptlint[cluster] to use a scheduler") from None
        self._address = address
        self._tick = tick or (lambda _: None)
        try:
            # A client that finds nobody cannot be got rid of, so somebody else looks first.
            asyncio.run(_knock(distributed, address))
            self._client: Any = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ClusterError(f"{address}: no scheduler answers: {error}") from None
        self._judge: Any = self._client.scatter(pickle.dumps(judge), broadcast=True, hash=False)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def answers(self, tasks: Iterable[bytes | None]) -> Iterator[bytes | DiedError | None]:
        left = iter(tasks)
        waiting: deque[Any] = deque()
        done, more = 0, True
        while waiting or more:
            while more and len(waiting) < self._room():
                try:
                    task = next(left)
                except StopIteration:
                    more = False
                    break
                waiting.append(None if task is None else self._submit(task))
            if waiting:
                answer = self._answer(waiting[0], done)
                waiting.popleft()
                done += 1
                yield answer

    def _room(self) -> int:
        threads: int = sum(self._client.nthreads().values())
        return max(1, threads) * _AHEAD

    def _submit(self, task: bytes) -> Any:
        return self._client.submit(_work, self._judge, task, pure=False)

    def _answer(self, future: Any, done: int) -> bytes | DiedError | None:
        if future is None:
            return None
        # Not ``result(timeout=…)``: a wait that is given up ends the fetching of others' answers,
        # too, which the client does in one, and their waits fail with errors of its own.
        known = threading.Event()
        future.add_done_callback(lambda _: known.set())
        while not known.wait(_TICK):
            self._tick(done)
        if future.cancelled():
            return DiedError("the scheduler gave it up")
        error = future.exception()
        if error is not None:
            return DiedError(f"{type(error).__name__}: {error}")
        answer: bytes | DiedError = outcome(future.result())
        return answer


async def _knock(distributed: Any, address: str) -> None:
    line = await distributed.comm.connect(address, timeout=_PATIENCE)
    await line.close()


# -- on the workers ----------------------------------------------------------------------------

_own = threading.local()


class _Helper:
    """A process that does the work of one thread. ``judge``: as it was pickled."""

    def __init__(self, judge: bytes) -> None:
        self.judge = judge
        self._line, there = socket.socketpair()
        command = [sys.executable, "-m", __name__, str(there.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL
        )
        there.close()
        send(self._line, judge)

    def work(self, task: bytes) -> bytes | None:
        """The message that it answers with; None where it was ended."""
        send(self._line, task)
        return receive(self._line)

    def end(self) -> None:
        self._line.close()
        self._process.wait()


def _work(judge: bytes, task: bytes) -> bytes:
    helper: _Helper | None = getattr(_own, "helper", None)
    if helper is None or helper.judge != judge:
        if helper is not None:
            helper.end()
        helper = _own.helper = _Helper(judge)
    answer = helper.work(task)
    if answer is None or is_last(answer):
        _own.helper = None
        helper.end()
    if answer is None:
        raise RuntimeError("the process that did it was killed")
    return answer


def main(number: str) -> None:
    """The helper itself."""
    line = socket.socket(fileno=int(number))
    first = receive(line)
    if first is not None:
        judge: Judge = pickle.loads(first)
        serve(judge.work, line)


if __name__ == "__main__":
    main(sys.argv[1])
