"""Prints how many files of a folder `iptlint convert` converts and proves, and why not the others.

``python benchmarks/conversions.py DIRECTORY``: each file of iptables-save below it by itself,
without ipsets; ``--family ip6``: files that do not tell are those of ip6tables. ``docs/convert.md``
holds what came of it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from iptlint.convert.conversion import Conversion, compare_wholes, converted
from iptlint.convert.rendering import State
from iptlint.convert.text import Style
from iptlint.dialects import Reader, read
from iptlint.dialects.decode import load
from iptlint.dialects.detect import IPTABLES_S, IPTABLES_SAVE
from iptlint.model import Family

_PROVED, _LEFT_OUT, _OTHERS = "proved", "but for rules that decide nothing", "not converted"


def outcome(made: Conversion) -> str:
    if made.holds:
        return _PROVED
    compare_wholes(made)
    return _LEFT_OUT if made.fares_alike else _OTHERS


def reasons(made: Conversion) -> set[str]:
    entries = (*made.of_state(State.NOT_CONVERTED), *made.of_state(State.NOT_PROVED))
    return {entry.reason for entry in entries} or {*made.refused}


@click.command()
@click.argument("directory", type=click.Path(exists=True, path_type=Path))
@click.option("--family", type=click.Choice(["ip", "ip6"]))
def main(directory: Path, family: str | None) -> None:
    outcomes, why = Counter[str](), Counter[str]()
    reader = Reader(Family(family) if family else None)
    for path in sorted(each for each in directory.rglob("*") if each.is_file()):
        ruleset = read(load(str(path)), reader).ruleset
        if ruleset.dialect not in (IPTABLES_SAVE, IPTABLES_S):
            continue
        made = converted([ruleset], None, Style(), [])
        came = outcome(made)
        outcomes[came] += 1
        if came == _OTHERS:
            why.update(reasons(made))
    for name in (_PROVED, _LEFT_OUT, _OTHERS):
        click.echo(f"{outcomes[name]:6} of {outcomes.total()} files: {name}")
    for reason, files in why.most_common():
        click.echo(f"{files:6} {reason}")


if __name__ == "__main__":
    main()
