"""Rules for the ICMP of the other version of IP, which nobody sends: ICMP is 1 over IPv4, and 58
over IPv6 (RFC 4443)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from iptlint.model import Family, Field, Match, Rule, Within
from iptlint.model.kinds import rules_where
from iptlint.model.ownership import is_generated
from iptlint.model.protocols import ICMP, ICMP6
from iptlint.netfilter.table_analysis import TableAnalysis


class ForeignIcmp(NamedTuple):
    """``number``: the test of the protocol. ``family``: the one that the rule is for."""

    rule: Rule
    number: int
    family: Family


def foreign_icmp(analysis: TableAnalysis) -> Iterator[ForeignIcmp]:
    """Left out are those of a command that makes rules for both: it is right for one of them."""
    table = analysis.table
    for chain, rule in rules_where(table, lambda rule: _icmp_test(rule) is not None):
        number, family = _icmp_test(rule), _family(analysis, rule)
        if number is None or family is None or is_generated(table, chain.name):
            continue
        if not _makes_others(analysis, rule):
            yield ForeignIcmp(rule, number, family)


def _icmp_test(rule: Rule) -> int | None:
    return next((n for n, match in enumerate(rule.matches) if _protocol(match)), None)


def _protocol(match: Match) -> int | None:
    """Which of the two it asks for, if it does so and asks for nothing else."""
    if not isinstance(match, Within) or match.field is not Field.PROTO or match.negated:
        return None
    return next((p for p in (ICMP, ICMP6) if match.ranges == ((p, p),)), None)


def _family(analysis: TableAnalysis, rule: Rule) -> Family | None:
    """The only one whose packets pass the rule, where the protocol is the other one's."""
    may, space = analysis.tests(rule).may, analysis.space
    four = may & space.family("ip") & space.value(Field.PROTO, ICMP6)
    six = may & space.family("ip6") & space.value(Field.PROTO, ICMP)
    for family, foreign in ((Family.IP, four), (Family.IP6, six)):
        if foreign.satisfiable() and not (may & ~foreign).satisfiable():
            return family
    return None


def _makes_others(analysis: TableAnalysis, rule: Rule) -> bool:
    span = rule.origin.span
    return any(
        other is not rule
        and other.origin.span == span
        and table.family is not analysis.table.family
        for table in analysis.ruleset.tables
        for chain in table.chains.values()
        for other in chain.rules
    )
