"""``iptlint live``: this host, another one, or a root file system."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, budgets, formats, options, streams
from iptlint.cli.progress import Progress

if TYPE_CHECKING:
    from iptlint.host.gathered import Gathered
    from iptlint.host.linted import Wanted
    from iptlint.linter.report import Report
    from iptlint.model.host import Host
    from iptlint.reports.html.about_host import AboutHost


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
@formats.output_formats
@options.judging
@budgets.host_limits
def command(destination: str | None, root: str | None, save: str | None, **given: Any) -> int:
    """Say what is wrong with the firewall of this host, and what a reboot changes.

    Compares the running rules with those that are loaded at boot. Everything is read, nothing
    changed; as root, everything can be read.
    """
    if destination is not None and root is not None:
        raise click.UsageError("--host and --root are about two different hosts; name one")
    gathered = _gather(destination, root)
    if save is not None:
        return _save(gathered, save)
    return lint_host(gathered, options.Asked.of(given))


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
    streams.complain(*(f"{unread.what}: {unread.why}" for unread in gathered.unread))
    streams.write(streams.printable(f"wrote {path}; `iptlint check {path}` reads it") + "\n")
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


def wanted_of(asked: options.Asked) -> Wanted:
    """What the command line says of how to lint a host; a click error where it names no rule."""
    from iptlint.host.linted import Wanted
    from iptlint.rules.registry import Profile, UnknownRuleError, selected

    profile = Profile(asked.profile)
    try:
        selected(asked.select, asked.ignore, profile)
    except UnknownRuleError as error:
        raise click.UsageError(str(error)) from None
    return Wanted(
        tuple(asked.select),
        tuple(asked.ignore),
        profile,
        asked.ssh_ports,
        asked.management_networks,
        asked.budget,
        not asked.no_suppressions,
    )


def lint_host(gathered: Gathered, asked: options.Asked) -> int:
    from iptlint.host.examine import examine
    from iptlint.host.linted import lint_examined
    from iptlint.host.mending import with_commands

    wanted = wanted_of(asked)
    with Progress(verbose=asked.verbose) as progress:
        progress.doing(f"reading what {gathered.name} says")
        examined = examine(gathered)
        overview = formats.has_overview(asked)
        report = lint_examined(examined, wanted, progress.doing, overview=overview)
    host = examined.host
    if host.live:
        findings = with_commands(report.findings, host.sources, gathered)
        report = replace(report, findings=findings)
    formats.publish(report, asked, _of_host(host))
    unknown = host.live and host.running is None
    return FAILED if unknown or report.crashed else options.failing(report, asked)


def _of_host(host: Host) -> formats.Writers:
    """What is said of the host itself, where a format has a place for it."""
    from iptlint.host.report import about_host, host_json, host_text
    from iptlint.reports.json_report import dumps, json_report
    from iptlint.reports.text import text_report

    return {
        "json": lambda report, _: dumps(
            {**json.loads(json_report(report)), "host": host_json(host)}
        ),
        "text": lambda report, look: host_text(host) + text_report(report, look),
        "html": lambda report, _: _page(report, about_host(host)),
    }


def _page(report: Report, about: AboutHost) -> str:
    from iptlint.reports.html.page import html_report  # jinja2: only where it is asked for

    return html_report(report, about)
