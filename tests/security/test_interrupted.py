"""A file that was there is there still, or the new one is there whole, whenever it is interrupted;
and no place that cannot be written to is a reason for a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iptlint.host.archive import load
from tests.host.made_up import CLOSED, Root

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def saving(root: Root, path: Path) -> list[str]:
    command = [sys.executable, "-m", "iptlint", "live", "--root", str(root.path)]
    return [*command, "--save", str(path)]


def made(tmp_path: Path) -> Root:
    root = Root(tmp_path / "root")
    root.file("/etc/iptables/rules.v4", CLOSED)
    return root


@pytest.mark.parametrize("milliseconds", [100, 200, 300, 400, 600])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_file_is_replaced_whole_or_not_at_all(
    number: signal.Signals, milliseconds: int, tmp_path: Path
) -> None:
    path = tmp_path / "host.tar.gz"
    path.write_bytes(b"old")
    with subprocess.Popen(
        saving(made(tmp_path), path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        time.sleep(milliseconds / 1000)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert b"iptlint/cli" not in said, "before that it is Python that is interrupted"
    assert process.returncode in (0, 1, 130, -number)  # 1: of Python, as it begins
    assert path.read_bytes() == b"old" or load(str(path)).files


def test_a_file_that_grows_too_long(tmp_path: Path) -> None:
    """As on a full disk: the limit on the length of files says so in the middle of it."""
    path = tmp_path / "host.tar.gz"
    path.write_bytes(b"old")
    root = made(tmp_path)
    root.file("/etc/nftables.conf", os.urandom(100_000).hex())
    line = 'ulimit -f 1; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", line, "sh", *saving(root, path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == b"old"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["host.tar.gz", "root"]


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": "/nonexistent", "TMPDIR": "/nonexistent"},
        {},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "no_SUCH", "HOME": "/proc"},
    ],
    ids=["no home", "nothing", "ascii", "unknown locale"],
)
def test_home_and_locale_make_no_difference(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "rules.v4"
    path.write_text(CLOSED.replace("-i lo", "-m comment --comment é -i lo"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "iptlint", str(path)],
        capture_output=True,
        check=False,
        env={"PYTHONPATH": os.environ.get("PYTHONPATH", ""), **environment},
    )
    assert done.returncode in (0, 1)
    assert done.stderr == b""
    assert b"in 1 file" in done.stdout
