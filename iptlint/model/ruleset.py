"""What holds what: Ruleset > Table > Chain > Rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING

from iptlint.model.matches import PACKET_FAMILIES, Field, Match, Uncertain
from iptlint.model.script import Script
from iptlint.model.syntax import Syntax
from iptlint.model.verdicts import Effect, Verdict, VerdictKind
from iptlint.source import Origin, SourceFile, Span

if TYPE_CHECKING:
    from iptlint.model.cloud import Cloud


class Family(Enum):
    """What a table is for. A packet is of one of ``packets``; inet is for two kinds of them."""

    IP = "ip"
    IP6 = "ip6"
    INET = "inet"
    ARP = "arp"
    BRIDGE = "bridge"
    NETDEV = "netdev"

    __hash__ = object.__hash__  # as that of Field

    @property
    def packets(self) -> tuple[str, ...]:
        """The families of the packets that its tables see, out of ``PACKET_FAMILIES``."""
        match self:
            case Family.INET:
                return ("ip", "ip6")
            case Family.BRIDGE | Family.NETDEV:
                return PACKET_FAMILIES
            case _:
                return (self.value,)

    @property
    def address_bits(self) -> int:
        return 32 if self is Family.IP else 128

    def field(self, field: Field) -> Field:
        """An address field, named as ip's, of ip or ip6 packets; any other field is the same."""
        return _OF_IP6.get(field, field) if self is Family.IP6 else field

    @property
    def saddr(self) -> Field:
        """The field with the source address of an ip or ip6 packet."""
        return self.field(Field.SADDR)

    @property
    def daddr(self) -> Field:
        return self.field(Field.DADDR)


_OF_IP6 = {Field.SADDR: Field.SADDR6, Field.DADDR: Field.DADDR6}


IP_VERSIONS = {Family.IP: "IPv4", Family.IP6: "IPv6"}
"""The families of a host's connections, as people call them."""


class Hook(Enum):
    INGRESS = "ingress"
    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"
    EGRESS = "egress"

    __hash__ = object.__hash__  # as that of Field


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule as written. Its tests all have to hold (``-s a,b`` is one test).

    ``copies``: how many rules the kernel makes of it. ``counters``: packets, bytes. ``read`` is
    false for a rule that could not be read: it may match any packet and do anything with it.

    A statement that does one thing to some packets and another to others (a verdict map, a log
    before further tests) is several rules here, one behind the other: ``origin`` is then where
    the part is written, and ``whole`` the statement, one object for all its parts.

    ``occasions``: of what a command of a script makes, in which rounds of loops and in which calls
    of functions it did so, the outermost first.

    ``is_policy``: it stands for a policy that a script sets under a condition, behind all rules.
    """

    origin: Origin
    matches: tuple[Match, ...]
    verdict: Verdict
    effects: tuple[Effect, ...] = ()
    comment: str | None = None
    counters: tuple[int, int] | None = None
    copies: int = 1
    read: bool = True
    whole: Origin | None = None
    occasions: tuple[str, ...] = ()
    is_policy: bool = False

    @property
    def denies_all(self) -> bool:
        """Whether it denies whatever comes to it."""
        return self.verdict.kind.denies and not self.matches

    @property
    def statement(self) -> Origin:
        """The rule as written; the same object for the rules that are parts of one."""
        return self.whole or self.origin


def unread_rule(origin: Origin, text: str) -> Rule:
    """Stands where a rule could not be read, so that nothing is claimed as if it were not there."""
    anything = Verdict(VerdictKind.UNKNOWN, "unread")
    return Rule(origin, (Uncertain("unread", text),), anything, read=False)


DECIDING_PRIORITIES = range(-149, 50)
"""After mangle, before security: where a host decides what it lets in."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Without slots: what is worked out about it lies on it.

    ``hook``, ``priority`` and ``policy`` are None for a user chain.

    ``type`` is filter, nat or route. ``devices``: where ingress and egress listen.
    ``origin`` is the declaration; None where the kernel has the chain without one.
    """

    name: str
    rules: tuple[Rule, ...]
    hook: Hook | None = None
    priority: int | None = None
    policy: Verdict | None = None
    origin: Origin | None = None
    counters: tuple[int, int] | None = None
    type: str | None = None
    devices: tuple[str, ...] = ()

    @property
    def filters(self) -> bool:
        """Whether it is a base chain where a host decides what passes the hook. One that denies by
        default does so wherever it stands behind mangle."""
        if self.type != "filter" or self.priority is None:
            return False
        denies = self.policy is not None and self.policy.kind.denies
        late = denies and self.priority >= DECIDING_PRIORITIES.stop
        return late or self.priority in DECIDING_PRIORITIES

    def statements(self) -> Iterator[tuple[Rule, ...]]:
        """The rules as they are written, each with its parts."""
        by_statement = groupby(self.rules, key=lambda rule: rule.statement)
        return (tuple(parts) for _, parts in by_statement)


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """Something with a name that rules use: a ``set``, a ``map``, a ``define`` …

    ``kind`` is nft's word for it. ``elements``: how many it holds as written; None where that
    means nothing. ``devices``: those of a flowtable, and the words of a define, which may be some.
    """

    kind: str
    name: str
    origin: Origin
    used: bool
    elements: int | None = None
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Table:
    """Chains in the order of the text. Without slots: what is worked out about it lies on it.

    ``fresh``: the text empties or deletes the table before it fills it. ``sets``: its named
    sets, maps and other objects.
    """

    family: Family
    name: str
    chains: Mapping[str, Chain]
    origin: Origin | None = None
    fresh: bool = True
    sets: tuple[Named, ...] = ()

    def base_chains(self) -> Iterator[Chain]:
        return (chain for chain in self.chains.values() if chain.hook is not None)

    def rules(self) -> Iterator[tuple[Chain, Rule]]:
        return ((chain, rule) for chain in self.chains.values() for rule in chain.rules)

    def statements(self) -> Iterator[tuple[Chain, tuple[Rule, ...]]]:
        """The rules as they are written, each with its parts."""
        return ((c, parts) for c in self.chains.values() for parts in c.statements())


@dataclass(frozen=True, eq=False)
class Ruleset:
    """What one source holds. Without slots, as a table.

    ``dialect`` is the language's name (``iptables-save`` …), and ``syntax`` answers what is asked
    of how it is written.

    ``defines``: the variables of the text. ``flush``: the last ``flush ruleset`` in it.
    ``script``: how it came about, command by command, where the source is a script.
    ``cloud``: the network that the source tells of, where its rules are those of a cloud and not
    of a host.
    """

    source: SourceFile
    dialect: str
    syntax: Syntax
    tables: tuple[Table, ...]
    defines: tuple[Named, ...] = ()
    flush: Origin | None = None
    script: Script | None = None
    cloud: Cloud | None = None

    @property
    def families(self) -> tuple[Family, ...]:
        return tuple(dict.fromkeys(table.family for table in self.tables))

    @property
    def is_nft(self) -> bool:
        return self.dialect.startswith("nft")

    def sees(self, family: Family) -> bool:
        """Whether a table sees packets of the family (ip or ip6)."""
        return any(family.value in table.family.packets for table in self.tables)

    def table(self, name: str, family: Family) -> Table | None:
        tables = (t for t in self.tables if t.name == name and t.family is family)
        return next(tables, None)

    def declaration_of(self, table: Table, chain: Chain) -> Span:
        """Where the chain is declared; else its first rule, its table, the first line."""
        if chain.origin is not None:
            return chain.origin.span
        if chain.rules:
            return chain.rules[0].origin.span
        return table.origin.span if table.origin else self.source.line_span(1)

    def rules(self) -> Iterator[tuple[Table, Chain, Rule]]:
        for table in self.tables:
            for chain, rule in table.rules():
                yield table, chain, rule
