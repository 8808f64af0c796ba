"""What iptlint says of an exchange: the one place that knows how it is asked.

It is told the addresses of the host and the networks of its interfaces, and of a packet what
comes by the wire: the way that it takes, and what it becomes, is the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_interface

from iptlint.analysis.bridges import trace_with_bridges
from iptlint.analysis.exchange import Reply, connection
from iptlint.analysis.trace import Trace, trace
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.model import Family, Opaque, Ruleset, Uncertain, VerdictKind
from iptlint.model.host import InterfaceAddress
from iptlint.model.host_addresses import Behind, HostAddresses, of_interfaces
from iptlint.model.matches import AddressType, Original
from iptlint.packets.packet import Packet
from tests.kernel.datagrams import TCP
from tests.kernel.exchanges import Passage
from tests.kernel.judge import tests_of
from tests.kernel.topology import DOCKER, Network, Station, own_address

_OWN_INTERFACE = "the bridge's own interface is "
_DECIDED = (AddressType, Original)
"""What tests ask that the question decides."""
_ADDRESS_OF, _ONE_OF = "the address of ", "one of "


@dataclass(frozen=True)
class Saying:
    """One outcome that is said. ``ends``: addresses and ports as they become; ``way``: input,
    forward or output, where it gets so far; ``oif``: what it leaves by. ``lines``: of the rules
    that take it. ``conditions``: what else it depends on. ``expired``: its way was too long.
    ``is_vague``: an address is said in words, and the rules follow an example."""

    kind: VerdictKind
    way: str
    ends: tuple[str | int | None, ...]
    oif: str | None
    mark: int | None
    lines: frozenset[int]
    conditions: tuple[str, ...]
    expired: bool
    is_vague: bool

    def __str__(self) -> str:
        on = f" if {'; '.join(self.conditions)}" if self.conditions else ""
        ends = "{} {} > {} {}".format(*self.ends)
        return f"{self.kind.value} by {self.way} as {ends}, lines {sorted(self.lines)}{on}"


class Asker:
    def __init__(self, ruleset: Ruleset, family: str, networks: tuple[Network, ...]) -> None:
        self.ruleset, self.networks = ruleset, networks
        self.addresses = _host_addresses(networks)
        self._own = {one.interface: own_address(one, family) for one in networks}

    def of_opening(self, passage: Passage) -> Trace:
        """The first packet of an exchange."""
        return trace(self.ruleset, self._question(passage, "new"), self.addresses)

    def of_continuation(self, passage: Passage) -> Trace:
        """One of the same caller that follows an answer."""
        return trace(self.ruleset, self._question(passage, "established"), self.addresses)

    def _question(self, passage: Passage, state: str) -> Packet:
        sent = passage.sent
        kind, code = sent.icmp or (None, None)
        packet = Packet(
            sent.family,
            None,
            saddr=sent.saddr,
            daddr=sent.daddr,
            proto=sent.protocol,
            sport=sent.sport if kind is None else None,
            dport=sent.dport if kind is None else None,
            tcp_flags=sent.flag_names if sent.proto == TCP else None,
            icmp_type=kind,
            icmp_code=code,
            ct_state=state,
        )
        if passage.sender is None:
            return replace(packet, hook="output", oif=self._way_to(sent.daddr))
        wire = passage.sender.wire
        interface = next(one.interface for one in self.networks if wire in one.wires)
        return replace(packet, iif=interface)

    def _way_to(self, address: str) -> str:
        if any(address in one.own_addresses for one in self.networks):
            return "lo"
        near = (one.interface for one in self.networks if one.has(address))
        return next(near, self.networks[0].interface)

    def of_frame(self, passage: Passage, to: Station | None) -> Trace:
        """The first packet from or to a port of a bridge; ``to`` None is whoever has the
        address."""
        packet = self._question(passage, "new")
        if passage.sender in DOCKER.stations:
            packet = replace(packet, iif=passage.sender.wire)
        packet = replace(packet, oif=to.wire if to else packet.oif)
        traced = trace_with_bridges(self.ruleset, packet, self.addresses)
        elsewhere = tuple(o for o in traced.outcomes if not _is_of(o, DOCKER.interface))
        if len(elsewhere) == len(traced.outcomes):
            return traced
        named = tuple(
            outcome.under(_but_for_own(outcome))
            for outcome in traced.outcomes
            if outcome not in elsewhere
        )
        return replace(traced, outcomes=named)

    def saying(self, outcome: TraceOutcome) -> Saying:
        became = outcome.becomes or outcome.witness
        ends = became.saddr, became.sport, became.daddr, became.dport
        return Saying(
            outcome.kind,
            outcome.way.value,
            tuple(self._known(end) for end in ends),
            DOCKER.interface if became.oif in DOCKER.wires else became.oif,
            became.mark,
            frozenset(
                step.decision.rule.statement.span.line
                for step in outcome.steps
                if step.decision.rule is not None
            ),
            outcome.conditions,
            outcome.expired,
            is_vague(outcome),
        )

    def _known(self, end: str | int | None) -> str | int | None:
        """Where the address of an interface is said, this host has one."""
        if not isinstance(end, str) or not end.startswith(_ADDRESS_OF):
            return end
        return self._own[end.removeprefix(_ADDRESS_OF).replace("the bridge", DOCKER.interface)]


def _is_of(outcome: TraceOutcome, interface: str) -> bool:
    return any(_OWN_INTERFACE in c and c.endswith(interface) for c in outcome.conditions)


def _but_for_own(outcome: TraceOutcome) -> tuple[str, ...]:
    return tuple(c for c in outcome.conditions if _OWN_INTERFACE not in c)


def is_one_of(end: str | int | None, said: str | int | None) -> bool:
    """Whether it is what is said that it becomes: this, one of a range, or anything."""
    if said is None or not isinstance(said, str) or not said.startswith(_ONE_OF):
        return said in (None, end)
    first, last = map(ip_address, said.removeprefix(_ONE_OF).split("-"))
    return int(first) <= int(ip_address(str(end))) <= int(last)


def is_vague(outcome: TraceOutcome) -> bool:
    """Whether it is said in words what an address becomes."""
    became = outcome.becomes or outcome.witness
    words = (_ADDRESS_OF, _ONE_OF)
    return any(str(end).startswith(words) for end in (became.saddr, became.daddr))


def reply_to(traced: Trace, outcome: TraceOutcome) -> Reply:
    """What is said of the answer to the packet of this outcome."""
    (reply,) = connection(replace(traced, outcomes=(outcome,))).replies
    return reply


def _host_addresses(networks: tuple[Network, ...]) -> HostAddresses:
    known = of_interfaces(
        InterfaceAddress(one.interface, ip_interface(own))
        for one in networks
        for own in one.own.values()
    )
    return replace(known, behind=(*known.behind, *_default_route(networks[0].interface)))


def _default_route(interface: str) -> Iterator[Behind]:
    for family, bits in ((Family.IP, 32), (Family.IP6, 128)):
        yield Behind(family, 0, (1 << bits) - 1, interface)


def open_lines(ruleset: Ruleset) -> frozenset[int]:
    """Of rules with a test that the question cannot decide: what becomes of a packet there is one
    of the outcomes."""
    return frozenset(
        rule.statement.span.line
        for _, _, rule in ruleset.rules()
        if any(
            isinstance(test, Uncertain)
            or (isinstance(test, Opaque) and not isinstance(test.asks, _DECIDED))
            for test in tests_of(rule.matches)
        )
    )
