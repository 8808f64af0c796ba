"""Several processes say what one says, byte for byte; and what is kept is what would be found."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from iptlint.reports.formats import FORMATS
from tests.cli.conftest import BROKEN, CLEAN, SHADOWED, Run
from tests.processes import PATIENCE, children, running, until

FIXTURES = Path(__file__).parents[2] / "fixtures" / "rules"
CODES = ("IPT001", "IPT101", "IPT503", "IPT603")


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A folder of many hosts: fixtures of several rules, and two files that belong together."""
    folder = tmp_path / "fleet"
    for code in CODES:
        for path in (FIXTURES / code / "bad.v4", FIXTURES / code / "bad.nft"):
            host = folder / f"{code}-{path.stem}-{path.suffix[1:]}"
            host.mkdir(parents=True)
            shutil.copy(path, host / ("nftables.conf" if path.suffix == ".nft" else "rules.v4"))
    (folder / "two").mkdir()
    (folder / "two" / "rules.v4").write_text(SHADOWED)
    (folder / "two" / "rules.v6").write_text(CLEAN)
    return folder


KEPT = [name for name, each in FORMATS.items() if not each.overview]
"""An overview is made where it is asked for, and not kept."""


def _in_all_formats(run: Run, fleet: Path, *args: str) -> dict[str, str | int]:
    """What one run writes in each format, and how it ends."""
    outputs = [part for name in KEPT for part in ("--output-format", f"{name}:{name}.out")]
    result = run(str(fleet), *args, *outputs)
    texts = {name: (fleet.parent / f"{name}.out").read_text("utf-8") for name in KEPT}
    assert all(texts.values())
    return {**texts, "stdout": result.stdout, "stderr": result.stderr, "status": result.returncode}


def test_many_processes_and_what_is_kept_say_the_same(run: Run, fleet: Path) -> None:
    one = _in_all_formats(run, fleet, "--jobs", "1", "--profile", "cis")
    many = ("--jobs", "3", "--profile", "cis")
    assert _in_all_formats(run, fleet, *many) == one
    assert _in_all_formats(run, fleet, *many, "--cache", "cache") == one
    assert (fleet.parent / "cache").stat().st_mode & 0o777 == 0o700
    assert len([*(fleet.parent / "cache").iterdir()]) > len(CODES)
    assert _in_all_formats(run, fleet, *many, "--cache", "cache") == one


def test_what_a_host_was_judged_by_does_not_stay(fleet: Path) -> None:
    program = """
import sys, weakref
from iptlint.packets.space import Space
from iptlint.cli import main

there, most, init = weakref.WeakSet(), [], Space.__init__

def made(self, *given, **more):
    there.add(self)
    most.append(len(there))
    init(self, *given, **more)

Space.__init__ = made
try: main(["check", "--no-cache", "--jobs", "1", sys.argv[1]])
except SystemExit: print(len(most), max(most), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, fleet], capture_output=True, text=True, check=True
    )
    spaces, most = map(int, done.stderr.splitlines()[-1].split())
    assert spaces > len(CODES)
    assert most <= 2


def test_what_a_baseline_leaves_of_one_cause_is_told_in_full(run: Run, fleet: Path) -> None:
    """It hides the rule that stood for those that are lost with it."""
    lost = "".join(f"-A INPUT -p tcp --dport {port} -j DROP\n" for port in (22, 23, 24))
    rules = f"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -j ACCEPT\n{lost}COMMIT\n"
    (fleet / "two" / "rules.v4").write_text(rules)
    run(str(fleet), "--write-baseline", "known.json", "--exit-zero")
    known = json.loads((fleet.parent / "known.json").read_text())
    known["findings"] = [
        each for each in known["findings"] if (each["code"], each["line"]) == ("IPT101", 4)
    ]
    (fleet.parent / "known.json").write_text(json.dumps(known))
    one = _in_all_formats(run, fleet, "--jobs", "1", "--baseline", "known.json")
    assert "line 3 accepts all of these packets first; likewise line 6" in str(one["concise"])
    many = ("--jobs", "3", "--baseline", "known.json", "--cache", "cache")
    run(str(fleet), "--cache", "cache", "--exit-zero")
    assert _in_all_formats(run, fleet, *many) == one
    assert _in_all_formats(run, fleet, *many) == one


@pytest.fixture
def told(run: Run, tmp_path: Path) -> Callable[..., tuple[list[str], int]]:
    """The codes that are found with the cache, and how many answers are kept then."""

    def find(*args: str) -> tuple[list[str], int]:
        result = run(*args, "--cache", "cache", "--output-format", "json")
        assert result.stderr == ""
        codes = [each["code"] for each in json.loads(result.stdout)["findings"]]
        return codes, len([*(tmp_path / "cache").glob("*.answer")])

    return find


def test_settings_and_texts_are_part_of_the_question(
    told: Callable[..., tuple[list[str], int]], tmp_path: Path
) -> None:
    path = tmp_path / "rules.v4"
    path.write_text(SHADOWED)
    first, one = told("rules.v4")
    assert one == 1
    assert "IPT101" in first
    assert told("rules.v4") == (first, 1)
    assert told("rules.v4", "--select", "IPT6")[1] == 2
    assert told("rules.v4", "--ssh-ports", "2222")[1] == 3
    assert told("rules.v4", "--management-networks", "10.0.0.0/8")[1] == 4
    assert told("rules.v4", "--timeout", "59")[1] == 5
    path.write_text(CLEAN)
    assert "IPT101" not in told("rules.v4")[0]
    (tmp_path / ".iptlint.toml").write_text('[[overrides]]\nfiles = ["*.v4"]\nignore = ["IPT7"]\n')
    assert "IPT701" not in told("rules.v4")[0]


def test_what_is_included_is_part_of_the_question(
    told: Callable[..., tuple[list[str], int]], tmp_path: Path
) -> None:
    outer, inner, other = (tmp_path / name for name in ("outer.nft", "a.inc", "b.inc"))
    outer.write_text(f'table ip t {{\n chain c {{\n  include "{tmp_path}/*.inc"\n }}\n}}\n')
    inner.write_text("tcp dport 22 accept\n")
    assert "IPT001" not in told("outer.nft")[0]
    inner.write_text("tcp dprot 22 accept\n")
    assert "IPT001" in told("outer.nft")[0]
    assert "IPT001" in told("outer.nft")[0]
    inner.write_text("tcp dport 22 accept\n")
    assert "IPT001" not in told("outer.nft")[0]
    other.write_text("tcp dprot 23 accept\n")
    assert "IPT001" in told("outer.nft")[0]
    other.unlink()
    assert "IPT001" not in told("outer.nft")[0]


def test_hostile_and_torn_answers_are_ignored(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(SHADOWED)
    plain = run("rules.v4", "--cache", "cache")
    (path,) = (tmp_path / "cache").glob("*.answer")
    key = path.name.removesuffix(".answer")
    from iptlint.linter.store import Store

    whole = Store(path.parent).get(key)
    assert whole is not None
    data = json.loads(whole)
    for answer in (
        b"",
        b"{",
        b"[" * 100_000,
        b'{"seen": [], "report": {}}',
        json.dumps({**data, "seen": [[["x"], "no such question", "x", "x"]]}).encode(),
        json.dumps({**data, "report": {**data["report"], "findings": [7]}}).encode(),
    ):
        Store(path.parent).put(key, answer)
        again = run("rules.v4", "--cache", "cache")
        assert (again.stdout, again.stderr) == (plain.stdout, "")
        path.write_bytes(answer)
        assert run("rules.v4", "--cache", "cache").stdout == plain.stdout


def test_what_was_cut_short_is_not_kept(run: Run, tmp_path: Path) -> None:
    rules = "\n".join(f"-A INPUT -s 10.{n >> 8}.{n & 255}.0/24 -j DROP" for n in range(20_000))
    (tmp_path / "rules.v4").write_text(f"*filter\n:INPUT ACCEPT [0:0]\n{rules}\nCOMMIT\n")
    result = run("rules.v4", "--cache", "cache", "--timeout", "0.1")
    assert "IPT010" in result.stdout
    assert not [*(tmp_path / "cache").glob("*.answer")]


def test_a_directory_that_cannot_be_used_is_told_and_all_is_done(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(BROKEN)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    result = run("rules.v4", "--cache", "open")
    assert result.returncode == 1
    assert result.stderr.startswith("iptlint: --cache: open: may be written to by others")
    result = run("rules.v4", "--cache", "c", "--no-cache")
    assert result.returncode == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="others have a cache")
def test_root_keeps_nothing_by_itself(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(SHADOWED)
    run("rules.v4", XDG_CACHE_HOME=str(tmp_path / "home"), HOME=str(tmp_path / "home"))
    assert not (tmp_path / "home").exists()


def test_settings_of_a_file_that_cannot_be_read_are_told_once(run: Run, fleet: Path) -> None:
    text = '[[overrides]]\nfiles = ["rules.v4"]\nipset = ["missing"]\n'
    (fleet.parent / ".iptlint.toml").write_text(text)
    one, many = (run(str(fleet), "--jobs", jobs) for jobs in ("1", "3"))
    assert one.returncode == many.returncode == 2
    assert one.stderr == many.stderr
    assert "missing" in one.stderr


SLOW = "\n".join(f"-A INPUT -s 10.{n >> 8}.{n & 255}.0/24 -j DROP" for n in range(30_000))


def _start(tmp_path: Path, stderr: int) -> subprocess.Popen[bytes]:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rules.v4").write_text(f"*filter\n:INPUT ACCEPT [0:0]\n{SLOW}\nCOMMIT\n")
    return subprocess.Popen(
        [sys.executable, "-m", "iptlint", ".", "--jobs", "2", "--output-format", "json"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env={**os.environ, "TERM": "xterm"},
        start_new_session=True,
    )


def test_an_interrupt_ends_all_of_it(tmp_path: Path) -> None:
    process = _start(tmp_path, subprocess.PIPE)
    forks = until(lambda: children(process.pid), 2)
    assert len(forks) == 2
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said.strip()) == (130, b"")
    assert until(lambda: running(forks), 0) == []


def test_progress_is_told_on_a_terminal_and_taken_away(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = _start(tmp_path, theirs)
    os.close(theirs)
    said = b""
    try:
        while b"hosts are checked" not in said:
            said += os.read(ours, 1000)
        process.send_signal(signal.SIGINT)
        while part := os.read(ours, 1000):
            said += part
    except OSError:
        pass  # the other side is closed
    finally:
        os.close(ours)
    assert process.wait(PATIENCE) == 130
    assert b" s: 0 of 3 hosts are checked" in said
    assert said.rstrip(b"\r\n").endswith(b"\r\x1b[K")
