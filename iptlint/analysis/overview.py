"""What a reader wants to know of a ruleset before its findings: who gets where, whether anyone gets
in to mend it, and which of its rules do nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iptlint.analysis.answers import Answer, answers
from iptlint.analysis.handshake import opening
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import unmatched_rules
from iptlint.analysis.ssh_access import failing_step, has_input, ssh_ports
from iptlint.model import Family, Field, Hook, Rule, Ruleset
from iptlint.packets.describe import describe

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

_LINES = 3


@dataclass(frozen=True, slots=True)
class SshAccess:
    """``fails``: the packet of the handshake that comes through for nobody, None where someone gets
    in: ``packets`` says who. ``told``: whether the rules say at all what comes in."""

    family: Family
    ports: tuple[int, ...]
    told: bool
    fails: str | None
    packets: tuple[str, ...]


@dataclass(slots=True)
class Overview:
    """Filled in piece by piece, so that something is known where time is not enough; ``complete``
    once all ``answers`` are there. ``dead``: rules that no packet matches. ``listening``: protocol
    and port of the sockets that wait for strangers, None where nobody knows them. ``context``: None
    where there are too many hosts to keep it of each."""

    ruleset: Ruleset
    answers: list[Answer] = field(default_factory=list)
    access: list[SshAccess] = field(default_factory=list)
    dead: set[Rule] = field(default_factory=set)
    listening: frozenset[tuple[str, int]] | None = None
    complete: bool = False
    context: Context | None = None

    def parts(self, context: Context) -> Iterator[tuple[str, Callable[[], None]]]:
        """What is to be done, in the order of what matters, each with its name."""
        self.context, self.listening = context, _listening(context)
        yield "who gets in by SSH", self._ask_for_access
        yield "what becomes of packets", self._ask_for_packets
        yield "which rules are dead", self._ask_for_dead

    def fill(self, context: Context) -> None:
        """All of it."""
        for _, work in self.parts(context):
            work()

    def _hooks(self) -> list[Hooks]:
        assert self.context is not None
        each = (self.context.hooks(self.ruleset, family) for family in _FAMILIES)
        return [hooks for hooks in each if hooks is not None]

    def _ask_for_access(self) -> None:
        assert self.context is not None
        for hooks in self._hooks():
            self.access.append(ssh_access(hooks, self.context))

    def _ask_for_packets(self) -> None:
        for answer in (answer for hooks in self._hooks() for answer in answers(hooks)):
            self.answers.append(answer)
        self.complete = True

    def _ask_for_dead(self) -> None:
        assert self.context is not None
        for rule in _dead(self.context, self.ruleset):
            self.dead.add(rule)


_FAMILIES = (Family.IP, Family.IP6)


def _listening(context: Context) -> frozenset[tuple[str, int]] | None:
    facts = context.host.facts if context.host is not None else None
    if facts is None or facts.listeners is None:
        return None
    return frozenset((one.protocol, one.port) for one in facts.listeners if not one.is_local)


def _dead(context: Context, ruleset: Ruleset) -> Iterator[Rule]:
    """Those that no packet matches, and all of chains that none comes to."""
    for analysis in context.firewall(ruleset).by_decision().analyses():
        yield from unmatched_rules(analysis)
        for name, chain in analysis.table.chains.items():
            if not analysis.entries[name].is_reachable:
                yield from chain.rules


def ssh_access(hooks: Hooks, context: Context) -> SshAccess:
    """Whether anyone may open a connection to sshd, and who may."""
    ports = ssh_ports(hooks, context.settings)
    failing = failing_step(hooks, ports)
    has_rules = has_input(hooks)
    packets: tuple[str, ...] = ()
    if has_rules and failing is None:
        sent = opening(hooks, ports) & hooks.hook_packets(Hook.INPUT)
        passed = may_pass(hooks, Hook.INPUT, sent)
        packets = _senders(hooks, passed, sent)
    return SshAccess(hooks.family, ports, has_rules, failing.packet if failing else None, packets)


def _senders(hooks: Hooks, packets: PacketSet, among: PacketSet) -> tuple[str, ...]:
    """By their addresses and the interfaces that they come by."""
    fields = (Field.FAMILY, Field.IIF, hooks.family.saddr)
    within = hooks.space.project(among, *fields)
    described = describe(hooks.space, hooks.space.project(packets, *fields), _LINES, within)
    return (*described.lines, *(["and others"] if described.more else []))
