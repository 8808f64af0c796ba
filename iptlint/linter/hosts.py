"""Which of the files belong to one host, and one report of several hosts.

What another host has is no evidence: its sets do not say what is in those of this one, nor its
rules for IPv6 that this one has some.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from iptlint.linter.publish import in_order
from iptlint.linter.report import Report
from iptlint.source import SourceFile

if TYPE_CHECKING:
    from iptlint.benchmark.table import Judged

STDIN = "-"
_ETC = "etc"
_INCLUDE = re.compile(r'^[ \t]*include[ \t]+"([^"\n]+)"', re.MULTILINE)


def by_host(sources: Sequence[SourceFile]) -> list[tuple[SourceFile, ...]]:
    """The files of each host together, in their order: those of one directory, those below one
    ``etc``, and what a file of nft includes with that file. Standard input is of the host that the
    others are of, if that is one."""
    owners = {source: _directory(source.path) for source in sources}
    for source in sources:
        for included in _included(source, sources):
            moved, into = owners[included], owners[source]
            owners = {each: into if owner == moved else owner for each, owner in owners.items()}
    others = {owner for owner in owners.values() if owner != STDIN}
    if len(others) == 1:
        return [tuple(sources)]
    groups: dict[str, list[SourceFile]] = {}
    for source, owner in owners.items():
        groups.setdefault(owner, []).append(source)
    return [*map(tuple, groups.values())] or [()]


def _directory(path: str) -> str:
    """The directory of a file, or, for a file below ``etc``, the one that ``etc`` is in."""
    if path == STDIN:
        return STDIN
    folders = PurePath(os.path.realpath(path)).parts[:-1]
    if _ETC in folders:
        last = len(folders) - 1 - folders[::-1].index(_ETC)
        folders = folders[:last]
    return str(PurePath(*folders))


def _included(source: SourceFile, sources: Sequence[SourceFile]) -> Iterator[SourceFile]:
    """By the folder and the name: a copy of a host's files lies elsewhere than on the host."""
    if "include" not in source.text:
        return
    tails = [str(PurePath(*PurePath(p).parts[-2:])) for p in _INCLUDE.findall(source.text)]
    for other in sources:
        if other is not source and any(PurePath(other.path).match(tail) for tail in tails):
            yield other


def _of_host(report: Report, hosts: int) -> tuple[Judged, ...]:
    """The items of the benchmarks, with what their host is called beside others: the directory of
    its first file."""
    items = report.items or ()
    if hosts < 2 or not report.files:
        return items
    name = str(PurePath(report.files[0].path).parent)
    return tuple(replace(item, host=name) for item in items)


def joined(reports: Iterable[Report]) -> Report:
    """One report of several."""
    several = tuple(reports)
    findings = in_order(finding for report in several for finding in report.findings)
    items = [_of_host(report, len(several)) for report in several if report.items is not None]
    return Report(
        tuple(file for report in several for file in report.files),
        tuple(findings),
        sum(report.suppressed for report in several),
        any(report.crashed for report in several),
        tuple(item for each in items for item in each) if items else None,
        tuple(in_order(finding for report in several for finding in report.each)),
        any(report.unfinished for report in several),
        tuple(host for report in several for host in report.overviews),
        tuple(in_order(finding for report in several for finding in report.hidden)),
        tuple(finding for report in several for finding in report.yielded),
    )
