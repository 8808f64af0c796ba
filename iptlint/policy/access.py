"""Who gets to which service: for a zone and a service whether all packets get there, none, or some.

One following answers for all zones and services of a host's family: their packets set out together,
and are told apart by what they were when they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from iptlint.analysis.arrivals import Arrivals, Where, arrivals, usual
from iptlint.analysis.callers import reached_by_world
from iptlint.model import Field, Hook
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Outcome
from iptlint.packets.bdd import union
from iptlint.packets.describe import describe
from iptlint.policy.claims import Claim, Quantity, setting_out
from iptlint.policy.services import Service
from iptlint.policy.zones import Zone, ZoneKind

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class Access(Enum):
    """``LIMITED``: only a limit, or a list that nobody knows, decides. ``SOME``: some of the zone
    get there."""

    YES = "yes"
    LIMITED = "limited"
    SOME = "some"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Got:
    """``which``: the packets that get there, in words, where it is not all of them."""

    access: Access
    which: str = ""


_MOST_WORDS = 3
_ASKED = (Field.PROTO, Field.DPORT)


class Table:
    """The zones and services of one family of one host; ``target``: where to, None for this host
    and what it hands on by translation."""

    def __init__(
        self,
        hooks: Hooks,
        zones: Sequence[Zone],
        services: Sequence[Service],
        target: Zone | None = None,
    ) -> None:
        self.hooks = hooks
        self.space = hooks.space
        self.target = target
        self.way = Hook.INPUT if target is None or target.is_host else Hook.FORWARD
        each = [self._setting_out(zone, service) for zone in zones for service in services]
        self._asked = union(each, self.space.false)

    def _setting_out(self, zone: Zone, service: Service) -> PacketSet:
        claim = Claim(Quantity.EVERY, zone, self.target, service)
        if not claim.is_of(self.hooks.family):
            return self.space.false
        return setting_out(self.hooks, claim, self.way, usual=True)

    @cached_property
    def _found(self) -> Arrivals:
        return arrivals(self.hooks, self.way, self._asked, Where.LIKELY_HOST)

    @cached_property
    def _surely(self) -> PacketSet:
        return self._found.surely_arrive(self._counts, by_ways=True)

    @cached_property
    def _perhaps(self) -> PacketSet:
        return self._found.may_arrive(self._counts)

    def _counts(self, outcome: Outcome) -> PacketSet:
        is_host = self.target is not None and self.target.is_host
        to_host = outcome.hook is Hook.INPUT
        return self.space.false if is_host and not to_host else self.space.true

    def got(self, zone: Zone, service: Service) -> Got | None:
        """None where there are no such packets of the family."""
        asked = self._setting_out(zone, service) & self._found.packets
        surely, perhaps = self._surely & asked, self._perhaps & asked
        asked = asked & usual(self.space, self.way)
        if not asked.satisfiable():
            return None
        if not (perhaps & asked).satisfiable():
            return Got(Access.NO)
        if not (perhaps & asked & self._reached(zone)).satisfiable():
            return Got(Access.SOME, self._words(asked, perhaps & asked))
        asked = asked & self._reached(zone)
        free = self._free(zone)
        for access, packets in ((Access.YES, surely), (Access.LIMITED, perhaps)):
            every = self.space.project(asked, *free) & ~self.space.project(asked & ~packets, *free)
            if every.satisfiable():
                every = every.exists(self._found.ways)
                some = (
                    "" if not (asked & ~every).satisfiable() else self._words(asked, asked & every)
                )
                return Got(access, some)
        certain = surely.forall(self._found.ways) & asked
        shown = certain if certain.satisfiable() else perhaps & asked
        return Got(Access.SOME, self._words(asked, shown))

    def _reached(self, zone: Zone) -> PacketSet:
        """What the zone can send packets to: the internet to no private address, unless it is
        known to be the host's."""
        if zone.kind is not ZoneKind.INTERNET or self.way is not Hook.INPUT:
            return self.space.true
        return reached_by_world(self.hooks)

    def _free(self, zone: Zone) -> tuple[Field, ...]:
        fields = [Field.DADDR, Field.DADDR6] if self.way is Hook.INPUT else [Field.OIF]
        if not zone.interfaces:
            fields.append(Field.IIF)
        return tuple(field for field in fields if field in self.space.fields)

    def _words(self, asked: PacketSet, packets: PacketSet) -> str:
        """By who sends them, by which interface, where to, and what they ask for."""
        family = self.hooks.family
        fields = (Field.FAMILY, Field.IIF, Field.OIF, family.saddr, family.daddr, *_ASKED)
        kept = [field for field in fields if field in self.space.fields]
        within = self.space.project(asked, *kept) & self.space.universe
        shown = self.space.project(packets, *kept) & within
        words = describe(self.space, shown, _MOST_WORDS, within)
        text = "; ".join(words.lines)
        return f"{text}; and others" if words.more else text
