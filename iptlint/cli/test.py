"""``iptlint test [FILE…]``: do the policy tests hold?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, formats, options, streams
from iptlint.cli.baseline import baselines, without_known, write
from iptlint.cli.budgets import Allowance, limits
from iptlint.cli.policy import Hosts, hosts_of, of_hosts
from iptlint.cli.policy_files import found_tests, others_of, read_policy, shown_path
from iptlint.cli.policy_packets import judge_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iptlint.linter.report import Report
    from iptlint.policy.results import Result
    from iptlint.policy.tests import PolicyFile

FAILING = 1


@click.command(name="test", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, metavar="[FILE…]")
@click.option(
    "--tests",
    "named",
    metavar="FILE",
    help="The tests; else the nearest iptlint.tests.toml, from the first file upward.",
)
@click.option(
    "--packets",
    "table",
    metavar="TABLE",
    help="Judge the single packets of a CSV instead: family, way, iif, oif, saddr, daddr, proto, "
    "sport, dport, type, expect.",
)
@click.option(
    "--write",
    "writing",
    is_flag=True,
    help="Print a test file of what the rules do as they stand, for review, and judge nothing.",
)
@formats.output_formats
@baselines
@of_hosts
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; auto: on a terminal, or as NO_COLOR and FORCE_COLOR say.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print what fails and nothing else.")
@limits
def command(
    files: tuple[str, ...],
    named: str | None,
    table: str | None,
    writing: bool,
    allowance: Allowance,
    **given: Any,
) -> int:
    """Say whether the firewall in the files does what the policy tests claim.

    Each test is proved for every packet, over IPv4 and IPv6. Without FILE, the firewall files
    beside the tests are meant. The exit status is 0 where all tests hold, 1 where one does not, 2
    where something could not be read.
    """
    if table is not None:
        return judge_table(table, files, given, allowance)
    if writing:
        return _write(files, given, allowance)
    path = found_tests(named, files)
    policy = read_policy(path, named=named is not None)
    hosts = hosts_of(files or (shown_path(path.parent),), given, allowance)
    results = _judged(policy, path, hosts, given, allowance)
    report = _report(results, hosts)
    if given["write_baseline"] is not None:
        return write(report, given["write_baseline"], given["baseline"])
    open_ = without_known(report, given["baseline"])
    _publish(results, report, open_, hosts, given)
    if hosts.unfinished or allowance.complain():
        return FAILED
    return FAILING if open_.findings else 0


def _write(files: tuple[str, ...], given: dict[str, Any], allowance: Allowance) -> int:
    from iptlint.policy.writing import written_tests

    if not files:
        raise click.UsageError("name the files of one host to write tests of")
    hosts = hosts_of(files, given, allowance)
    if len(hosts.hosts) != 1:
        names = ", ".join(host.name for host in hosts.hosts)
        raise click.UsageError(f"these are files of several hosts ({names}); name those of one")
    with allowance.for_("to write tests of the rules; a longer --timeout may be"):
        text = written_tests(hosts.hosts[0])
    streams.write_utf8(text)
    return FAILED if hosts.unfinished else 0


def _judged(
    policy: PolicyFile, path: Path, hosts: Hosts, given: dict[str, Any], allowance: Allowance
) -> list[Result]:
    from iptlint.policy.judge import judge

    reader = options.reader_of(given)
    others = others_of(policy, path, hosts.hosts, reader, allowance.most_bytes)
    asked = len(policy.tests) * len(hosts.hosts)
    return allowance.as_many(
        judge(policy, hosts.hosts, others),
        lambda known: f"{known} answers to {asked} tests are known",
    )


def _report(results: Sequence[Result], hosts: Hosts) -> Report:
    from iptlint.linter.report import LintedFile, Report
    from iptlint.policy.findings import findings

    several = len(hosts.hosts) > 1
    failures = tuple(findings(results, several_hosts=several))
    files = tuple(
        LintedFile.of_ruleset(ruleset) for host in hosts.hosts for ruleset in host.rulesets
    )
    return Report(files, failures, 0, crashed=False, each=failures)


def _publish(
    results: Sequence[Result], report: Report, open_: Report, hosts: Hosts, given: dict[str, Any]
) -> None:
    """In the formats for findings a failure is one; text, json and junit tell of each test."""
    from iptlint.findings.fingerprint import fingerprints
    from iptlint.reports.policy_tests import policy_json, policy_junit, policy_text, told

    left = {*open_.findings}
    marks = zip(report.findings, fingerprints(report.findings), strict=True)
    hidden = [mark for finding, mark in marks if finding not in left]
    each = told(results, hidden)
    notes = [note for host in hosts.hosts for note in host.notes]
    asked = options.Asked.of(_ASKED | {"budget": None, **given})
    formats.publish(
        open_,
        replace(asked, outputs=given["outputs"]),
        {
            "text": lambda _, look: policy_text(each, look, notes),
            "json": lambda _, look: policy_json(each, notes),
            "junit": lambda _, look: policy_junit(each),
        },
    )


_ASKED: dict[str, Any] = {
    **{"select": (), "ignore": (), "profile": "default", "fail_on": "warning", "ssh_ports": ()},
    **{"management_networks": (), "statistics": False, "exit_zero": False},
    "no_suppressions": False,
}
