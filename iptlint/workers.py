"""Work that other processes of this machine do, and its answers in the order of the work.

The processes are forks of this one, so they know what it knew when they began; work and answers
go over sockets. They end with this process whatever ends it: each has a thread that waits for
work, and a socket with nobody behind it tells it so.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import struct
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

Work = Callable[[bytes], bytes]

_LENGTH = struct.Struct("!Q")
_AHEAD = 32
"""So many pieces of work a process are under way or wait for an earlier one, and no more."""
_TICK = 0.3
_TIRED = 256 << 20
"""Bytes: a process that has grown by more ends after its work, and another takes its place: what
one piece of work leaves in memory is not counted against the next."""
_PAGE = 4096
_NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)
"""To a process that has ended: an error, and no signal, which would end this one."""


_INTERRUPT = {signal.SIGINT}
_OURS: set[socket.socket] = set()
"""The ends of all lines that this process holds. Another that held one, too, would keep whoever is
behind it from learning that this process has ended."""


class DiedError(Exception):
    """The process that did the work failed or was ended; the text says how."""


class _End(Enum):
    OF_THE_WORK = "end"


_END = _End.OF_THE_WORK


@dataclass(slots=True)
class _Process:
    """``number``: of the work that it does; None: it waits."""

    pid: int
    line: socket.socket
    number: int | None = None


def cores() -> int:
    """Those of this machine that this process may use; 1 where it cannot be told."""
    if not hasattr(os, "fork") or not hasattr(os, "sched_getaffinity"):
        return 1
    return len(os.sched_getaffinity(0))


class Workers:
    """``work`` is done by up to ``jobs`` processes while this is entered. ``tick`` is called now
    and then while answers are waited for, with how many are known."""

    def __init__(self, work: Work, jobs: int, tick: Callable[[int], None] | None = None) -> None:
        self._work = work
        self._jobs = jobs
        self._tick = tick or (lambda _: None)
        self._processes: list[_Process] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for process in [*self._processes]:
            self._end(process)
        self._selector.close()

    def answers(self, tasks: Iterable[bytes | None]) -> Iterator[bytes | DiedError | None]:
        """One for each task, in their order; None for None. A task is asked for when there is
        somebody to do it."""
        left, numbers = iter(tasks), count()
        waiting, known = deque[int](), dict[int, bytes | DiedError | None]()
        while True:
            while len(waiting) < self._jobs * _AHEAD and (idle := self._idle()) is not None:
                task = next(left, _END)
                if isinstance(task, _End):
                    break
                number = next(numbers)
                waiting.append(number)
                if task is None:
                    known[number] = None
                else:
                    idle.number = number
                    send(idle.line, task)
            if not waiting:
                return
            if waiting[0] in known:
                yield known.pop(waiting.popleft())
            else:
                known.update(self._finished())
                self._tick(waiting[0] + len(known))

    def _idle(self) -> _Process | None:
        for process in self._processes:
            if process.number is None:
                return process
        return self._start() if len(self._processes) < self._jobs else None

    def _start(self) -> _Process:
        ours, there = socket.socketpair()
        _OURS.add(ours)
        # An interrupt between the fork and what a worker makes of it would send the worker through
        # all that this process has to tidy up.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
        try:
            with warnings.catch_warnings():
                # Python fears for locks that other threads hold; numpy takes care of its own.
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
            if pid == 0:
                self._become_worker(there)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        there.close()
        process = _Process(pid, ours)
        self._processes.append(process)
        self._selector.register(ours, selectors.EVENT_READ, process)
        return process

    def _become_worker(self, there: socket.socket) -> None:
        """Never returns."""
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
            for line in _OURS:
                line.close()
            serve(self._work, there)
        finally:
            os._exit(1)

    def _finished(self) -> Iterator[tuple[int, bytes | DiedError]]:
        for key, _ in self._selector.select(_TICK):
            process: _Process = key.data
            number, answer = process.number, receive(process.line)
            process.number = None if answer is not None else number
            if answer is None or is_last(answer):
                status = self._end(process)
            if number is not None:
                yield number, DiedError(_how(status)) if answer is None else outcome(answer)

    def _end(self, process: _Process) -> int:
        """Its exit status, as waitpid has it."""
        self._processes.remove(process)
        self._selector.unregister(process.line)
        process.line.close()
        _OURS.discard(process.line)
        if process.number is not None:
            with suppress(OSError):
                os.kill(process.pid, signal.SIGKILL)
        return os.waitpid(process.pid, 0)[1]


def outcome(answer: bytes) -> bytes | DiedError:
    """Of a message that ``serve`` sent."""
    text = answer[2:]
    return text if answer[1:2] == _DONE else DiedError(text.decode("utf-8", "replace"))


def is_last(answer: bytes) -> bool:
    """Whether who sent it ends then."""
    return answer.startswith(_LAST)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:
        return "the process that did it was killed; perhaps this machine has too little memory"
    return f"the process that did it ended with {'signal' if code < 0 else 'status'} {abs(code)}"


# -- in the other process ----------------------------------------------------------------------

_MORE, _LAST = b"m", b"l"
_DONE, _FAILED = b"d", b"f"


def serve(work: Work, line: socket.socket) -> None:
    """Does the work that comes by the line until there is none; never returns."""
    tasks: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(line, tasks), daemon=True).start()
    gc.freeze()
    start = resident()
    while True:
        task = tasks.get()
        try:
            answer = _DONE + work(task)
        except BaseException as error:  # a panic of the Rust core is no Exception
            answer = _FAILED + _told(error).encode("utf-8", "replace")
        gc.collect()
        gc.freeze()  # modules that this task was the first to need
        send(line, (_LAST if resident() - start > _TIRED else _MORE) + answer)


def _told(error: BaseException) -> str:
    if isinstance(error, DiedError):
        return str(error)
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" ({Path(frame.filename).name}:{frame.lineno})" for frame in where)
    return f"{type(error).__name__}: {error}{place}"


def _listen(line: socket.socket, tasks: SimpleQueue[bytes]) -> None:
    while (task := receive(line)) is not None:
        tasks.put(task)
    os._exit(0)


def resident() -> int:
    """The memory that the process has, in bytes; 0 where the system does not say."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE
    return 0


# -- messages ----------------------------------------------------------------------------------


def send(line: socket.socket, data: bytes) -> None:
    """Whoever should read it may have ended, which is seen where the answer is waited for."""
    with suppress(BrokenPipeError, ConnectionResetError):
        line.sendall(_LENGTH.pack(len(data)), _NO_SIGNAL)
        line.sendall(data, _NO_SIGNAL)


def receive(line: socket.socket) -> bytes | None:
    """A whole message; None where the other side has ended."""
    head = _exactly(line, _LENGTH.size)
    return None if head is None else _exactly(line, _LENGTH.unpack(head)[0])


def _exactly(line: socket.socket, number: int) -> bytes | None:
    parts = []
    while number:
        try:
            part = line.recv(min(number, 1 << 20))
        except ConnectionResetError:
            return None
        if not part:
            return None
        parts.append(part)
        number -= len(part)
    return b"".join(parts)
