"""Where an iptables-save file names chains and ipsets."""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.dialects.iptables.parsing.tree import (
    ChainLine,
    Command,
    CommandLine,
    Line,
    SaveFile,
    TableLine,
    WordPlace,
)
from iptlint.dialects.written_names import NameKind, WrittenName
from iptlint.source import Span

_OF_SETS = ("match-set", "add-set", "del-set", "map-set")
"""The options whose first argument is the name of a set."""
_BARE_TABLE = "filter"


def names(tree: SaveFile) -> Iterator[WrittenName]:
    """In the order of the text. A jump to what the text makes no chain is to a target."""
    names = [*_names(tree)]
    chains = {(each.scope, each.name) for is_jump, each in names if not is_jump}
    for is_jump, each in names:
        if not is_jump or (each.scope, each.name) in chains:
            yield each


def _names(tree: SaveFile) -> Iterator[tuple[bool, WrittenName]]:
    """Each with whether a rule jumps there, which only all chains tell."""
    scope = (tree.family.value, _BARE_TABLE)
    for line in tree.lines:
        if isinstance(line, TableLine):
            scope = (line.family.value, line.name)
        else:
            yield from _of_line(tree, line, scope)


def _of_line(
    tree: SaveFile, line: Line, scope: tuple[str, ...]
) -> Iterator[tuple[bool, WrittenName]]:
    source = tree.source
    if isinstance(line, ChainLine):
        start = source.text.index(line.name, line.start)
        span = Span(source, start, start + len(line.name))
        yield False, WrittenName(NameKind.CHAIN, scope, line.name, span, declares=True)
    elif isinstance(line, CommandLine):
        shape = line.shape
        if shape.chain is not None:
            makes = shape.command is Command.NEW_CHAIN
            yield False, _named(NameKind.CHAIN, line, shape.chain, scope, declares=makes)
        if shape.new_name is not None:
            yield False, _named(NameKind.CHAIN, line, shape.new_name, scope, declares=True)
        if shape.jump is not None:
            yield True, _named(NameKind.CHAIN, line, shape.jump, scope)
        for use in (use for load in shape.loads for use in load.uses):
            if use.option.name in _OF_SETS and use.arguments:
                yield False, _named(NameKind.SET, line, use.arguments[0], ())


def _named(
    kind: NameKind,
    line: CommandLine,
    place: WordPlace,
    scope: tuple[str, ...],
    *,
    declares: bool = False,
) -> WrittenName:
    name, span = place.text(line.words), line.place_span(line.source, place)
    return WrittenName(kind, scope, name, span, declares)
