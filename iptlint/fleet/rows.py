"""One row a host, in their order, as soon as it is known. Alike hosts are looked at once.

Nothing is kept of a host whose row was told but its key; answers are kept in files.
"""

from __future__ import annotations

import gc
import pickle
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from iptlint.fleet.answers import Answers
from iptlint.fleet.judge import Judge, Task
from iptlint.fleet.kept import Kept
from iptlint.fleet.likeness import Capture, capture
from iptlint.host.gathered import Gathered
from iptlint.workers import DiedError

_TIDY = 50
"""So many hosts leave some megabytes of archives that were read behind."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What there is of a host: what was gathered, or ``why`` there is nothing. ``before``: the
    same from an earlier day; ``unreadable``: why that could not be had, though it is there."""

    name: str
    gathered: Gathered | None
    why: str = ""
    before: Gathered | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """``answers`` are None where the host could not be looked at, and ``why`` says why not.
    ``like``: the first host of which the same is found; empty for that one itself. ``hostname``:
    what the host calls itself."""

    name: str
    answers: Answers | None
    why: str = ""
    like: str = ""
    hostname: str = ""


class Engine(Protocol):
    """Does the work of the judge, here or elsewhere."""

    def answers(self, tasks: Iterable[bytes | None]) -> Iterator[bytes | DiedError | None]:
        """One for each task, in their order; None for None."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """A host under way; ``host`` is None where there is nothing to look at."""

    taken: Taken
    key: str = ""
    host: Capture | None = None


class Rows:
    def __init__(self, judge: Judge, engine: Engine, kept: Kept) -> None:
        self._judge = judge
        self._engine = engine
        self._kept = kept
        self._first: dict[str, str] = {}
        self._planned: deque[_Planned] = deque()

    @property
    def different(self) -> int:
        """How many hosts have been met so far that are like none before."""
        return len(self._first)

    def each(self, hosts: Iterable[Taken]) -> Iterator[Row]:
        for number, answer in enumerate(self._engine.answers(map(self._task, hosts))):
            if number % _TIDY == 0:
                gc.collect()  # nobody else does: see cli.main
            planned = self._planned.popleft()
            if planned.host is None:
                yield Row(planned.taken.name, None, planned.taken.why)
                continue
            if isinstance(answer, DiedError):
                self._kept.fail(planned.key, answer)
            elif answer is not None:
                self._kept.put(planned.key, planned.host.own, answer)
            yield self._row(planned, planned.host)

    def _task(self, taken: Taken) -> bytes | None:
        """What there is to do for a host; None where that is nothing."""
        if taken.gathered is None:
            self._planned.append(_Planned(taken))
            return None
        golden = self._judge.golden
        golden = self._judge.golden
        beside = [golden.gathered] if golden is not None else []
        beside += [taken.before] if taken.before is not None else []
        host = capture(taken.gathered, beside, self._judge.policy.named)
        before = capture(taken.before) if taken.before is not None else None
        key = self._judge.key(taken.name, host, before, taken.unreadable)
        is_new = key not in self._first
        self._first.setdefault(key, taken.name)
        self._planned.append(_Planned(taken, key, host))
        if not is_new or self._kept.knows(key):
            return None
        earlier = before.gathered if before is not None else None
        return pickle.dumps(Task(taken.name, host.gathered, earlier, taken.unreadable))

    def _row(self, planned: _Planned, host: Capture) -> Row:
        name, first = planned.taken.name, self._first[planned.key]
        like = "" if name == first else first
        try:
            kept = self._kept.get(planned.key, host.own)
        except DiedError as error:
            return Row(name, None, f"looking at it failed: {error}", like)
        if kept is None:
            taken = planned.taken
            kept = self._judge.judge(Task(name, host.gathered, taken.before, taken.unreadable))
        return Row(name, kept, "", like, host.gathered.name)
