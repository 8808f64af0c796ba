"""Work in other processes: its order, its failures, and that nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from iptlint.workers import DiedError, Workers, cores
from tests.processes import PATIENCE, children, running, until

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes by fork here")


def _slower_first(task: bytes) -> bytes:
    time.sleep(0.02 * (5 - int(task) % 6))
    return b"%d:%d" % (int(task), int(task) ** 2)


def test_answers_come_in_the_order_of_the_work() -> None:
    with Workers(_slower_first, 3) as workers:
        answers = [*workers.answers(b"%d" % number for number in range(20))]
    assert answers == [b"%d:%d" % (number, number**2) for number in range(20)]


def test_work_is_asked_for_as_there_is_somebody_to_do_it() -> None:
    asked: list[int] = []

    def tasks() -> Iterator[bytes]:
        for number in range(100):
            asked.append(number)
            yield b"%d" % number

    with Workers(_slower_first, 2) as workers:
        answers = workers.answers(tasks())
        next(answers)
        assert len(asked) <= 64
        assert len([*answers]) == 99


def test_a_failure_is_told_and_the_others_go_on() -> None:
    def work(task: bytes) -> bytes:
        if task == b"2":
            raise ValueError("no 2")
        if task == b"4":
            os.kill(os.getpid(), signal.SIGKILL)
        if task == b"6":
            os._exit(3)
        return task

    with Workers(work, 2) as workers:
        answers = [*workers.answers(b"%d" % number for number in range(8))]
    told = {number: str(each) for number, each in enumerate(answers) if isinstance(each, DiedError)}
    assert [*told] == [2, 4, 6]
    assert told[2].startswith("ValueError: no 2 (test_workers.py:")
    assert "was killed" in told[4]
    assert told[6] == "the process that did it ended with status 3"
    assert [each for each in answers if isinstance(each, bytes)] == [b"0", b"1", b"3", b"5", b"7"]


def test_long_messages_go_both_ways() -> None:
    long = b"x" * (3 << 20)
    with Workers(lambda task: task * 2, 2) as workers:
        assert [*workers.answers([long] * 5)] == [long * 2] * 5


def test_a_process_that_has_grown_gives_way_to_another() -> None:
    kept: list[bytearray] = []

    def work(_: bytes) -> bytes:
        kept.append(bytearray(os.urandom(1 << 20) * 300))
        return b"%d" % os.getpid()

    with Workers(work, 1) as workers:
        pids = [*workers.answers([b""] * 3)]
    assert len({*pids}) == 3


def test_nothing_is_left_of_the_processes() -> None:
    with Workers(lambda _: b"%d" % os.getpid(), 2) as workers:
        pids = [int(each) for each in workers.answers([b""] * 6) if isinstance(each, bytes)]
    assert pids
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_two_groups_of_processes_do_not_hold_each_other() -> None:
    """Each is made while the other is there, so it knows of the other's lines."""
    with Workers(lambda task: task, 2) as one, Workers(lambda task: task * 2, 2) as other:
        first, second = one.answers([b"a"] * 70), other.answers([b"b"] * 70)
        assert [*zip(first, second, strict=True)] == [(b"a", b"bb")] * 70


_ENDLESS = """
import os, time
from iptlint.workers import Workers

def work(task):
    while True:
        pass

print(os.getpid(), flush=True)
with Workers(work, 2) as workers:
    for answer in workers.answers([b"1", b"2", b"3"]):
        pass
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the children are found in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_at_work_end_with_the_first_one(how: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    forks = until(lambda: children(process.pid), 2)
    process.send_signal(how)
    try:
        process.wait(PATIENCE)
    finally:
        process.kill()
    assert process.stdout is not None
    process.stdout.close()
    left = until(lambda: running(forks), 0)
    assert left == []


def test_there_is_at_least_one_core() -> None:
    assert cores() >= 1
