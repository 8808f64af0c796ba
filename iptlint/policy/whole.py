"""What a host lets in, through and out, as a whole: sentences that come from sets of packets, never
from reading one rule.

They are about packets of new connections, as clients send them, from whoever is not the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from iptlint.analysis.arrivals import OutcomesOfOne, Where, arrivals, usual
from iptlint.analysis.one_packet import one_of, values
from iptlint.analysis.shares import Share, shares
from iptlint.model import Family, Field, Hook, Rule, VerdictKind
from iptlint.model.protocols import ICMP, ICMP6, ICMP_TYPE_NAMES, TCP, UDP, tcp_flag_bits
from iptlint.model.services import SERVICES
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Decision, Outcome
from iptlint.packets.bdd import union
from iptlint.packets.describe import describe
from iptlint.packets.describe.lists import listed
from iptlint.packets.unseen import UNSEEN
from iptlint.policy.claims import EPHEMERAL, Claim, Quantity, setting_out, speaks_of_forwarding
from iptlint.policy.explanation import Sentence
from iptlint.policy.held import held
from iptlint.policy.logged import logged
from iptlint.policy.services import ANY
from iptlint.policy.zones import ANYONE, HOST, members, source_side
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_MOST_POINTS, _MOST_PLACES, _MOST_TRANSLATIONS = 12, 8, 8
_MOST_CONDITIONS, _MOST_ASKED = 2, 32

_WAYS = {
    Hook.INPUT: ("To this host", "come in"),
    Hook.FORWARD: ("Through this host", "pass"),
    Hook.OUTPUT: ("From this host", "go out"),
}
_PORTS = re.compile(r"\bto port ([0-9, or-]+)")
_PORT = re.compile(r"(?<![0-9-])([0-9]+)(?![0-9-])")
_TYPES = re.compile(r"\b(icmp|ipv6-icmp) ((?:type [0-9]+(?:, | or )?)+)")
_TYPE = re.compile(r"type ([0-9]+)(?!-)")
_NO_NOUNS = (
    *("in", "out", "from", "to", "not", "if", "mark", "with", "dnat", "snat", "ct"),
    *("new", "established", "related", "invalid", "untracked"),
)
"""How a line begins that says nothing of a protocol."""
_NAMES = {port: name for name, port in reversed([*SERVICES.items()])}


def whole_of(hooks: Hooks) -> Iterator[Sentence]:
    """What becomes of new connections on each way, of those that are translated, and of running
    ones."""
    services: set[str] = set()
    for hook in _WAYS:
        if hook is Hook.FORWARD and not speaks_of_forwarding(hooks) and not hooks.translates:
            continue
        way = _Way(hooks, hook)
        yield from way.sentences()
        sent = {to: p for to, p in way.translations().items() if to not in services}
        services |= sent.keys()
        yield from (way.sent_on(*each) for each in [*sent.items()][:_MOST_TRANSLATIONS])
    yield from _running(hooks)


class _Way:
    def __init__(self, hooks: Hooks, way: Hook) -> None:
        self.hooks = hooks
        self.way = way
        self.space = hooks.space
        claim = Claim(
            Quantity.EVERY,
            HOST if way is Hook.OUTPUT else ANYONE,
            None if way is Hook.INPUT else ANYONE,
            ANY,
        )
        asked = setting_out(hooks, claim, way, usual=True) & ~_foreign_icmp(hooks)
        self.found = arrivals(hooks, way, asked, Where.LIKELY_HOST)
        self.packets = self.found.packets & usual(self.space, way)

    @cached_property
    def surely(self) -> PacketSet:
        """What gets there whatever is left open, as it is on the lists that rules ask; what is sent
        on by translation, if it leaves by the right interface."""
        return self._by_ways.exists(self.found.ways) & self.packets

    @cached_property
    def _by_ways(self) -> PacketSet:
        return self.found.surely_arrive(self._all, by_ways=True, by_lists=True)

    @cached_property
    def perhaps(self) -> PacketSet:
        return self.found.may_arrive(self._all, by_lists=True) & self.packets

    def _all(self, outcome: Outcome) -> PacketSet:
        return self.space.true

    def sentences(self) -> Iterator[Sentence]:
        title, verb = _WAYS[self.way]
        if not (self.packets & ~self.surely).satisfiable():
            yield Sentence(f"{title}: everything.", self._places(self.surely, letting=True))
        elif not self.perhaps.satisfiable():
            places = self._places(self.packets, letting=False)
            yield Sentence(f"{title}: nothing new; it is {self._rest()}", places)
        else:
            yield Sentence(f"{title} {verb}:", (), tuple(self._points()))
            yield from self._else()

    def _points(self) -> Iterator[Sentence]:
        yield from self._described(self.surely, limited=False)
        yield from self._described(self.perhaps & ~self.surely, limited=True)

    def _described(self, packets: PacketSet, *, limited: bool) -> Iterator[Sentence]:
        if not packets.satisfiable():
            return
        words = describe(self.space, packets, _MOST_POINTS, self.packets)
        for line, box in zip(words.lines, words.boxes, strict=True):
            condition = self._condition(box & packets) if limited else ""
            text = f"{everything(named(line))}{condition}"
            yield Sentence(text, self._places(box & packets, letting=True))
        if words.more:
            yield Sentence("and others, which too many conditions tell apart")

    def _condition(self, limited: PacketSet) -> str:
        """Under what one of the packets gets there."""
        point = one_of(self.space, limited, self.way)
        of_one = OutcomesOfOne(self.hooks, self.way, point, Where.LIKELY_HOST)
        passing = next((each for each in of_one.outcomes if each.kind.passes), None)
        conditions = of_one.conditions(passing) if passing is not None else ()
        if not conditions:
            return ", or not: that is open"
        return f", {listed(map(unless, conditions[:_MOST_CONDITIONS]))}"

    # -- who decides --------------------------------------------------------------------------

    def _places(self, packets: PacketSet, *, letting: bool) -> tuple[Span, ...]:
        """Of the rules that let some of the packets through, or stop them, and of the policy where
        no rule does; in their order."""
        if self.hooks.decides_alone(self.way):
            each = shares(self.hooks, self.way, packets)
            return in_order(_span(share) for share in each if share.kind.may_pass is letting)
        return in_order(decision.span for decision in self._deciding(packets, letting=letting))

    def _deciding(self, packets: PacketSet, *, letting: bool) -> Iterator[Decision]:
        """Who decides one packet, then one to another port that their tests do not take as it sets
        out, and so on."""
        analyses = {each.table: each for each in self.hooks.firewall.analyses()}
        left, told = packets, set[Span]()
        for _ in range(_MOST_ASKED):
            if not left.satisfiable() or len(told) > _MOST_PLACES:
                return
            point = one_of(self.space, left, self.way)
            of_one = OutcomesOfOne(self.hooks, self.way, point, Where.LIKELY_HOST)
            outcomes = [each for each in of_one.outcomes if each.kind.may_pass is letting]
            decisions = [each.decision for each in outcomes if each.decision is not None]
            yield from decisions
            told.update(decision.span for decision in decisions)
            left = left & ~self._to_same_port(point)
            for decision in decisions:
                if decision.rule is None:
                    return
                left = left & ~analyses[decision.table].tests(decision.rule).may

    def _to_same_port(self, point: PacketSet) -> PacketSet:
        bits, manager, same = values(point), self.space.manager, self.space.true
        for field in (Field.PROTO, Field.DPORT):
            for number in self.space.fields[field].variables:
                same = same & (manager.var(number) if bits[number] else ~manager.var(number))
        return same

    def _else(self) -> Iterator[Sentence]:
        rest = self.packets & ~self.perhaps
        if not rest.satisfiable():
            return
        if self.hooks.decides_alone(self.way):
            stopping = (share for share in self._denying if _has(share.packets & rest))
            places = in_order(map(_span, stopping))
        else:
            places = self._places(rest, letting=False)
        yield Sentence(f"All else is {self._rest()}", places)

    @cached_property
    def _denying(self) -> Sequence[Share]:
        """Who stops some of all packets, the weightiest first, where one hook decides. Asked of
        what gets nowhere alone, which is no set of simple shape, each would take long."""
        return [s for s in shares(self.hooks, self.way, self.packets) if not s.kind.may_pass]

    def _ends(self, rest: PacketSet) -> dict[str, None]:
        """What becomes of the rest, in words."""
        deciding: Iterable[tuple[VerdictKind, Rule | None, PacketSet]] = (
            ((share.kind, share.rule, share.packets) for share in self._denying)
            if self.hooks.decides_alone(self.way)
            else (
                (each.kind, each.decision.rule if each.decision else None, each.packets)
                for each in self.found.outcomes
            )
        )
        ends: dict[str, None] = {}
        for kind, rule, packets in deciding:
            end = _end(kind, rule)
            if end and end not in ends and _has(packets & rest):
                ends[end] = None
        return ends

    def _rest(self) -> str:
        """What becomes of what gets nowhere: ``dropped, and logged as "x".``"""
        rest = self.packets & ~self.perhaps
        ends = self._ends(rest)
        usual = [word for word in _DENIED.values() if word in ends]
        denying = [*usual, *(end for end in ends if end not in usual)] or ["dropped"]
        return f"{listed(denying, 'or')}{logged(self.hooks, self.way, rest)}."

    # -- translations -------------------------------------------------------------------------

    def translations(self) -> dict[str, PacketSet]:
        """Where what is let through is sent on to."""
        fields = (self.hooks.family.daddr, Field.DPORT)
        sent: dict[str, PacketSet] = {}
        left_open = self.found.open
        for outcome in self.found.outcomes:
            moved = outcome.packets.exists(left_open) & self.perhaps
            if outcome.kind.denies or not outcome.rewrite.changes(*fields) or not _has(moved):
                continue
            target = self._target(outcome)
            sent[target] = sent.get(target, self.space.false) | moved
        return sent

    def sent_on(self, target: str, packets: PacketSet) -> Sentence:
        words = describe(self.space, packets, 2, self.packets)
        more = ", and more," if words.more else ""
        what = "; ".join(everything(named(line)) for line in words.lines)
        ways = self.found.ways_in(self._by_ways & packets)
        behind = f", which has to be behind {ways}" if ways else ""
        text = f"{what}{more} is sent on to {target}{behind}."
        return Sentence(text, self._places(packets, letting=True))

    def _target(self, outcome: Outcome) -> str:
        """``10.0.0.7 port 8080``, as far as all packets have the same. A REDIRECT leads to some
        address of this host."""
        family, rewrite = self.hooks.family, outcome.rewrite
        address, port = rewrite.number(family.daddr), rewrite.number(Field.DPORT)
        if address is None and (outcome.hook is Hook.INPUT or not rewrite.changes(family.daddr)):
            return f"port {port} of this host itself" if port is not None else "this host itself"
        shown = "another address" if address is None else _address(family, address)
        return f"{shown} port {port}" if port is not None else shown


_DENIED = {VerdictKind.DROP: "dropped", VerdictKind.REJECT: "rejected"}


def _end(kind: VerdictKind, rule: Rule | None) -> str:
    """What becomes of packets; empty for what denies nothing."""
    way = held(rule.verdict) if rule is not None and kind in _DENIED else None
    return _DENIED.get(kind, "") if way is None else way.done


def _running(hooks: Hooks) -> Iterator[Sentence]:
    """Whether what belongs to a connection, or answers in one, comes in."""
    arrived = arrivals(hooks, Hook.INPUT, _answers(hooks), Where.LIKELY_HOST)
    packets = arrived.packets & usual(hooks.space, Hook.INPUT)
    sure = arrived.surely_arrive(lambda outcome: hooks.space.true)
    lost = packets & ~sure
    if not packets.satisfiable():
        return
    deciding = shares(hooks, Hook.INPUT, packets) if hooks.decides_alone(Hook.INPUT) else []
    places = in_order(dict.fromkeys(_span(share) for share in deciding if share.kind.passes))
    if not lost.satisfiable():
        yield Sentence("Answers to what this host asks come in.", places)
    elif not (arrived.may_arrive(lambda outcome: hooks.space.true) & packets).satisfiable():
        yield Sentence("No answers to what this host asks come in.")
    else:
        yield Sentence("Not all answers to what this host asks come in for certain.")


def _answers(hooks: Hooks) -> PacketSet:
    """Packets that answer what the host itself has asked others."""
    space, family = hooks.space, hooks.family
    packets = space.state("established") & space.value(Field.CT_DIRECTION, 1)
    packets = packets & members(hooks, ANYONE, source_side(family)) & space.family(family.value)
    for field, value, _ in UNSEEN:
        if field is not Field.CT_DIRECTION:
            packets = packets & space.value(field, value)
    ack = space.value(Field.TCP_FLAGS, tcp_flag_bits("ack"))
    protocols = union([space.value(Field.PROTO, each) for each in (TCP, UDP)], space.false)
    ports = space.ranges(Field.DPORT, (EPHEMERAL,)) & (~space.value(Field.PROTO, TCP) | ack)
    return packets & protocols & ports & space.value(Field.MARK, 0)


def unless(condition: str) -> str:
    """``while line 9: limit … ``, ``unless line 9: …``"""
    for ending, word in ((" does not hold", "unless"), (" holds", "while")):
        if condition.endswith(ending):
            return f"{word} {condition.removesuffix(ending)}"
    return f"if {condition}"


def everything(line: str) -> str:
    """``everything in on lo``: where a line says nothing of a protocol."""
    if line.split(maxsplit=1)[0].rstrip(",") in _NO_NOUNS:
        return f"everything {line}"
    return "everything" if line == "any packet" else line


def named(line: str) -> str:
    """With the names of the ports that packets are sent to, and of types of icmp."""

    def with_names(match: re.Match[str]) -> str:
        return _PORT.sub(_with_name, match[0])

    return _TYPES.sub(_with_types, _PORTS.sub(with_names, line))


def _with_types(match: re.Match[str]) -> str:
    names = ICMP_TYPE_NAMES[ICMP if match[1] == "icmp" else ICMP6]
    types = _TYPE.sub(lambda each: names.get(int(each[1]), each[0]), match[2])
    return f"{match[1]} {types}"


def _with_name(match: re.Match[str]) -> str:
    name = _NAMES.get(int(match[0]))
    return f"{match[0]} ({name})" if name else match[0]


def _foreign_icmp(hooks: Hooks) -> PacketSet:
    """The icmp of the other family, which nobody sends."""
    foreign = ICMP6 if hooks.family is Family.IP else ICMP
    return hooks.space.value(Field.PROTO, foreign)


def _span(share: Share) -> Span:
    if share.rule is not None:
        return share.rule.statement.span
    return Decision(share.analysis.ruleset, share.analysis.table, share.chain, None).span


def in_order(places: Iterable[Span]) -> tuple[Span, ...]:
    """The first few, which are the weightiest, as they stand in the text; one more than are shown
    where there are others."""
    first = islice(_unique(places), _MOST_PLACES + 1)
    return tuple(sorted(first, key=lambda span: (span.source.path, span.start)))


def _unique(places: Iterable[Span]) -> Iterator[Span]:
    seen: set[Span] = set()
    for place in places:
        if place not in seen:
            seen.add(place)
            yield place


def _address(family: Family, number: int) -> str:
    from ipaddress import IPv4Address, IPv6Address

    return str(IPv4Address(number) if family is Family.IP else IPv6Address(number))


def _has(packets: PacketSet) -> bool:
    return bool(packets.satisfiable())


def lines(places: Iterable[Span]) -> str:
    """``line 9``, ``lines 9 and 12``; of a file, if they are of several."""
    spans = [*places]
    if not spans:
        return ""
    paths = {span.source.path for span in spans}
    if len(paths) > 1:
        return listed(dict.fromkeys(f"{span.source.path}:{span.line}" for span in spans))
    numbers = [str(line) for line in dict.fromkeys(span.line for span in spans)]
    if len(numbers) > _MOST_PLACES:
        numbers[_MOST_PLACES:] = ["others"]
    return f"line{'s' if len(numbers) > 1 else ''} {listed(numbers)}"
