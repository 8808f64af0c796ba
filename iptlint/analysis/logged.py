"""Which rule wrote a line of the kernel's log, and what became of the packet.

A line shows the packet as it was when the rule had it. So packets are followed from the hook on
where the rule stands, and any that are now as the line says may have been the one. What a line does
not show (a connection's state, sets that change) is left open: a rule that no such packet comes to
did not write it, and that is proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.ways import ways_of
from iptlint.memo import memo
from iptlint.model import (
    AnyOf,
    Decided,
    EffectKind,
    Family,
    Field,
    Hook,
    Match,
    Opaque,
    Rule,
    Ruleset,
    Uncertain,
    VerdictKind,
)
from iptlint.model.host_addresses import HostAddresses, shown_by
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.netfilter.packet_group import Decision, Outcome, Visit
from iptlint.netfilter.routes import INTERFACES_AT, WAYS
from iptlint.netfilter.traversal import Traversal, setting_out
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.conntrack import untracked_anyway
from iptlint.packets.log_line import LoggedPacket, LogLine

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class End(NamedTuple):
    """What may have become of the packet, and who decided so; ``expired``: its time to live did."""

    kind: VerdictKind
    decision: Decision | None
    expired: bool


class LoggingRule(NamedTuple):
    """A rule that may have written a line; ``ends``: of the packets that it may have been about."""

    hook: Hook
    decision: Decision
    ends: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What is known of one line. ``prefix``: that of the ``writers``, or what it seems to be where
    there are none: then ``untold`` says why."""

    line: LogLine
    prefix: str
    writers: tuple[LoggingRule, ...] = ()
    untold: str = ""


_BESIDES = frozenset({Field.PROTO, Field.FRAGMENT, Field.TCP_FLAGS, Field.ICMP_TYPE})
"""What a line shows that says something of the connection, whatever rules test."""

_HOOKS = {
    (True, False): (Hook.INGRESS, Hook.PREROUTING, Hook.INPUT),
    (True, True): (Hook.FORWARD, Hook.POSTROUTING),
    (False, True): (Hook.OUTPUT, Hook.POSTROUTING, Hook.EGRESS),
    (False, False): (),
}
"""By the interfaces that a line shows: the one that the packet came by, the one it leaves by."""
_UNROUTED = (Hook.INGRESS, Hook.PREROUTING)


class _Way:
    """All packets on a way from one of its hooks on, and who logged which of them."""

    def __init__(self) -> None:
        self.visits: list[tuple[Rule, Visit]] = []
        self.outcomes: list[Outcome] = []

    @memo
    def ends(self, number: int) -> tuple[tuple[End, PacketSet], ...]:
        """What becomes of the packets of one of the visits."""
        taken = self.visits[number][1].taken
        parts = ((each, each.packets & taken) for each in self.outcomes)
        return tuple(
            (End(each.kind, each.decision, each.expired), part)
            for each, part in parts
            if part.satisfiable()
        )


class LogReader:
    """The rules of one host. ``addresses``: the host's, where they are known."""

    def __init__(self, ruleset: Ruleset, addresses: HostAddresses | None = None) -> None:
        self.ruleset = ruleset
        self.addresses = addresses or shown_by(ruleset)
        self._firewall = Firewall(ruleset)
        self._space = self._firewall.space
        self._unknowns = Unknowns(self._space)
        self._loggers: dict[str, dict[Rule, Decision]] = {}
        for table, chain, rule in ruleset.rules():
            for effect in rule.effects:
                if effect.kind is EffectKind.LOG:
                    alike = self._loggers.setdefault(_trimmed(effect.name or ""), {})
                    alike[rule] = Decision(ruleset, table, chain, rule)
        self._known: dict[object, tuple[LoggingRule, ...]] = {}

    def read(self, line: LogLine) -> Written:
        """Who wrote the line."""
        prefixes = line.prefixes()
        known = [prefix for prefix in prefixes if _trimmed(prefix) in self._loggers]
        prefix = max(known, key=len, default=prefixes[0])
        if line.packet is None:
            return Written(line, prefix, untold="it shows no packet of ip or ip6")
        if not known:
            return Written(line, prefix, untold="no rule here logs with this prefix")
        family = line.packet.family
        if family.value not in self._space.families:
            return Written(line, prefix, untold=f"these rules see no {family.value} packets")
        writers = self._writers(_trimmed(prefix), line.packet)
        untold = "" if writers else "no packet like this comes to a rule that logs with this prefix"
        return Written(line, prefix, writers, untold)

    def _writers(self, prefix: str, packet: LoggedPacket) -> tuple[LoggingRule, ...]:
        key = prefix, self._seen_of(packet)
        if key not in self._known:
            self._known[key] = tuple(self._find(self._loggers[prefix], packet))
        return self._known[key]

    def _seen_of(self, packet: LoggedPacket) -> object:
        """Equal where no rule can tell two packets apart."""
        names = (packet.iif, packet.oif)
        classes = (
            None if name is None else self._space.interfaces.class_of(name) for name in names
        )
        numbers = (each for each in packet.numbers() if each[0] in self._fields)
        return packet.family, *classes, names[0] == names[1], *numbers, self._tos(packet)

    def _tos(self, packet: LoggedPacket) -> int | None:
        return packet.tos if Field.TOS in self._fields else None

    @cached_property
    def _fields(self) -> frozenset[Field]:
        """Those that rules test, and those that say something of the connection."""
        tested = _tested(match for _, _, rule in self.ruleset.rules() for match in rule.matches)
        return _BESIDES | frozenset(tested) | {Field.DADDR, Field.DADDR6}

    def _find(self, loggers: dict[Rule, Decision], packet: LoggedPacket) -> Iterator[LoggingRule]:
        ends_by_rule: dict[tuple[Hook, Rule], dict[End, None]] = {}
        for family in self._families(packet, loggers):
            for hook in _HOOKS[packet.iif is not None, packet.oif is not None]:
                for set_out in self._ways(family, hook, packet):
                    like = self._like(packet, hook, set_out)
                    for rule, ends in self._met(family, hook, set_out, loggers, like):
                        ends_by_rule.setdefault((hook, rule), {}).update(dict.fromkeys(ends))
        for (hook, rule), known in ends_by_rule.items():
            yield LoggingRule(hook, loggers[rule], tuple(known))

    def _met(
        self,
        family: Family,
        hook: Hook,
        set_out: Hook,
        loggers: dict[Rule, Decision],
        like: PacketSet,
    ) -> Iterator[tuple[Rule, list[End]]]:
        """The rules that packets like this come to and that log them there, with their ends."""
        way = self._way(family, hook, set_out)
        for number, (rule, visit) in enumerate(way.visits):
            if rule not in loggers or visit.hook is not hook or visit.rewrite is None:
                continue
            now = visit.rewrite.now(like)
            if (visit.taken & now).satisfiable():
                ends = way.ends(number)
                yield rule, [end for end, packets in ends if (packets & now).satisfiable()]

    def _families(self, packet: LoggedPacket, loggers: dict[Rule, Decision]) -> Iterator[Family]:
        """In whose chains a rule stands that may have logged the packet."""
        yield packet.family
        if any(each.table.family is Family.BRIDGE for each in loggers.values()):
            yield Family.BRIDGE

    def _ways(self, family: Family, hook: Hook, packet: LoggedPacket) -> Iterator[Hook]:
        """The ways that the packet may be on, by the hook that each is known by."""
        if family is not Family.BRIDGE and hook in _UNROUTED:
            yield from ways_of(packet.as_packet(), self.addresses, self._firewall)
            return
        for set_out, route in WAYS[family].items():
            # What the host sends itself may show the interface that it leaves by twice.
            sent = set_out is not Hook.OUTPUT or packet.iif in (None, packet.oif)
            if hook in route and sent:
                yield set_out

    @memo
    def _way(self, family: Family, hook: Hook, set_out: Hook) -> _Way:
        way = _Way()

        def note(rule: Rule, visit: Visit) -> None:
            if visit.hook is hook and rule in self._logging:
                way.visits.append((rule, visit))

        route = WAYS[family][set_out]
        routing = None
        if family is not Family.BRIDGE:
            hooks = Hooks(self._firewall, family, addresses=self.addresses)
            routing = hooks.on_any_host(self._unknowns)
        traversal = Traversal(
            self._firewall, family, self._unknowns, by_rule=True, routing=routing, on_visit=note
        )
        start = setting_out(self._space, family, set_out) & self._tracked
        way.outcomes = traversal.follow(route[route.index(hook) :], start)
        return way

    @cached_property
    def _logging(self) -> frozenset[Rule]:
        return frozenset(rule for alike in self._loggers.values() for rule in alike)

    @cached_property
    def _tracked(self) -> PacketSet:
        """All packets, without those that nobody has let go untracked."""
        rules = (rule for _, _, rule in self.ruleset.rules())
        if any(e.kind is EffectKind.NOTRACK for rule in rules for e in rule.effects):
            return self._space.true
        return ~self._space.state("untracked") | untracked_anyway(self._space)

    def _like(self, packet: LoggedPacket, hook: Hook, set_out: Hook) -> PacketSet:
        """The packets at the hook that a line about them would show so."""
        space = self._space
        packets = packet.packets(space, self._fields)
        names = {Field.IIF: packet.iif, Field.OIF: packet.oif}
        if set_out is Hook.OUTPUT:
            del names[Field.IIF]
        for field, name in names.items():
            if name is not None and INTERFACES_AT[hook].get(field, True):
                packets = packets & space.value(field, space.interfaces.class_of(name))
        return packets


def _trimmed(prefix: str) -> str:
    """Daemons drop blanks before a message."""
    return prefix.lstrip(" ")


def _tested(matches: Iterable[Match]) -> Iterator[Field]:
    for match in matches:
        match match:
            case AnyOf(alternatives):
                yield from _tested(test for tests in alternatives for test in tests)
            case Opaque() | Uncertain() | Decided():
                pass
            case _:
                yield match.field
