"""Records what iptlint answers for every file of a folder, and compares two such records.

``python benchmarks/corpus_answers.py record CORPUS before`` writes one JSON line a file: the exit
status and the output of ``check`` (all rules) and of ``reach``. After a change that must not be
seen from outside, record again, and ``python benchmarks/corpus_answers.py compare before after``
names the files whose answers differ. Each file is answered in a process of its own, so that no
file can spoil the next.

A large corpus takes hours. ``record --every 20 --offset 3`` answers every twentieth file, from the
fourth on; ``record --resume`` goes on where an earlier run of the same command was stopped.
``.ci/nightly`` compares another part every night.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from pathlib import Path

import click
from click.testing import CliRunner

from iptlint.cli import group

SECONDS = 100
"""For one answer; one that takes longer is recorded as none."""
QUESTIONS = (
    ("check", "--profile", "strict", "--output-format", "json"),
    ("reach", "--output-format", "json"),
)


def answers(path: str) -> str:
    signal.signal(signal.SIGALRM, _too_long)
    row: dict[str, object] = {"path": path}
    for question in QUESTIONS:
        signal.alarm(SECONDS)
        result = CliRunner().invoke(group, [*question, path], standalone_mode=False)
        status = result.return_value if result.exception is None else repr(result.exception)
        row[question[0]] = [status, result.stdout, result.stderr]
    signal.alarm(0)
    return json.dumps(row)


def _too_long(*_: object) -> None:
    raise TimeoutError(f"not answered within {SECONDS} s")


@click.group()
def cli() -> None:
    """Answers for a whole corpus, before and after."""


@cli.command()
@click.argument("corpus", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--every", type=click.IntRange(1), default=1, help="Every Nth file only.")
@click.option("--offset", type=click.IntRange(0), default=0, help="From the Kth file on, from 0.")
@click.option("--resume", is_flag=True, help="Keep what OUT holds, and answer the rest.")
def record(corpus: Path, out: Path, every: int, offset: int, resume: bool) -> None:
    """Write the answers for each file below CORPUS to OUT."""
    out = out.resolve()
    os.chdir(corpus)
    rows = _whole_rows(out) if resume and out.exists() else {}
    paths = sorted(str(path) for path in Path().rglob("*") if path.is_file())[offset::every]
    with (
        out.open("w", encoding="utf-8") as file,
        multiprocessing.get_context("fork").Pool(maxtasksperchild=1) as pool,
    ):
        file.writelines(f"{row}\n" for row in rows.values())
        for line in pool.imap(answers, [path for path in paths if path not in rows]):
            file.write(f"{line}\n")
            file.flush()


def _whole_rows(out: Path) -> dict[str, str]:
    """By path; a run that was killed may have left half a row."""
    *rows, _ = out.read_text("utf-8").split("\n")
    return {json.loads(row)["path"]: row for row in rows}


@cli.command()
@click.argument("before", type=click.File(encoding="utf-8"))
@click.argument("after", type=click.File(encoding="utf-8"))
def compare(before: click.utils.LazyFile, after: click.utils.LazyFile) -> None:
    """Name the files whose answers differ; status 1 where there are any."""
    old = {row["path"]: row for row in map(json.loads, before)}
    new = {row["path"]: row for row in map(json.loads, after)}
    differing = [path for path in sorted(old | new) if old.get(path) != new.get(path)]
    for path in differing:
        click.echo(path)
    click.echo(f"{len(differing)} of {len(old | new)} files differ")
    sys.exit(bool(differing))


if __name__ == "__main__":
    cli()
