"""Prints, for every lint rule, in how many files of a folder it finds how much.

``python benchmarks/noise.py ../shared/corpus``: all rules, the pedantic ones included, over all
files that the real tools take. ``docs/noise.md`` holds what it last printed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
from tabulate import tabulate

from iptlint.dialects.decode import load
from iptlint.linter.run import lint
from iptlint.rules.registry import Profile, rules

FORMATS = ("iptables", "ip6tables", "iptables-S", "nft-dump", "nft-script")


def files_of(corpus: Path) -> Iterator[Path]:
    for name in FORMATS:
        yield from sorted(path for path in (corpus / name / "valid").iterdir() if path.is_file())


def main(corpus: Path) -> None:
    files, findings, alone = Counter[str](), Counter[str](), Counter[str]()
    paths = [*files_of(corpus)]
    for path in paths:
        found = lint([load(str(path))], profile=Profile.STRICT).findings
        codes = Counter(finding.code for finding in found)
        files.update(codes.keys())
        findings.update(codes)
        alone.update(codes.keys() if len(codes) == 1 else ())
    rows = [
        (
            rule.meta.code,
            rule.meta.name,
            "pedantic" if rule.meta.pedantic else rule.meta.severity.value,
            files[rule.meta.code],
            f"{100 * files[rule.meta.code] / len(paths):.1f} %",
            findings[rule.meta.code],
        )
        for rule in rules()
    ]
    headers = ("Code", "Name", "Severity", "Files", "of all", "Findings")
    click.echo(f"{len(paths)} files\n")
    click.echo(tabulate(rows, headers, "pipe", colalign=("left", "left", "left", *["right"] * 3)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
