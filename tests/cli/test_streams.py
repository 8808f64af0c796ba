"""Closed, full and interrupted: every command ends in a status, with a sentence where there is
somebody to hear it, and never in a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = next((ROOT / "fixtures" / "rules" / "IPT001").glob("bad*"))
pytestmark = pytest.mark.skipif(os.name != "posix", reason="streams of a POSIX shell")


def ran(command: str, redirected: str) -> tuple[int, str]:
    line = f"{sys.executable} -m iptlint {command} {redirected}"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", ["-", "reach -", "trace --proto tcp --dport 1 -"])
def test_closed_standard_input(command: str) -> None:
    status, said = ran(command, "<&-")
    assert status == 2
    assert "standard input is closed" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
@pytest.mark.parametrize(
    "command", [f"{RULES}", f"--output-format json {RULES}", f"reach {RULES}", "rule", "--help"]
)
def test_standard_output_that_cannot_be_written(command: str, where: str) -> None:
    status, said = ran(command, where)
    assert status == 2
    assert "cannot write the output" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize("command", ["no-such-file", "--no-such-option", ""])
def test_standard_error_that_cannot_be_written(command: str, where: str) -> None:
    assert ran(command, where)[0] == 2


def test_nothing_is_open() -> None:
    assert ran(f"{RULES}", "<&- >&- 2>&-")[0] == 2


@pytest.mark.parametrize("milliseconds", range(0, 400, 40))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment(number: signal.Signals, milliseconds: int) -> None:
    command = [sys.executable, "-m", "iptlint", str(RULES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(0.05 + milliseconds / 1000)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert b"iptlint/cli" not in said, "before that it is Python that is interrupted"
    assert process.returncode in (0, 1, 130, -number)
