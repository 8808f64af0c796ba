"""``iptlint diff OLD NEW``: which packets a change lets in or shuts out."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iptlint.cli import FAILED, options
from iptlint.cli.readings import complain, source_of, with_sets
from iptlint.cli.scripts import script_options, script_reader

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from iptlint.source import SourceFile

DIFFERENT = 1


@click.command(name="diff", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, required=True, metavar="OLD NEW")
@click.option("--git", "revision", metavar="REV", help="OLD is NEW as it was in this revision.")
@click.option(
    "--hook",
    "hooks",
    multiple=True,
    type=click.Choice(["prerouting", "input", "forward", "output", "postrouting"]),
    help="Compare only the ways with this hook.",
)
@click.option(
    "--ignore-chains",
    metavar="PATTERN",
    multiple=True,
    help="Leave out the chains with such names, and what calls them (DOCKER*).",
)
@click.option(
    "--all", "everything", is_flag=True, help="Show all differences, not the largest only."
)
@options.host_addresses
@options.output_format
@options.family
@options.ipsets
@options.includes
@script_options
def command(
    files: tuple[str, ...],
    revision: str | None,
    hooks: tuple[str, ...],
    ignore_chains: tuple[str, ...],
    everything: bool,
    host_addresses: tuple[IPv4Network | IPv6Network, ...],
    output_format: str,
    family: str | None,
    ipsets: tuple[str, ...],
    include_dirs: tuple[str, ...],
    no_include: bool,
    starts: tuple[str, ...],
    arguments: tuple[str, ...] | None,
) -> int:
    """Say which packets fare otherwise with the rules of NEW than with those of OLD.

    The two may be in different languages. The exit status is 0 where they are equivalent, 1
    where they are not, or not for certain.
    """
    from iptlint.analysis.diff import difference
    from iptlint.model import Hook
    from iptlint.model.edits import without_chains
    from iptlint.model.host_addresses import with_own
    from iptlint.reports.difference import diff_json, diff_text

    reader = options.reader_of(family, include_dirs, no_include=no_include)
    reader = script_reader(reader, starts, arguments)
    readings = [with_sets(source, reader, ipsets) for source in _sources(files, revision)]
    old, new = (without_chains(r.ruleset, ignore_chains) for r in readings)
    addresses = with_own(host_addresses, old, new) if host_addresses else None
    compared = difference(old, new, tuple(Hook(hook) for hook in hooks), addresses)
    if not compared.families:
        raise click.UsageError("one of the two is about ip packets only, and one about ip6")
    if output_format == "json":
        options.write_json(diff_json(compared))
    else:
        options.write(diff_text(compared, everything=everything))
    unread = [complain(reading) for reading in readings]
    if any(unread):
        return FAILED
    return 0 if compared.equivalent else DIFFERENT


def _sources(files: tuple[str, ...], revision: str | None) -> tuple[SourceFile, SourceFile]:
    """The old one and the new one."""
    if revision is None:
        if len(files) != 2:
            raise click.UsageError("name two files, OLD and NEW (or one, with --git REV)")
        return source_of(files[0]), source_of(files[1])
    if len(files) != 1:
        raise click.UsageError("with --git REV, name one file")
    from iptlint.dialects.decode import decode

    then = decode(f"{revision}:{files[0]}", _committed(revision, files[0]))
    return then, source_of(files[0])


def _committed(revision: str, file: str) -> bytes:
    """The file as it was in the revision. What git says of a wrong one is passed on."""
    path = Path(file)
    asked = ["git", "-C", str(path.parent), "show", "--end-of-options", f"{revision}:./{path.name}"]
    try:
        done = subprocess.run(asked, capture_output=True, check=False)
    except OSError as error:
        raise click.ClickException(f"git cannot be run: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise click.ClickException(f"{revision}:{file}: {said}")
    return done.stdout
