"""Where sshd listens, and whether anyone may open a connection to it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from iptlint.analysis.connections import few_ports
from iptlint.analysis.delivery import delivery
from iptlint.analysis.exposure import external_probes
from iptlint.analysis.handshake import (
    HandshakeStep,
    answers,
    handshake,
    lets_someone_in,
    opening,
    opens,
    redirects,
)
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.session import Context, Settings
from iptlint.analysis.shares import Share, shares
from iptlint.model import Chain, Field, Hook, Match, Rule, Ruleset, VerdictKind, Within
from iptlint.model.kinds import numbers_where, rules_testing
from iptlint.model.protocols import UDP
from iptlint.model.services import SERVICES
from iptlint.model.writes import reads
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_USUAL_ELSEWHERE = (222, 2022, *range(2200, 2300), 8022, 10022, *range(22000, 23000), 60022)
_NAMED_PORTS = frozenset(SERVICES.values())
_OF_THE_WEB = frozenset((3000, 5000, 8000, 8008, 8080, 8081, 8088, 8443, 8888, 9000, 9090, 9443))
"""What programs that serve pages listen on where the usual ports are taken."""
_KNOWN_PORTS = _NAMED_PORTS | _OF_THE_WEB
_OF_THE_LINK = (67, 68, 137, 138, 546, 547, 1900, 5353, 5355)
"""DHCP, NetBIOS, SSDP, mDNS and LLMNR: a desktop takes part in them, too."""
_OTHER_SERVICES = re.compile(r"https?\b|\bweb\b|\bdns\b|\be?mail\b|smtp|imap|\bftp\b")
_PORT = frozenset({Field.DPORT})
_MANY = 64
FEW_PORTS = 16
"""A rule for more ports than this is not about one service."""


def locked_out(hooks: Hooks, settings: Settings) -> bool:
    """Whether the filter table lets nobody in."""
    return failing_step(hooks, ssh_ports(hooks, settings)) is not None


def failing_step(hooks: Hooks, ports: tuple[int, ...]) -> HandshakeStep | None:
    """The step of the handshake that fails for everyone; None where someone gets in, or where
    the source holds no INPUT chain."""
    if not has_input(hooks):
        return None
    first = opening(hooks, ports)
    if opens(hooks, first):
        return None
    *_, last = handshake(hooks, first)
    return last


def has_input(hooks: Hooks) -> bool:
    """Whether the source says what comes in."""
    main = hooks.deciding_chain(Hook.INPUT)
    return main is not None and bool(main.chain.origin or main.chain.rules)


class SshFailure(NamedTuple):
    """A step that fails for everyone, and who decides so, the largest share first."""

    step: HandshakeStep
    droppers: list[Share]


def ssh_failures(hooks: Hooks, ports: tuple[int, ...]) -> Iterator[SshFailure]:
    """Where the handshake fails: at one hook, or on the whole way."""
    steps = [step for step in (failing_step(hooks, ports), _early_step(hooks, ports)) if step]
    for step in steps:
        yield SshFailure(step, shares(hooks, step.hook, step.sent))
    if not steps and has_input(hooks):
        yield from _failing_on_the_way(hooks, ports)


def _early_step(hooks: Hooks, ports: tuple[int, ...]) -> HandshakeStep | None:
    if redirects(hooks):
        return None
    sent = opening(hooks, ports) & hooks.hook_packets(Hook.PREROUTING)
    passed = may_pass(hooks, Hook.PREROUTING, sent)
    step = HandshakeStep("SYN", Hook.PREROUTING, sent, passed)
    return step if step.fails else None


def _failing_on_the_way(hooks: Hooks, ports: tuple[int, ...]) -> Iterator[SshFailure]:
    """Where each hook lets someone through, and yet nobody comes through them all."""
    if hooks.decides_alone(Hook.INPUT) and hooks.decides_alone(Hook.OUTPUT):
        return  # the steps hook by hook are all there is
    ours = hooks.space.ranges(Field.DPORT, tuple((port, port) for port in ports))
    if redirects(hooks) and _arrive_unchanged(hooks, ours):
        return
    sent = opening(hooks, None if redirects(hooks) else ports) & hooks.hook_packets(Hook.INPUT)
    for packet, hook, flags in _STEPS:
        way = delivery(hooks, hook, sent)
        arrived = way.arrived & ours if packet == "SYN" else way.arrived
        if not arrived.satisfiable():
            meant = [d for d in way.droppers if packet != "SYN" or (d.packets & ours).satisfiable()]
            if meant:
                yield SshFailure(HandshakeStep(packet, hook, sent, hooks.space.false), meant)
            return
        if hooks.translates:
            return
        back = Hook.OUTPUT if hook is Hook.INPUT else Hook.INPUT
        sent = answers(hooks, arrived, back, *flags, reply=back is Hook.OUTPUT)


def _arrive_unchanged(hooks: Hooks, ours: PacketSet) -> bool:
    """Whether somebody gets in who is sent to our port from the start: the whole answer, where only
    first packets are followed, and far less to follow than what is sent to all ports."""
    sent = opening(hooks) & hooks.hook_packets(Hook.INPUT) & ours
    arrived = delivery(hooks, Hook.INPUT, sent).arrived
    return hooks.translates and (arrived & ours).satisfiable()


_STEPS = (
    ("SYN", Hook.INPUT, ("syn", "ack")),
    ("SYN-ACK", Hook.OUTPUT, ("ack",)),
    ("ACK", Hook.INPUT, ("ack",)),
)
"""The packets of the handshake, the way of each, and the flags of what answers it."""


class Sign(Enum):
    """What says that somebody administers the host by SSH, the strongest first."""

    NAMED = "named"  # the user, a listener or a rule that accepts the port
    PUBLIC = "public"  # the world gets in, if not by SSH
    PRIVATE = "private"  # some network gets in, if not by SSH
    NONE = "none"


def sign_of_ssh(
    context: Context, hooks: Hooks, step: HandshakeStep, ports: tuple[int, ...]
) -> Sign:
    facts = context.host.facts if context.host else None
    said = context.settings.ssh_ports != Settings().ssh_ports
    if said or (facts and facts.listeners is not None) or _is_opened(hooks, ports):
        return Sign.NAMED
    if _was_to_be_opened(hooks.ruleset, ports):
        return Sign.NAMED
    if step.packet != "SYN":
        return Sign.PUBLIC
    if _from_world(hooks).satisfiable():
        return Sign.PUBLIC
    return Sign.PRIVATE if lets_someone_in(hooks) else Sign.NONE


def _from_world(hooks: Hooks) -> PacketSet:
    """The packets by which the world may begin something here, but for what neighbours on
    the link say to each other."""
    space = hooks.space
    probes = (*external_probes(hooks), *external_probes(hooks, Hook.INPUT, UDP))
    of_link = space.ranges(Field.DPORT, tuple((port, port) for port in _OF_THE_LINK))
    asked = union([*probes], space.false) & ~of_link
    return may_pass(hooks, Hook.INPUT, asked)


def _is_opened(hooks: Hooks, ports: tuple[int, ...]) -> bool:
    """Whether a rule for what comes in, or of a chain that nothing calls, accepts the port."""
    main = hooks.deciding_chain(Hook.INPUT)
    if main is None:
        return False
    calls, table = main.analysis.calls, main.analysis.table

    def is_meant(rule: Rule) -> bool:
        """It accepts, or leads to a chain that is still to be filled."""
        called = table.chains.get(rule.verdict.chain or "")
        return accepts_ports(rule) or (called is not None and not called.rules)

    return any(
        names_port(rule, ports)
        and (not calls.hooks_of(chain.name) or Hook.INPUT in calls.hooks_of(chain.name))
        for chain, rule in rules_testing(table, is_meant)
    )


def _was_to_be_opened(ruleset: Ruleset, ports: tuple[int, ...]) -> bool:
    """Whether a script has a command to accept the port that is refused."""
    names = {*map(str, ports)} | ({"ssh"} if SERVICES["ssh"] in ports else set())
    return ruleset.script is not None and any(
        step.failed and "ACCEPT" in step.words and names & {*step.words}
        for step in ruleset.script.steps
    )


def accepts_ports(rule: Rule) -> bool:
    """Whether the rule accepts, and asks for a destination port."""
    tests = (match for match in rule.matches if isinstance(match, Within))
    return rule.verdict.kind is VerdictKind.ACCEPT and any(t.field is Field.DPORT for t in tests)


def names_port(rule: Rule, ports: tuple[int, ...]) -> bool:
    """Whether the rule is for few destination ports, one of them among these."""
    return any(
        isinstance(match, Within)
        and match.field is Field.DPORT
        and not match.negated
        and sum(high - low + 1 for low, high in match.ranges) <= FEW_PORTS
        and any(low <= port <= high for low, high in match.ranges for port in ports)
        for match in rule.matches
    )


def ssh_ports(hooks: Hooks, settings: Settings) -> tuple[int, ...]:
    """Where sshd listens: what the user says, or 22 and what the rules make evident. Where someone
    gets in by 22, though no rule is for it, a port of another service is none of them."""
    if settings.ssh_ports != Settings().ssh_ports:
        return settings.ssh_ports
    usual = opens(hooks, opening(hooks, settings.ssh_ports))
    if usual and _is_opened(hooks, settings.ssh_ports):
        return settings.ssh_ports
    evident = _evident_ports(hooks, unnamed=usual)
    return tuple(dict.fromkeys((*settings.ssh_ports, *evident)))


def _evident_ports(hooks: Hooks, *, unnamed: bool) -> tuple[int, ...]:
    """``unnamed``: those alone that no other service is known by."""
    main = hooks.deciding_chain(Hook.INPUT)
    if main is None:
        return ()
    first, table = opening(hooks), main.analysis.table
    evident = (
        port
        for chain in table.chains.values()
        for portless, rules in _runs(chain)
        for port in _ports_of_run(main.analysis, rules, first, portless=portless)
        if not unnamed or port not in _NAMED_PORTS
    )
    return tuple(dict.fromkeys(evident))


def _runs(chain: Chain) -> Iterator[tuple[bool, list[Rule]]]:
    """Its rules by whether they test no port, those in a row together."""
    portless = frozenset(numbers_where(chain, _tests_no_port))
    for is_portless, numbers in groupby(range(len(chain.rules)), portless.__contains__):
        yield is_portless, [chain.rules[number] for number in numbers]


def _tests_no_port(rule: Rule) -> bool:
    """Whether it leaves a packet to its port, and what it calls does."""
    return rule.verdict.chain is None and not any(reads(m, _PORT) for m in rule.matches)


def _ports_of_run(
    analysis: TableAnalysis, rules: Sequence[Rule], first: PacketSet, *, portless: bool
) -> Iterator[int]:
    any_port = portless and len(rules) > _MANY and _come_by_any_port(analysis, rules[0], first)
    for rule in rules:
        if rule.verdict.kind is VerdictKind.ACCEPT:
            yield from _ssh_ports_of(analysis, rule, first, any_port=any_port)


def _come_by_any_port(analysis: TableAnalysis, rule: Rule, first: PacketSet) -> bool:
    """Whether the packets that get to the rule may be to any port, whatever else they are: so are
    those that it and more such rules behind it take."""
    chain, index = analysis.place(rule)
    coming = analysis.flows[chain].arriving_at(index, first & analysis.entries[chain].reachable)
    return coming == analysis.space.forget(coming, _PORT)


def _ssh_ports_of(
    analysis: TableAnalysis, rule: Rule, first: PacketSet, *, any_port: bool
) -> Iterator[int]:
    """The ports, among few, to which the rule lets new connections in, and SSH ones at that.
    ``any_port``: what it takes may be to any."""
    script = analysis.ruleset.script
    syntax = analysis.syntax
    beside = script.hints.beside(rule.origin.span) if script else syntax.said_of(rule)
    said = f"{rule.comment or ''} {beside}".lower()
    named, others = "ssh" in said, _OTHER_SERVICES.search(said)
    if not named and (any_port or not _may_take(rule, _USUAL_ELSEWHERE)):
        return
    if Hook.INPUT not in analysis.calls.hooks_of(analysis.place(rule).chain):
        return
    space = analysis.space
    taken = analysis.intended(rule) & first if named else analysis.matched(rule, first)
    for port in few_ports(space, taken, Field.DPORT, FEW_PORTS):
        if port in _USUAL_ELSEWHERE or (named and port and not (others and port in _KNOWN_PORTS)):
            yield port


def nameless_service(hooks: Hooks) -> tuple[int, Rule] | None:
    """A port of no service that has a name, which a rule lets someone in to, by itself or beside
    ports of such: sshd may listen there. Of several the highest: who hides sshd does so far from
    the ports of the web."""
    main = hooks.deciding_chain(Hook.INPUT)
    if main is None:
        return None
    alone = islice(_nameless(hooks, main.analysis), FEW_PORTS)
    highest = max(alone, key=itemgetter(0), default=None)
    return highest or _left_out(hooks, main.analysis.ruleset)


def _nameless(hooks: Hooks, analysis: TableAnalysis) -> Iterator[tuple[int, Rule]]:
    for chain, rule in rules_testing(analysis.table, accepts_ports):
        ports = [port for port in _listed_ports(rule) if port not in _KNOWN_PORTS]
        if len(ports) != 1:
            continue
        port = ports[0]
        called = Hook.INPUT in analysis.calls.hooks_of(chain.name)
        if called and analysis.matched(rule, opening(hooks, (port,))).satisfiable():
            yield port, rule


def _left_out(hooks: Hooks, ruleset: Ruleset) -> tuple[int, Rule] | None:
    """The same of a rule that denies all ports but some, in whatever table."""
    for table in ruleset.tables:
        for _, rule in rules_testing(table, _denies_but_ports):
            for port in _excepted_ports(rule):
                coming = opening(hooks, (port,)) & hooks.hook_packets(Hook.INPUT)
                if port not in _KNOWN_PORTS and may_pass(hooks, Hook.INPUT, coming).satisfiable():
                    return port, rule
    return None


def _denies_but_ports(rule: Rule) -> bool:
    return rule.verdict.kind.denies and any(map(_excepts_ports, rule.matches))


def _excepts_ports(match: Match) -> TypeGuard[Within]:
    return isinstance(match, Within) and match.field is Field.DPORT and match.negated


def _excepted_ports(rule: Rule) -> list[int]:
    excepted = (match.ranges for match in rule.matches if _excepts_ports(match))
    return [low for ranges in excepted for low, high in ranges if low == high]


def _listed_ports(rule: Rule) -> Sequence[int]:
    """Those of a rule for one port or a short list, none of a range."""
    for match in rule.matches:
        if isinstance(match, Within) and match.field is Field.DPORT and not match.negated:
            few = len(match.ranges) <= FEW_PORTS
            single = few and all(low == high for low, high in match.ranges)
            return [low for low, _ in match.ranges] if single else []
    return []


def _may_take(rule: Rule, ports: Sequence[int]) -> bool:
    """Whether no test of the destination port leaves all of the ports out; they are in order."""
    named = (m for m in rule.matches if type(m) is Within and m.field is Field.DPORT)
    return all(
        test.negated
        or any(bisect_left(ports, low) < bisect_right(ports, high) for low, high in test.ranges)
        for test in named
    )
