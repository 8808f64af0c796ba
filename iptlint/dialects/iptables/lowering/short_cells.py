"""Short ways to the parts that nearly all rules have."""

from __future__ import annotations

from iptlint.dialects.iptables.extensions import addresses
from iptlint.dialects.iptables.extensions.builders import canonical
from iptlint.dialects.iptables.extensions.matches import LONGEST_COMMENT
from iptlint.dialects.iptables.extensions.row import Extension
from iptlint.dialects.iptables.lowering.parts import (
    ADDRESSES,
    NO_TERMS,
    Action,
    Cell,
    CoreCell,
    Part,
    UnknownCell,
)
from iptlint.dialects.iptables.parsing.base_options import CORE
from iptlint.dialects.iptables.parsing.tree import LoadedExtension, Use, Words
from iptlint.dialects.verdict_words import translation
from iptlint.maker import maker
from iptlint.model import Effect, EffectKind, Family, Field, Verdict, VerdictKind, Within

_within = maker(Within)
_effect = maker(Effect)
_verdict = maker(Verdict)


class AddressCell(CoreCell):
    """A test of an address; nearly all ask for one network."""

    def __init__(self, use: Use, family: Family, field: Field) -> None:
        super().__init__(use, family)
        self._field = family.field(field)
        self._network = addresses.plain_networks(family)
        self._place = use.arguments[0]
        self._negated = use.negated

    def part(self, words: Words) -> Part:
        ends = self._network(self._place.text(words))
        if ends is None:
            return super().part(words)
        return Part((_within(self._field, (ends,), self._negated),), None, NO_TERMS)


class PortCell(Cell):
    """A test of one port and nothing else: what is known of one number holds for all."""

    def __init__(
        self, extension: Extension, use: Use, load: LoadedExtension, family: Family
    ) -> None:
        super().__init__(extension, (use,), load, family)
        self._place = use.arguments[0]
        self._first: Part | None = None

    def part(self, words: Words) -> Part:
        port = addresses.plain_port(self._place.text(words))
        first = self._first
        if port is None:
            return super().part(words)
        if first is None:
            part = super().part(words)
            self._first = None if part.terms.refused or part.terms.remark else part
            return part
        *implied, test = first.matches
        assert isinstance(test, Within)
        own = _within(test.field, ((port, port),), test.negated)
        return Part((*implied, own), first.action, first.terms)


class CommentCell(Cell):
    """A comment, which says nothing that a rule asks for."""

    def __init__(
        self, extension: Extension, use: Use, load: LoadedExtension, family: Family
    ) -> None:
        super().__init__(extension, (use,), load, family)
        self._place = use.arguments[0]
        self._is_plain = self.diagnostic is None and not use.negated

    def part(self, words: Words) -> Part:
        text = self._place.text(words)
        if self._is_plain and text.isascii() and len(text) <= LONGEST_COMMENT:
            return Part((), Action(None, (), text), NO_TERMS)
        return super().part(words)


class TranslationCell(Cell):
    """A translation to one address and one port, and nothing beside: what is known of one holds for
    all."""

    def __init__(
        self, extension: Extension, use: Use, load: LoadedExtension, family: Family
    ) -> None:
        super().__init__(extension, (use,), load, family)
        self._place = use.arguments[0]
        self._network = addresses.plain_networks(family)
        self._first: Part | None = None

    def part(self, words: Words) -> Part:
        text = self._place.text(words)
        address, _, port_text = text.partition(":")
        ends = self._network(address) if self.family is Family.IP and "/" not in address else None
        port = addresses.plain_port(port_text)
        first = self._first
        if ends is None or port is None:
            return super().part(words)
        if first is None or first.action is None:
            part = super().part(words)
            self._first = None if part.terms.refused or part.terms.remark else part
            return part
        to_address, to_port, status = first.action.effects
        name = self.extension.name
        verdict = _verdict(
            VerdictKind.NAT,
            name,
            None,
            f"--{self.options[0].name} {text}",
            words=translation(name.lower(), address, port_text, ()),
        )
        effects = (
            _effect(EffectKind.WRITE, to_address.field, to_address.mask, ends[0]),
            _effect(EffectKind.WRITE, to_port.field, to_port.mask, port),
            status,
        )
        return Part((), Action(verdict, effects, None), first.terms)


def core_cell(use: Use, family: Family) -> CoreCell:
    field = ADDRESSES.get(canonical(CORE.name, use.option).name)
    return CoreCell(use, family) if field is None else AddressCell(use, family, field)


def cell_of(load: LoadedExtension, family: Family) -> Cell:
    if load.extension is None:
        return UnknownCell(load, family)
    if len(load.uses) == 1:
        (use,) = load.uses
        if use.option.values[:1] in addresses.PORT_READERS:
            return PortCell(load.extension, use, load, family)
        if use.arguments and load.extension.name in _SHORT:
            return _SHORT[load.extension.name](load.extension, use, load, family)
    return Cell(load.extension, load.uses, load, family)


_SHORT = {"comment": CommentCell, "SNAT": TranslationCell, "DNAT": TranslationCell}
