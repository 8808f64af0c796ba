"""Names that have to mean something: of matches, targets, chains and sets, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iptlint.dialects import Reading
from iptlint.dialects.iptables.extensions.table import find_target
from iptlint.dialects.iptables.lowering.tables import BUILT_IN
from iptlint.dialects.iptables.parsing.tree import (
    ChainLine,
    Command,
    CommandLine,
    LoadedExtension,
    SaveFile,
    Shape,
    TableLine,
    Use,
    WordPlace,
)
from iptlint.dialects.sets import together
from iptlint.loads.iptables import checks
from iptlint.loads.refusal import Refusal
from iptlint.source import SourceFile, Span

_LONGEST = 28
_OF_A_MODULE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
_TO_A_SET = ("match-set", "add-set", "del-set", "map-set")
_WAYS = {
    "in-interface": ("OUTPUT", "POSTROUTING"),
    "out-interface": ("PREROUTING", "INPUT"),
}


def _jumps_last(shape: Shape) -> bool:
    """Whether a line of the shape ends in the name of a chain that it calls."""
    if shape.jump is None or shape.jump.offset or shape.target is not None:
        return False
    uses = (*shape.core, *(use for load in shape.loads for use in load.uses))
    named = (load.name for load in shape.loads)
    rest = (number for load in shape.loads for number in load.rest)
    single = (shape.chain, shape.number, shape.table, *shape.counters, *named)
    words = (*(place.word for place in single if place is not None), *rest)
    last = max((*words, *(use.end - 1 for use in uses), 0))
    return last < shape.jump.word


class Names:
    """Asks of each line whether what it names is there by then. ``before``: readings of what is
    loaded already."""

    def __init__(self, source: SourceFile, tree: SaveFile, before: Sequence[Reading]) -> None:
        self._source = source
        self._tree = tree
        self._table = ""
        self._family = tree.family
        self._chains: set[str] = set()
        self._plain: dict[Shape, bool] = {}
        self._targets: dict[Shape, str] = {}
        self._calls_last: dict[Shape, bool] = {}
        _, sets = together(before)
        self._sets = frozenset(sets.contents) if sets is not None else frozenset()

    def refusals(self) -> Iterator[Refusal]:
        for line in self._tree.lines:
            match line:
                case TableLine():
                    self._table, self._family = line.name, line.family
                    self._chains = {*BUILT_IN.get(line.name, ())}
                case ChainLine():
                    self._chains.add(line.name)
                case CommandLine():
                    yield from self._command(line)

    def _command(self, line: CommandLine) -> Iterator[Refusal]:
        shape = line.shape
        if self._is_plain(shape):
            if shape.jump is not None and not self._is_there(line, shape.jump):
                yield from self._target(line, shape.jump)
            return
        for load in shape.loads:
            if load.extension is None and not load.target:
                yield self._unknown_match(line, load)
            for use in load.uses:
                if use.option.name in _TO_A_SET:
                    yield from self._set(line, use)
        if shape.jump is not None:
            yield from self._target(line, shape.jump)
        yield from self._interfaces(line)
        if shape.new_name is not None and shape.chain is not None:
            yield self._renamed(line, shape.chain)
        new = shape.new_name or (shape.chain if shape.command is Command.NEW_CHAIN else None)
        if new is not None:
            self._chains.add(new.text(line.words))

    def _is_plain(self, shape: Shape) -> bool:
        """Whether all lines of the shape name nothing but what they jump to."""
        plain = self._plain.get(shape)
        if plain is None:
            plain = self._plain[shape] = not (
                any(load.extension is None and not load.target for load in shape.loads)
                or any(u.option.name in _TO_A_SET for load in shape.loads for u in load.uses)
                or any(use.option.name in _WAYS for use in shape.core)
                or shape.new_name is not None
                or shape.command is Command.NEW_CHAIN
            )
        return plain

    def _is_there(self, line: CommandLine, jump: WordPlace) -> bool:
        """Whether it is seen that the line jumps to what is there by then."""
        return self._calls_a_chain(line) or self._has_its_target(line, jump)

    def _calls_a_chain(self, line: CommandLine) -> bool:
        """Whether the last word, where that is what all lines of the shape jump to, is a chain of
        the file's own."""
        calls = self._calls_last.get(line.shape)
        if calls is None:
            calls = self._calls_last[line.shape] = _jumps_last(line.shape)
        if not calls or line.given is not None:
            return False
        word = line.source.text[line.start : line.end].rpartition(" ")[2]
        return word in self._chains and word not in BUILT_IN.get(self._table, ())

    def _has_its_target(self, line: CommandLine, jump: WordPlace) -> bool:
        """Whether the target is known, which has one name in all lines of the shape, and is hidden
        by no chain."""
        name = self._targets.get(line.shape)
        if name is None:
            target = line.shape.target
            known = target is not None and target.extension is not None
            name = self._targets[line.shape] = jump.text(line.words) if known else ""
        return bool(name) and name not in self._chains

    # -- matches and targets ----------------------------------------------------

    def _unknown_match(self, line: CommandLine, load: LoadedExtension) -> Refusal:
        name = load.name.text(line.words)
        span = line.place_span(self._source, load.name)
        if _OF_A_MODULE.fullmatch(name) and len(name) <= _LONGEST:
            cause = f"iptables has no match {name}, so it is refused wherever nobody added one"
            mend = "check the spelling, or install the module with its library"
            return Refusal(span, checks.NO_MATCH, cause, mend, missing=True)
        cause = f"`{name}` stands where -m wants the name of a match"
        return Refusal(span, checks.NO_MATCH, cause, "write the name of the match after -m")

    def _target(self, line: CommandLine, jump: WordPlace) -> Iterator[Refusal]:
        name = jump.text(line.words)
        target = line.shape.target
        if name in self._chains:
            if target is None and name not in BUILT_IN.get(self._table, ()):
                return
        elif target is not None and target.extension is not None:
            return
        span = line.place_span(self._source, jump)
        known = find_target(name, self._family) is not None and not line.shape.goto
        if name in BUILT_IN.get(self._table, ()):
            cause = f"{name} is a built-in chain, and no rule may call one"
            mend = f"move the rules of {name} that are meant to a chain of their own, and call it"
            yield Refusal(span, checks.BUILT_IN, cause, mend)
        elif not known and name not in self._chains:
            yield self._no_target(line, span, name)
        elif name in self._chains and line.shape.target is not None:
            yield from self._options_of_chain(line, line.shape.target, name)

    def _no_target(self, line: CommandLine, span: Span, name: str) -> Refusal:
        declare = f"declare the chain before: `:{name} - [0:0]`"
        if line.shape.goto:
            cause = f"-g goes to a chain, and table {self._table} has no chain {name} by then"
            return Refusal(span, checks.NO_CHAIN_TO_GO_TO, cause, declare, missing=True)
        cause = f"table {self._table} has no chain {name} by then, and there is no such target"
        missing = bool(_OF_A_MODULE.fullmatch(name)) and len(name) <= _LONGEST
        return Refusal(span, checks.NO_TARGET, cause, declare, missing)

    def _options_of_chain(
        self, line: CommandLine, target: LoadedExtension, name: str
    ) -> Iterator[Refusal]:
        """A chain that has the name of a target hides it."""
        for use in target.uses:
            span = line.words_span(self._source, use.start, use.end)
            cause = f"{name} is a chain here, and a call of a chain takes no --{use.option.name}"
            yield Refusal(span, checks.OWN_OPTIONS, cause, f"call the chain {name} something else")

    def _renamed(self, line: CommandLine, chain: WordPlace) -> Refusal:
        """The kernel has not been given the chain yet."""
        span = line.place_span(self._source, chain)
        cause = f"iptables-nft-restore cannot rename {span.text}, which this file makes"
        mend = "declare the chain by its new name"
        return Refusal(span, checks.RENAMED, cause, mend, missing=True, variant="nft")

    # -- sets and interfaces ----------------------------------------------------

    def _set(self, line: CommandLine, use: Use) -> Iterator[Refusal]:
        name = use.texts(line.words)[0]
        if name in self._sets:
            return
        span = line.place_span(self._source, use.arguments[0])
        cause = f"the set {name} has to be there before the rules are loaded"
        mend = "load the sets first (ipset restore); `--from` takes what `ipset save` printed"
        yield Refusal(span, checks.SET, cause, mend, missing=True)

    def _interfaces(self, line: CommandLine) -> Iterator[Refusal]:
        if line.shape.chain is None or line.shape.command not in _WITH_RULE:
            return
        chain = line.shape.chain.text(line.words)
        for use in line.shape.core:
            if chain in _WAYS.get(use.option.name, ()):
                span = line.words_span(self._source, use.start, use.end)
                came = use.option.name == "in-interface"
                way = "comes in by none" if came else "has none to go out by yet"
                cause = f"`{span.text}` is refused in {chain}: a packet there {way}"
                mend = "move the rule to a chain where the interface is known"
                yield Refusal(span, checks.INTERFACE, cause, mend)


_WITH_RULE = (
    Command.APPEND,
    Command.DELETE,
    Command.CHECK,
    Command.INSERT,
    Command.REPLACE,
)
