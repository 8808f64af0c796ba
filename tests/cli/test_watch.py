"""``--watch``: another look after each change, and an end that has a status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from tests.cli.conftest import BROKEN, CLEAN, SHADOWED, Run

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class Watching:
    """``iptlint --watch`` in a process of its own."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "iptlint", "--watch", "--output-format", "concise", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def look(self) -> str:
        """What the next look says."""
        said = ""
        while "Ctrl-C ends" not in said:
            said += self._lines.get(timeout=PATIENCE)
        return said

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@contextmanager
def watching(folder: Path, *args: str) -> Iterator[Watching]:
    watched = Watching(folder, *args)
    try:
        yield watched
    finally:
        watched.process.kill()
        watched.process.wait()


def test_it_looks_again_and_ends_with_the_last_status(tmp_path: Path) -> None:
    rules = tmp_path / "rules.v4"
    rules.write_text(SHADOWED)
    with watching(tmp_path, "rules.v4") as watched:
        assert "IPT101" in watched.look()
        rules.write_text(CLEAN)
        assert "IPT101" not in watched.look()
        assert watched.end() == 0


def test_what_is_gone_or_wrong_is_told_and_may_come_back(tmp_path: Path) -> None:
    rules = tmp_path / "rules.v4"
    rules.write_text(SHADOWED)
    with watching(tmp_path, ".") as watched:
        watched.look()
        rules.unlink()
        assert "no firewall file" in watched.look()
        rules.write_text(BROKEN)
        assert "IPT001" in watched.look()
        (tmp_path / ".iptlint.toml").write_text("ignoer = []\n")
        assert "did you mean ignore?" in watched.look()
        assert watched.end() == 2


def test_files_that_are_led_to_are_watched(tmp_path: Path) -> None:
    part = tmp_path / "part.inc"
    (tmp_path / "nftables.conf").write_text(
        f'#!/usr/sbin/nft -f\nflush ruleset\ninclude "{part}"\n'
    )
    with watching(tmp_path, "nftables.conf") as watched:
        watched.look()
        part.write_text("table inet a {\n    chain c {\n        tcp dprot 1 accept\n    }\n}\n")
        assert "part.inc" in watched.look()
        assert watched.end() == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--watch", "-"], "standard input does not change"),
        (["--watch", "--fix", "a"], "leave out --fix"),
        (["--watch", "--write-baseline", "b", "a"], "leave out --write-baseline"),
    ],
)
def test_what_cannot_be_watched_is_refused(run: Run, args: list[str], said: str) -> None:
    done = run(*args)
    assert done.returncode == 2
    assert said in done.stderr
