"""What each version of iptables brought, and where a file uses it.

``since`` is the release that first has the commit, ``kernel`` the one of Linux that first has what
the option asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from iptlint.dialects import Reading
from iptlint.dialects.iptables.parsing.tree import CommandLine, LoadedExtension, SaveFile, Use
from iptlint.loads.iptables import checks
from iptlint.loads.refusal import Refusal
from iptlint.loads.target import Target, Version, spelled
from iptlint.model.names import LONGEST_INTERFACE
from iptlint.source import SourceFile, Span

Texts = tuple[str, ...]


def _any(_texts: Texts) -> bool:
    return True


def _begins(*starts: str) -> Callable[[Texts], bool]:
    return lambda texts: any(text.startswith(starts) for text in texts)


def _lists(*words: str) -> Callable[[Texts], bool]:
    """Whether the last argument has one of the words."""
    return lambda texts: bool({*words}.intersection(texts[-1].upper().split(",")))


@dataclass(frozen=True, slots=True)
class Feature:
    """An ``option`` of a match or target, or all of it (``""``), with arguments of some kind."""

    extension: str
    option: str
    since: Version
    kernel: Version | None
    decided: str
    of: Callable[[Texts], bool] = _any

    @property
    def what(self) -> str:
        return f"{self.extension} --{self.option}" if self.option else f"the match {self.extension}"


FEATURES = (
    Feature("icmp6", "icmpv6-type", (1, 8, 10), None, "bb7d5fde", _begins("mld-listener")),
    Feature(
        "sctp",
        "chunk-types",
        (1, 8, 9),
        None,
        "6b04d9c3",
        _lists("I_DATA", "RE_CONFIG", "PAD", "I_FORWARD_TSN"),
    ),
    Feature("IDLETIMER", "alarm", (1, 8, 5), (5, 7), "85b9ec86, Linux 68983a354a65"),
    Feature("owner", "suppl-groups", (1, 8, 4), (5, 3), "a08595b2, Linux ea6cc2fd8a2b"),
    Feature("CONNMARK", "left-shift-mark", (1, 8, 0), (4, 17), "db7b4e0d, Linux 472a73e00757"),
    Feature("CONNMARK", "right-shift-mark", (1, 8, 0), (4, 17), "db7b4e0d, Linux 472a73e00757"),
    *(
        Feature("srh", f"srh-{sid}", (1, 8, 0), None, "155e1c0c")
        for sid in ("psid", "nsid", "lsid")
    ),
    Feature("srh", "", (1, 6, 2), (4, 16), "6067208f, Linux 202a8ff545cc"),
    Feature("MASQUERADE", "random-fully", (1, 6, 2), None, "8b0da213"),
    Feature(
        "hashlimit", "hashlimit-rate-match", (1, 6, 2), (4, 14), "1c32e560, Linux bea74641e378"
    ),
    Feature("bpf", "object-pinned", (1, 6, 1), (4, 10), "f17f9ace, Linux 2c16d6033264"),
    Feature("NFLOG", "nflog-size", (1, 6, 1), (4, 8), "7070b1f3, Linux 7643507fe8b5"),
    Feature("cgroup", "path", (1, 6, 1), (4, 5), "5d359b97, Linux c38c4597e4bf"),
)

_GLUED = ((1, 8, 8), (1, 8, 10))
"""From the first of these versions on, and no longer in the second, an argument in the word of its
option is not found: commits 0af80a91 and 90a7a183."""

_TWO_PORTS = ((1, 8, 8), (1, 8, 11))
"""From the first of these versions on iptables-nft compares two ports as one number, and no longer
in the second two that are not to be met: its patches of January 2022 and of 13 March 2024."""

_NOT_FOUND_GLUED = ("protocol", "source", "destination")
_INTERFACES = ("in-interface", "out-interface")


def versions(reading: Reading, target: Target) -> Iterator[Refusal]:
    """What the file uses and the versions of the target do not have."""
    for line in _commands(reading):
        yield from _features(reading.ruleset.source, line, target)
        yield from _glued(reading.ruleset.source, line, target)


def _commands(reading: Reading) -> Iterator[CommandLine]:
    assert isinstance(reading.tree, SaveFile)
    return (line for line in reading.tree.lines if isinstance(line, CommandLine))


def _features(source: SourceFile, line: CommandLine, target: Target) -> Iterator[Refusal]:
    for load in line.shape.loads:
        named = [f for f in FEATURES if load.extension and f.extension == load.extension.name]
        for feature in named:
            span = _span(source, line, load, feature)
            lacking = _lacking(feature, target)
            if span is not None and lacking:
                cause = f"{feature.what} needs {lacking}"
                yield Refusal(span, checks.VERSION, cause, "do without, or wait for later versions")


def _span(
    source: SourceFile, line: CommandLine, load: LoadedExtension, feature: Feature
) -> Span | None:
    """Where the line uses it."""
    if not feature.option:
        return line.words_span(source, load.start, load.start + 2)
    used = (use for use in load.uses if use.option.name == feature.option)
    use = next((use for use in used if feature.of(use.texts(line.words))), None)
    return None if use is None else line.words_span(source, use.start, use.end)


def _lacking(feature: Feature, target: Target) -> str:
    """What of it the target does not have, in words."""
    needed = (
        ("iptables", feature.since, target.iptables),
        ("Linux", feature.kernel, target.kernel),
    )
    return ", and ".join(
        f"{tool} {spelled(since)}: {target.name} has {spelled(own)}"
        for tool, since, own in needed
        if since is not None and own is not None and own < since
    )


def _glued(source: SourceFile, line: CommandLine, target: Target) -> Iterator[Refusal]:
    if not _is_one_of(_GLUED, target):
        return
    shape = line.shape
    spans = [
        line.words_span(source, use.start, use.end)
        for use in shape.core
        if _is_glued(use, _NOT_FOUND_GLUED)
        or (_is_glued(use, _INTERFACES) and not _may_be_called(line, use))
    ]
    name = shape.jump if shape.target is None else shape.target.name
    if name is not None and name.offset and not shape.goto:
        spans.append(line.words_span(source, name.word, name.word + 1))
    for span in sorted(spans, key=lambda span: span.start):
        yield Refusal(
            span, checks.GLUED, f"{_OLD} find no argument in the word of its option", _MEND
        )


def misread_interfaces(reading: Reading, target: Target) -> Iterator[Refusal]:
    """The words that are taken for names of interfaces, with their options."""
    if not _is_one_of(_GLUED, target):
        return
    source = reading.ruleset.source
    for line in _commands(reading):
        for use in line.shape.core:
            if _is_glued(use, _INTERFACES) and _may_be_called(line, use):
                span = line.words_span(source, use.start, use.end)
                cause = f"{_OLD} take `{span.text}` whole for the name of the interface"
                yield Refusal(span, checks.GLUED, cause, _MEND)


def misread_ports(reading: Reading, target: Target) -> Iterator[Refusal]:
    """Tests for any port but one on either side, which match where one of the two is another."""
    if not _is_one_of(_TWO_PORTS, target):
        return
    source = reading.ruleset.source
    for line in _commands(reading):
        for load in line.shape.loads:
            ports = [use for use in load.uses if _is_for_all_but_one_port(load, line, use)]
            if len(ports) == len(_PORTS):
                span = line.words_span(source, ports[0].start, ports[-1].end)
                yield Refusal(span, checks.TWO_PORTS, _AS_ONE, _ONE_BY_ONE)


_PORTS = ("source-port", "destination-port")
_AS_ONE = (
    f"iptables-nft {spelled(_TWO_PORTS[0])} to 1.8.10 compare the two ports as one number, so that "
    "the rule matches where only one of them is another, too"
)
_ONE_BY_ONE = "write one of the two with `-m multiport`"


def _is_for_all_but_one_port(load: LoadedExtension, line: CommandLine, use: Use) -> bool:
    """Of port 0 it makes a test of its own."""
    if load.extension is None or load.extension.name not in ("tcp", "udp"):
        return False
    if not use.negated or use.option.name not in _PORTS:
        return False
    first, colon, last = use.texts(line.words)[-1].partition(":")
    return first != "0" and (not colon or first == last)


_OLD = f"iptables {spelled(_GLUED[0])} and 1.8.9"
_MEND = "write a blank between the option and its argument"


def _is_one_of(between: tuple[Version, Version], target: Target) -> bool:
    first, mended = between
    return target.iptables is not None and first <= target.iptables < mended


def _is_glued(use: Use, names: tuple[str, ...]) -> bool:
    return use.option.name in names and any(place.offset for place in use.arguments)


def _may_be_called(line: CommandLine, use: Use) -> bool:
    """Whether an interface may have the word of the option for a name (IFNAMSIZ)."""
    return len(line.words[use.arguments[0].word]) <= LONGEST_INTERFACE
