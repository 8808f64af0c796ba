"""What the loads of a line mean: one ``Part`` for each, worked out once a shape and text.

Every option of the core stands alone and is a part of its own; a match or target
is one part with all its options. A part that cannot be is an ``InvalidPart``.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from typing import NamedTuple, cast

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions.builders import canonical
from iptlint.dialects.iptables.extensions.required_protocols import protocols_for
from iptlint.dialects.iptables.extensions.row import Extension, ExtensionResult, GivenOption, Option
from iptlint.dialects.iptables.parsing.base_options import CORE
from iptlint.dialects.iptables.parsing.tree import LoadedExtension, Use, Words
from iptlint.maker import maker
from iptlint.model import AnyOf, Effect, Family, Field, Match, Opaque, Verdict, VerdictKind

_given_option = maker(GivenOption)

Uses = dict[str, tuple[GivenOption, ...]]


class InvalidPart(NamedTuple):
    """``use`` is the option at fault, by its place in the cell; None: all of them together."""

    use: int | None
    reason: InvalidValueError


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What a part says to, or wants of, the others of its rule, and of the place where it stands.

    ``copies``: the rules the kernel makes of a list. ``protocol``: what ``-p`` says,
    ``excluded``: what ``! -p`` says. ``needs``: the protocols of which ``-p`` has to name one.
    ``chains``: the built-in chains that the options allow; empty: any. ``refused``: why there is
    no rule; ``remark``: what is wrong with a part that is kept all the same.
    """

    copies: int = 1
    protocol: int | None = None
    excluded: int | None = None
    needs: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    refused: InvalidPart | None = None
    remark: InvalidPart | None = None


NO_TERMS = Terms()


@cache
def _terms(
    copies: int = 1,
    protocol: int | None = None,
    excluded: int | None = None,
    needs: tuple[str, ...] = (),
    chains: tuple[str, ...] = (),
) -> Terms:
    """One object for all that say the same, so that a plan tells them apart cheaply."""
    given = (copies, protocol, excluded, needs, chains)
    return NO_TERMS if given == (1, None, None, (), ()) else Terms(*given)


class Action(NamedTuple):
    """What a part does, or says of its rule."""

    verdict: Verdict | None
    effects: tuple[Effect, ...]
    comment: str | None


class Part(NamedTuple):
    matches: tuple[Match, ...] = ()
    action: Action | None = None
    terms: Terms = NO_TERMS


def _refused(invalid: InvalidPart) -> Part:
    return Part(terms=Terms(refused=invalid))


Known = dict[object, Part]
Pool = dict[object, Known]
"""What cells that are alike in different shapes know together."""


class Cell:
    """One part of a shape. ``known`` is what it was for each text met so far, by ``key``."""

    def __init__(
        self,
        extension: Extension,
        uses: tuple[Use, ...],
        load: LoadedExtension | None,
        family: Family,
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

    def learn(self, words: Words) -> Part:
        """What the cell is for a text that it has not met."""
        part = self.known[self.key(words)] = self.part(words)
        return part

    def part(self, words: Words) -> Part:
        if self.diagnostic is not None:
            return _refused(self.diagnostic)
        remarks: list[InvalidPart] = []
        try:
            uses = self.read(words, remarks)
        except _AtUseError as bad:
            return _refused(InvalidPart(bad.use, bad.reason))
        try:
            part = self.lowered(uses)
            reasons = (check(uses, self.family) for check in self.extension.checks)
            reason = next(filter(None, reasons), None)
        except InvalidValueError as refused:
            if not refused.never:
                return _refused(self._invalid(refused))
            needs = protocols_for(self.extension, uses)
            part, reason = Part((AnyOf(()),), terms=Terms(needs=needs)), refused
        if reason is not None:
            if not (reason.changed or reason.variant):
                return _refused(self._invalid(reason))
            remarks.append(self._invalid(reason))
        if remarks:
            part = part._replace(terms=replace(part.terms, remark=remarks[0]))
        return part

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
        return _given_option(option, use.negated, tuple(values), tuple(texts))

    def lowered(self, uses: Uses) -> Part:
        result = self.extension.lower(uses, self.family)
        needs = protocols_for(self.extension, uses)
        chains_for = self.extension.chains_for
        chains = chains_for(uses) if chains_for is not None else ()
        does = result.verdict or result.effects or result.comment is not None
        action = Action(result.verdict, result.effects, result.comment) if does else None
        return Part(result.matches, action, _terms(needs=needs, chains=chains))

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


class CoreCell(Cell):
    """One option of the core."""

    def __init__(self, use: Use, family: Family) -> None:
        super().__init__(CORE, (use,), None, family)

    def lowered(self, uses: Uses) -> Part:
        ((name, (given,)),) = uses.items()
        matches = CORE.lower(uses, self.family).matches
        copies = len(cast(Sized, given.values[0])) if name in ADDRESSES else 1
        if name != "protocol":
            return Part(matches, terms=_terms(copies))
        number = cast(int, given.values[0])
        terms = _terms(excluded=number) if given.negated else _terms(protocol=number)
        return Part(matches, terms=terms)


ADDRESSES = {"source": Field.SADDR, "destination": Field.DADDR}


class _AtUseError(Exception):
    def __init__(self, use: int, reason: InvalidValueError) -> None:
        self.use = use
        self.reason = reason


def _key_of(indices: list[int]) -> Callable[[Words], object]:
    return itemgetter(*indices) if indices else itemgetter(slice(0, 0))


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


def unknown_extension(load: LoadedExtension) -> Extension:
    """Stands for an extension nobody knows: a test of its own, a target that may do anything."""
    name = "target" if load.target else "match"
    return Extension(f"unknown {name}", (), lambda _uses, _family: ExtensionResult())


class UnknownCell(Cell):
    def __init__(self, load: LoadedExtension, family: Family) -> None:
        super().__init__(unknown_extension(load), (), load, family)
        self.key = _key_of([load.name.word, *load.rest])

    def join(self, pool: Pool) -> None:
        """Every unknown extension stands for itself."""

    def part(self, words: Words) -> Part:
        assert self.load is not None
        name = self.load.name.text(words)
        rest = " ".join(words[index] for index in self.load.rest)
        if self.load.target:
            verdict = Verdict(VerdictKind.UNKNOWN, name, None, rest)
            return Part(action=Action(verdict, (), None))
        return Part((Opaque(f"{name} {rest}".rstrip(), known=False, kind=name),))
