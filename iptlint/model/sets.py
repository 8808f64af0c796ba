"""What the sets hold that rules test by name: ipsets, as `ipset save` prints them.

Entries are kept by the hundred thousand, so their parts are plain tuples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from iptlint.model.ruleset import Family
from iptlint.model.syntax import SetSyntax
from iptlint.source import Origin


class Dimension(Enum):
    """What one part of an entry is compared with; the words of a set type's name."""

    ADDRESS = "ip"
    NETWORK = "net"
    PORT = "port"
    MAC = "mac"
    MARK = "mark"
    INTERFACE = "iface"
    SET = "set"


class Numbers(NamedTuple):
    """Addresses, MAC addresses or marks from ``low`` to ``high``. A network is one prefix."""

    low: int
    high: int


class Ports(NamedTuple):
    """``protocol`` None: tcp and udp. Of icmp and icmpv6, a number is ``type << 8 | code``."""

    protocol: int | None
    low: int
    high: int


class Device(NamedTuple):
    """An interface; with ``wildcard``, all whose name starts so. ``bridge_port``: physdev."""

    name: str
    wildcard: bool = False
    bridge_port: bool = False


class Member(NamedTuple):
    """A set in a list of sets."""

    name: str


Part = Numbers | Ports | Device | Member
Entry = tuple[Part, ...]
"""A part for each dimension; of bitmap:ip,mac, the MAC address may not be there yet."""


class Extras(NamedTuple):
    """``timeout``: seconds after which the entry goes; None: it stays. ``counters``: packets,
    bytes."""

    nomatch: bool = False
    timeout: int | None = None
    counters: tuple[int, int] | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SetContents:
    """One set. ``family`` is None where it takes packets of both.

    ``mask``: addresses are compared under it (netmask, bitmask); ``mark_mask`` likewise.
    ``exact``: the entries are all that is in it, and all of them were understood.
    """

    name: str
    type: str
    dimensions: tuple[Dimension, ...]
    family: Family | None
    entries: Mapping[Entry, Extras]
    origin: Origin
    mask: int | None = None
    mark_mask: int | None = None
    timeout: int | None = None
    counters: bool = False
    exact: bool = True

    @property
    def is_list(self) -> bool:
        return self.dimensions == (Dimension.SET,)

    @property
    def members(self) -> tuple[str, ...]:
        """The sets in a list of sets."""
        return tuple(part.name for (part, *_) in self.entries if isinstance(part, Member))


@dataclass(frozen=True, slots=True, eq=False)
class SavedSets:
    """All sets that the given files make. ``changed``: those that rules add to or delete from,
    that rules add to or delete from, so that what was saved need not be what is there."""

    contents: Mapping[str, SetContents]
    syntax: SetSyntax
    changed: frozenset[str] = frozenset()
