"""A list holds addresses that others in it hold already, or that fewer prefixes would hold.

## What it does
Looks at the lists that a text spells out: named sets and lists in braces of nft, defines, the
sets of `ipset save` files, and the comma lists of `-s`, `-d` and `--dports`. Reports entries that
lie in another entry of the same list, and lists of networks that are much longer than they have
to be. One finding a list. An error where nft refuses such a set.

## Why it matters
Whoever deletes the smaller entry, to let it in or to shut it out, changes nothing: the larger
one holds it. A named set of nft with intervals that overlap is not loaded at all, and with it
nothing of the file, unless it has `auto-merge`.

## Example
```
table inet filter {
    set banned {
        type ipv4_addr
        flags interval
        auto-merge
        elements = { 198.51.100.0/24, 198.51.100.77, 203.0.113.0/24 }
    }
    chain input {
        type filter hook input priority filter; policy accept;
        ip saddr @banned drop
    }
}
```

## Fix
Delete the entries that lie in others, and write neighbours as one prefix.

## When it is wrong
Entries with a timeout, counters or a comment of their own are left as they are, and so are sets
with `nomatch` entries, sets that rules or programs change, and neighbours in short lists: they
may be two networks that happen to lie side by side.

## References
- nft(8), "SETS", auto-merge: https://www.netfilter.org/projects/nftables/manpage.html
- ipset(8), hash:net: https://ipset.netfilter.org/ipset.man.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.fix import Fix
from iptlint.model import Family, Ruleset
from iptlint.model.owners import owner_of_table
from iptlint.model.prefixes import fewest
from iptlint.model.syntax import PORT_BITS, ListElement, WrittenList
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.model.sets import Entry, Part, SetContents

META = Meta(
    code="IPT503",
    name="overlapping-elements",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.SCALE,
    since="0.1.0",
    fixable=True,
)

_FEWER, _FEWER_HOSTS, _SHARE = 4, 16, 4
"""Neighbours are worth a word where so many entries fewer would do, and a fourth of them; single
hosts side by side are often listed one by one on purpose."""

_LISTED = 8
_MERGED = "write `auto-merge` into the set"

Range = tuple[int, int]


class _Covered(NamedTuple):
    """The numbers of an entry and of the one that holds it; ``crossing``: only part of it."""

    inner: int
    outer: int
    crossing: bool = False


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        owned = bool(ruleset.tables) and all(owner_of_table(t.name) for t in ruleset.tables)
        for place in () if owned else ruleset.syntax.lists(ruleset):
            yield from _of_place(ruleset, place)
    for contents in context.sets.contents.values() if context.sets else ():
        changed = context.sets is not None and contents.name in context.sets.changed
        if contents.exact and not changed and contents.timeout is None and not contents.counters:
            yield from _of_ipset(contents)


def _covered(ranges: Sequence[Range]) -> list[_Covered]:
    """Entries that lie in others, in their order; of the same ones, all but the first."""
    if not _touches(ranges, 0):
        return []
    order = sorted(range(len(ranges)), key=lambda n: (ranges[n][0], -ranges[n][1], n))
    covered: list[_Covered] = []
    outer = -1
    for number in order:
        low, high = ranges[number]
        if outer >= 0 and low <= ranges[outer][1]:
            covered.append(_Covered(number, outer, high > ranges[outer][1]))
        if outer < 0 or high > ranges[outer][1]:
            outer = number
    return sorted(covered)


def _touches(ranges: Sequence[Range], gap: int) -> bool:
    """Whether two of them overlap, or are no further apart than the gap."""
    return any(later[0] <= one[1] + gap for one, later in pairwise(sorted(ranges)))


# -- lists in a text ----------------------------------------------------------------------


def _of_place(ruleset: Ruleset, place: WrittenList) -> Iterator[Finding]:
    if place.changing or _are_apart(ruleset.syntax.hosts(place)):
        return
    listed = ruleset.syntax.elements(place)
    if not listed or not all(element.plain for element in listed):
        return
    ranges = [(element.low, element.high) for element in listed]
    covered = _covered(ranges)
    refused = [each for each in covered if _is_refused(place, listed, each)]
    inside = refused or [each for each in covered if not each.crossing]
    if inside:
        yield _overlap(place, listed, inside, refused=bool(refused))
    elif listed[0].bits != PORT_BITS and (left := _fewer(ranges, listed[0].bits)):
        yield META.finding(
            place.span if place.named is None else place.named.origin.span,
            f"{_what(place)} has {len(listed)} entries, and {_prefixes(left)} the same addresses",
            "write neighbours as one prefix",
        )


def _are_apart(hosts: Sequence[int] | None) -> bool:
    """Whether the list is of hosts of which none stands there twice, and few are neighbours."""
    gaps = [later - one for one, later in pairwise(sorted(hosts or ()))]
    return hosts is not None and 0 not in gaps and gaps.count(1) * _SHARE < len(hosts)


def _prefixes(number: int) -> str:
    return "one prefix holds" if number == 1 else f"{number} prefixes hold"


def _is_refused(place: WrittenList, listed: Sequence[ListElement], covered: _Covered) -> bool:
    """Named sets want ``auto-merge`` for what overlaps and is not the same (nft 1.0.6: conflicting
    intervals specified); sets in braces, and in defines that get there, are always merged."""
    inner, outer = listed[covered.inner], listed[covered.outer]
    same = (inner.low, inner.high) == (outer.low, outer.high)
    return place.refuses_overlap and not same


def _overlap(
    place: WrittenList, listed: Sequence[ListElement], covered: Sequence[_Covered], *, refused: bool
) -> Finding:
    inner, outer = listed[covered[0].inner], listed[covered[0].outer]
    more = len(covered) - 1
    others = f", as {'does' if more == 1 else 'do'} {more} more of its {len(listed)} entries"
    how = "lies" if not covered[0].crossing else "lies in part"
    twice = inner.span.text == outer.span.text
    also = "stands there twice" if twice else f"{how} in {outer.span.text}"
    refusal = ": nft refuses a set with intervals that overlap, and the whole file with it"
    return META.finding(
        inner.span,
        f"{inner.span.text} {also} in {_what(place)}{others if more else ''}"
        + (refusal if refused else ""),
        _advice(place, listed, covered, refused=refused),
        related=(Label(outer.span, "holds it"),),
        severity=Severity.ERROR if refused else None,
        fix=_fix(place, listed, covered, otherwise=_MERGED if refused else ""),
    )


def _fix(
    place: WrittenList,
    listed: Sequence[ListElement],
    covered: Sequence[_Covered],
    otherwise: str,
) -> Fix | None:
    """Without the elements that lie in others as a whole."""
    gone = sorted(each.inner for each in covered if not each.crossing)
    says = f"delete {listed[gone[0]].span.text}" if gone else ""
    if len(gone) > 1:
        says = f"delete the {len(gone)} elements that lie in others"
    edits = place.without(listed, gone)
    return Fix(says, edits, otherwise=otherwise) if edits else None


def _what(place: WrittenList) -> str:
    if place.named is None:
        return "this list"
    kind = "the set" if place.named.kind == "set" else "the define"
    return f"{kind} {place.named.name}"


def _advice(
    place: WrittenList, listed: Sequence[ListElement], covered: Sequence[_Covered], *, refused: bool
) -> str:
    if refused:
        return f"delete it, or {_MERGED}"
    gone = {each.inner for each in covered if not each.crossing}
    left = [element for number, element in enumerate(listed) if number not in gone]
    if len(left) > _LISTED or not place.on_one_line:
        return "delete it" if len(covered) == 1 else "delete those that lie in others"
    return f"the same: {place.with_elements(left)}"


def _fewer(ranges: Sequence[Range], bits: int) -> int:
    """How many prefixes hold the same addresses, where that is worth a word; else 0."""
    if len(ranges) <= _FEWER or not _touches(ranges, 1) or not all(map(_is_prefix, ranges)):
        return 0  # ranges are a shorter way to write them
    left = len(fewest(ranges, Family.IP if bits == 32 else Family.IP6))
    hosts = sum(low == high for low, high in ranges)
    return left if _is_worth_it(len(ranges), len(ranges) - left, hosts) else 0


def _is_prefix(range: Range) -> bool:
    low, high = range
    return not (high - low) & (high - low + 1) and not low & (high - low)


def _is_worth_it(entries: int, fewer: int, hosts: int) -> bool:
    enough = _FEWER if 2 * hosts < entries else _FEWER_HOSTS
    return fewer >= enough and fewer * _SHARE >= entries


# -- ipsets -------------------------------------------------------------------------------


def _of_ipset(contents: SetContents) -> Iterator[Finding]:
    """Of sets of networks: those with other parts too are compared where these are equal."""
    from iptlint.model.sets import Dimension, Extras, Numbers

    if contents.dimensions.count(Dimension.NETWORK) != 1 or contents.mask is not None:
        return
    if any(extras != Extras() for extras in contents.entries.values()):
        return
    place = contents.dimensions.index(Dimension.NETWORK)
    groups: dict[Entry, list[Range]] = defaultdict(list)
    for entry in contents.entries:
        part: Part = entry[place]
        if not isinstance(part, Numbers):
            return
        groups[entry[:place] + entry[place + 1 :]].append((part.low, part.high))
    inside = [(ranges, each) for ranges in groups.values() for each in _covered(ranges)]
    family = contents.family or Family.IP
    left = sum(len(fewest(ranges, family)) for ranges in groups.values())
    entries = len(contents.entries)
    hosts = sum(low == high for ranges in groups.values() for low, high in ranges)
    if inside:
        ranges, first = inside[0]
        example = f"{_text(ranges[first.inner], family)} in {_text(ranges[first.outer], family)}"
        yield META.finding(
            contents.origin.span,
            f"in the set {contents.name} {_entries(len(inside))} in others ({example}):"
            f" {left} of its {entries} entries would do",
            f"ipset del {contents.name} {_text(ranges[first.inner], family)}"
            if len(inside) == 1 and len(contents.dimensions) == 1
            else "delete the entries that lie in others",
        )
    elif _is_worth_it(entries, entries - left, hosts):
        yield META.finding(
            contents.origin.span,
            f"the set {contents.name} has {entries} entries, and {_prefixes(left)} the same"
            " addresses",
            "add neighbours as one prefix",
        )


def _entries(number: int) -> str:
    return "1 entry lies" if number == 1 else f"{number} entries lie"


def _text(range: Range, family: Family) -> str:
    low, high = range
    length = family.address_bits - (high - low).bit_length()
    address = ip_address(low.to_bytes(family.address_bits // 8, "big"))
    return str(address) if low == high else f"{address}/{length}"
