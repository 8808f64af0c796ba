"""Short ways to the parts that nearly all rules have."""

from __future__ import annotations

from iptlint.dialects.iptables.extensions import addresses
from iptlint.dialects.iptables.extensions.builders import canonical
from iptlint.dialects.iptables.extensions.row import Extension
from iptlint.dialects.iptables.lowering.parts import (
    ADDRESSES,
    NO_TERMS,
    Cell,
    CoreCell,
    Part,
    UnknownCell,
)
from iptlint.dialects.iptables.parsing.base_options import CORE
from iptlint.dialects.iptables.parsing.tree import LoadedExtension, Use, Words
from iptlint.maker import maker
from iptlint.model import Family, Field, Within

_within = maker(Within)


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


def core_cell(use: Use, family: Family) -> CoreCell:
    field = ADDRESSES.get(canonical(CORE.name, use.option).name)
    return CoreCell(use, family) if field is None else AddressCell(use, family, field)


def cell_of(load: LoadedExtension, family: Family) -> Cell:
    if load.extension is None:
        return UnknownCell(load, family)
    if len(load.uses) == 1 and load.uses[0].option.values[:1] in addresses.PORT_READERS:
        return PortCell(load.extension, load.uses[0], load, family)
    return Cell(load.extension, load.uses, load, family)
