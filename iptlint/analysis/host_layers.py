"""What the host itself does with the packets of a connection, and with its answers: the rules of
all its hooks, its translations, and whether a program waits.

As in ``cloud_layers`` sets are of packets that open a connection, free in all but what clouds look
at; what follows the first packet from the same side has to come in as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING

from iptlint.analysis.cloud_layers import Layer, LayerKind, Reason, answered, of_tuple
from iptlint.analysis.connection_way import direction
from iptlint.analysis.exchange import connection
from iptlint.analysis.external_interfaces import external_classes
from iptlint.analysis.trace import Trace, trace
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.model import EffectKind, Family, Field, Hook, Ruleset, VerdictKind
from iptlint.model.cloud import IPAddress
from iptlint.model.host import Listener
from iptlint.model.host_addresses import HostAddresses
from iptlint.model.protocols import PROTOCOL_NUMBERS, TCP, UDP, tcp_flag_bits
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.netfilter.packet_group import Decision
from iptlint.packets.bdd import union
from iptlint.packets.packet import Packet

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_UNSETTLED = (VerdictKind.QUEUE, VerdictKind.UNKNOWN)


@dataclass(frozen=True, slots=True, eq=False)
class HostFirewall:
    """``addresses``: all of the host's. ``interface``: the one that packets of the cloud come by,
    where it is known. ``listeners``: None where nobody has looked. ``facing``: see ``Hooks``."""

    ruleset: Ruleset
    addresses: HostAddresses
    interface: str | None = None
    listeners: tuple[Listener, ...] | None = None
    facing: Mapping[str, bool] = field(default_factory=dict)


class HostWay:
    """The packets like ``packet`` on their way to the host, and their answers. ``describe``: words
    for who decides."""

    def __init__(
        self,
        host: HostFirewall,
        firewall: Firewall,
        packet: Packet,
        asked: PacketSet,
        describe: Callable[[Decision | None], str],
    ) -> None:
        self.host, self.firewall, self.packet = host, firewall, packet
        self.space, self.family = firewall.space, Family(packet.family)
        self.asked = asked
        self.describe = describe
        self.traced = trace(host.ruleset, packet, host.addresses, firewall=firewall)

    @cached_property
    def _coming(self) -> tuple[PacketSet, PacketSet]:
        """The first packets of connections, and plain ones that follow them, by the interfaces
        that lead to the cloud; none of them a later fragment, as clouds ask for ports of all."""
        whole = self.traced.asked & self.space.value(Field.FRAGMENT, 0)
        ways = direction(self.space, whole & self.by_uplink(Field.IIF), self.packet)
        return ways.first, ways.later & self._plain()

    def by_uplink(self, field: Field) -> PacketSet:
        if self.host.interface is not None:
            number = self.space.interfaces.class_of(self.host.interface)
            return self.space.value(field, number)
        hooks = Hooks(self.firewall, self.family, self.host.facing, self.host.addresses)
        classes = external_classes(hooks) or range(1, self.space.interfaces.count)
        numbers = [self.space.value(field, number) for number in classes]
        return union(numbers, self.space.false)

    def _plain(self) -> PacketSet:
        """What is no tcp, or carries nothing but ack."""
        return ~self.space.value(Field.PROTO, TCP) | self._flags("ack")

    def _flags(self, *names: str) -> PacketSet:
        return self.space.value(Field.TCP_FLAGS, tcp_flag_bits(*names))

    # -- in -----------------------------------------------------------------------------------

    def coming_in(self) -> Layer:
        outcomes = self.traced.outcomes
        passes, stops = self._all(outcomes, lambda o: o.kind.passes or o.kind in _UNSETTLED)
        layer = Layer(LayerKind.HOST_IN, "its rules", passes, stops, tuple(self._reasons(outcomes)))
        return self._with_advice(layer)

    def _all(
        self, outcomes: Iterable[TraceOutcome], may_pass: Callable[[TraceOutcome], bool]
    ) -> tuple[PacketSet, PacketSet]:
        """The connections of which the first packet and what follows it may pass, and those of
        which something may not."""
        passes, stops = self.asked, self.space.false
        several = [*outcomes]
        for packets in self._coming:
            through = [o.packets & packets for o in several if may_pass(o)]
            lost = [o.packets & packets for o in several if not o.kind.passes]
            passes = passes & of_tuple(self.space, union(through, self.space.false))
            stops = stops | of_tuple(self.space, union(lost, self.space.false))
        return passes, stops & self.asked

    def _reasons(self, outcomes: Sequence[TraceOutcome]) -> Iterator[Reason]:
        first, later = self._coming
        for packets in (first, later):
            for outcome in outcomes:
                those = of_tuple(self.space, outcome.packets & packets) & self.asked
                if those.satisfiable() and (packets is first or not outcome.kind.passes):
                    yield self._reason(outcome, those)

    def _reason(self, outcome: TraceOutcome, packets: PacketSet) -> Reason:
        decision = outcome.decision
        text = self.describe(decision)
        if outcome.way is Hook.FORWARD and outcome.kind.passes:
            last = outcome.becomes or outcome.arrived
            port = f" port {last.dport}" if last.dport is not None else ""
            text = f"sent on to {last.daddr}{port} by {text}"
        if outcome.conditions:
            text += f", where {'; '.join(outcome.conditions)}"
        span = decision.span if decision is not None else None
        rule = decision.rule if decision is not None else None
        sure = outcome.kind not in _UNSETTLED
        return Reason(text, span, outcome.kind.passes or not sure, packets, sure, rule)

    def _with_advice(self, layer: Layer) -> Layer:
        stopped = next((reason for reason in layer.reasons if not reason.passes), None)
        if stopped is None:
            return layer
        return replace(layer, change=f"a rule that accepts it, before {stopped.text}")

    @property
    def _accepted(self) -> list[TraceOutcome]:
        return [outcome for outcome in self.traced.outcomes if outcome.kind.may_pass]

    # -- a program ----------------------------------------------------------------------------

    def listener(self) -> Layer | None:
        """Of tcp and udp; what is sent on to another host is not asked here."""
        if self.host.listeners is None:
            return None
        empty = self.space.false
        to_host = [o for o in self._accepted if o.way is Hook.INPUT]
        stops: list[PacketSet] = []
        reasons: list[Reason] = []
        for outcome in to_host:
            packets = of_tuple(self.space, outcome.packets & self._coming[0]) & self.asked
            waited = self._waited_for(outcome)
            stops.append(packets & ~waited)
            for share, passes in ((packets & waited, True), (packets & ~waited, False)):
                if share.satisfiable():
                    text = "a program listens" if passes else "no program listens there"
                    reasons.append(Reason(text, None, passes, share))
        lost = union(stops, empty)
        return Layer(
            LayerKind.LISTENER,
            "sockets",
            self.asked & ~lost,
            lost,
            tuple(reasons),
            change="a program that listens on that port, on an address that packets come to",
        )

    def _waited_for(self, outcome: TraceOutcome) -> PacketSet:
        """By the port that it has in the end, which is another one where it is translated."""
        came, last = outcome.witness, outcome.arrived
        other = ~union([self.space.value(Field.PROTO, p) for p in (TCP, UDP)], self.space.false)
        if (came.daddr, came.dport) != (last.daddr, last.dport):
            ports = {one.port for one in self._sockets(last.proto, last.daddr)}
            return self.space.true if last.dport in ports else other
        parts = [other]
        for one in self._sockets(None, self.packet.daddr):
            number = PROTOCOL_NUMBERS.get(one.protocol, TCP)
            of_port = self.space.value(Field.DPORT, one.port)
            parts.append(self.space.value(Field.PROTO, number) & of_port)
        return union(parts, self.space.false)

    def _sockets(self, proto: str | None, address: str | None) -> Iterator[Listener]:
        for one in self.host.listeners or ():
            fits = one.address in ("*", "0.0.0.0", "::") or _same(one.address, address)
            if fits and self.family.value in one.families and proto in (None, one.protocol):
                yield one

    # -- out ----------------------------------------------------------------------------------

    def answers(self) -> Layer:
        """Of what is sent on to others, comes from another source, or goes by marks of the
        connection, one packet of each outcome tells; all else is told for every packet."""
        marked = any(
            effect.kind is EffectKind.WRITE and effect.field is Field.CT_MARK
            for _, _, rule in self.host.ruleset.rules()
            for effect in rule.effects
        )
        accepted = self._accepted
        by_one = [o for o in accepted if marked or o.way is not Hook.INPUT or _is_moved(o)]
        plain = [o for o in accepted if o not in by_one]
        reasons = [*self._answers_of_ones(by_one)]
        first = self._coming[0]
        by_port: dict[int | None, PacketSet] = {}
        for outcome in plain:
            packets = of_tuple(self.space, outcome.packets & first) & self.asked
            key = outcome.arrived.dport if _is_translated(outcome) else None
            by_port[key] = by_port.get(key, self.space.false) | packets
        for key, packets in by_port.items():
            reasons += self._answers_of_all(packets, key)
        stops = union([r.packets for r in reasons if not (r.passes and r.sure)], self.space.false)
        passing = union([r.packets for r in reasons if r.passes], self.space.false)
        nowhere = self.asked & ~(stops | passing)
        layer = Layer(LayerKind.HOST_OUT, "its rules", passing | nowhere, stops, tuple(reasons))
        return self._with_advice(layer)

    def _answers_of_ones(self, outcomes: Sequence[TraceOutcome]) -> Iterator[Reason]:
        for outcome in outcomes:
            packets = of_tuple(self.space, outcome.packets & self._coming[0]) & self.asked
            if not packets.satisfiable():
                continue
            for reply in connection(_only(self.traced, outcome)).replies:
                if reply.lost is not None:
                    yield Reason(reply.lost, None, False, packets)
                for end in reply.outcomes:
                    yield self._reason(end, packets)

    def _answers_of_all(self, packets: PacketSet, port: int | None) -> Iterator[Reason]:
        """``port``: the one that they are sent on to here, where that is another one."""
        if not packets.satisfiable():
            return
        space, asked = self.space, self.packet
        question = Packet(
            family=asked.family,
            hook="output",
            saddr=asked.daddr if port is None else None,
            daddr=asked.saddr,
            proto=asked.proto,
            sport=asked.dport if port is None else port,
            dport=asked.sport,
            ct_state="established",
        )
        traced = trace(self.host.ruleset, question, self.host.addresses, firewall=self.firewall)
        replies = space.value(Field.CT_DIRECTION, 1) & self.by_uplink(Field.OIF)
        for unset in (Field.MARK, Field.CT_MARK, Field.CT_SNAT, Field.CT_DNAT):
            replies = replies & space.value(unset, 0)
        flags = self._flags("syn", "ack") | self._flags("ack")
        replies = replies & (~space.value(Field.PROTO, TCP) | flags)
        replies = replies & space.value(Field.FRAGMENT, 0)
        for outcome in traced.outcomes:
            back = answered(space, self.family, outcome.packets & replies)
            if port is not None:  # the destination is the host's by another address, perhaps
                back = space.forget(back, (Field.DPORT, self.family.daddr))
            back = back & packets
            if back.satisfiable():
                yield self._reason(outcome, back)


def _is_moved(outcome: TraceOutcome) -> bool:
    """Whether its source is translated."""
    came, last = outcome.witness, outcome.arrived
    return (came.saddr, came.sport) != (last.saddr, last.sport)


def _is_translated(outcome: TraceOutcome) -> bool:
    came, last = outcome.witness, outcome.arrived
    ends = (last.saddr, last.sport, last.daddr, last.dport)
    return (came.saddr, came.sport, came.daddr, came.dport) != ends


def _only(traced: Trace, outcome: TraceOutcome) -> Trace:
    return Trace(
        traced.ruleset, traced.addresses, traced.space, traced.asked, (outcome,), traced.bridged
    )


def _same(one: str, other: str | None) -> bool:
    try:
        return other is not None and ip_address(one.partition("%")[0]) == ip_address(other)
    except ValueError:
        return False


def interface_of(addresses: HostAddresses, own: IPAddress) -> str | None:
    """The interface that is known to have the address."""
    return next((name for name, address in addresses.first if address == own), None)
