"""What a host lets in from the world: from public addresses, by the interfaces that face it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from iptlint.model import Field, Hook, Interface, VerdictKind
from iptlint.netfilter.course import ROUTES, Course, End
from iptlint.netfilter.deciders import Decider, by_share
from iptlint.netfilter.luck import Luck
from iptlint.netfilter.path import Path
from iptlint.netfilter.posture import (
    accepted_by_default,
    denied_by_default,
    outside,
    public_hosts,
    strangers,
)
from iptlint.packets.bits import union
from iptlint.packets.witness import TCP

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet

_AT_HOME = re.compile(
    r"lo|dummy.*|docker.*|br-.*|br\d.*|bridge.*|virbr.*|vnet.*|veth.*|lxc.*|lxd.*|incus.*|podman.*"
    r"|cni.*|cali.*|cilium.*|flannel.*|kube.*|nodelocaldns|weave.*|wg.*|tun.*|tap.*|tailscale.*"
    r"|zt.*|utun.*|ipsec.*|vti.*|gre.*|lan.*|intern.*|priv.*|mgmt.*|admin.*|dmz.*|guest.*|vmbr.*"
)
"""Names that people and programs give to interfaces behind which the world is not."""

_OUTWARD = re.compile(r"wan.*|ppp.*|pppoe.*|inet.*|internet.*|ext.*|pub.*|uplink.*|world|red\d*")
_TRANSLATING = ("MASQUERADE", "SNAT")
_RATES = ("limit", "hashlimit", "connlimit", "ct count", "quota")
"""How the texts of tests start that let some packets of anyone through, though not all."""


def outward(path: Path) -> PacketSet:
    """The packets that come in by an interface which faces the world. Where names do not tell,
    an interface that has rules of its own is left out: it may be the one of a private network.
    """
    space = path.space
    numbers = _outward_classes(path)
    return union([space.value(Field.IIF, number) for number in numbers], space.false)


def _outward_classes(path: Path) -> list[int]:
    space = path.space
    classes = [*enumerate(space.interfaces.classes, start=1)]
    found = [number for number, cls in classes if not _AT_HOME.fullmatch(cls.name or "-")]
    found = _less_trusted(path, found)
    *_, (other, _) = classes
    named = [number for number in found if number != other]
    if len(named) > 1 or (named and _uplinks(path)):
        facing = [n for n in named if _faces_world(path, space.interfaces.classes[n - 1].name)]
        return facing + [other] * (other in found)
    return found


def _less_trusted(path: Path, numbers: list[int]) -> list[int]:
    """Without those that everything is accepted from, where others are closed."""
    space, denied = path.space, denied_by_default(path, Hook.INPUT)
    open_ = accepted_by_default(path, Hook.INPUT)
    if not denied.satisfiable():
        return numbers
    return [n for n in numbers if not (space.value(Field.IIF, n) & open_).satisfiable()]


def _faces_world(path: Path, name: str) -> bool:
    uplinks = _uplinks(path)
    return name in uplinks if uplinks else _OUTWARD.fullmatch(name) is not None


def _uplinks(path: Path) -> frozenset[str]:
    """The interfaces by which packets leave with an address of the host's."""
    return frozenset(
        match.name
        for table in path.tables()
        for _, rule in table.rules()
        if rule.verdict.name.upper() in _TRANSLATING
        for match in rule.matches
        if isinstance(match, Interface)
        if match.field is Field.OIF and not match.negated and not _AT_HOME.fullmatch(match.name)
    )


def callers(
    path: Path, hook: Hook = Hook.INPUT, protocol: int = TCP, *free: Field
) -> tuple[PacketSet, ...]:
    """New packets of the protocol from the world: a set for each of a few public addresses unlike
    each other, free in the destination address (a public one, or any where the hook is forward),
    port, and in ``free``."""
    family = path.family
    kept = (Field.IIF, Field.OIF, Field.DPORT, family.daddr, *free)
    flags = ("syn",) if protocol == TCP else ()
    packets = outward(path) & outside(path.space)
    if hook is Hook.INPUT:
        packets = packets & public_hosts(path, family.daddr)
    values = {Field.PROTO: protocol}
    return tuple(
        each & packets for each in strangers(path, hook, "new", *flags, free=kept, values=values)
    )


class Admission:
    """What becomes of callers on the whole way with the hook. Sets are of packets as they come."""

    def __init__(self, path: Path, hook: Hook, asked: Sequence[PacketSet]) -> None:
        self.path = path
        self.asked = asked
        self._luck = Luck(path.space)
        everyone = union([*asked], path.space.false)
        course = Course(path.stack, path.family, self._luck, who=True)
        self.ends = tuple(course.follow(ROUTES[hook], everyone))

    @cached_property
    def accepted(self) -> PacketSet:
        """The packets that come through for certain, whatever is left open."""
        return self._surely(self._accepting())

    @cached_property
    def accepted_at_a_rate(self) -> PacketSet:
        """Those that come through for certain as long as rates and quotas permit."""
        return self._surely(self._accepting().exists(self._cube(rates=True)))

    def _accepting(self) -> PacketSet:
        ends = [end.packets for end in self.ends if end.kind is VerdictKind.ACCEPT]
        return union(ends, self.path.space.false)

    def _surely(self, accepting: PacketSet) -> PacketSet:
        everyone = union([*self.asked], self.path.space.false)
        return everyone & ~(everyone & ~accepting).exists(self._luck.cube)

    def _cube(self, *, rates: bool) -> PacketSet:
        cube = self.path.space.true
        for key, number in reversed(self._luck.variables.items()):
            if key.text.startswith(_RATES) is rates:
                cube = self.path.space.manager.var(number) & cube
        return cube

    def most(self, packets: PacketSet, *fields: Field) -> PacketSet:
        """Over ``fields``: the values with which ``packets`` has most of the callers."""
        space = self.path.space
        each = [space.project(caller & packets, *fields) for caller in self.asked]
        return union([a & b & c for a, b, c in combinations(each, 3)], space.false)

    def accepters(self, packets: PacketSet) -> list[Decider]:
        """The rules and policies that accept some of the packets, the largest share first."""
        found = (self._accepter(end, packets) for end in self.ends)
        return by_share(decider for decider in found if decider is not None)

    def _accepter(self, end: End, packets: PacketSet) -> Decider | None:
        here = (end.packets & packets).exists(self._luck.cube)
        if end.decided is None or end.kind is not VerdictKind.ACCEPT or not here.satisfiable():
            return None
        walk, chain, rule = end.decided
        return Decider(walk, chain, rule, end.kind, here)


def open_ports(
    path: Path, ports: Sequence[int], protocol: int = TCP, *, at_a_rate: bool = True
) -> Iterator[tuple[int, list[Decider]]]:
    """The ports of this host that are open to the world, each with who accepts it."""
    wanted = path.space.ranges(Field.DPORT, tuple((port, port) for port in ports))
    asked = [caller & wanted for caller in callers(path, Hook.INPUT, protocol)]
    admission = Admission(path, Hook.INPUT, asked)
    accepted = admission.accepted_at_a_rate if at_a_rate else admission.accepted
    opened = admission.most(accepted, Field.DPORT)
    for port in ports:
        here = path.space.value(Field.DPORT, port)
        if (opened & here).satisfiable():
            yield port, admission.accepters(accepted & here)
