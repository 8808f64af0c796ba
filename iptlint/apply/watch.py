"""The process that takes rules back when nobody confirms them.

It has a session of its own, so that it outlives the terminal of who applied the rules, and it
needs nothing but its directory. Told to end, it takes the rules back at once: that is how a login
manager ends what a session has left behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from iptlint.apply.state import State, StateError

_PAUSE = 0.1
_READY = b"ready\n"


def start(state: State) -> int:
    """The number of the process, which watches by now; StateError where it does not."""
    process = subprocess.Popen(
        [sys.executable, "-m", "iptlint.apply.watch", str(state.directory)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout as said:
        if said.readline() != _READY:
            raise StateError("the process that would take the rules back does not start")
    return process.pid


def watch(state: State) -> None:
    """Until somebody has confirmed, or the time is over and the rules are back."""
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    os.write(sys.stdout.fileno(), _READY)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, sys.stdout.fileno())
    while (left := _left(state)) is not None:
        if ended or left <= 0:
            state.roll_back()
            return
        time.sleep(min(_PAUSE, left))


def _left(state: State) -> float | None:
    """Seconds; None where nothing waits. What cannot be read is no reason to wait longer."""
    try:
        waiting = state.waiting()
    except StateError:
        return 0
    return None if waiting is None else waiting.left


if __name__ == "__main__":
    watch(State(Path(sys.argv[1])))
