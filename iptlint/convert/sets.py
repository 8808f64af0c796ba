"""The match that looks into an ipset: a named set of nft, of addresses or of several things at
once, where it holds such."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from iptlint.convert.asking import Asking, Joint
from iptlint.dialects.ipset.membership import Membership, match_of
from iptlint.dialects.iptables.extensions.row import Uses
from iptlint.dialects.nft.writing.tests import FIRST_FRAGMENT, Item, Lines, lines_of
from iptlint.dialects.nft.writing.values import NoFormError, elements, interface
from iptlint.model import AnyOf, Field, Interface, Match, Within


def _lookup(uses: Uses, asking: Asking) -> Lines:
    (given,) = uses["match-set"]
    if {*uses} - {"match-set", "return-nomatch"}:
        raise NoFormError("nft cannot compare the counters of an element with a number")
    name, directions = map(str, given.values)
    if asking.sets is None or name not in asking.sets.contents:
        raise NoFormError(
            f"what the ipset {name} holds is not known: name the file of `ipset save`, with --ipset"
        )
    if name in asking.sets.changed:
        raise NoFormError(f"rules change the ipset {name}, so that what was saved is not all of it")
    sources = tuple(word == "src" for word in directions.split(","))
    asked = Membership(sources, asking.family, "return-nomatch" in uses)
    match = match_of(name, asked, given.negated, asking.sets)
    if match is None:
        raise NoFormError(f"not all entries of the ipset {name} are understood")
    match match:
        case AnyOf(alternatives, negated) if alternatives:
            rows = [_columns(tests, asking) for tests in alternatives]
            known = [row for row in rows if row is not None]
            if len(known) == len(rows) and len({_kinds(row) for row in known}) == 1:
                return _named(name, known, asking, negated=negated)
    return lines_of((match,), asking.of)


# -- what a set of nft is of ------------------------------------------------------------------


class _Column(NamedTuple):
    """One part of an entry: what is compared, of which type to nft, and the values."""

    selector: str
    kind: str
    values: tuple[str, ...]


_Row = tuple[_Column, ...]


def _columns(tests: Sequence[Match], asking: Asking) -> _Row | None:
    """None where a set cannot hold what the tests ask. That a port is of no later fragment goes
    without saying."""
    each = [_column(test, asking) for test in tests if test != FIRST_FRAGMENT]
    known = tuple(column for column in each if column is not None)
    return known if known and len(known) == len(each) else None


def _kinds(row: _Row) -> tuple[tuple[str, str], ...]:
    return tuple((column.selector, column.kind) for column in row)


def _column(test: Match, asking: Asking) -> _Column | None:
    match test:
        case Within(field, ranges, False) if field in _SELECTORS and ranges:
            selector, kind = _SELECTORS[field]
            return _Column(selector, kind, tuple(elements(field, ranges)))
        case Interface(field, name, False, False):
            side = "iifname" if field is Field.IIF else "oifname"
            return _Column(side, "ifname", (interface(name, wildcard=False),))
    return None


_SELECTORS = {
    Field.SADDR: ("ip saddr", "ipv4_addr"),
    Field.DADDR: ("ip daddr", "ipv4_addr"),
    Field.SADDR6: ("ip6 saddr", "ipv6_addr"),
    Field.DADDR6: ("ip6 daddr", "ipv6_addr"),
    Field.PROTO: ("meta l4proto", "inet_proto"),
    Field.SPORT: ("th sport", "inet_service"),
    Field.DPORT: ("th dport", "inet_service"),
    Field.MAC_SOURCE: ("ether saddr", "ether_addr"),
}


def _named(name: str, rows: Sequence[_Row], asking: Asking, *, negated: bool) -> Lines:
    """Negated, an ipset takes packets that have nothing to look up, too; a set does not."""
    listed = [*_elements(rows)]
    types = " . ".join(column.kind for column in rows[0])
    selectors = " . ".join(column.selector for column in rows[0])
    flags = ("flags interval",) if any("/" in each or "-" in each for each in listed) else ()
    body = (f"type {types}", *flags, f"elements = {{ {', '.join(listed)} }}")
    key = "ipset", name, asking.family, types
    declared = asking.declarations.declare("set", name, key, body)
    excepted = negated and len(rows[0]) > 1
    sign = "!= " * (negated and not excepted)
    return ((Item(f"{selectors} {sign}@{declared}", excepted=excepted),),)


def _elements(rows: Sequence[_Row]) -> Iterator[str]:
    for row in rows:
        yield from (" . ".join(each) for each in product(*(column.values for column in row)))


SETS: Joint = {"set": _lookup}
"""A row as those of other matches whose options are one test."""
