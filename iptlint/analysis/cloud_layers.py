"""What each filter and route of a cloud does with the packets of a connection.

All sets are of packets that open a connection, as they come to the interface, whichever way the
layer is met: of an answer, the packet that it answers. ``passes`` are those that may get through
the layer, ``stops`` those that may not; a packet that is in both depends on what the documents do
not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from iptlint.analysis.cloud_words import entry_in_words
from iptlint.model import Chain, Family, Field, Rule, VerdictKind
from iptlint.model.cloud import Cloud, Filter, FilterEntry, FilterKind, IPNetwork
from iptlint.model.cloud_chains import DENY, filter_chain, rule_of
from iptlint.model.protocols import ICMP, ICMP6
from iptlint.model.writes import Writes
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.packets.bdd import union
from iptlint.packets.match import Matcher
from iptlint.packets.mirror import mirrored
from iptlint.packets.space import Space
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class LayerKind(Enum):
    """The layers that a connection meets, in order."""

    SENDER_GROUPS = "sender's groups, out"
    SENDER_ACL = "sender's ACL, out"
    ROUTE = "route and gateway"
    ACL_IN = "ACL, in"
    GROUPS_IN = "groups, in"
    HOST_IN = "host, in"
    LISTENER = "listener"
    HOST_OUT = "host, answers"
    GROUPS_OUT = "groups, answers"
    ACL_OUT = "ACL, answers"
    SENDER_BACK = "sender's ACL, answers"


@dataclass(frozen=True, slots=True, eq=False)
class Reason:
    """Why some packets pass a layer, or do not; with ``sure`` false they may do either. ``span``:
    where that is written; ``rule``: the host's, where one of its rules decides."""

    text: str
    span: Span | None
    passes: bool
    packets: PacketSet
    sure: bool = True
    rule: Rule | None = None

    @property
    def verb(self) -> str:
        if not self.sure:
            return "not known"
        return "pass" if self.passes else "stop"


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """``given`` is false where nothing was said of it: then it lets everything through here.
    ``change``: what would have to be otherwise for what it stops."""

    kind: LayerKind
    title: str
    passes: PacketSet
    stops: PacketSet
    reasons: tuple[Reason, ...] = ()
    given: bool = True
    change: str = ""


_TUPLE = (
    *(Field.FAMILY, Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6),
    *(Field.PROTO, Field.SPORT, Field.DPORT, Field.ICMP_TYPE, Field.ICMP_CODE),
)
"""What clouds look at."""


def of_tuple(space: Space, packets: PacketSet) -> PacketSet:
    """The same packets, free in all but what clouds look at."""
    return space.project(packets, *_TUPLE)


_ASKED = {
    Family.IP: (ICMP, ((8, 0), (13, 14), (15, 16), (17, 18))),
    Family.IP6: (ICMP6, ((128, 129), (139, 140))),
}
"""The types of ICMP that are answered, with those of the answers."""


def answered(space: Space, family: Family, answers: PacketSet) -> PacketSet:
    """The packets that these would be answers to."""
    number, pairs = _ASKED[family]
    of_icmp = space.value(Field.PROTO, number)
    parts = [mirrored(space, answers & ~of_icmp) & ~of_icmp]
    for question, answer in pairs:
        of_type = space.value(Field.ICMP_TYPE, answer) & space.value(Field.ICMP_CODE, 0)
        back = mirrored(space, answers & of_icmp & of_type) & of_icmp
        parts.append(back & space.value(Field.ICMP_TYPE, question))
    return of_tuple(space, union(parts, space.false))


# -- filters --------------------------------------------------------------------------------------


class FilterWalk:
    """The rules of one or several filters, in order, asked about packets that go one way.
    ``closing``: what is said where none of them takes a packet."""

    def __init__(self, space: Space, cloud: Cloud, inbound: bool, closing: str = "") -> None:
        self.space, self.cloud, self.inbound = space, cloud, inbound
        self.closing = closing
        self.rules: list[Rule] = []
        self.texts: dict[Rule, str] = {}

    def add_acl(self, acl: Filter) -> None:
        entries = acl.entries(inbound=self.inbound)
        chain = filter_chain(self.cloud, acl, inbound=self.inbound)
        for number, rule in enumerate(chain.rules):
            named = entries[number] if number < len(entries) else None
            self._add(rule, self._words(named, acl) if named else f"entry * of {acl.id} denies it")

    def add_group(self, group: Filter) -> None:
        for entry in group.entries(inbound=self.inbound):
            rule = rule_of(self.cloud, entry, inbound=self.inbound)
            self._add(rule, self._words(entry, group))

    def _add(self, rule: Rule, text: str) -> None:
        self.rules.append(rule)
        self.texts[rule] = text

    def _words(self, entry: FilterEntry, filter: Filter) -> str:
        words = entry_in_words(self.cloud, entry, inbound=self.inbound)
        what, _, rest = words.partition(" allows ")
        if not rest:
            what, _, rest = words.partition(" denies ")
            return f"{what} of {filter.id} denies {rest}" if rest else words
        return f"{what} of {filter.id} allows {rest}"

    def _flow(self) -> ChainFlow:
        return ChainFlow(Matcher(self.space, Writes()), Chain("filter", tuple(self.rules)), {})

    def sets(self) -> tuple[PacketSet, PacketSet]:
        """The packets that may get through, and those that may not, as they go that way."""
        outcomes: Mapping[VerdictKind, PacketSet] = self._flow().outcomes
        empty, unknown = self.space.false, outcomes.get(VerdictKind.UNKNOWN, self.space.false)
        passes = outcomes.get(VerdictKind.ACCEPT, empty) | unknown
        stops = outcomes.get(VerdictKind.DROP, empty) | outcomes[VerdictKind.RETURN] | unknown
        return passes, stops

    def reasons(self, packets: PacketSet) -> Iterator[tuple[Rule | None, PacketSet]]:
        """Who decides which of the packets; None: what is said of what no rule takes."""
        flow = self._flow()
        for number, matched in flow.matched_of(range(len(self.rules)), packets):
            yield self.rules[number], matched
        rest = packets & flow.arriving[-1]
        if rest.satisfiable():
            yield None, rest


def allows(rule: Rule | None) -> bool:
    return rule is not None and rule.verdict is not DENY


def filters_layer(
    kind: LayerKind,
    title: str,
    walk: FilterWalk,
    asked: PacketSet,
    family: Family,
    *,
    answers: bool = False,
    inside: PacketSet | None = None,
) -> Layer:
    """``answers``: it is met by the answers. ``inside``: packets that do not meet it."""
    space = walk.space
    going = mirrored_question(space, family, asked) if answers else asked

    def back(packets: PacketSet) -> PacketSet:
        return (answered(space, family, packets) if answers else of_tuple(space, packets)) & asked

    passes, stops = (back(packets & going) for packets in walk.sets())
    exempt = space.false if inside is None else inside & asked
    reasons = [
        Reason(
            walk.texts[rule] if rule is not None else walk.closing,
            rule.origin.span if rule is not None else None,
            allows(rule),
            back(packets) & ~exempt,
        )
        for rule, packets in walk.reasons(going)
    ]
    if exempt.satisfiable():
        reasons.insert(0, Reason("inside of a subnet no ACL is asked", None, True, exempt))
    reasons = [reason for reason in reasons if reason.packets.satisfiable()]
    return Layer(kind, title, passes | exempt, stops & ~exempt, tuple(reasons))


def mirrored_question(space: Space, family: Family, asked: PacketSet) -> PacketSet:
    """The answers to the packets."""
    number, pairs = _ASKED[family]
    of_icmp = space.value(Field.PROTO, number)
    parts = [mirrored(space, asked & ~of_icmp) & ~of_icmp]
    for question, answer in pairs:
        of_type = space.value(Field.ICMP_TYPE, question)
        back = mirrored(space, asked & of_icmp & of_type) & of_icmp
        parts.append(back & space.value(Field.ICMP_TYPE, answer) & space.value(Field.ICMP_CODE, 0))
    return of_tuple(space, union(parts, space.false))


def networks_of(
    space: Space, field: Field, family: Family, networks: Iterable[IPNetwork]
) -> PacketSet:
    """The packets with an address of one of the networks in the field."""
    version = 4 if family is Family.IP else 6
    ranges = tuple(
        (int(each.network_address), int(each.broadcast_address))
        for each in networks
        if each.version == version
    )
    return space.ranges(field, ranges)


def groups_of(cloud: Cloud, ids: Sequence[str]) -> list[Filter] | None:
    """The groups; None where one of them is in no document."""
    filters = [cloud.filter(each) for each in ids]
    groups = [each for each in filters if each is not None and each.kind is FilterKind.GROUP]
    return groups if len(groups) == len(filters) and groups else None
