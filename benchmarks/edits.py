"""Times the answer to an edit of one rule, in a process that has seen the file before.

``python benchmarks/edits.py hosts hosts6:10000 mixed``: a kind of ruleset in 10,000 or so many
rules. One line in the middle is changed, another added, another taken out, each time a few times
over; the table has the least processor time of each, beside that of the first look.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import click
from rulesets import KINDS

from iptlint.linter.run import lint
from iptlint.source import SourceFile

_TIMES = 4
Edit = Callable[[list[str], int], None]


def _changed(lines: list[str], place: int) -> None:
    lines[place] = lines[place].replace("ACCEPT", "REJECT").replace("DROP", "ACCEPT")


def _added(lines: list[str], place: int) -> None:
    lines.insert(place, lines[place].replace("-A INPUT", "-A INPUT -i eth7"))


def _taken_out(lines: list[str], place: int) -> None:
    del lines[place]


_EDITS: dict[str, Edit] = {"changed": _changed, "added": _added, "taken out": _taken_out}


def _seconds(path: str, lines: list[str]) -> float:
    """As the language server works, the collector waits until the answer is there."""
    begun = time.process_time()
    lint([SourceFile(path, "".join(lines))])
    seconds = time.process_time() - begun
    gc.collect()
    return seconds


@click.command()
@click.argument("kinds", nargs=-1, required=True)
def main(kinds: tuple[str, ...]) -> None:
    """The answer to an edit of one rule."""
    gc.disable()
    click.echo(f"| ruleset | first look | {' | '.join(_EDITS)} |")
    click.echo(f"|:--------|{'----:|' * (1 + len(_EDITS))}")
    for kind in kinds:
        name, _, count = kind.partition(":")
        make, _ = KINDS[name]
        ((path, text),) = make(int(count or 10_000)).items()
        lines = text.splitlines(keepends=True)
        row = [_seconds(path, lines)]
        for edit in _EDITS.values():
            times = []
            for number in range(_TIMES):
                edited = [*lines]
                edit(edited, len(lines) // 2 + number)
                times.append(_seconds(path, edited))
            row.append(min(times))
        click.echo(f"| {kind} | {' | '.join(f'{seconds:.2f}' for seconds in row)} |")


if __name__ == "__main__":
    main()
