"""``iptlint check FILE…``: what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, formats, options, streams
from iptlint.cli.baseline import baselines, unfixed, without_known, write
from iptlint.cli.cache import Cache, cached, store_of
from iptlint.cli.fix import fix_options, refuse_for_host, run_fixes
from iptlint.cli.hosts import Many, jobs
from iptlint.cli.inputs import host_archive, read_inputs, with_twins
from iptlint.cli.judge import Judge
from iptlint.cli.progress import Progress
from iptlint.cli.scripts import script_options, with_scripts
from iptlint.cli.settings import META, Configured, configured
from iptlint.cli.watch import noted, watching

if TYPE_CHECKING:
    from iptlint.cli.inputs import Inputs
    from iptlint.dialects import Reader
    from iptlint.linter.report import Report
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
    asked = options.Asked.of({**given, "budget": options.budget_of(given)})
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
