"""Many hosts, each judged by itself: by several processes, and not again where it is known."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from iptlint.cli.cache import Cache
    from iptlint.cli.progress import Progress
    from iptlint.linter.report import Report
    from iptlint.source import SourceFile
    from iptlint.workers import DiedError

    Sources = tuple[SourceFile, ...]

jobs = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="So many hosts at once; files of one directory are of one host. [default: as many as "
    "there are cores]",
)


@dataclass(frozen=True, slots=True)
class Many:
    """Judges hosts, with up to ``jobs`` processes."""

    cache: Cache
    jobs: int | None
    progress: Progress

    def reports(self, hosts: Sequence[Sources]) -> list[Report]:
        """One a host, in their order."""
        known = {number: self.cache.known(host) for number, host in enumerate(hosts)}
        left = [number for number, report in known.items() if report is None]
        jobs = min(self.jobs or _cores(), len(left)) if len(left) > 1 else 1
        answers = self._apart(hosts, left, jobs) if jobs > 1 else self._here(hosts, left)
        known.update(zip(left, answers, strict=True))
        if left:
            self.cache.tidy()
        return [report for report in known.values() if report is not None]

    def _here(self, hosts: Sequence[Sources], numbers: Sequence[int]) -> Iterator[Report]:
        judge = replace(self.cache.judge, tell=self.progress.doing)
        cache = replace(self.cache, judge=judge)
        for place, number in enumerate(numbers):
            if place:
                # What a host was judged by holds itself, and nobody else frees it: see cli.main.
                # What there is besides need not be looked at again.
                gc.collect()
                gc.freeze()
            yield cache.fresh(hosts[number]).settled()

    def _apart(
        self, hosts: Sequence[Sources], numbers: Sequence[int], jobs: int
    ) -> Iterator[Report]:
        from iptlint.linter.portable import packed, unpacked
        from iptlint.rules.registry import rules
        from iptlint.workers import DiedError, Workers

        sets = self.cache.judge.sets

        def work(task: bytes) -> bytes:
            host = hosts[int(task)]
            return json.dumps(packed(self.cache.fresh(host), (*host, *sets))).encode()

        def tick(done: int) -> None:
            self.progress.show(f"{done} of {len(numbers)} hosts are checked")

        for host in hosts:
            self.cache.judge.sets_for(host)  # what cannot be read is no fault of a process
        rules()  # imported once, before the processes part
        with Workers(work, jobs, tick) as workers:
            answers = workers.answers(str(number).encode() for number in numbers)
            for number, answer in zip(numbers, answers, strict=True):
                host = hosts[number]
                if isinstance(answer, bytes):
                    yield unpacked(json.loads(answer), (*host, *sets))
                else:
                    yield _died(host, answer or DiedError("it was not done"))


def _cores() -> int:
    from iptlint.workers import cores

    return cores()


def _died(host: Sources, error: DiedError) -> Report:
    from iptlint.linter.report import LintedFile, Report
    from iptlint.rules.reading import crashed

    finding = crashed(host[0], "checking the file", error)
    files = tuple(LintedFile(source.path, "unknown", None, 0, 0) for source in host)
    return Report(files, (finding,), 0, crashed=True, each=(finding,))
