"""iptlint reads what Linux firewalls are written in and says what is wrong with it.

``read``, ``lint``, ``reach``, ``trace`` and ``diff`` are the Python API. Each loads what it
needs when it is called, so that importing the package costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from iptlint.analysis.diff import Difference
    from iptlint.analysis.reach import RuleReach
    from iptlint.analysis.session import Settings
    from iptlint.analysis.trace import Trace
    from iptlint.dialects import Reader
    from iptlint.findings import Finding
    from iptlint.model import Family, Ruleset
    from iptlint.packets.packet import Packet
    from iptlint.source import SourceFile

__version__ = "0.1.0"
__all__ = ["__version__", "diff", "lint", "reach", "read", "trace"]

TEXT_PATH = "<text>"
"""The path that findings in a text without a file carry."""


def read(
    path_or_text: str | PathLike[str],
    family: Family | None = None,
    ipsets: Sequence[str | PathLike[str]] = (),
    start: str | PathLike[str] | None = None,
) -> Ruleset:
    """The ruleset of a file, or of a text of more than one line.

    ``ipsets``: what `ipset save` printed, so that tests of sets are told by what is in them.
    ``start``: the firewall before a script runs.
    What cannot be read is left out; ``lint`` says what that is. OSError where there is
    no such file.
    """
    from iptlint.dialects import read as read_source
    from iptlint.dialects.sets import read_sets, together

    reading = read_source(_source(path_or_text), _reader(family, start))
    (first, *_), _ = together([reading, *(read_sets(_source(each)) for each in ipsets)])
    return first.ruleset


def lint(
    *paths_or_texts: str | PathLike[str],
    settings: Settings | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    family: Family | None = None,
    ipsets: Sequence[str | PathLike[str]] = (),
    profile: str = "default",
    start: str | PathLike[str] | None = None,
) -> list[Finding]:
    """The findings of all the files or texts together, sorted by path, line and code.

    ``ipsets``: files or texts that `ipset save` printed. ``profile``: which rules run where none
    is selected: `default`, `strict` or `cis`. ``start``: the firewall before a script runs.
    OSError where there is no such file, ValueError where ``select`` or ``ignore``
    name a rule that is not there, or ``profile`` no profile.
    """
    from iptlint.linter.run import lint as lint_sources
    from iptlint.rules.registry import Profile

    sources = [_source(each) for each in paths_or_texts]
    sets = [_source(each) for each in ipsets]
    reader = _reader(family, start)
    report = lint_sources(sources, settings, select, ignore, reader, sets, profile=Profile(profile))
    return list(report.findings)


def reach(ruleset: Ruleset) -> list[RuleReach]:
    """For every rule: whether a packet can get there and match, and why not."""
    from iptlint.analysis.reach import reach as reach_ruleset

    return list(reach_ruleset(ruleset))


def trace(
    ruleset: Ruleset,
    packet: Packet,
    host_addresses: Sequence[IPv4Network | IPv6Network] = (),
) -> Trace:
    """What happens to the packets like ``packet``, rule by rule; a field of None is any value.

    ``host_addresses``: all addresses of the host; without them, what the rules show of them.
    ValueError where a field holds no address, protocol, flag or state.
    """
    from iptlint.analysis.bridges import trace_with_bridges
    from iptlint.model.host_addresses import with_own

    addresses = with_own(host_addresses, ruleset) if host_addresses else None
    return trace_with_bridges(ruleset, packet, addresses)


def diff(old: Ruleset, new: Ruleset) -> Difference:
    """The packets that fare otherwise with the new ruleset than with the old one."""
    from iptlint.analysis.diff import difference

    return difference(old, new)


def _reader(family: Family | None, start: str | PathLike[str] | None) -> Reader:
    from iptlint.dialects import Reader
    from iptlint.dialects import read as read_source

    reader = Reader(family)
    if start is None:
        return reader
    return Reader(family, start=read_source(_source(start), reader).ruleset)


def _source(path_or_text: str | PathLike[str]) -> SourceFile:
    from iptlint.dialects.decode import load
    from iptlint.source import SourceFile

    if isinstance(path_or_text, str) and "\n" in path_or_text:
        return SourceFile(TEXT_PATH, path_or_text)
    return load(fspath(path_or_text))
