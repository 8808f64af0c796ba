"""How every line of a shape becomes a rule."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import NamedTuple

from iptlint.dialects.iptables.extensions.required_protocols import numbers
from iptlint.dialects.iptables.extensions.row import Extension
from iptlint.dialects.iptables.lowering.parts import ADDRESSES, Cell, Pool, Terms, UnknownCell
from iptlint.dialects.iptables.lowering.short_cells import cell_of, core_cell
from iptlint.dialects.iptables.parsing.base_options import CORE
from iptlint.dialects.iptables.parsing.tree import Shape, Use
from iptlint.model import Family


class Fit(NamedTuple):
    """Whether nothing is to be said of terms that stand together; the copies they make; whether
    they ask for some chains (``placed``)."""

    plain: bool
    copies: int
    placed: bool


class Plan:
    """How every line of one shape becomes a rule."""

    def __init__(self, shape: Shape, family: Family, pool: Pool) -> None:
        self.shape = shape
        self.family = family
        core = tuple(core_cell(use, family) for use in shape.core)
        loads = tuple(cell_of(load, family) for load in shape.loads)
        self.cells: tuple[Cell, ...] = core + loads
        for cell in self.cells:
            cell.join(pool)
        self.target = next((c for c in loads if c.load is not None and c.load.target), None)
        self.unknown = tuple(c for c in loads if isinstance(c, UnknownCell))
        self.placed = tuple(c for c in loads if _has_place(c.extension))
        self.readers = tuple((cell.key, cell.known.get, cell.learn) for cell in self.cells)
        self._fits: dict[tuple[Terms, ...], Fit] = {}
        self._free: dict[tuple[str, str], bool] = {}

    def fit(self, terms: tuple[Terms, ...]) -> Fit:
        """Of the terms of the cells, in their order."""
        fit = self._fits.get(terms)
        if fit is None:
            copies = prod(each.copies for each in terms)
            plain = self._is_plain(terms) and (copies == 1 or self.negated_address is None)
            placed = any(each.chains for each in terms)
            fit = self._fits[terms] = Fit(plain, copies, placed)
        return fit

    def _is_plain(self, terms: tuple[Terms, ...]) -> bool:
        if self.repeated or self.unknown or any(each.refused or each.remark for each in terms):
            return False
        protocol: int | None = None
        for cell, each in zip(self.cells, terms, strict=True):
            protocol = each.protocol or protocol
            named = allows(each.needs, protocol)
            if each.needs and not (named and self.protocol_before(cell)):
                return False
        return True

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
        uses = (use for name, use in self.core.items() if name in ADDRESSES)
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

    def is_free_in(self, table: str, chain: str) -> bool:
        """Whether nothing is to be said of a rule that stands there, whatever calls the chain."""
        free = self._free.get((table, chain))
        if free is None:
            placed = all(_is_at_home(cell.extension, table) for cell in self.placed)
            free = self._free[table, chain] = placed and chain not in self.no_place
        return free

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


def _is_at_home(extension: Extension, table: str) -> bool:
    everywhere = not extension.chains
    of_table = not extension.tables or table in extension.tables
    return everywhere and of_table and table in (extension.legacy_tables or (table,))


def allows(needs: tuple[str, ...], protocol: int | None) -> bool:
    return not needs or (protocol is not None and protocol in numbers(needs))
