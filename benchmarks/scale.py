"""Times `iptlint check` on made rulesets, each run a process of its own, beside its peers.

``python benchmarks/scale.py [KIND[:N] | FILE …]``: all kinds in all sizes where none is named.
Prints the table of benchmarks/README.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click
from rulesets import KINDS
from tabulate import tabulate

_ROOT = Path(__file__).parent.parent
_HEADERS = ("ruleset", "lines", "s", "CPU s", "user s", "MB", "of nft", "of iptables", "of fwshift")
_CHECK = (sys.executable, "-m", "iptlint", "check", "--fail-on", "never")
_APART = ("unshare", "--net", *(() if os.geteuid() == 0 else ("--map-root-user",)))
"""A network of its own, so that a peer meets neither the rules of this host nor its locks."""


class Run(NamedTuple):
    """What a process cost; ``ok``: it did its work to the end."""

    seconds: float
    cpu: float
    user: float
    megabytes: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    files: tuple[Path, ...]

    @property
    def lines(self) -> int:
        return sum(path.read_bytes().count(b"\n") for path in self.files)

    @property
    def only(self) -> Path | None:
        """Its file, where it has one only; no peer takes rules and sets together."""
        return self.files[0] if len(self.files) == 1 else None

    @property
    def is_nft(self) -> bool:
        return self.files[0].suffix == ".nft"

    @property
    def six(self) -> str:
        return "6" if self.files[0].suffix == ".v6" else ""


def run(command: Sequence[str], times: int, timeout: float) -> Run | None:
    """The medians of some runs; None where one takes longer than the timeout."""
    runs = []
    for _ in range(times):
        once = _run_once(command, timeout)
        if once is None:
            return None
        runs.append(once)
    seconds, cpu, user, megabytes, ok = zip(*runs, strict=True)
    return Run(median(seconds), median(cpu), median(user), median(megabytes), all(ok))


def _run_once(command: Sequence[str], timeout: float) -> Run | None:
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        seconds = time.perf_counter() - start
        if pid:
            break
        if seconds > timeout:
            process.kill()
            process.wait()
            return None
        time.sleep(0.005)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = used.ru_utime + used.ru_stime
    return Run(seconds, cpu, used.ru_utime, used.ru_maxrss / 1024, process.returncode == 0)


def _peers(case: Case, scratch: Path) -> Iterator[tuple[str, ...] | None]:
    """What nft, iptables and fwshift are asked about the same rules; None where they cannot be."""
    only = case.only
    nft = only if case.is_nft else _translated(case, scratch)
    yield (*_APART, "nft", "-c", "-f", str(nft)) if nft and shutil.which("nft") else None
    restore = f"ip{case.six}tables-restore"
    is_known = only and not case.is_nft and shutil.which(restore)
    yield (*_APART, restore, "--test", str(only)) if is_known else None
    yield ("fwshift", str(only)) if only and shutil.which("fwshift") else None


def _translated(case: Case, scratch: Path) -> Path | None:
    """The same rules for nft; None where some have no translation."""
    translator = f"ip{case.six}tables-restore-translate"
    if case.only is None or not shutil.which(translator):
        return None
    command = (translator, "-f", str(case.only))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "\n# -A" in done.stdout:
        return None
    path = scratch / "translated.nft"
    path.write_text(done.stdout)
    return path


def row(case: Case, times: int, timeout: float, *, peers: bool) -> tuple[str, ...]:
    check = run((*_CHECK, *map(str, case.files)), times, timeout)
    if check is None:
        return (case.name, f"{case.lines:,}", f"> {timeout:.0f}", *[""] * 6)
    with tempfile.TemporaryDirectory() as scratch:
        commands = _peers(case, Path(scratch)) if peers else iter(())
        ratios = [_ratio(check, command, times, timeout) for command in commands]
    costs = (f"{check.seconds:.2f}", f"{check.cpu:.2f}", f"{check.user:.2f}")
    name = case.name if check.ok else f"{case.name} (fails)"
    return (name, f"{case.lines:,}", *costs, f"{check.megabytes:.0f}", *ratios)


def _ratio(check: Run, command: tuple[str, ...] | None, times: int, timeout: float) -> str:
    """How much more processor time a check takes than the peer; empty where that cannot do it."""
    peer = run(command, times, timeout) if command else None
    return f"{check.cpu / max(peer.cpu, 0.001):.1f}" if peer and peer.ok else ""


def _cases(names: Sequence[str], folder: Path) -> Iterator[Case]:
    for name in names or KINDS:
        kind, _, size = name.partition(":")
        if kind not in KINDS:
            yield Case(Path(name).name, (Path(name).resolve(),))
            continue
        make, sizes = KINDS[kind]
        for n in (int(size),) if size else sizes:
            yield Case(f"{kind} {n:,}", tuple(_written(make(n), folder / f"{kind}-{n}")))


def _written(texts: Mapping[str, str], folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        path = folder / name
        path.write_text(text)
        yield path


@click.command()
@click.argument("names", nargs=-1, metavar="[KIND[:N] | FILE …]")
@click.option("--times", default=3, help="Runs of which the median counts.", show_default=True)
@click.option("--timeout", default=600.0, help="Seconds a run may take.", show_default=True)
@click.option("--peers/--no-peers", default=True, help="Also time what others make of the rules.")
@click.option("--only-make", type=Path, help="Write the rulesets to this folder, and time none.")
def main(
    names: tuple[str, ...], times: int, timeout: float, peers: bool, only_make: Path | None
) -> None:
    """Time `iptlint check`, cold, on rulesets of each KIND with N rules, or on a FILE."""
    with tempfile.TemporaryDirectory() as scratch:
        cases = _cases(names, only_make or Path(scratch))
        if only_make:
            click.echo("\n".join(str(path) for case in cases for path in case.files))
            return
        rows = []
        for case in cases:
            rows.append(row(case, times, timeout, peers=peers))
            click.echo("  ".join(rows[-1]), err=True)
    align = ("left", *["right"] * (len(_HEADERS) - 1))
    click.echo(tabulate(rows, _HEADERS, "pipe", colalign=align, disable_numparse=True))


if __name__ == "__main__":
    main()
