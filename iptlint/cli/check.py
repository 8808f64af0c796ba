"""``iptlint check FILE…``: what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, formats, options, streams
from iptlint.cli.baseline import baselines, unfixed, without_known, write
from iptlint.cli.cache import Cache, cached, store_of
from iptlint.cli.fix import fix_options, refuse_for_host, run_fixes
from iptlint.cli.hosts import Many, jobs
from iptlint.cli.inputs import host_archive, read_inputs, with_twins
from iptlint.cli.overrides import Override, all_adjusted, of_files
from iptlint.cli.progress import Progress
from iptlint.cli.scripts import script_options, with_scripts
from iptlint.cli.settings import META, Configured, configured
from iptlint.cli.watch import noted, watching

if TYPE_CHECKING:
    from iptlint.cli.inputs import Inputs
    from iptlint.dialects import Reader
    from iptlint.linter.budget import Budget
    from iptlint.linter.report import Report
    from iptlint.model import Family
    from iptlint.source import SourceFile


@click.command(name="check", cls=Configured, options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@formats.output_formats
@options.judging
@options.family
@options.ipsets
@options.includes
@options.host_addresses
@script_options
@options.one_host
@options.twins
@click.option(
    "--show-settings",
    is_flag=True,
    help="Say what holds for the first FILE, and who says so; check nothing.",
)
@click.option("--stdin-filename", metavar="PATH", help="What standard input is called.")
@baselines
@jobs
@cached
@options.limits
@configured
@watching
@fix_options
def command(files: tuple[str, ...], **given: Any) -> int:
    """Say what is wrong with the firewall in the files.

    The files of a host are taken together, so name rules.v4, rules.v6 and ipsets of a host at once.
    `-` is standard input; a directory is searched for the names that people use.
    """
    from iptlint.linter.publish import fewer

    if given["show_settings"]:
        from iptlint.cli.shown_settings import show_settings

        return show_settings(click.get_current_context(), files[0])
    asked = options.Asked.of({**given, "budget": budget(given)})
    if (archive := host_archive(files)) is not None:
        from iptlint.cli.live import lint_archive

        refuse_for_host(given["fixing"])
        return lint_archive(archive, asked)
    files = with_twins(files) if given["twins"] else files
    inputs = read_inputs(files, given["max_bytes"], given["stdin_filename"])
    sets = read_inputs(given["ipsets"], given["max_bytes"])
    reader = options.reader_of(given)
    reader = noted(reader)
    reader, unread = with_scripts(reader, given)
    complaints = (*inputs.complaints, *sets.complaints, *unread)
    streams.complain(*complaints)
    given["overrides"] = click.get_current_context().meta[META].overrides
    lint = partial(_linted, given=given)
    if given["fixing"] is not None and not complaints:
        known = given["baseline"]
        spared = partial(_spared, lint=lint, known=known)
        return run_fixes(given["fixing"], spared, inputs, sets, reader, asked, known)
    report = lint(inputs, sets, reader, asked)
    if given["write_baseline"] is not None and not complaints:
        return write(report, given["write_baseline"], given["baseline"])
    report = without_known(report, given["baseline"])
    report = replace(report, findings=fewer(report.findings, asked.budget.findings))
    formats.publish(report, asked, empty=not inputs.sources)
    return FAILED if complaints or report.crashed else options.failing(report, asked)


def _spared(*work: Any, lint: Callable[..., Report], known: str | None) -> Report:
    """What the baseline holds is left as it is."""
    return unfixed(lint(*work), known)


def _linted(
    inputs: Inputs,
    sets: Inputs,
    reader: Reader,
    asked: options.Asked,
    given: dict[str, Any],
) -> Report:
    """Each host by itself, as the configuration says of its files. What is to be fixed, or to
    be shown in an overview, is not looked up: that is more than what is kept of a report."""
    from iptlint.linter.hosts import by_host, joined
    from iptlint.rules.registry import UnknownRuleError, codes_matching

    baseline = given["baseline"] is not None or given["write_baseline"] is not None
    in_full = baseline or given["fixing"] is not None
    judge = Judge(
        *(reader, sets.sources, asked, given["overrides"], given["max_bytes"]),
        in_full=baseline,
        most_told=None if in_full else asked.budget.findings,
    )
    try:
        for wanted in (*asked.select, *asked.ignore):
            codes_matching(wanted)
    except UnknownRuleError as error:
        raise click.UsageError(str(error)) from None
    hosts = [inputs.sources] if given["one_host"] else by_host(inputs.sources)
    if given["fixing"] is not None or formats.has_overview(asked):
        return joined(_in_turn(judge, hosts))
    with Progress(verbose=asked.verbose) as progress:
        cache = Cache(judge, store_of(given["cache"], no_cache=given["no_cache"]))
        jobs = 1 if asked.verbose else given["jobs"]
        return joined(Many(cache, jobs, progress).reports(hosts))


def _in_turn(judge: Judge, hosts: Sequence[tuple[SourceFile, ...]]) -> Iterator[Report]:
    """Of the first ones all that was worked out is kept, for an overview to ask more of it."""
    for number, host in enumerate(hosts):
        report = judge.report(host)
        for overview in report.overviews[0] if report.overviews and number >= _MOST_KEPT else ():
            overview.context = None
        yield report


_MOST_KEPT = 12


@dataclass(frozen=True, slots=True)
class Judge:
    """Looks at the files of one host. ``tell`` is told what it is at. ``in_full``: each finding
    says all there is, also one that is told as one with others: a baseline may hide those.
    ``most_told``: so many findings do, where no more are shown."""

    reader: Reader
    sets: tuple[SourceFile, ...]
    asked: options.Asked
    overrides: tuple[Override, ...]
    most_bytes: int
    tell: Callable[[str], None] | None = None
    in_full: bool = False
    most_told: int | None = None

    def report(self, host: tuple[SourceFile, ...]) -> Report:
        from iptlint.analysis.session import Settings
        from iptlint.linter.budget import silent
        from iptlint.linter.run import lint
        from iptlint.rules.registry import Profile

        asked = self.asked
        concerned = self._concerned(host)
        ports = [each.ssh_ports for each in concerned if each.ssh_ports]
        networks = [each.management_networks for each in concerned if each.management_networks]
        addresses = [each.host_addresses for each in concerned if each.host_addresses]
        report = lint(
            host,
            Settings(
                [asked.ssh_ports or (22,), *ports][-1],
                [asked.management_networks, *networks][-1],
                [asked.host_addresses, *addresses][-1],
            ),
            asked.select,
            asked.ignore,
            self.reader,
            (*self.sets, *self.sets_for(host)),
            Profile(asked.profile),
            budget=replace(asked.budget, findings=None, told=None if concerned else self.most_told),
            suppress=not asked.no_suppressions,
            families=self._families(host),
            tell=self.tell or silent,
            overview=formats.has_overview(asked),
        )
        each = tuple(f.told() for f in report.each) if self.in_full else report.each
        return replace(
            report,
            findings=all_adjusted(concerned, report.findings),
            each=all_adjusted(concerned, each),
        )

    def settings_for(self, host: Sequence[SourceFile]) -> tuple[object, ...]:
        """Whatever makes a difference to what is found, but for the texts and what they lead to.
        What it is made of has a ``repr`` that tells all of it."""
        asked, reader = self.asked, self.reader
        return (
            *(asked.select, asked.ignore, asked.profile, asked.ssh_ports),
            *(asked.management_networks, asked.host_addresses, asked.no_suppressions),
            *(asked.budget.seconds, asked.budget.memory),
            *(reader.family, reader.arguments, self._concerned(host)),
            *(self.in_full, self.most_told),
            sorted((source.path, family) for source, family in self._families(host).items()),
        )

    def sets_for(self, host: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
        """Of the last override for one of the files that names some."""
        named = [each.ipset for each in self._concerned(host) if each.ipset]
        if not named:
            return ()
        inputs = read_inputs(named[-1], self.most_bytes)
        if inputs.complaints:
            raise click.ClickException("; ".join(inputs.complaints))
        return inputs.sources

    def _concerned(self, host: Sequence[SourceFile]) -> list[Override]:
        return of_files(self.overrides, [source.path for source in host])

    def _families(self, host: Sequence[SourceFile]) -> dict[SourceFile, Family]:
        from iptlint.model import Family

        return {
            source: Family(override.family)
            for override in self.overrides
            for source in host
            if override.family is not None and override.concerns(source.path)
        }


def budget(given: dict[str, Any]) -> Budget:
    from iptlint.linter.budget import Budget

    return Budget(given["timeout"], given["max_memory"] << 20, given["max_findings"])
