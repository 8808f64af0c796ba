"""Which packets ``--match-set NAME src,dst …`` takes, given what is in the set.

From net/netfilter/ipset: ``ip_set_test`` (ip_set_core.c) takes no packet where the rule names
fewer directions than the set has dimensions, or where the set is of the other family; more
directions than dimensions do no harm. Among networks the most specific one that an entry of the
set has, the first dimension before the second, decides (``mtype_test_cidrs`` in
ip_set_hash_gen.h), be it a ``nomatch`` one. A list of sets takes what any of its sets takes.

An entry with a timeout may be gone when the packet comes: the packets it decides are uncertain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from iptlint.dialects.ipset.entry_matches import Alternatives, Sides, boxes
from iptlint.dialects.ipset.intervals import merged, subtracted
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import AnyOf, Family, Match, Opaque, Within
from iptlint.model.matches import SetLookup
from iptlint.model.sets import (
    Device,
    Dimension,
    Entry,
    Extras,
    Member,
    Numbers,
    SavedSets,
    SetContents,
)

NEVER: Alternatives = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """What a rule asks of a set: ``sources`` are its directions, True for src."""

    sources: tuple[bool, ...]
    family: Family
    return_nomatch: bool = False

    def test(self, name: str, *, negated: bool = False) -> Opaque:
        """The test as it is kept where the contents are not known."""
        directions = ",".join("src" if source else "dst" for source in self.sources)
        key = f"set {name} {directions}" + " --return-nomatch" * self.return_nomatch
        lookup = SetLookup(name, self.sources, self.return_nomatch)
        return uninterpreted(key, negated, asks=lookup)


def match_of(name: str, asked: Membership, negated: bool, sets: SavedSets) -> Match | None:
    """The packets in terms of their fields; None where that is not known of the set. Of one that
    rules change, be it by a list that it is in, nothing is certain."""
    contents = sets.contents.get(name)
    if name in sets.changed:
        return asked.test(name, negated=negated).unsettled
    if contents is None or not _is_known(contents, asked.family):
        return None
    try:
        return AnyOf(_taken(contents, asked, sets), negated)
    except _TooManyExceptions:
        return None


def _is_known(contents: SetContents, family: Family) -> bool:
    return contents.exact and contents.family in (None, family) and not _is_odd(contents)


def _taken(contents: SetContents, asked: Membership, sets: SavedSets) -> Alternatives:
    if contents.is_list:
        return tuple(_of_list(contents, asked, sets))
    if len(asked.sources) < len(contents.dimensions):
        return NEVER
    return _of_entries(contents, asked)


# -- lists --------------------------------------------------------------------


def _of_list(
    contents: SetContents, asked: Membership, sets: SavedSets
) -> Iterator[tuple[Match, ...]]:
    for (part, *_), extras in contents.entries.items():
        if isinstance(part, Member):
            taken = _of_member(part.name, asked, sets)
            if extras.timeout is None:
                yield from taken
            elif taken:
                yield asked.test(contents.name).unsettled, AnyOf(taken)


def _of_member(name: str, asked: Membership, sets: SavedSets) -> Alternatives:
    contents = sets.contents.get(name)
    if name in sets.changed:
        return ((asked.test(name).unsettled,),)
    if contents is not None and contents.exact and contents.family not in (None, asked.family):
        return NEVER
    if contents is None or contents.is_list or not _is_known(contents, asked.family):
        return ((asked.test(name),),)
    try:
        return _taken(contents, asked, sets)
    except _TooManyExceptions:
        return ((asked.test(name),),)


# -- entries ------------------------------------------------------------------


def _of_entries(contents: SetContents, asked: Membership) -> Alternatives:
    """A packet is taken for sure where an entry that stays takes it and nothing that goes before
    can stand in the way, and perhaps where one that may go takes it and nothing that stays
    stands in the way."""
    sides = Sides(asked.sources, asked.family, contents)
    wanted = asked.return_nomatch and Dimension.NETWORK in contents.dimensions
    takes = {e: x for e, x in contents.entries.items() if x.nomatch is wanted}
    others = {e: x for e, x in contents.entries.items() if x.nomatch is not wanted}
    sure = _region(_staying(takes, contents), others, sides)
    if all(_stays(entry, extras, contents) for entry, extras in contents.entries.items()):
        return sure
    possible = _region(takes, _staying(others, contents), sides)
    if not possible:
        return sure
    return (*sure, (asked.test(contents.name).unsettled, AnyOf(possible)))


def _stays(entry: Entry, extras: Extras, contents: SetContents) -> bool:
    """An entry of bitmap:ip,mac without a MAC address takes that of the first packet."""
    return extras.timeout is None and len(entry) == len(contents.dimensions)


def _staying(entries: dict[Entry, Extras], contents: SetContents) -> list[Entry]:
    return [entry for entry, extras in entries.items() if _stays(entry, extras, contents)]


Size = tuple[int, ...]
MAX_BLOCKED = 1_000_000
"""Each size of network is told apart from all exceptions that are more specific. A set with more
of both than this stays one test."""


class _TooManyExceptions(Exception):  # noqa: N818 - it names what the set holds
    pass


def _size(entry: Entry, dimensions: tuple[Dimension, ...]) -> Size:
    """How specific its networks are: what sorts lower is asked first."""
    return tuple(
        part.high - part.low
        for part, dimension in zip(entry, dimensions, strict=False)
        if dimension is Dimension.NETWORK and isinstance(part, Numbers)
    )


def _region(takes: Iterable[Entry], others: Iterable[Entry], sides: Sides) -> Alternatives:
    """What one of the entries takes and none of the others that is more specific does."""
    dimensions = sides.contents.dimensions
    if Dimension.INTERFACE in dimensions:
        others = _all_networks(sides.contents)
    blocking = _by_size(others, dimensions)
    if not blocking:
        return boxes([*takes], sides)
    alternatives: list[tuple[Match, ...]] = []
    looks = 0
    for size, entries in _by_size(takes, dimensions).items():
        before = [entry for other, part in blocking.items() if other < size for entry in part]
        looks += len(before) + len(blocking)
        if looks > MAX_BLOCKED:
            raise _TooManyExceptions
        alternatives += _apart(boxes(entries, sides), boxes(before, sides))
    return _joined(alternatives)


def _by_size(
    entries: Iterable[Entry], dimensions: tuple[Dimension, ...]
) -> dict[Size, list[Entry]]:
    by_size: dict[Size, list[Entry]] = {}
    for entry in entries:
        by_size.setdefault(_size(entry, dimensions), []).append(entry)
    return by_size


def _apart(taken: Alternatives, blocked: Alternatives) -> Alternatives:
    if not blocked:
        return taken
    if not taken:
        return NEVER
    one, other = _only_range(taken), _only_range(blocked)
    if one and other and one.field is other.field:
        return ((Within(one.field, subtracted(one.ranges, other.ranges)),),)
    return ((AnyOf(taken), AnyOf(blocked, negated=True)),)


def _only_range(alternatives: Alternatives) -> Within | None:
    """The one test that it all is, if it is one of numbers in order."""
    match alternatives:
        case ((Within(negated=False) as within,),):
            return within
        case _:
            return None


def _joined(alternatives: Sequence[tuple[Match, ...]]) -> Alternatives:
    """Ranges of one field are one test."""
    ranges = [only for tests in alternatives if (only := _only_range((tests,)))]
    if len(ranges) < 2 or len(ranges) < len(alternatives) or len({r.field for r in ranges}) > 1:
        return tuple(alternatives)
    return ((Within(ranges[0].field, merged(s for r in ranges for s in r.ranges)),),)


# -- networks and interfaces --------------------------------------------------


def _all_networks(contents: SetContents) -> list[Entry]:
    """In hash:net,iface the most specific network that has any interface at all decides: once an
    entry's network fits, less specific ones are not looked at (``multi`` in ip_set_hash_gen.h)."""
    return [*dict.fromkeys((entry[0],) for entry in contents.entries)]


def _is_odd(contents: SetContents) -> bool:
    """What the kernel decides by the order in which entries happen to lie in memory, or by what
    the model has no field for."""
    if contents.mask is not None and Dimension.NETWORK in contents.dimensions:
        return True
    if Dimension.INTERFACE not in contents.dimensions:
        return False
    if any(extras.timeout is not None for extras in contents.entries.values()):
        return True
    return _has_odd_devices(contents.entries.items())


def _has_odd_devices(entries: Iterable[tuple[Entry, Extras]]) -> bool:
    kinds: dict[object, set[bool]] = {}
    wildcards = False
    for (network, device), extras in entries:
        if not isinstance(device, Device) or device.bridge_port:
            return True
        wildcards |= device.wildcard
        kinds.setdefault(network, set()).add(extras.nomatch)
    return wildcards and any(len(both) > 1 for both in kinds.values())
