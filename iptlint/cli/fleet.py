"""``iptlint fleet``: many hosts, as one table."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, budgets, options
from iptlint.cli.cache import cached, store_of
from iptlint.cli.fleet_hosts import Hosts, hosts_of, policy_of
from iptlint.cli.fleet_output import output_formats, writing
from iptlint.cli.hosts import jobs
from iptlint.cli.live import wanted_of
from iptlint.cli.progress import Progress

if TYPE_CHECKING:
    from iptlint.fleet.judge import Judge
    from iptlint.fleet.rows import Engine, Row, Rows
    from iptlint.fleet.summary import Summary
    from iptlint.linter.budget import Budget
    from iptlint.linter.store import Store

_SECONDS = 60
"""For each host, where nothing else is said: one must not hold up all the others."""


@click.command(name="fleet", options_metavar="[OPTION…]")
@click.argument("where", metavar="DIR|INVENTORY", type=click.Path(exists=True))
@output_formats
@click.option(
    "--golden", metavar="HOST", help="Compare all rules with those of this host, or capture."
)
@click.option(
    "--since",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Compare each host with its capture of the same name here.",
)
@click.option(
    "--tests", metavar="FILE", help="Policy tests, as `iptlint test` has them: do they hold?"
)
@click.option(
    "--matrix", is_flag=True, help="Count who reaches which service, as `iptlint matrix` tells it."
)
@click.option(
    "--limit", "patterns", multiple=True, metavar="PATTERN", help="Only hosts and groups like web*."
)
@click.option(
    "--save",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Of an inventory: write what was read of each host here, to compare with later.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 256),
    default=8,
    show_default=True,
    help="Of an inventory: so many hosts are asked at once.",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="A Dask cluster that does the work: tcp://HOST:8786."
)
@options.judging
@jobs
@cached
@budgets.host_limits
def command(where: str, budget: Budget, **given: Any) -> int:
    """Say what is wrong with many hosts, and where their rules differ.

    DIR holds captures, as `iptlint live --save` writes them; INVENTORY lists hosts that ssh
    leads to, one a line or as Ansible has it. Hosts that are alike are looked at once.
    """
    if budget.seconds is None:
        budget = replace(budget, seconds=_SECONDS)
    asked = options.Asked.of({**given, "outputs": (), "budget": budget})
    with Progress() as progress, ExitStack() as stack:
        return _Run(hosts_of(where, given["patterns"], given["since"]), given, asked).status(
            progress, stack
        )


@dataclass(frozen=True, slots=True)
class _Run:
    hosts: Hosts
    given: dict[str, Any]
    asked: options.Asked

    def status(self, progress: Progress, stack: ExitStack) -> int:
        from iptlint.fleet.summary import Summary
        from iptlint.fleet.table import AskedColumns

        golden, since = self.given["golden"] or "", self.given["since"] or ""
        tests = self.given["tests"] or ""
        columns = AskedColumns(golden, since, tests, self.asked.profile == "cis")
        summary = Summary(gone=() if self.given["patterns"] else self.hosts.gone())
        rows = self._rows(progress, stack, summary)
        write = stack.enter_context(writing(self.given["outputs"], columns))
        for row in rows:
            summary.add(row)
            write(lambda writer, row=row: [writer.row(row)])  # type: ignore[misc]
        write(lambda writer: writer.end(summary))
        return _status(summary, self.asked)

    def _rows(self, progress: Progress, stack: ExitStack, summary: Summary) -> Iterator[Row]:
        """All that may be refused is refused before the first one."""
        from iptlint.fleet.kept import Kept
        from iptlint.fleet.rows import Rows
        from iptlint.linter.store import Store

        def tick(_: int) -> None:
            progress.show(f"{summary.hosts} of {len(self.hosts.names)} hosts are looked at")

        judge = self._judge()
        engine = self._engine(judge, tick, stack)
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="iptlint-"))
        cache = store_of(self.given["cache"], no_cache=self.given["no_cache"])
        rows = Rows(judge, engine, Kept(Store(Path(scratch)), cache))
        taken = self.hosts.taken(self.given["connections"], self.given["save"], tick)
        return _counted(rows, rows.each(taken), summary, cache)

    def _judge(self) -> Judge:
        from iptlint.fleet.judge import Judge
        from iptlint.fleet.likeness import capture

        name = self.given["golden"]
        golden = None if name is None else capture(self.hosts.golden(name))
        policy = policy_of(self.given["tests"], matrix=self.given["matrix"])
        return Judge(wanted_of(self.asked), golden, self.given["since"] is not None, policy)

    def _engine(self, judge: Judge, tick: Any, stack: ExitStack) -> Engine:
        from iptlint.workers import Workers, cores

        if self.given["scheduler"] is None:
            jobs = min(self.given["jobs"] or cores(), len(self.hosts.names))
            return stack.enter_context(Workers(judge.work, jobs, tick))
        from iptlint.fleet.cluster import Cluster, ClusterError

        try:
            return stack.enter_context(Cluster(self.given["scheduler"], judge, tick))
        except ClusterError as error:
            raise click.ClickException(str(error)) from None


def _counted(
    rows: Rows, each: Iterator[Row], summary: Summary, cache: Store | None
) -> Iterator[Row]:
    for row in each:
        summary.different = rows.different
        yield row
    if cache is not None:
        cache.forget_old()


def _status(summary: Summary, asked: options.Asked) -> int:
    """A host that could not be looked at is not known to be good."""
    if summary.missed == summary.hosts:
        return FAILED
    if asked.exit_zero or asked.fail_on == "never":
        return 0
    grave = options.THRESHOLDS[: options.THRESHOLDS.index(asked.fail_on) + 1]
    is_grave = any(summary.severities[severity] for severity in grave)
    items = summary.failing_items and "warning" in grave
    compared = summary.differing + summary.failing_tests
    others = compared + summary.missed + summary.unknown + summary.unfinished
    return int(bool(is_grave or items or others))
