"""Lines that load rules at boot: of units, of scripts, of interfaces(5), of cron.

A line is understood where it hands one file to iptables-restore or to nft; any other that speaks
of a firewall may do anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from iptlint.host.gathered import Gathered
from iptlint.host.layouts import SERVICES, SOFTWARE, Enabled, enabled, services
from iptlint.host.places import HOOKS, RUNS, UNIT_DIRECTORIES, are_rules, is_listed, named_in
from iptlint.model import Family
from iptlint.model.host import Load, Loader, Way
from iptlint.source import SourceFile, Span

_SPEAKS = re.compile(
    r"ip6?tables(?!(?:-legacy|-nft)?-save)|[Ff]irewall|(?<![a-z])fw(?![a-z])"
    r"|(?<![A-Za-z0-9_.])(?:xtables|arptables|ebtables|nft|ufw|ferm|firehol)(?![A-Za-z0-9_.])"
)
_HARMLESS = re.compile(
    r"^\s*(?:#|$|echo\b|printf\b|logger\b|modprobe\b|export\b|exit\b|Description\b)"
    r"|ip6?tables(?:-legacy|-nft)?-save\b|\bnft +(?:-\w+ +)*list\b|--version\b"
    r"|^\s*(?:if +)?(?:\[|test|command -v|which|type)\b[^;&|]*[;\]]?(?: *then)?$"
)
_RESTORE = re.compile(
    r"(?<![A-Za-z0-9_.])(?P<tool>ip6?tables)(?:-nft|-legacy)?-restore\b"
    r"(?: +(?:-[cvwV]|--counters|--wait(?:[ =]\d+)?|--verbose|-w +\d+))*"
    r" *<? *['\"]?(?P<path>/[A-Za-z0-9_./@:+-]+)['\"]?(?P<rest>[^;&|]*)"
)
_NFT = re.compile(
    r"(?<![A-Za-z0-9_.])nft(?: +-[aenopsSuy]+)* +(?:-f|--file)[ =]+['\"]?"
    r"(?P<path>/[A-Za-z0-9_./@:+-]+)['\"]?(?P<rest>[^;&|]*)"
)
_REST = re.compile(r"""[\s)"']*(?:(?:\d?>{1,2}|<) *\S+\s*)*""")
_CRON = ("/etc/crontab", "/etc/cron", "/var/spool/cron", "/etc/anacrontab")
_LEVELS = re.compile(r"/etc/init\.d/([^/]+)")
_UNIT = re.compile(r"/([^/]+)\.service(?:\.d/[^/]+\.conf)?")
_KNOWN = {name for service in SERVICES for name in service.names}
_RUNS = re.compile(RUNS)


def loaders(gathered: Gathered) -> tuple[Loader, ...]:
    """All that loads rules at boot, or may."""
    started = enabled(gathered)
    units = dict(_units(gathered))
    boot_loaders = [_as_its_unit_says(gathered, loader, units) for loader in services(gathered)]
    for name, paths in units.items():
        if name not in _KNOWN and not _is_softwares(name):
            boot_loaders += _of_unit(gathered, name, paths, started)
    for path in sorted(gathered.files):
        if _is_hook(path, started) or _is_named(gathered, path):
            boot_loaders += _of_text(gathered, path, [path])
    return tuple(_joined(boot_loaders))


def _is_hook(path: str, started: dict[str, Enabled]) -> bool:
    script = _LEVELS.fullmatch(path)
    if script:
        name = script[1]
        return name in started and name not in _KNOWN and not _is_softwares(name)
    return any(fnmatchcase(path, pattern) for pattern in HOOKS)


def _is_named(gathered: Gathered, path: str) -> bool:
    """Whether it is a script that a hook or a unit names."""
    return not is_listed(path) and not are_rules(gathered.files[path])


def _is_softwares(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in SOFTWARE)


def _units(gathered: Gathered) -> Iterator[tuple[str, list[str]]]:
    """Each unit with the files that say what it runs: the first of its name, and its drop-ins."""
    by_name: dict[str, list[str]] = {}
    for directory in UNIT_DIRECTORIES:
        for path in sorted(gathered.files):
            unit = _UNIT.fullmatch(path.removeprefix(directory))
            if unit and path.startswith(directory):
                paths = by_name.setdefault(unit[1], [])
                if path.endswith(".conf") or not any(p.endswith(".service") for p in paths):
                    paths.append(path)
    yield from by_name.items()


def _of_unit(
    gathered: Gathered, name: str, paths: list[str], started: dict[str, Enabled]
) -> Iterator[Loader]:
    own = any(path.startswith("/etc/") for path in paths)
    template = f"{name.partition('@')[0]}@"
    is_started = name in started or any(s.startswith(template) for s in started if "@" in name)
    # What is not enabled may still be wanted by something else, if someone wrote it.
    if is_started or own:
        boot_loaders = _of_text(gathered, name + ".service", paths)
        yield from (
            boot_loaders
            if is_started
            else (replace(f, way=Way.UNCLEAR, files=()) for f in boot_loaders)
        )


def _as_its_unit_says(gathered: Gathered, loader: Loader, units: dict[str, list[str]]) -> Loader:
    """A unit may be told to load another file."""
    if loader.way is not Way.LOADS:
        return loader
    names = next(service.names for service in SERVICES if service.name == loader.name)
    paths = [path for name in names for path in units.get(name, ())]
    said = list(_of_text(gathered, loader.name, paths, scripts=False))
    files = tuple(load for one in said for load in one.files)
    if said and all(one.way is Way.LOADS for one in said):
        return replace(loader, files=tuple(dict.fromkeys(files)))
    if any(path.startswith("/etc/") for path in paths):
        return replace(loader, way=Way.UNCLEAR, files=())
    return loader


def _of_text(
    gathered: Gathered, name: str, paths: Sequence[str], *, scripts: bool = True
) -> Iterator[Loader]:
    """What the lines of the files do, and those of the scripts that they name."""
    for path in paths:
        source = SourceFile(path, gathered.text(path))
        for number in range(1, len(source.line_starts) + 1):
            line = source.line_text(number)
            span = source.line_span(number)
            loader = _of_line(name, _command(line), span, is_cron=path.startswith(_CRON))
            if loader is not None:
                yield loader
            elif scripts and not line.lstrip().startswith("#"):
                yield from _of_scripts(gathered, line, path)


def _of_scripts(gathered: Gathered, line: str, by: str) -> Iterator[Loader]:
    shut = {unread.what for unread in gathered.unread}
    for path in sorted(named_in(line.encode("utf-8", "replace"))):
        if path == by:
            continue
        if path in shut:
            span = SourceFile(by, line).line_span(1)
            yield Loader(path, Way.UNCLEAR, span)
        elif path in gathered.files and not are_rules(gathered.files[path]):
            yield from _of_text(gathered, path, [path], scripts=False)


def _command(line: str) -> str:
    return _RUNS.sub("", line)


def _of_line(name: str, line: str, span: Span, *, is_cron: bool) -> Loader | None:
    """None where the line does nothing to the rules."""
    loads = [Load(m["path"], _FAMILIES[m["tool"]]) for m in _RESTORE.finditer(line)]
    loads += [Load(m["path"], None) for m in _NFT.finditer(line)]
    rests = [m["rest"] for p in (_RESTORE, _NFT) for m in p.finditer(line)]
    if line.lstrip().startswith("#"):
        return None
    if loads and all(map(_REST.fullmatch, rests)) and (not is_cron or "@reboot" in line):
        return Loader(name, Way.LOADS, span, tuple(loads))
    if not loads and (_HARMLESS.search(line) or not _SPEAKS.search(line)):
        return None
    return Loader(name, Way.UNCLEAR, span)


_FAMILIES = {"iptables": Family.IP, "ip6tables": Family.IP6}


def _joined(boot_loaders: Sequence[Loader]) -> Iterator[Loader]:
    """One for each name: what loads files in several lines loads them all, unless one line is
    not understood."""
    by_name: dict[str, list[Loader]] = {}
    for loader in boot_loaders:
        by_name.setdefault(loader.name, []).append(loader)
    for several in by_name.values():
        unclear = next((one for one in several if one.way is not Way.LOADS), None)
        files = dict.fromkeys(load for one in several for load in one.files)
        yield unclear or replace(several[0], files=tuple(files))
