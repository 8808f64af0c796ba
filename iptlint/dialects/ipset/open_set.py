"""A set while the lines that fill it are carried out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from iptlint.dialects.ipset.values import Form
from iptlint.model.sets import Dimension, Entry, Extras, Member, Numbers, Part, Ports, SetContents
from iptlint.source import Origin

PLAIN = Extras()
MAX_STEPS = 300_000
"""Cutting ranges out of ranges takes a look at every entry. A text that asks for more than
this many looks is not worth the wait: what it leaves in the set counts as not known."""


@dataclass(slots=True)
class OpenSet:
    """``form`` is None for a set that no line creates: the host has it, or the load fails.

    ``created_with``: the options of its create. ``wide``: some entry stands for several of the
    kernel's.
    """

    name: str
    origin: Origin
    form: Form | None = None
    timeout: int | None = None
    created_with: frozenset[str] = frozenset()
    entries: dict[Entry, Extras] = field(default_factory=dict)
    exact: bool = True
    wide: bool = False
    steps: int = 0
    tails: dict[tuple[str, ...], tuple[Form, Extras]] = field(default_factory=dict)
    """What the words after an entry were found to mean, since many lines end alike."""

    @property
    def is_list(self) -> bool:
        return self.form is not None and self.form.type.name == "list:set"

    @property
    def plain(self) -> Extras:
        """What is true of an entry of which nothing else is said."""
        return Extras(timeout=self.timeout) if self.timeout else PLAIN

    def add(self, entry: Entry, extras: Extras) -> None:
        wide = self._is_wide(entry)
        if (self.wide or wide) and self.timeout is not None and self.entries:
            self._cut(entry)
        self.wide |= wide
        self.entries[entry] = extras

    def delete(self, entry: Entry) -> None:
        if self.wide or self._is_wide(entry):
            self._cut(entry)
        else:
            self.entries.pop(entry, None)

    def flush(self) -> None:
        """After it, whatever was not understood before is gone too."""
        self.entries.clear()
        self.exact = self.form is not None
        self.wide = False

    def rename_members(self, names: Mapping[str, str]) -> None:
        self.entries = {
            tuple(Member(names.get(m.name, m.name)) for m in entry if isinstance(m, Member)): extras
            for entry, extras in self.entries.items()
        }

    def finished(self) -> SetContents:
        if self.form is None:
            return SetContents(self.name, "", (), None, {}, self.origin, exact=False)
        kind = self.form.type
        return SetContents(
            self.name,
            kind.name,
            kind.dimensions,
            None if kind.name in OF_BOTH_FAMILIES else self.form.family,
            self.entries,
            self.origin,
            self.form.mask,
            self.form.mark_mask,
            self.timeout,
            "counters" in self.created_with,
            self.exact,
        )

    # -- ranges ---------------------------------------------------------------

    def _is_wide(self, entry: Entry) -> bool:
        if self.form is None:
            return False
        return any(_is_range(p, d) for p, d in zip(entry, self.form.type.dimensions, strict=False))

    def _cut(self, gone: Entry) -> None:
        """Take the entry out of all that overlap it."""
        self.steps += len(self.entries)
        if self.form is None or self.steps > MAX_STEPS:
            self.exact = False
            return
        dimensions = self.form.type.dimensions
        kept: dict[Entry, Extras] = {}
        for entry, extras in self.entries.items():
            for rest in _without(entry, gone, dimensions):
                kept[rest] = extras
        self.entries = kept


OF_BOTH_FAMILIES = ("bitmap:port", "hash:mac", "list:set")


def _is_range(part: Part, dimension: Dimension) -> bool:
    match part:
        case Numbers(low, high) if dimension is not Dimension.NETWORK:
            return low != high
        case Ports(_, low, high):
            return low != high
        case _:
            return False


def _without(entry: Entry, gone: Entry, dimensions: tuple[Dimension, ...]) -> Iterator[Entry]:
    """What is left of an entry. A network goes as it was added, or not at all."""
    pairs = list(zip(entry, gone, dimensions, strict=False))
    overlaps = [_overlap(part, cut, dimension) for part, cut, dimension in pairs]
    if len(entry) != len(gone) or any(overlap is None for overlap in overlaps):
        yield entry
        return
    common: tuple[Part, ...] = ()
    for index, (overlap, part) in enumerate(zip(overlaps, entry, strict=True)):
        assert overlap is not None
        for beside in _beside(part, overlap):
            yield (*common, beside, *entry[index + 1 :])
        common = (*common, overlap)


def _overlap(part: Part, cut: Part, dimension: Dimension) -> Part | None:
    if part == cut:
        return part
    match part, cut:
        case Numbers(), Numbers() if dimension is not Dimension.NETWORK:
            low, high = max(part.low, cut.low), min(part.high, cut.high)
            return Numbers(low, high) if low <= high else None
        case Ports(), Ports() if part.protocol == cut.protocol:
            low, high = max(part.low, cut.low), min(part.high, cut.high)
            return Ports(part.protocol, low, high) if low <= high else None
        case _:
            return None


def _beside(part: Part, overlap: Part) -> Iterator[Part]:
    """The pieces of a range below and above one that lies in it."""
    match part, overlap:
        case Numbers(low, high), Numbers(first, last):
            yield from (Numbers(*span) for span in _ends(low, high, first, last))
        case Ports(protocol, low, high), Ports(_, first, last):
            yield from (Ports(protocol, *span) for span in _ends(low, high, first, last))


def _ends(low: int, high: int, first: int, last: int) -> Iterator[tuple[int, int]]:
    if low < first:
        yield low, first - 1
    if high > last:
        yield last + 1, high
