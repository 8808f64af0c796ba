"""Lines of iptables-save with their options in the order in which `iptables-save` prints them.

The options of the core come first, then the matches as they were named, each with its own options
behind it, then the target. No value is changed, and nothing is taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iptlint.dialects.iptables.extensions.builders import canonical
from iptlint.dialects.iptables.parsing.base_options import CORE
from iptlint.dialects.iptables.parsing.tree import (
    ChainLine,
    Command,
    CommandLine,
    Line,
    LoadedExtension,
    SaveFile,
    TableLine,
    Use,
    WordPlace,
)
from iptlint.dialects.iptables.parsing.words import counters_before, raw_words
from iptlint.source import Edit, SourceFile, Span, edited

_CORE = ("source", "destination", "in-interface", "out-interface", "protocol", "fragments")
"""As print_rule4 of iptables prints them (iptables/iptables.c)."""
_PRINTED = {
    **{f"{side}-port": f"{side[0]}port" for side in ("source", "destination")},
    **{f"{side}-ports": f"{side[0]}ports" for side in ("source", "destination")},
}
"""Options that are printed by another of their names than the first."""

_ORDERS: dict[str, tuple[str, ...]] = {
    name: tuple(order.split())
    for name, order in {
        "tcp": "source-port destination-port tcp-option tcp-flags syn",
        "recent": "set rcheck update remove seconds reap hitcount rttl name mask rsource rdest",
        "connbytes": "connbytes connbytes-mode connbytes-dir",
        "cluster": "cluster-local-node cluster-local-nodemask cluster-total-nodes "
        "cluster-hash-seed",
        "ecn": "ecn-tcp-ece ecn-tcp-cwr ecn-ip-ect",
        "physdev": "physdev-is-in physdev-in physdev-is-out physdev-out physdev-is-bridged",
        "rt": "rt-type rt-segsleft rt-len rt-0-res rt-0-addrs rt-0-not-strict",
        "string": "string hex-string algo from to icase",
        "time": "timestart timestop monthdays weekdays datestart datestop contiguous localtz utc "
        "kerneltz",
        "hashlimit": "hashlimit-upto hashlimit-above hashlimit-burst hashlimit-mode hashlimit-name "
        "hashlimit-htable-size hashlimit-htable-max hashlimit-htable-gcinterval "
        "hashlimit-htable-expire hashlimit-srcmask hashlimit-dstmask",
        "LOG": "log-prefix log-level log-tcp-sequence log-tcp-options log-ip-options log-uid "
        "log-macdecode",
        "NFLOG": "nflog-prefix nflog-group nflog-range nflog-size nflog-threshold",
        "CONNMARK": "set-xmark set-mark and-mark or-mark xor-mark save-mark restore-mark nfmask "
        "ctmask mask left-shift-mark right-shift-mark",
        "HMARK": "hmark-src-prefix hmark-dst-prefix hmark-sport-mask hmark-dport-mask hmark-sport "
        "hmark-dport hmark-spi-mask hmark-proto-mask hmark-spi hmark-rnd hmark-mod hmark-offset "
        "hmark-tuple",
    }.items()
}
"""Of matches and targets that print their options in another order than the tables here have."""


class _AsItIsError(Exception):
    """The line stays as it is written."""


def laid_out(tree: SaveFile) -> SourceFile:
    """The text with its lines laid out; what is no line of a rule keeps its words."""
    edits = (edit for line in tree.lines if (edit := _edit(tree.source, line)) is not None)
    return _without_blanks(edited(tree.source, edits))


def _edit(source: SourceFile, line: Line) -> Edit | None:
    text = source.text[line.start : line.end]
    new = _written(line, text)
    return None if new == text else Edit(Span(source, line.start, line.end), new)


def _written(line: Line, text: str) -> str:
    match line:
        case CommandLine():
            try:
                return _command(line, text)
            except _AsItIsError:
                return text
        case TableLine() | ChainLine():
            return " ".join(text.split())
        case _:
            return text


def _without_blanks(source: SourceFile) -> SourceFile:
    """Blanks at the ends of lines; a remark keeps its own."""
    lines = (
        each if each.startswith("#") else each.rstrip(" \t") for each in source.text.split("\n")
    )
    return SourceFile(source.path, "\n".join(lines), source.marked)


# -- one line -----------------------------------------------------------------------------------


def _command(line: CommandLine, text: str) -> str:
    shape = line.shape
    if shape.command is not Command.APPEND or shape.chain is None or line.given is not None:
        raise _AsItIsError
    if shape.table is not None or shape.counters or any(not load.extension for load in shape.loads):
        raise _AsItIsError
    words = _Words([raw[0] for raw in raw_words(text)])
    counters = counters_before(text).strip()
    parts = [counters] if counters else []
    parts += ["-A", words.of(shape.chain), *_core(shape.core, words)]
    for load in shape.matches:
        parts += _load(load, words)
    if shape.jump is not None:
        parts += ["-g" if shape.goto else "-j", words.of(shape.jump)]
    if shape.target is not None:
        parts += _uses(shape.target, words)
    return " ".join(parts)


class _Words:
    """The words of a line as they are written."""

    def __init__(self, raw: list[str]) -> None:
        self.raw = raw

    def of(self, place: WordPlace) -> str:
        word = self.raw[place.word]
        if place.offset and '"' in word:
            raise _AsItIsError
        return word[place.offset :]


def _core(uses: Iterable[Use], words: _Words) -> Iterator[str]:
    by_name = {canonical(CORE.name, use.option).name: use for use in uses}
    if {*by_name} - {*_CORE}:
        raise _AsItIsError
    for name in _CORE:
        if name in by_name:
            yield from _use(by_name[name], f"-{_short(name)}", words)


def _short(name: str) -> str:
    return next(option.short for option in CORE.options if option.name == name) or name


def _load(load: LoadedExtension, words: _Words) -> Iterator[str]:
    assert load.extension is not None
    yield "-m"
    yield load.extension.name if load.implicit else words.of(load.name)
    yield from _uses(load, words)


def _uses(load: LoadedExtension, words: _Words) -> Iterator[str]:
    extension = load.extension
    assert extension is not None
    order = _ORDERS.get(extension.name, ()) or tuple(o.name for o in extension.options)
    places = {name: place for place, name in enumerate(order)}
    named = [(canonical(extension.name, use.option).name, use) for use in load.uses]
    if len({name for name, _ in named}) < len(named):
        # What may be given again stands in an order of its own.
        raise _AsItIsError
    for name, use in sorted(named, key=lambda each: places.get(each[0], len(places))):
        yield from _use(use, f"--{_PRINTED.get(name, name)}", words)


def _use(use: Use, option: str, words: _Words) -> Iterator[str]:
    if use.negated:
        yield "!"
    yield option
    yield from map(words.of, use.arguments)
