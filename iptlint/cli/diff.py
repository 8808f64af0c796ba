"""``iptlint diff OLD NEW``: which packets a change lets in or shuts out."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, options, streams, terminal
from iptlint.cli.budgets import Allowance, limits
from iptlint.cli.readings import complain, read_one, source_of, with_sets
from iptlint.cli.scripts import script_options, script_reader

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from iptlint.analysis.diff import Difference
    from iptlint.cli.here import Session
    from iptlint.dialects import Reader, Reading
    from iptlint.model import Ruleset
    from iptlint.model.host_addresses import HostAddresses

DIFFERENT = 1
_HARMLESS = ("--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_OFFLINE = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
"""The configuration of a repository is whoever's it is, and names commands: for what git fetches
where an object is not there (gitformat-partial-clone), for one. None of them is run."""


@click.command(name="diff", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, required=True, metavar="OLD NEW")
@click.option(
    "--live", is_flag=True, help="OLD is what runs on this host, and all files are NEW: with them."
)
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
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print the answer; markdown is for a comment on a pull request.",
)
@options.family
@options.ipsets
@options.includes
@script_options
@limits
def command(
    files: tuple[str, ...],
    live: bool,
    revision: str | None,
    hooks: tuple[str, ...],
    ignore_chains: tuple[str, ...],
    everything: bool,
    host_addresses: tuple[IPv4Network | IPv6Network, ...],
    output_format: str,
    ipsets: tuple[str, ...],
    allowance: Allowance,
    **given: Any,
) -> int:
    """Say which packets fare otherwise with the rules of NEW than with those of OLD.

    The two may be in different languages. The exit status is 0 where they are equivalent, 1
    where they are not, or not for certain.
    """
    from iptlint.analysis.diff import difference
    from iptlint.model import Hook
    from iptlint.model.edits import without_chains

    reader = options.reader_of(given)
    if live:
        if revision is not None or given["starts"] or ipsets:
            raise click.UsageError("--live says what OLD is; name the files that are NEW")
        sides = _live_sides(files, reader, allowance)
    else:
        reader = script_reader(reader, given)
        sides = _Sides.of(*_readings(files, revision, reader, ipsets, allowance))
    old, new = (without_chains(side, ignore_chains) for side in (sides.old, sides.new))
    addresses = _own(host_addresses, old, new) or sides.addresses
    with allowance.for_("to compare the two, so nothing is known; name one way, as --hook input"):
        compared = difference(old, new, tuple(Hook(hook) for hook in hooks), addresses)
    if not compared.families:
        raise click.UsageError(_why_not(old, new))
    _print(compared, output_format, sides.session, everything=everything)
    unread = [complain(reading) for reading in sides.readings]
    status = 0 if compared.equivalent else DIFFERENT
    return FAILED if any(unread) else status


def _why_not(old: Ruleset, new: Ruleset) -> str:
    """Why there is no family of packets that both say something of."""
    empty = next((side for side in (old, new) if not side.tables), None)
    if empty is not None:
        return f"{empty.source.path} holds no rules, so there is nothing to compare"
    return "one of the two is about ip packets only, and one about ip6"


def _own(
    given: tuple[IPv4Network | IPv6Network, ...], old: Ruleset, new: Ruleset
) -> HostAddresses | None:
    from iptlint.model.host_addresses import with_own

    return with_own(given, old, new) if given else None


@dataclass(frozen=True, slots=True)
class _Sides:
    """What is compared, and what was read for it. ``addresses``, ``session``: this host's, and
    the SSH session of who asks, where it is the one with the old rules."""

    old: Ruleset
    new: Ruleset
    readings: tuple[Reading, ...]
    addresses: HostAddresses | None = None
    session: Session | None = None

    @classmethod
    def of(cls, old: Reading, new: Reading) -> _Sides:
        return cls(old.ruleset, new.ruleset, (old, new))


def _live_sides(files: tuple[str, ...], reader: Reader, allowance: Allowance) -> _Sides:
    from iptlint.cli.here import here, own_session, read_new, rules_after

    host = here()
    sources = [source_of(file, allowance.most_bytes) for file in files]
    with allowance.for_("to read what would run"):
        new_files = read_new(sources, reader)
        after = rules_after(host, new_files, reader)
    with allowance.for_("to follow the SSH session you are in"):
        session = own_session(host, after)
    readings = tuple(file.reading for file in new_files)
    return _Sides(host.running, after, readings, host.addresses, session)


def _print(
    compared: Difference, output_format: str, session: Session | None, *, everything: bool
) -> None:
    from iptlint.reports.difference import diff_json, diff_text
    from iptlint.reports.difference_markdown import diff_markdown
    from iptlint.reports.formats import PLAIN
    from iptlint.reports.session import session_json, session_text

    if output_format == "json":
        more = {} if session is None else {"session": session_json(*session)}
        streams.write_utf8(diff_json(compared, more))
    elif output_format == "markdown":
        streams.write_utf8(diff_markdown(compared, everything=everything))
    else:
        columns = terminal.fitted(PLAIN).columns
        streams.write(diff_text(compared, everything=everything, columns=columns))
        streams.write("" if session is None else session_text(*session))


def _readings(
    files: tuple[str, ...],
    revision: str | None,
    reader: Reader,
    ipsets: tuple[str, ...],
    allowance: Allowance,
) -> list[Reading]:
    """The old one and the new one."""
    if revision is None:
        if len(files) != 2:
            raise click.UsageError("name two files, OLD and NEW (or one, with --git REV)")
        return [read_one(file, reader, ipsets, allowance) for file in files]
    if len(files) != 1:
        raise click.UsageError("with --git REV, name one file")
    from iptlint.dialects.decode import decode

    then = decode(f"{revision}:{files[0]}", _committed(revision, files[0]))
    return [
        with_sets(then, reader, ipsets, allowance),
        read_one(files[0], reader, ipsets, allowance),
    ]


def _committed(revision: str, file: str) -> bytes:
    """The file as it was in the revision. What git says of a wrong one is passed on."""
    path = Path(file)
    asked = ["git", *_HARMLESS, "-C", str(path.parent), "show", "--end-of-options"]
    try:
        done = subprocess.run(
            [*asked, f"{revision}:./{path.name}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env={**os.environ, **_OFFLINE},
        )
    except OSError as error:
        raise click.ClickException(f"git cannot be run: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise click.ClickException(f"{revision}:{file}: {said}")
    return done.stdout
