"""What a set or map holds: the elements written in braces, or put into a named one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.datatypes import DataType, NftValueError
from iptlint.dialects.nft.lowering.dependencies import Context
from iptlint.dialects.nft.lowering.selector import lower_key
from iptlint.dialects.nft.lowering.values import Values, merged, read_values, union, without
from iptlint.dialects.nft.parsing.bulk import PlainElements
from iptlint.dialects.nft.tables import OpenSet
from iptlint.model import Family
from iptlint.model.numbers import c_number

Row = tuple[Values, ...]
"""One element: the values of each part of its key."""

Data = t.Expression | t.StatementNode | None

MOST_BAD = 20
"""Elements of one set that are reported."""

_MAY_STOP = (t.Timing, t.Limit, t.Quota, t.ConnectionLimit)
"""What ends an element, or the rule that finds it, sooner or later."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Elements with the same data. ``fleeting``: they go away by themselves, or say no at
    times. ``everything``: ``*``, what no other element takes."""

    rows: tuple[Row, ...]
    data: Data = None
    place: t.Node | None = None
    fleeting: bool = False
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    entries: tuple[Entry, ...]
    bad: tuple[NftValueError, ...] = ()


def literal(elements: Iterable[t.Expression | t.Element], types: Sequence[DataType]) -> Contents:
    return _read([(True, elements)], types)


@lru_cache(maxsize=64)
def named(open_set: OpenSet, types: tuple[DataType, ...]) -> Contents:
    """What is in a named set once all of the text was carried out."""
    return _read([(change.adds, change.elements.elements) for change in open_set.changes], types)


def is_known(open_set: OpenSet) -> bool:
    """Whether the text says what is in it; what is empty is there for a program to fill."""
    changing = open_set.timeout or open_set.updated or open_set.flags & {"dynamic", "timeout"}
    if changing or open_set.type is None or not any(change.adds for change in open_set.changes):
        return False
    if all(change.adds for change in open_set.changes):
        return any(len(change.elements.elements) for change in open_set.changes)
    contents = named(open_set, types_of(open_set, ()) or (d.ANYTHING,))
    return any(entry.everything or any(map(_holds, entry.rows)) for entry in contents.entries)


def _holds(row: Row) -> bool:
    return any(part != Values() for part in row)


def types_of(open_set: OpenSet, like: tuple[DataType, ...]) -> tuple[DataType, ...]:
    """The types of its key; where a word is none that is known here, as those of ``like``."""
    match open_set.type:
        case t.KeyType(key):
            names = [d.BY_NAME.get(word.text) for word in key]
            if len(names) == len(like):
                return tuple(name or other for name, other in zip(names, like, strict=True))
            return tuple(name or d.ANYTHING for name in names)
        case t.KeyLike(key):
            return tuple(each.type for each in lower_key(key, Context.of(Family.INET)))
    return like


# -- elements ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Group:
    """Elements of one data while they are collected."""

    data: Data
    place: t.Node | None
    fleeting: bool
    rows: list[Row] = field(default_factory=list)
    everything: bool = False

    def entry(self) -> Entry:
        rows = joined(self.rows)
        return Entry(rows, self.data, self.place, self.fleeting, self.everything)


class _Reader:
    def __init__(self, types: Sequence[DataType]) -> None:
        self.types = tuple(types)
        self.bad: list[NftValueError] = []
        self.groups: list[_Group] = []
        self._by_data: dict[tuple[Data, bool], _Group] = {}

    def add(self, elements: Iterable[t.Expression | t.Element]) -> None:
        plain = plain_ranges(elements, self.types)
        if plain is not None:
            self._group(None, None, False).rows.append((Values(merged(plain)),))
            return
        for element in elements:
            self._element(element)

    def _element(self, element: t.Expression | t.Element) -> None:
        match element:
            case t.Element(key, extras, data):
                stops = any(isinstance(extra, _MAY_STOP) for extra in extras)
                group = self._group(data, element, stops)
            case _:
                key, group = element, self._group(None, element, False)
        for one in _flat(key):
            if isinstance(one, t.Everything):
                group.everything = True
            else:
                group.rows.append(self.row(one))

    def remove(self, elements: Iterable[t.Expression | t.Element]) -> None:
        """Taken out, whatever data they have. Of keys with several parts only the same go."""
        removed = [
            self.row(one)
            for element in elements
            for one in _flat(element.key if isinstance(element, t.Element) else element)
            if not isinstance(one, t.Everything)
        ]
        rows_removed = set(removed)
        for group in self.groups:
            if len(self.types) > 1:
                group.rows = [row for row in group.rows if row not in rows_removed]
            elif group.rows:
                (values,), *_ = joined(group.rows)
                group.rows = [(without(values, union(row[0] for row in removed)),)]

    def _group(self, data: Data, place: t.Node | None, fleeting: bool) -> _Group:
        key = (data, fleeting)
        group = self._by_data.get(key)
        if group is None:
            group = self._by_data[key] = _Group(data, place, fleeting)
            self.groups.append(group)
        return group

    def row(self, key: t.Expression) -> Row:
        """A value that cannot be read may be any."""
        parts = key.parts if isinstance(key, t.Concat) else (key,)
        if len(parts) != len(self.types):
            return tuple(Values(unread=("element",)) for _ in self.types)
        return tuple(self._part(part, kind) for part, kind in zip(parts, self.types, strict=True))

    def _part(self, part: t.Expression, type: DataType) -> Values:
        try:
            return read_values(part, type)
        except NftValueError as error:
            if len(self.bad) < MOST_BAD:
                self.bad.append(error)
            return Values(unread=("element",))


def _read(
    changes: Sequence[tuple[bool, Iterable[t.Expression | t.Element]]], types: Sequence[DataType]
) -> Contents:
    reader = _Reader(types)
    for adds, elements in changes:
        (reader.add if adds else reader.remove)(elements)
    return Contents(tuple(group.entry() for group in reader.groups), tuple(reader.bad))


def _flat(key: t.Expression) -> Iterator[t.Expression]:
    """A set in a set is its elements."""
    if not isinstance(key, t.SetLiteral):
        yield key
        return
    for element in key.elements:
        yield from _flat(element.key if isinstance(element, t.Element) else element)


def joined(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The same elements in fewer rows: those that differ in one part only are one."""
    if not rows:
        return ()
    for part in range(len(rows[0])):
        groups: dict[Row, list[Values]] = {}
        for row in rows:
            groups.setdefault((*row[:part], *row[part + 1 :]), []).append(row[part])
        rows = [(*rest[:part], union(several), *rest[part:]) for rest, several in groups.items()]
    return tuple(rows)


# -- very many plain elements ------------------------------------------------------------------

_BY_ADDRESS = {d.IPV4: d.ipv4, d.IPV6: d.ipv6, d.ETHER: d.mac}


def plain_ranges(
    elements: Iterable[t.Expression | t.Element], types: tuple[DataType, ...]
) -> list[tuple[int, int]] | None:
    """The ranges of a long set of addresses, without a node for each; None where it is not
    one, or where something is wrong with it."""
    if not isinstance(elements, PlainElements) or len(types) != 1:
        return None
    read = _BY_ADDRESS.get(types[0])
    if read is None:
        return None
    dotted = elements.dotted() if read is d.ipv4 else None
    if dotted is not None:
        return [*zip(dotted, dotted, strict=True)]
    width = types[0].width
    ranges: list[tuple[int, int]] = []
    for address, length, end in elements.addresses():
        low = read(address) if address else None
        high = read(end) if end else low
        if low is None or high is None or high < low:
            return None
        if length:
            bits = c_number(length)
            if bits is None or bits > width:
                return None
            hosts = (1 << (width - bits)) - 1
            low, high = low & ~hosts, low | hosts
        ranges.append((low, high))
    return ranges
