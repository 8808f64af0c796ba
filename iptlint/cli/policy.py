"""Hosts that policies, matrices and explanations are about, read from files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import options, streams
from iptlint.cli.inputs import host_archive, read_inputs, with_twins
from iptlint.cli.readings import complain
from iptlint.cli.scripts import script_options, with_scripts

if TYPE_CHECKING:
    from iptlint.cli.budgets import Allowance
    from iptlint.dialects import Reader, Reading
    from iptlint.model import Ruleset
    from iptlint.model.sets import SavedSets
    from iptlint.policy.hosts import PolicyHost
    from iptlint.source import SourceFile


@dataclass(frozen=True, slots=True)
class Hosts:
    """``unfinished``: something of the files could not be read, and has been told."""

    hosts: tuple[PolicyHost, ...]
    unfinished: bool


def of_hosts(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options about the files, and the hosts that they are of."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS: tuple[options.Decorator, ...] = (
    options.host_addresses,
    options.family,
    options.ipsets,
    options.includes,
    script_options,
    options.one_host,
    options.twins,
)


def hosts_of(files: Sequence[str], given: Mapping[str, Any], allowance: Allowance) -> Hosts:
    """Each host of the files by itself; a click error where one cannot be read at all."""
    archive = host_archive(files)
    if archive is not None:
        return Hosts((_of_archive(archive),), unfinished=False)
    files = with_twins(files) if given["twins"] else files
    inputs = read_inputs(files, allowance.most_bytes)
    sets = read_inputs(given["ipsets"], allowance.most_bytes)
    reader = options.reader_of(given)
    reader, unread = with_scripts(reader, given)
    complaints = (*inputs.complaints, *sets.complaints, *unread)
    streams.complain(*complaints)
    if not inputs.sources:
        raise click.ClickException("there is nothing to look at")
    return read_hosts(
        inputs.sources, sets.sources, reader, given, allowance, unfinished=bool(complaints)
    )


def read_hosts(
    sources: tuple[SourceFile, ...],
    sets: tuple[SourceFile, ...],
    reader: Reader,
    given: Mapping[str, Any],
    allowance: Allowance,
    *,
    unfinished: bool = False,
) -> Hosts:
    """The same of texts; what could not be read of them is told."""
    from iptlint.dialects import read
    from iptlint.dialects.clouds import apart
    from iptlint.dialects.sets import read_sets, together
    from iptlint.linter.hosts import by_host

    directories = [sources] if given["one_host"] else by_host(sources)
    groups = [part for group in directories for part in apart(group)]
    hosts: list[PolicyHost] = []
    for group in groups:
        with allowance.for_(f"to read {', '.join(source.path for source in group)}"):
            readings = [read(source, reader) for source in group]
            readings, saved = together([*readings, *map(read_sets, sets)])
        complaints = [complain(reading) for reading in readings]
        unfinished = unfinished or any(complaints)
        hosts.append(_host(group, readings, saved, reader, given))
    return Hosts(tuple(_told_apart(hosts)), unfinished)


def _host(
    sources: tuple[SourceFile, ...],
    readings: Sequence[Reading],
    saved: SavedSets | None,
    reader: Reader,
    given: Mapping[str, Any],
) -> PolicyHost:
    from iptlint.analysis.session import Context, Settings
    from iptlint.model.host_addresses import with_own
    from iptlint.policy.hosts import PolicyHost

    own_readings = readings[: len(sources)]
    rulesets = tuple(reading.ruleset for reading in own_readings)
    own = given["host_addresses"]
    return PolicyHost(
        _name(sources),
        Context(rulesets, Settings(), saved),
        with_own(own, *rulesets) if own else None,
        _rereading(reader, readings),
    )


def _rereading(
    reader: Reader, readings: Sequence[Reading]
) -> Callable[[SourceFile], Ruleset | None]:
    """Reads a changed text as the host's own was read, with the same sets beside it. None where it
    has mistakes, or would be refused, that the old one had not."""
    sets = [reading for reading in readings if reading.ipset is not None]
    before = {reading.ruleset.source.path: reading for reading in readings}

    def reread(changed: SourceFile) -> Ruleset | None:
        from iptlint.dialects import read
        from iptlint.dialects.sets import together

        old = before.get(changed.path)
        (reading, *_), _ = together([read(changed, reader), *sets])
        worse = old is None or _mistakes(reading) > _mistakes(old)
        return None if worse else reading.ruleset

    return reread


def _mistakes(reading: Reading) -> int:
    from iptlint.loads.judges import load

    judged = load(reading)
    errors = sum(diagnostic.severity == "error" for diagnostic in reading.diagnostics)
    return errors + (len(judged.refusals) if judged else 0)


def _name(sources: Sequence[SourceFile]) -> str:
    """What a host is called by its files: the file, or the folder that several lie in."""
    if len(sources) == 1:
        return sources[0].path
    return str(Path(sources[0].path).parent)


def _told_apart(hosts: Sequence[PolicyHost]) -> list[PolicyHost]:
    """With a number where two have one name."""
    seen: dict[str, int] = {}
    named = []
    for host in hosts:
        number = seen[host.name] = seen.get(host.name, 0) + 1
        named.append(host if number == 1 else replace(host, name=f"{host.name} ({number})"))
    return named


def _of_archive(path: str) -> PolicyHost:
    from iptlint.analysis.session import Context, Settings
    from iptlint.cli.live import loaded
    from iptlint.host.examine import examine
    from iptlint.policy.hosts import PolicyHost

    host = examine(loaded(path)).host
    ruleset = host.running or host.saved
    if ruleset is None:
        why = host.untold or "; ".join(f"{each.what}: {each.why}" for each in host.unread)
        raise click.ClickException(f"{path}: its rules are not known as a whole; {why}")
    return PolicyHost(path, Context((ruleset,), Settings(), None, host))
