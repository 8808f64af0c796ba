"""``iptlint live``: this host, another one, or a root file system."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

import click

from iptlint.cli import FAILED, options, streams

if TYPE_CHECKING:
    from iptlint.host.examine import Examined
    from iptlint.host.gathered import Gathered
    from iptlint.linter.report import Report
    from iptlint.model.host import Host


@click.command(name="live", options_metavar="[OPTION…]")
@click.option("--host", "destination", metavar="USER@NAME", help="That host, by way of ssh.")
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="A root file system that does not run: its files and the services it starts.",
)
@click.option(
    "--save",
    metavar="FILE.tar.gz",
    type=click.Path(dir_okay=False),
    help="Write all that was read to a file, for `iptlint check FILE.tar.gz` elsewhere.",
)
@options.output_format
@options.comma_list("--select", str, help="Only these rules: IPT101,IPT5,rule-name.")
@options.comma_list("--ignore", str, help="Not these rules.")
@click.option(
    "--profile",
    type=click.Choice(options.PROFILES),
    default="default",
    show_default=True,
    help="Which rules run where none is selected.",
)
@click.option(
    "--fail-on",
    type=click.Choice(options.THRESHOLDS),
    default="warning",
    show_default=True,
    help="The mildest severity that makes the exit status 1.",
)
@options.comma_list("--ssh-ports", options.port, help="Where sshd listens, if not as it says.")
@options.comma_list(
    "--management-networks",
    options.network,
    help="From where the host is managed: 10.0.0.0/8,fd00::/8.",
)
def command(
    destination: str | None,
    root: str | None,
    save: str | None,
    output_format: str,
    select: Sequence[str],
    ignore: Sequence[str],
    profile: str,
    fail_on: str,
    ssh_ports: tuple[int, ...],
    management_networks: tuple[IPv4Network | IPv6Network, ...],
) -> int:
    """Say what is wrong with the firewall of this host, and what a reboot changes.

    Compares the running rules with those that are loaded at boot. Everything is read, nothing
    changed; as root, everything can be read.
    """
    if destination is not None and root is not None:
        raise click.UsageError("--host and --root are about two different hosts; name one")
    gathered = _gather(destination, root)
    if save is not None:
        return _save(gathered, save)
    asked = options.Asked(
        output_format, select, ignore, profile, fail_on, ssh_ports, management_networks
    )
    return lint_host(gathered, asked)


def _gather(destination: str | None, root: str | None) -> Gathered:
    from iptlint.host.collect import gather_here, gather_root
    from iptlint.host.remote import RemoteError, gather_remote

    try:
        if destination is not None:
            return gather_remote(destination)
        return gather_here() if root is None else gather_root(root)
    except RemoteError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(str(error)) from None


def gathered_here() -> Gathered:
    """What this host says of its firewall."""
    return _gather(None, None)


def _save(gathered: Gathered, path: str) -> int:
    from iptlint.host.archive import save

    try:
        save(gathered, path)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from None
    for unread in gathered.unread:
        streams.say(f"iptlint: {options.printable(f'{unread.what}: {unread.why}')}\n")
    options.write(options.printable(f"wrote {path}; `iptlint check {path}` reads it") + "\n")
    return 0


def lint_archive(path: str, asked: options.Asked) -> int:
    """What ``--save`` wrote, perhaps on another host."""
    return lint_host(loaded(path), asked)


def loaded(path: str) -> Gathered:
    from iptlint.host.archive import ArchiveError, load

    try:
        return load(path)
    except (ArchiveError, OSError) as error:
        raise click.ClickException(str(error)) from None


def lint_host(gathered: Gathered, asked: options.Asked) -> int:
    from iptlint.analysis.session import Settings
    from iptlint.host.examine import examine
    from iptlint.linter.applicability import without_sshd
    from iptlint.linter.run import lint
    from iptlint.rules.registry import Profile, UnknownRuleError

    examined = examine(gathered)
    host = examined.host
    ports = asked.ssh_ports or host.facts.ssh_ports or (22,)
    silent = () if asked.ssh_ports else without_sshd(host)
    try:
        report = lint(
            host.sources,
            Settings(ports, asked.management_networks),
            asked.select,
            (*asked.ignore, *silent),
            examined.reader,
            examined.ipsets,
            Profile(asked.profile),
            host,
        )
    except UnknownRuleError as error:
        raise click.UsageError(str(error)) from None
    report = _with_kept(report, _lint_kept(examined, asked))
    _print(host, report, asked.output_format)
    unknown = host.live and host.running is None
    return FAILED if unknown or report.crashed else options.failing(report, asked.fail_on)


def _lint_kept(examined: Examined, asked: options.Asked) -> Report | None:
    """What is wrong with the files that are loaded at boot as files: what the rules in them do is
    told of those that run."""
    from iptlint.linter.run import lint
    from iptlint.rules.registry import Profile, rule_of, selected

    codes = selected(asked.select, asked.ignore, Profile(asked.profile))
    about = [code for code in codes if rule_of(code).meta.about_files]
    if not examined.kept or not about:
        return None
    sets = examined.kept_sets
    return lint(examined.kept, None, about, asked.ignore, examined.reader, sets)


def _with_kept(report: Report, kept: Report | None) -> Report:
    if kept is None:
        return report
    return replace(
        report,
        files=(*report.files, *kept.files),
        findings=(*report.findings, *kept.findings),
        suppressed=report.suppressed + kept.suppressed,
        crashed=report.crashed or kept.crashed,
    )


def _print(host: Host, report: Report, output_format: str) -> None:
    from iptlint.host.report import host_json, host_text

    if output_format == "json":
        from iptlint.reports.json_report import dumps, json_report

        answer = json.loads(json_report(report))
        options.write_json(dumps({**answer, "host": host_json(host)}))
    else:
        from iptlint.reports.text import text_report

        options.write(host_text(host) + text_report(report, colour=options.use_colour()))
