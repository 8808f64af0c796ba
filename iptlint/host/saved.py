"""The rules that the host will have after a reboot, as far as files say so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from iptlint.dialects import Reader, Reading, read
from iptlint.dialects.decode import decode
from iptlint.dialects.merging import NOTHING, merged
from iptlint.dialects.sets import read_sets, together
from iptlint.host.files import files_of
from iptlint.host.gathered import Gathered
from iptlint.host.places import RULE_FILES
from iptlint.memo import memo
from iptlint.model import Family, Ruleset
from iptlint.model.host import Load, Loader, Way
from iptlint.source import SourceFile

_ANY_INCLUDE = re.compile(r"(?m)^[ \t]*include\b")
_SETS = ("/etc/iptables/ipsets", "/etc/ipset.conf", "/etc/sysconfig/ipset")


@dataclass(frozen=True, slots=True)
class Boot:
    """``ruleset`` is None where it cannot be told, and ``untold`` says why."""

    ruleset: Ruleset | None
    untold: str = ""


def source_of(gathered: Gathered, path: str) -> SourceFile:
    """A file of the host."""
    return decode(files_of(gathered).shown_path(path), gathered.files.get(path, b""))


class Files:
    """The files of a host, each read once for each family that it may be of."""

    def __init__(self, gathered: Gathered) -> None:
        self.gathered = gathered

    @memo
    def reading(self, path: str, family: Family | None) -> Reading:
        """``family``: that which the text is of, if it does not say so itself."""
        return read(source_of(self.gathered, path), Reader(family, files_of(self.gathered)))


def stored(files: Files) -> tuple[Ruleset, ...]:
    """The files of rules that are there, loaded or not."""
    paths = (p for p in RULE_FILES if p in files.gathered.files and p not in _SETS)
    readings = (files.reading(path, _family(path)) for path in paths)
    return tuple(reading.ruleset for reading in readings if reading.ruleset.tables)


def _family(path: str) -> Family | None:
    return Family.IP6 if re.search(r"ip6|v6|rules6", path) else None


def includes(source: SourceFile) -> bool:
    """Whether it is a file of nft that needs others."""
    return _ANY_INCLUDE.search(source.text) is not None


def sets_of(gathered: Gathered) -> tuple[SourceFile, ...]:
    return tuple(source_of(gathered, path) for path in _SETS if path in gathered.files)


def loaded(loaders: Sequence[Loader]) -> tuple[Load, ...]:
    """The files that are loaded at boot."""
    return tuple(dict.fromkeys(load for loader in loaders for load in loader.files))


def after_boot(files: Files, loaders: Sequence[Loader], ipsets: Sequence[SourceFile]) -> Boot:
    """``ipsets``: what runs; sets change while a host runs, so their contents are taken to be
    the same then."""
    reason = _untold(files.gathered, loaders)
    if reason:
        return Boot(None, reason)
    readings = [files.reading(one.path, one.family) for one in loaded(loaders)]
    reason = _unclear(files.gathered, readings)
    if reason:
        return Boot(None, reason)
    if not readings:
        return Boot(NOTHING)
    together_, _ = together([*readings, *map(read_sets, ipsets)])
    return Boot(merged([reading.ruleset for reading in together_[: len(readings)]]))


def _untold(gathered: Gathered, loaders: Sequence[Loader]) -> str:
    for loader in loaders:
        if loader.way is Way.MAKES:
            return f"{loader.name} makes its rules anew at boot"
        if loader.way is Way.UNCLEAR:
            place = f"{loader.span.source.path}:{loader.span.line}"
            return f"{place} may load rules, in a way that is not understood here"
    for load in loaded(loaders):
        if load.path not in gathered.files:
            return f"{load.path}, which is loaded at boot, could not be read"
    return ""


def _unclear(gathered: Gathered, readings: Sequence[Reading]) -> str:
    for reading in readings:
        path = reading.ruleset.source.path
        if any(p.severity == "error" or p.code == "IPT010" for p in reading.diagnostics):
            return f"not all of {path}, which is loaded at boot, is understood"
        if gathered.root is None and includes(reading.ruleset.source):
            return f"{path} includes files that are not here"
    rulesets = [r.ruleset for r in readings if r.ruleset.tables]
    for number, one in enumerate(rulesets):
        for other in rulesets[:number]:
            of_all = any(each.syntax.is_of_all_families for each in (one, other))
            both = of_all or {*one.families} & {*other.families}
            if both:
                return (
                    f"{other.source.path} and {one.source.path} are both loaded at boot: which of"
                    " them comes last is not known"
                )
    return ""
