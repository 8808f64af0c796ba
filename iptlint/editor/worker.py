"""A process that answers questions about documents, one after another.

What a document holds may take long, or all there is of memory, and may be meant to: so nothing of
it is read in the process that speaks to the editor, and a question that nobody waits for any more
is ended with its process.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Concatenate, ParamSpec, TypeVar

from iptlint.editor.desk import Desk, DeskError, Document, Seen, Session
from iptlint.editor.names import NotRenamedError

_P = ParamSpec("_P")
_T = TypeVar("_T")

_PATIENCE = 0.3
"""Seconds for which an answer that nobody waits for any more may still come: a new process takes
longer to begin."""
_TOLD = (DeskError, NotRenamedError)


class WorkerError(Exception):
    """There is no answer; a sentence says why."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """``told``: a sentence for the user, where there is no ``value``. ``failed``: it is not the
    user's fault."""

    value: Any = None
    told: str | None = None
    failed: bool = False


class Worker:
    """``desk`` makes, in the process, what knows the configuration."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk = desk
        self._lock = asyncio.Lock()
        self._threads = ThreadPoolExecutor(1)
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    async def ask(
        self,
        question: Callable[Concatenate[Seen, _P], _T],
        document: Document,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """WorkerError where there is no answer."""
        async with self._lock:
            loop = asyncio.get_running_loop()
            asked = (question, document, args, kwargs)
            waiting = loop.run_in_executor(self._threads, self._exchange, asked)
            try:
                answer = await asyncio.shield(waiting)
            except asyncio.CancelledError:
                await self._drop(waiting)
                raise
        if answer.told is not None:
            raise WorkerError(answer.told)
        value: _T = answer.value
        return value

    async def _drop(self, waiting: asyncio.Future[_Answer]) -> None:
        await asyncio.wait({waiting}, timeout=_PATIENCE)
        if not waiting.done():
            self._end()
            await asyncio.wait({waiting})

    def _exchange(self, asked: object) -> _Answer:
        try:
            connection = self._begun()
            connection.send(asked)
            answer: _Answer = connection.recv()
        except (EOFError, OSError):
            self._end()
            return _Answer(told="the process that looks at the file ended", failed=True)
        return answer

    def _begun(self) -> Connection:
        if self._connection is None or self._process is None or not self._process.is_alive():
            spawn = get_context("spawn")
            self._connection, theirs = spawn.Pipe()
            self._process = spawn.Process(target=_work, args=(self._desk, theirs), daemon=True)
            self._process.start()
            theirs.close()
        return self._connection

    def _end(self) -> None:
        process, self._process, self._connection = self._process, None, None
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Ends the process, whatever it is at."""
        self._end()
        self._threads.shutdown(wait=False)


def _work(desk: Callable[[], Desk], connection: Connection) -> None:
    """The process, until the other end is closed."""
    os.dup2(2, 1)  # standard output is the editor's
    gc.disable()
    session = Session(desk())
    while True:
        try:
            question, document, args, kwargs = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        connection.send(_answer(session, question, document, args, kwargs))
        gc.collect()  # while nobody waits; see main


def _answer(session: Session, question: Any, document: Document, args: Any, kwargs: Any) -> _Answer:
    try:
        return _Answer(question(session.see(document), *args, **kwargs))
    except _TOLD as error:
        return _Answer(told=str(error))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as crash:  # a panic of the Rust core is no Exception
        message = f"internal error, please report it: {type(crash).__name__}: {crash}"
        return _Answer(told=message, failed=True)
