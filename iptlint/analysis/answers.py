"""What becomes of the first packets of connections, by who opens them: to every port at once, with
who decides, asked beforehand so that a report can be asked later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from iptlint.analysis.bridge_ports import bridge_ports
from iptlint.analysis.callers import Caller, callers, reached_by_world
from iptlint.analysis.default_verdict import hosts, public_hosts
from iptlint.analysis.exposure import exposure, uplinks
from iptlint.analysis.trace import Trace, trace
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.model import Family, Field, Hook, VerdictKind
from iptlint.model.matches import Ranges
from iptlint.model.protocols import TCP, UDP
from iptlint.netfilter.packet_group import Decision, TraversalStep
from iptlint.packets.bdd import union
from iptlint.packets.describe import describe
from iptlint.packets.intervals import few_ranges
from iptlint.packets.ordinary import ordinary
from iptlint.packets.packet import Packet

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

_WITH_RATES = {"tcp": TCP, "udp": UDP}
_MOST_RANGES = 400
_LINES = 2

_ORDINARY = {Field.SPORT: 40419, Field.TTL: 57, Field.LENGTH: 60}
"""What an ordinary packet has, where the question leaves it open; 0 in other fields."""
_FREE = {
    *(Field.FAMILY, Field.IIF, Field.OIF, Field.PROTO, Field.DPORT, Field.CT_STATE),
    *(Field.SADDR, Field.SADDR6, Field.DADDR, Field.DADDR6),
    *(Field.TCP_FLAGS, Field.ICMP_TYPE),
}

PING = {Family.IP: "icmp", Family.IP6: "ipv6-icmp"}


@dataclass(frozen=True, slots=True)
class Ending:
    """One thing that becomes of the packets, and who decides it. ``ports``: those that packets
    which end so are for. ``sure``: those of them to which each ordinary packet comes through, to
    an address that the caller can send to: no list, limit or odd field decides; ``at_a_rate``:
    those where nothing but a rate or a quota does; ``usually``: the others to which ordinary
    packets come through if the ``conditions`` hold; ``perhaps``: those to which any packet to a
    host may. ``packets``: which they are, in words,
    where ports do not tell; ``steps``: the way of the ``witness``, who ``becomes`` another one if
    it is translated."""

    kind: VerdictKind
    decision: Decision | None
    expired: bool
    way: Hook
    ports: Ranges
    sure: Ranges
    at_a_rate: Ranges
    usually: Ranges
    perhaps: Ranges
    packets: tuple[str, ...]
    conditions: tuple[str, ...]
    witness: Packet
    becomes: Packet | None
    steps: tuple[TraversalStep, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """``endings``: all that may become of the caller's first packets by the protocol; of protocols
    without ports, all are for the ports 0 to 65535."""

    caller: Caller
    protocol: str
    endings: tuple[Ending, ...]


def answers(hooks: Hooks) -> Iterator[Answer]:
    """One for each caller and protocol, those that matter most first; whether a ping is answered
    for the world alone."""
    for caller in callers(hooks):
        pings = caller.world and caller.way is Hook.INPUT
        for protocol in ("tcp", "udp", *([PING[caller.family]] if pings else [])):
            yield answer(hooks, caller, protocol)


def answer(hooks: Hooks, caller: Caller, protocol: str) -> Answer:
    """What becomes of the caller's packets."""
    traced = trace(
        hooks.ruleset,
        caller.opening(protocol),
        hooks.addresses,
        bridge_ports(hooks.ruleset),
        hooks.firewall,
    )
    telling = _Told(hooks, caller, protocol, traced)
    return Answer(caller, protocol, tuple(map(telling.ending, traced.outcomes)))


class _Told:
    """What is said of the outcomes of one trace."""

    def __init__(self, hooks: Hooks, caller: Caller, protocol: str, traced: Trace) -> None:
        self.hooks = hooks
        self.protocol = protocol
        self.caller = caller
        self.outcomes = traced.outcomes
        self.space = traced.space
        self.sure = self._sure()
        self.sure_ports = self.space.project(self.sure, Field.DPORT)
        self.to_hosts = hosts(hooks, hooks.family.daddr)

    def _sure(self) -> PacketSet:
        """The ordinary packets that come through whatever is left open."""
        space = self.space
        passing = [o.packets for o in self.outcomes if o.kind.passes]
        others = [o.packets for o in self.outcomes if not o.kind.passes]
        through = space.in_every_case(union(passing, space.false) & ~union(others, space.false))
        if not through.satisfiable():
            return space.false
        return through & self.usual

    @cached_property
    def usual(self) -> PacketSet:
        """What is nothing out of the ordinary, to where the caller can send packets to."""
        plain = self._ordinary() & ordinary(self.space, self.caller.way)
        return plain & self._destinations()

    def _ordinary(self) -> PacketSet:
        packets = self.space.true
        for field in reversed(self.space.fields):
            if field not in _FREE:
                packets = self.space.value(field, _ORDINARY.get(field, 0)) & packets
        return packets

    def _destinations(self) -> PacketSet:
        """Where the caller can send packets to; and what is forwarded from the world is to come
        in."""
        hooks, daddr = self.hooks, self.hooks.family.daddr
        if not self.caller.world:
            return hosts(hooks, daddr)
        if self.caller.way is Hook.FORWARD:
            return public_hosts(hooks, daddr) & ~uplinks(hooks, Field.OIF)
        return reached_by_world(hooks)

    @cached_property
    def rated(self) -> PacketSet:
        """To ports that most of the world gets to as long as rates and quotas permit, and that are
        not open for certain."""
        caller, number = self.caller, _WITH_RATES.get(self.protocol)
        certain = all(outcome.kind.passes for outcome in self.outcomes) or len(self.outcomes) < 2
        if not caller.world or caller.way is not Hook.INPUT or number is None or certain:
            return self.space.false
        exposed = exposure(self.hooks, Hook.INPUT)
        packets = exposed.accepted_at_a_rate & self.space.value(Field.PROTO, number)
        ports = exposed.most(packets, Field.DPORT)
        return ports & ~self.sure_ports & self._destinations()

    def ending(self, outcome: TraceOutcome) -> Ending:
        usual = outcome.packets & self.usual & self._left if outcome.kind.passes else None
        return Ending(
            outcome.kind,
            outcome.decision,
            outcome.expired,
            outcome.way,
            self._ports(outcome.packets),
            self._ports(outcome.packets & self.sure) if outcome.kind.passes else (),
            self._ports(outcome.packets & self.rated) if outcome.kind.passes else (),
            self._ports(usual) if usual is not None else (),
            self._perhaps(outcome, usual),
            self._in_words(outcome),
            outcome.conditions,
            outcome.witness,
            outcome.becomes,
            outcome.steps,
        )

    def _ports(self, packets: PacketSet) -> Ranges:
        bits = self.space.fields[Field.DPORT]
        return few_ranges(self.space.project(packets, Field.DPORT), bits, _MOST_RANGES)

    @cached_property
    def _left(self) -> PacketSet:
        """To ports that are not open to everyone."""
        return ~self.sure_ports & ~self.space.project(self.rated, Field.DPORT)

    def _perhaps(self, outcome: TraceOutcome, usual: PacketSet | None) -> Ranges:
        if not outcome.kind.may_pass:
            return ()
        packets = outcome.packets & self.to_hosts & self._left
        if usual is not None:
            packets = packets & ~self.space.project(usual, Field.DPORT)
        return self._ports(packets)

    def _in_words(self, outcome: TraceOutcome) -> tuple[str, ...]:
        """Nothing where all packets to its ports end so."""
        ports = self.space.project(outcome.packets, Field.DPORT)
        others = (o.packets for o in self.outcomes if o is not outcome)
        if not any((each & ports).satisfiable() for each in others):
            return ()
        within = outcome.among & ports
        described = describe(self.space, outcome.packets, _LINES, within=within)
        return (*described.lines, *(["and others"] if described.more else []))
