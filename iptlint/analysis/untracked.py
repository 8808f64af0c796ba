"""Packets that come to nothing because a rule turns connection tracking off for them, or for what
they answer: the rules that would accept them test a state which they never have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import hosts, outside, probes
from iptlint.analysis.handshake import answers, untracks
from iptlint.analysis.shares import Share, largest_first, shares_in
from iptlint.model import EffectKind, Field, Hook, Rule, VerdictKind
from iptlint.model.kinds import rules_testing
from iptlint.model.matches import Ranges
from iptlint.model.protocols import TCP, UDP
from iptlint.model.writes import CONNTRACK_FIELDS
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Outcome, Visit
from iptlint.netfilter.routes import ROUTES
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.mirror import mirrored

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_TRACKED = ("new", "established", "related")
_BACK = {Hook.INPUT: Hook.OUTPUT, Hook.OUTPUT: Hook.INPUT, Hook.FORWARD: Hook.FORWARD}


class _Protocol(NamedTuple):
    """The tcp flags of a first packet, and of the answer to it; the state of an answer where
    conntrack has not seen the first (tcp_new in net/netfilter/nf_conntrack_proto_tcp.c); the ports
    from which answers come."""

    number: int
    opening: tuple[str, ...]
    answering: tuple[str, ...]
    unexpected: str
    answered: Ranges


_ASKED_OVER_UDP = (53, 88, 111, 123, 161, 389, 443, 853, 1812, 1813, 3478)
"""Where programs ask and are answered. Logs, tunnels and the like are sent one way, or from a
fixed port to a fixed port, and have no answers in this sense."""

_PROTOCOLS = (
    _Protocol(TCP, ("syn",), ("syn", "ack"), "invalid", ((0, 65535),)),
    _Protocol(UDP, (), (), "new", tuple((port, port) for port in _ASKED_OVER_UDP)),
)


class UntrackedLoss(NamedTuple):
    """Packets that ``by`` drops, and which ``accepting`` takes if they are in ``state``, while they
    are in ``instead``."""

    hook: Hook
    state: str
    instead: str
    notrack: Share
    by: Share
    accepting: Share


def untracked_losses(hooks: Hooks) -> Iterator[UntrackedLoss]:
    """Those on each way, in, through and out."""
    if untracks(hooks):
        for hook in ROUTES:
            yield from _on_way(hooks, hook)


def untracked_before(hooks: Hooks, hook: Hook, packets: PacketSet, rule: Rule) -> tuple[Share, ...]:
    """The rules that turn tracking off for all the packets before any comes to the rule, which is
    of a chain of type nat. Such chains are shown no untracked packet (nf_nat_inet_fn in
    net/netfilter/nf_nat_core.c). Empty where some may come to it."""
    if not untracks(hooks) or not untracked_by_rules(hooks, hook, packets).satisfiable():
        return ()
    sent = _Sent(hooks, hook, packets)
    causes = (*sent.untracking(packets),)
    tracked = packets & ~union([share.packets for share in causes], hooks.space.false)
    return () if rule in sent.met or tracked.satisfiable() else causes


def _on_way(hooks: Hooks, hook: Hook) -> Iterator[UntrackedLoss]:
    """First packets, and then the answers to those that come through; not answers where addresses
    are translated, or where no answer over tcp comes back at all, which has another cause."""
    answers_unasked = hooks.translates
    for protocol in _PROTOCOLS:
        first = _first(hooks, hook, protocol)
        untracked = untracked_by_rules(hooks, hook, first)
        if _may_die(hooks, hook, untracked, "untracked").satisfiable():
            yield from _Sent(hooks, hook, untracked).lost("new")
        if answers_unasked:
            continue
        yield from _one_way(hooks, hook, protocol, untracked)
        back = _BACK[hook]
        coming = untracked_by_rules(
            hooks, back, _answers(hooks, first, back, protocol, "established")
        )
        if _may_die(hooks, back, coming, "untracked").satisfiable():
            accepted = _Sent(hooks, hook, first).accepted
            sent = _Sent(hooks, back, _answers(hooks, accepted, back, protocol, "established"))
            answers_unasked = protocol.number == TCP and not sent.accepted.satisfiable()
            if not answers_unasked:
                yield from sent.lost("established")


def _one_way(
    hooks: Hooks, hook: Hook, protocol: _Protocol, untracked: PacketSet
) -> Iterator[UntrackedLoss]:
    """Answers to untracked packets that are tracked themselves, and of no known connection."""
    back, state = _BACK[hook], protocol.unexpected
    coming = _answers(hooks, untracked, back, protocol, state)
    if not _may_die(hooks, back, coming, state).satisfiable():
        return
    first = _Sent(hooks, hook, untracked)
    sent = _Sent(hooks, back, _answers(hooks, first.accepted, back, protocol, state))
    for loss in sent.lost("established", state):
        for cause in first.untracking(first.accepted & mirrored(hooks.space, loss.by.packets)):
            answered = loss.by.packets & mirrored(hooks.space, cause.packets)
            yield loss._replace(notrack=cause, by=replace(loss.by, packets=answered))


def _answers(
    hooks: Hooks, packets: PacketSet, hook: Hook, protocol: _Protocol, state: str
) -> PacketSet:
    space, flags = hooks.space, protocol.answering
    if not packets.satisfiable():
        return packets
    replies = answers(hooks, packets, hook, *flags, reply=True)
    replies = replies & space.ranges(Field.SPORT, protocol.answered)
    return space.forget(replies, CONNTRACK_FIELDS) & space.state(state) & space.universe


def untracked_by_rules(hooks: Hooks, hook: Hook, packets: PacketSet) -> PacketSet:
    """Those that rules may leave untracked on the way with the hook."""
    space = hooks.space
    begin = Hook.OUTPUT if hook is Hook.OUTPUT else Hook.PREROUTING
    unknown = () if hook is Hook.OUTPUT else (Field.OIF,)
    sent = [
        packets & space.forget(analysis.matched(rule), unknown)
        for analysis in map(hooks.firewall.analysis, hooks.tables())
        for chain, rule in rules_testing(analysis.table, _untracks)
        if begin in analysis.calls.hooks_of(chain.name)
    ]
    return union(sent, space.false)


def _untracks(rule: Rule) -> bool:
    return any(effect.kind is EffectKind.NOTRACK for effect in rule.effects)


def _may_die(hooks: Hooks, hook: Hook, packets: PacketSet, state: str) -> PacketSet:
    """Those that the main chain of the hook may drop in the state: asked before packets are
    followed, which is dear."""
    space, main = hooks.space, hooks.deciding_chain(hook)
    if main is None:
        return space.false
    return space.forget(packets, CONNTRACK_FIELDS) & space.state(state) & main.may_drop


def _first(hooks: Hooks, hook: Hook, protocol: _Protocol) -> PacketSet:
    """A client's first packets to any port, from and to any host, but not over lo. A cache or a
    metadata service on the host itself has a link-local address, which is none of these."""
    family = hooks.family
    free = (Field.IIF, Field.OIF, Field.DPORT, family.saddr, family.daddr)
    values = {Field.PROTO: protocol.number}
    one = next(probes(hooks, hook, "new", *protocol.opening, free=free, values=values))
    from_to = hosts(hooks, family.saddr) & hosts(hooks, family.daddr)
    return one & from_to & outside(hooks.space) & hooks.hook_packets(hook)


class _Sent:
    """What becomes of packets on the way with the hook."""

    def __init__(self, hooks: Hooks, hook: Hook, packets: PacketSet) -> None:
        self.hooks = hooks
        self.hook = hook
        self._unknowns = Unknowns(hooks.space)
        self._untracking: dict[Rule, PacketSet] = {}
        self.met: set[Rule] = set()
        traversal = Traversal(hooks.firewall, hooks.family, self._unknowns, on_visit=self._visit)
        self._ends = traversal.follow(ROUTES[hook], packets)
        self.accepted = self._ending(VerdictKind.ACCEPT)
        # What a queue or an unknown target (SYNPROXY) may take is theirs to answer for.
        self._saved = self._ending(*(kind for kind in VerdictKind if not kind.denies))

    def _ending(self, *kinds: VerdictKind) -> PacketSet:
        """The packets that may have one of the ends."""
        ends = [end.packets for end in self._ends if end.kind in kinds]
        return union(ends, self.hooks.space.false).exists(self._unknowns.cube)

    def _visit(self, rule: Rule, visit: Visit) -> None:
        if visit.taken.satisfiable():
            self.met.add(rule)
        if any(effect.kind is EffectKind.NOTRACK for effect in rule.effects):
            before = self._untracking.get(rule, self.hooks.space.false)
            self._untracking[rule] = before | visit.taken

    def lost(self, state: str, instead: str = "untracked") -> Iterator[UntrackedLoss]:
        main = self.hooks.deciding_chain(self.hook)
        if main is None:
            return
        for end in self._ends:
            by = self._dropped(end, main, instead)
            accepting = self._accepting(main, by.packets, state) if by else None
            if by is None or accepting is None:
                continue
            causes = self.untracking(by.packets) if instead == "untracked" else (by,)
            for cause in causes:
                caused = replace(by, packets=by.packets & cause.packets)
                yield UntrackedLoss(self.hook, state, instead, cause, caused, accepting)

    def _dropped(self, end: Outcome, main: BaseChain, state: str) -> Share | None:
        """The packets of the end that the main chain drops in the state; if untracked, by a rule
        that is not for them in particular."""
        space = self.hooks.space
        if not end.kind.denies or end.decision is None or end.decision.table is not main.table:
            return None
        analysis, chain, rule = main.analysis, end.decision.chain, end.decision.rule
        packets = end.packets & end.rewrite.now(space.state(state))
        packets = packets.exists(self._unknowns.cube) & ~self._saved
        if not packets.satisfiable():
            return None
        if rule is not None and state == "untracked":
            general = analysis.tests(rule).may & space.state(*_TRACKED)
            if not general.satisfiable():
                return None
        return Share(analysis, chain, rule, end.kind, packets)

    def _accepting(self, main: BaseChain, packets: PacketSet, state: str) -> Share | None:
        """The rule that accepts the packets for certain if they are in the state."""
        space = self.hooks.space
        tracked = space.forget(packets, CONNTRACK_FIELDS) & space.state(state)
        tracked = tracked & self.hooks.hook_packets(self.hook) & main.seen & ~main.may_drop
        accepting = largest_first(
            shares_in(main, tracked & main.end(VerdictKind.ACCEPT)), self.hook
        )
        first = next((share for share in accepting if share.rule is not None), None)
        return first if first and first.kind is VerdictKind.ACCEPT else None

    def untracking(self, packets: PacketSet) -> Iterator[Share]:
        """The rules that turn off tracking for the packets, each with those it is the first for."""
        for analysis in map(self.hooks.firewall.analysis, self.hooks.tables()):
            for chain, rule in analysis.table.rules():
                if rule in self._untracking:
                    untracked = packets & self._untracking[rule].exists(self._unknowns.cube)
                    packets = packets & ~untracked
                    if untracked.satisfiable():
                        yield Share(analysis, chain, rule, rule.verdict.kind, untracked)
