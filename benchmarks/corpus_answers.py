"""Records what iptlint answers for every file of a folder, and compares two such records.

``python benchmarks/corpus_answers.py record ../shared/corpus before`` writes one JSON line a
file: the exit status and the output of ``check`` (all rules) and of ``reach``. After a change
that must not be seen from outside, record again and
``python benchmarks/corpus_answers.py compare before after``. Each file is answered in a process
of its own, so that no file can spoil the next.
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
def record(corpus: Path, out: Path) -> None:
    """Write the answers for each file below CORPUS to OUT."""
    out = out.resolve()
    os.chdir(corpus)
    paths = sorted(str(path) for path in Path().rglob("*") if path.is_file())
    with (
        out.open("w", encoding="utf-8") as file,
        multiprocessing.get_context("fork").Pool(maxtasksperchild=1) as pool,
    ):
        for line in pool.imap(answers, paths):
            file.write(line + "\n")


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
