"""iptlint reads what Linux firewalls are written in and says what is wrong with it.

``read``, ``lint``, ``reach``, ``trace`` and ``diff`` are the Python API, with the classes that they
take and give. Each loads what it needs when it is called, so that importing the package costs
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath

TYPE_CHECKING = False  # typing takes long to import: an interrupt in it would be told by Python
if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from iptlint.analysis.diff import Difference
    from iptlint.analysis.reach import RuleReach
    from iptlint.analysis.session import Settings
    from iptlint.analysis.trace import Trace
    from iptlint.dialects import Reader
    from iptlint.findings import Finding, Severity
    from iptlint.linter.report import Report
    from iptlint.model import Family, Ruleset
    from iptlint.packets.packet import Packet
    from iptlint.source import SourceFile

__version__ = "0.1.0"
__all__ = [
    "Family",
    "Finding",
    "Packet",
    "Report",
    "Settings",
    "Severity",
    "__version__",
    "diff",
    "lint",
    "reach",
    "read",
    "trace",
]

_CLASSES = {
    "Family": "iptlint.model",
    "Finding": "iptlint.findings",
    "Packet": "iptlint.packets.packet",
    "Report": "iptlint.linter.report",
    "Settings": "iptlint.analysis.session",
    "Severity": "iptlint.findings",
}
"""Loaded when they are asked for."""

_UNREAD = ("IPT001", "IPT002", "IPT010")
"""Of what is told of a text: that something in it was not read."""

TEXT_PATH = "<text>"
"""The path that findings in a text without a file carry."""


def __getattr__(name: str) -> object:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    attribute: object = getattr(import_module(_CLASSES[name]), name)
    return attribute


def __dir__() -> list[str]:
    return __all__


def read(
    path_or_text: str | PathLike[str],
    family: Family | None = None,
    ipsets: Sequence[str | PathLike[str]] = (),
    start: str | PathLike[str] | None = None,
) -> Ruleset:
    """The ruleset of a file, or of a text of more than one line.

    ``ipsets``: what `ipset save` printed, so that tests of sets are told by what is in them.
    ``start``: the firewall before a script runs.
    What cannot be read is told as a warning of Python; where it is a rule, that may do anything.
    OSError where there is no such file.
    """
    import warnings

    from iptlint.dialects import read as read_source
    from iptlint.dialects.sets import read_sets, together
    from iptlint.source import Span

    reading = read_source(_source(path_or_text), _reader(family, start))
    for diagnostic in reading.diagnostics:
        if diagnostic.code in _UNREAD:
            source = diagnostic.source or reading.ruleset.source
            span = Span(source, diagnostic.start, diagnostic.end)
            place = f"{source.path}:{span.line}:{span.column}"
            warnings.warn(f"{place}: {diagnostic.code}: {diagnostic.message}", stacklevel=2)
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
    name a rule that is not there, or ``profile`` no profile, TypeError where ``settings`` are none.
    """
    from dataclasses import replace

    from iptlint.analysis.session import Settings
    from iptlint.findings.fingerprint import fingerprints
    from iptlint.linter.run import lint as lint_sources
    from iptlint.rules.registry import Profile

    if settings is not None and not isinstance(settings, Settings):
        raise TypeError(f"settings are iptlint.Settings, not {settings!r}")
    sources = [_source(each) for each in paths_or_texts]
    sets = [_source(each) for each in ipsets]
    reader = _reader(family, start)
    report = lint_sources(sources, settings, select, ignore, reader, sets, profile=Profile(profile))
    named = zip(report.findings, fingerprints(report.findings), strict=True)
    return [replace(finding, fingerprint=mark) for finding, mark in named]


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

    Where nothing in it tells the family, it is IPv4 if the rules see any.

    ``host_addresses``: all addresses of the host; without them, what the rules show of them.
    ValueError where a field holds no address, protocol, flag or state.
    """
    from iptlint.analysis.bridges import trace_with_bridges
    from iptlint.model.host_addresses import with_own

    addresses = with_own(host_addresses, ruleset) if host_addresses else None
    return trace_with_bridges(ruleset, _of_a_family(packet, ruleset), addresses)


def _of_a_family(packet: Packet, ruleset: Ruleset) -> Packet:
    from dataclasses import replace

    from iptlint.model import Family
    from iptlint.packets.query import family_of

    if packet.family:
        return packet
    seen = (f.value for f in (Family.IP, Family.IP6) if ruleset.sees(f))
    family = family_of(packet.saddr, packet.daddr, packet.proto)
    return replace(packet, family=family or next(seen, "ip"))


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
