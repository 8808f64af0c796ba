"""What the loads of a line mean: one ``Part`` for each, worked out once a shape and text.

Every option of the core stands alone and is a part of its own; a match or target
is one part with all its options. A part that cannot be is an ``InvalidPart``.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from functools import cached_property
from operator import attrgetter, itemgetter
from typing import NamedTuple, cast

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions.builders import canonical
from iptlint.dialects.iptables.extensions.required_protocols import numbers, protocols_for
from iptlint.dialects.iptables.extensions.row import Extension, ExtensionResult, GivenOption, Option
from iptlint.dialects.iptables.parsing.base_options import CORE
from iptlint.dialects.iptables.parsing.tree import CommandLine, Load, Shape, Use, Words
from iptlint.model import AnyOf, Effect, Family, Match, Opaque, Verdict, VerdictKind
from iptlint.model.verdicts import CONTINUE

Uses = dict[str, tuple[GivenOption, ...]]


class Part(NamedTuple):
    """``copies``: the rules the kernel makes of a list. ``protocol``: what ``-p`` says,
    ``excluded``: what ``! -p`` says. ``needs``: the protocols of which ``-p`` has to name one."""

    matches: tuple[Match, ...] = ()
    verdict: Verdict | None = None
    effects: tuple[Effect, ...] = ()
    comment: str | None = None
    copies: int = 1
    protocol: int | None = None
    excluded: int | None = None
    needs: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    """The built-in chains that the options allow; empty: any."""
    remark: InvalidPart | None = None
    """What is wrong with a part that is kept all the same."""


class InvalidPart(NamedTuple):
    """``use`` is the option at fault, by its place in the cell; None: all of them together."""

    use: int | None
    reason: InvalidValueError


Known = dict[object, Part | InvalidPart]
Pool = dict[object, Known]
"""What cells that are alike in different shapes know together."""


class Cell:
    """One part of a shape. ``known`` is what it was for each text met so far, by ``key``."""

    def __init__(
        self, extension: Extension, uses: tuple[Use, ...], load: Load | None, family: Family
    ) -> None:
        self.extension = extension
        self.uses = uses
        self.load = load
        self.family = family
        self.key = _key_of([place.word for use in uses for place in use.arguments])
        self.options = tuple(canonical(extension.name, use.option) for use in uses)
        self.diagnostic = _diagnose(extension, uses, self.options)
        self.known: Known = {}

    def join(self, pool: Pool) -> None:
        """Share what is known with the cells that read the same options."""
        offsets = tuple(tuple(p.offset for p in use.arguments) for use in self.uses)
        negated = tuple(use.negated for use in self.uses)
        names = tuple(option.name for option in self.options)
        alike = (self.extension, self.family, names, negated, offsets)
        self.known = pool.setdefault(alike, self.known)

    def part(self, words: Words) -> Part | InvalidPart:
        if self.diagnostic is not None:
            return self.diagnostic
        remarks: list[InvalidPart] = []
        try:
            uses = self.read(words, remarks)
        except _AtUseError as bad:
            return InvalidPart(bad.use, bad.reason)
        try:
            part = self.lowered(uses)
            reasons = (check(uses, self.family) for check in self.extension.checks)
            reason = next(filter(None, reasons), None)
        except InvalidValueError as refused:
            if not refused.never:
                return self._invalid(refused)
            needs = protocols_for(self.extension, uses)
            part, reason = Part((AnyOf(()),), needs=needs), refused
        if reason is not None:
            if not (reason.changed or reason.variant):
                return self._invalid(reason)
            remarks.append(self._invalid(reason))
        return part._replace(remark=remarks[0]) if remarks else part

    def _invalid(self, reason: InvalidValueError) -> InvalidPart:
        return InvalidPart(0 if len(self.uses) == 1 else None, reason)

    def read(self, words: Words, remarks: list[InvalidPart]) -> Uses:
        """The options with their values; ``remarks`` takes those that the tool changes."""
        uses: Uses = {}
        index = 0
        try:
            for use, option in zip(self.uses, self.options, strict=True):
                given = self._given(use, option, words, index, remarks)
                uses[option.name] = (*uses.get(option.name, ()), given)
                index += 1
        except InvalidValueError as reason:
            raise _AtUseError(index, reason) from reason
        return uses

    def _given(
        self, use: Use, option: Option, words: Words, index: int, remarks: list[InvalidPart]
    ) -> GivenOption:
        texts = []
        values: list[object] = []
        for place, reader in zip(use.arguments, option.values, strict=False):
            text = words[place.word]
            if place.offset:
                text = text[place.offset :]
            texts.append(text)
            try:
                values.append(reader(text, self.family))
            except InvalidValueError as reason:
                if reason.becomes is None:
                    raise
                values.append(reason.becomes)
                remarks.append(InvalidPart(index, reason))
        return GivenOption(option, use.negated, tuple(values), tuple(texts))

    def lowered(self, uses: Uses) -> Part:
        matches, verdict, effects, comment = _fields(self.extension.lower(uses, self.family))
        needs = protocols_for(self.extension, uses)
        chains_for = self.extension.chains_for
        chains = chains_for(uses) if chains_for is not None else ()
        return Part(matches, verdict, effects, comment, needs=needs, chains=chains)

    def counts(self, words: Words) -> tuple[int, tuple[int, ...]] | None:
        """The tests that are implied, and those of each use; None where they are not apart."""
        try:
            uses = self.read(words, [])
            every = [given for several in uses.values() for given in several]
            alone = [self._count({given.option.name: (given,)}) for given in every]
            implied, total = self._count({}), self._count(uses)
        except (InvalidValueError, _AtUseError, LookupError):
            return None
        own = tuple(count - implied for count in alone)
        return (implied, own) if implied + sum(own) == total else None

    def _count(self, uses: Uses) -> int:
        return len(self.extension.lower(uses, self.family).matches)


_fields = attrgetter("matches", "verdict", "effects", "comment")


class CoreCell(Cell):
    """One option of the core."""

    def lowered(self, uses: Uses) -> Part:
        ((name, (given,)),) = uses.items()
        matches = CORE.lower(uses, self.family).matches
        copies = len(cast(Sized, given.values[0])) if name in _LISTS else 1
        if name != "protocol":
            return Part(matches, copies=copies)
        number = cast(int, given.values[0])
        return Part(matches, excluded=number) if given.negated else Part(matches, protocol=number)


_LISTS = ("source", "destination")


class _AtUseError(Exception):
    def __init__(self, use: int, reason: InvalidValueError) -> None:
        self.use = use
        self.reason = reason


def _key_of(indices: list[int]) -> Callable[[Words], object]:
    return itemgetter(*indices) if indices else _no_words


def _no_words(_words: Words) -> object:
    return ()


def _diagnose(
    extension: Extension, uses: tuple[Use, ...], options: tuple[Option, ...]
) -> InvalidPart | None:
    """What is wrong with a line whatever its values."""
    names = [option.name for option in options]
    for index, (use, option) in enumerate(zip(uses, options, strict=True)):
        if use.negated and not option.invertible:
            return InvalidPart(
                index, InvalidValueError(f"--{option.name} without !, it cannot be negated")
            )
        if option.name in names[:index] and not option.repeatable:
            return InvalidPart(index, InvalidValueError(f"--{option.name} only once"))
    if extension is CORE:
        return None
    for option in extension.options:
        if option.required and option.name not in names:
            reason = InvalidValueError(
                f"--{option.name}, without which {extension.name} is refused"
            )
            return InvalidPart(None, reason)
    return None


def unknown_extension(load: Load) -> Extension:
    """Stands for an extension nobody knows: a test of its own, a target that may do anything."""
    name = "target" if load.target else "match"
    return Extension(f"unknown {name}", (), lambda _uses, _family: ExtensionResult())


class UnknownCell(Cell):
    def __init__(self, load: Load, family: Family) -> None:
        super().__init__(unknown_extension(load), (), load, family)
        self.key = _key_of([load.name.word, *load.rest])

    def join(self, pool: Pool) -> None:
        """Every unknown extension stands for itself."""

    def part(self, words: Words) -> Part | InvalidPart:
        assert self.load is not None
        name = self.load.name.text(words)
        rest = " ".join(words[index] for index in self.load.rest)
        if self.load.target:
            return Part(verdict=Verdict(VerdictKind.UNKNOWN, name, None, rest))
        return Part((Opaque(f"{name} {rest}".rstrip(), known=False, kind=name),))


class Plan:
    """How every line of one shape becomes a rule."""

    def __init__(self, shape: Shape, family: Family, pool: Pool) -> None:
        self.shape = shape
        self.family = family
        core = tuple(CoreCell(CORE, (use,), None, family) for use in shape.core)
        loads = tuple(_cell(load, family) for load in shape.loads)
        self.cells: tuple[Cell, ...] = core + loads
        for cell in self.cells:
            cell.join(pool)
        self.target = next((c for c in loads if c.load is not None and c.load.target), None)
        self.unknown = tuple(c for c in loads if isinstance(c, UnknownCell))
        self.placed = tuple(c for c in loads if _has_place(c.extension))

    @cached_property
    def core(self) -> dict[str, Use]:
        """The options of the core, by name."""
        return {
            option.name: cell.uses[0]
            for cell in self.cells
            if cell.extension is CORE
            for option in cell.options
        }

    @cached_property
    def repeated(self) -> Use | None:
        """An option of the core that is given twice and may not be."""
        names = [c.options[0] for c in self.cells if c.extension is CORE]
        twice = (
            cell.uses[0]
            for index, cell in enumerate(self.cells[: len(names)])
            if names[index] in names[:index] and not names[index].repeatable
        )
        return next(twice, None)

    @cached_property
    def negated_address(self) -> Use | None:
        uses = (use for name, use in self.core.items() if name in _LISTS)
        return next((use for use in uses if use.negated), None)

    def protocol_before(self, cell: Cell) -> bool:
        """Whether -p stands before ports that need it when they are read (libxt_NAT.c,
        libxt_multiport.c); all other needs are looked at once the line is read."""
        ports = (use for use in cell.uses if use.option.name in _PORTS)
        first = min((use.start for use in ports), default=None)
        return first is None or self.core["protocol"].start < first

    @cached_property
    def other_family(self) -> bool:
        """``-4`` in a file of IPv6 or ``-6`` in one of IPv4: iptables-restore skips the line."""
        return ("ipv6" if self.family is Family.IP else "ipv4") in self.core

    @cached_property
    def restricted(self) -> bool:
        """Whether the rule may not stand in every chain."""
        return bool(self.placed or self.no_place)

    @cached_property
    def no_place(self) -> dict[str, Use]:
        """Built-in chains where the tool refuses ``-i`` or ``-o``."""
        rules = {
            "in-interface": ("OUTPUT", "POSTROUTING"),
            "out-interface": ("PREROUTING", "INPUT"),
        }
        return {
            chain: self.core[name]
            for name, chains in rules.items()
            if name in self.core
            for chain in chains
        }


_PORTS = (
    *("to-source", "to-destination", "to-ports"),
    *("source-ports", "sports", "destination-ports", "dports", "ports"),
)


def _has_place(extension: Extension) -> bool:
    return bool(extension.tables or extension.chains or extension.legacy_tables)


def _cell(load: Load, family: Family) -> Cell:
    if load.extension is None:
        return UnknownCell(load, family)
    return Cell(load.extension, load.uses, load, family)


def allows(needs: tuple[str, ...], protocol: int | None) -> bool:
    return not needs or (protocol is not None and protocol in numbers(needs))


def jump_of(line: CommandLine) -> Verdict:
    """The call of a chain that the line makes, or that it goes on."""
    shape = line.shape
    if shape.jump is None:
        return CONTINUE
    name = shape.jump.text(line.words)
    kind = VerdictKind.GOTO if shape.goto else VerdictKind.JUMP
    verdict = _JUMPS.get((kind, name))
    if verdict is None:
        verdict = _JUMPS[kind, name] = Verdict(kind, name, name)
    return verdict


_JUMPS: dict[tuple[VerdictKind, str], Verdict] = {}
