"""Single packets by the hundred thousand: a table of them, and what becomes of each.

All first packets of a way are followed once; of each packet in the table it is then only asked in
which of the sets it lies. A column that is left empty may be anything: a packet is accepted if it
is so whatever stands there.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from iptlint.analysis.arrivals import Where, arrivals, usual
from iptlint.analysis.hook_verdicts import may_end
from iptlint.model import Family, Field, Hook, VerdictKind, numbers, prefixes
from iptlint.model.protocols import ICMP, ICMP6, PORT_PROTOCOLS, icmp_of
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.bdd import union
from iptlint.packets.query import QueryError, protocol
from iptlint.policy.claims import Claim, Quantity, setting_out
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.services import ANY
from iptlint.policy.tests import WAYS
from iptlint.policy.zones import ANYONE, HOST

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

COLUMNS = (
    *("family", "way", "iif", "oif", "saddr", "daddr", "proto", "sport", "dport", "type"),
    *("expect", "note"),
)
EXPECTED = ("accept", "drop", "reject", "deny")
ACCEPT, DROP, REJECT, DENY, DEPENDS, NOWHERE = (
    *("accept", "drop", "reject", "deny", "depends"),
    "no such packet",
)
_WAYS = {way.value: way for way in WAYS}
_FAMILIES = {"ip": Family.IP, "4": Family.IP, "ip6": Family.IP6, "6": Family.IP6}


class TableError(ValueError):
    """A table that cannot be read; the text ends the sentence "FILE:LINE: "."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class RowError(ValueError):
    """A row that is no packet; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Row:
    """``line`` in the file, ``cells`` by their columns as they are written."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """``verdict``: one of the words above; ``error``: why there is none. ``as_expected``: None
    where nothing was expected."""

    row: Row
    verdict: str
    as_expected: bool | None = None
    error: str = ""


def read_packets(text: str) -> tuple[tuple[str, ...], list[Row]]:
    """The columns and the rows; TableError for a header that is none."""
    rows = csv.reader(text.splitlines())
    try:
        return _read(rows)
    except csv.Error as error:
        raise TableError(max(rows.line_num, 1), f"this is no CSV: {error}") from None


def _read(rows: Any) -> tuple[tuple[str, ...], list[Row]]:
    header = tuple(cell.strip().lower() for cell in next(rows, []))
    if not header:
        raise TableError(1, f"the first line names the columns: {', '.join(COLUMNS)}")
    for name in header:
        if name not in COLUMNS:
            close = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f" (did you mean {close[0]}?)" if close else f"; there are {', '.join(COLUMNS)}"
            raise TableError(1, f"there is no column {name!r}{hint}")
    addresses = []
    for cells in rows:
        if any(cells):
            shown = {n: cell.strip() for n, cell in zip(header, cells, strict=False)}
            addresses.append(Row(rows.line_num, shown))
    return header, addresses


def judge_packets(host: PolicyHost, rows: Sequence[Row]) -> Iterator[Told]:
    """What becomes of each packet, as the first of a connection."""
    judge = _Judge(host)
    for row in rows:
        try:
            verdict = judge.verdict(row.cells)
            yield Told(row, verdict, _as_expected(row.cells.get("expect", ""), verdict))
        except RowError as error:
            yield Told(row, "", None, str(error))


def _as_expected(expected: str, verdict: str) -> bool | None:
    if not expected:
        return None
    if expected.lower() not in EXPECTED:
        raise RowError(f"{expected!r} is nothing to expect; {', '.join(EXPECTED)} are")
    if expected.lower() == DENY:
        return verdict in (DROP, REJECT, DENY)
    return verdict == expected.lower()


class _Judge:
    def __init__(self, host: PolicyHost) -> None:
        self.host = host
        self._ways: dict[tuple[Family, Hook], _Way | None] = {}

    def verdict(self, cells: Mapping[str, str]) -> str:
        family = _family(cells)
        way = self._way(family, _hook(cells))
        if way is None:
            if self.host.is_open(family):
                return ACCEPT
            raise RowError(f"no rules for packets of {family.value} were given")
        return way.verdict(cells)

    def _way(self, family: Family, hook: Hook) -> _Way | None:
        key = family, hook
        if key not in self._ways:
            firewalls = self.host.firewalls(family)
            self._ways[key] = _Way(firewalls[0], hook) if firewalls else None
        return self._ways[key]


def _family(cells: Mapping[str, str]) -> Family:
    word = cells.get("family", "").lower()
    if word:
        if word not in _FAMILIES:
            raise RowError(f"{word!r} is no family; ip and ip6 are")
        return _FAMILIES[word]
    addresses = f"{cells.get('saddr', '')}{cells.get('daddr', '')}"
    six = ":" in addresses or cells.get("proto", "").lower() in ("icmpv6", "ipv6-icmp")
    return Family.IP6 if six else Family.IP


def _hook(cells: Mapping[str, str]) -> Hook:
    word = cells.get("way", "").lower()
    if word:
        if word not in _WAYS:
            raise RowError(f"{word!r} is no way; {', '.join(_WAYS)} are")
        return _WAYS[word]
    if cells.get("oif"):
        return Hook.FORWARD if cells.get("iif") else Hook.OUTPUT
    return Hook.INPUT


_Bits = tuple[tuple[int, bool], ...]
_Value = tuple[Field, int]


@dataclass(frozen=True, slots=True)
class _Sets:
    """Free in all fields but those that a packet gives."""

    asked: PacketSet
    may_arrive: PacketSet
    may_not: PacketSet
    dropped: PacketSet
    rejected: PacketSet


class _Way:
    """The packets of one family that set out on one way."""

    def __init__(self, hooks: Hooks, hook: Hook) -> None:
        self.hooks, self.hook = hooks, hook
        source = HOST if hook is Hook.OUTPUT else ANYONE
        claim = Claim(Quantity.EVERY, source, None if hook is Hook.INPUT else ANYONE, ANY)
        asked = setting_out(hooks, claim, hook, usual=True)
        asked = hooks.space.forget(asked, (Field.SPORT,))
        self.found = arrivals(hooks, hook, asked, Where.LIKELY_HOST)
        self.packets = self.found.packets & usual(hooks.space, hook)
        self._sets: dict[frozenset[Field], _Sets] = {}
        self._known: dict[_Value, _Bits] = {}

    def verdict(self, cells: Mapping[str, str]) -> str:
        given = dict(_values(self.hooks, self.hook, cells))
        sets = self._sets_of(frozenset(given))
        point = [bit for value in given.items() for bit in self._bits(value)]
        if not sets.asked.eval(point):
            return NOWHERE
        if not sets.may_arrive.eval(point):
            dropped, rejected = sets.dropped.eval(point), sets.rejected.eval(point)
            return DENY if dropped and rejected else REJECT if rejected else DROP
        return DEPENDS if sets.may_not.eval(point) else ACCEPT

    def _bits(self, value: _Value) -> _Bits:
        """Each variable of the field with what it is."""
        bits = self._known.get(value)
        if bits is None:
            wanted, number = value
            variables = self.hooks.space.fields[wanted].variables
            places = zip(reversed(variables), range(len(variables)), strict=True)
            bits = tuple((variable, bool(number >> place & 1)) for variable, place in places)
            self._known[value] = bits
        return bits

    def _sets_of(self, given: frozenset[Field]) -> _Sets:
        if given not in self._sets:
            space = self.hooks.space
            kept = tuple(f for f in space.fields if f in given)
            every = (self.packets, *self._ends)
            self._sets[given] = _Sets(*(space.project(packets, *kept) for packets in every))
        return self._sets[given]

    @cached_property
    def _ends(self) -> tuple[PacketSet, ...]:
        """Those that may arrive, may not, may be dropped, may be rejected."""
        true = self.hooks.space.true
        surely = self.found.surely_arrive(lambda outcome: true)
        perhaps = self.found.may_arrive(lambda outcome: true) & self.packets
        return (
            perhaps,
            self.packets & ~surely,
            self._ending(VerdictKind.DROP),
            self._ending(VerdictKind.REJECT),
        )

    def _ending(self, kind: VerdictKind) -> PacketSet:
        if self.hooks.decides_alone(self.hook):
            return may_end(self.hooks, self.hook, kind, self.packets)
        ends = [each.packets for each in self.found.outcomes if each.kind is kind]
        return union(ends, self.hooks.space.false).exists(self.found.open) & self.packets


def _values(hooks: Hooks, hook: Hook, cells: Mapping[str, str]) -> Iterator[_Value]:
    """What a row gives, by fields."""
    family = hooks.family
    for name, wanted in (("saddr", family.saddr), ("daddr", family.daddr)):
        if text := cells.get(name):
            yield wanted, _address(text, family)
    for name, wanted in (("iif", Field.IIF), ("oif", Field.OIF)):
        if text := cells.get(name):
            if text == "lo":
                raise RowError(f"{name} lo: what this host sends to itself is not asked about here")
            yield wanted, hooks.space.interfaces.class_of(text)
    number = _protocol(cells, family)
    if number is not None:
        yield Field.PROTO, number
    for name, (wanted, most, having, needs) in _OF_PROTOCOLS.items():
        if text := cells.get(name):
            if number not in having:
                raise RowError(f"{name} {text} needs a protocol such as {needs}")
            yield wanted, _number(text, most, name)


_OF_PROTOCOLS = {
    "sport": (Field.SPORT, 65535, PORT_PROTOCOLS, "tcp"),
    "dport": (Field.DPORT, 65535, PORT_PROTOCOLS, "tcp"),
    "type": (Field.ICMP_TYPE, 255, (ICMP, ICMP6), "icmp"),
}


def _protocol(cells: Mapping[str, str], family: Family) -> int | None:
    text = cells.get("proto", "").lower()
    if not text:
        return None
    if text in ("icmp", "icmpv6", "ipv6-icmp"):
        return icmp_of(family)
    try:
        return protocol(text)
    except QueryError as error:
        raise RowError(str(error)) from None


def _address(text: str, family: Family) -> int:
    number = prefixes.number(text) if "\0" not in text else None
    if number is None or number[1] != family.address_bits:
        raise RowError(f"{text!r} is no address of {family.value}")
    return number[0]


def _number(text: str, most: int, name: str) -> int:
    number = numbers.decimal(text)
    if number is None or number > most:
        raise RowError(f"{name} {text!r} is no number from 0 to {most}")
    return number
