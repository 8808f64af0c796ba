"""Rules that lack a part: what to do with the packets, or which kind of number a number is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from iptlint.model import Chain, Family, Field, Match, Rule, VerdictKind, Within
from iptlint.model.kinds import numbers_where, rules_where
from iptlint.model.owners import owner_of_name
from iptlint.model.syntax import Syntax
from iptlint.netfilter.table_analysis import TableAnalysis

_NUMBER = re.compile(r"\d{1,3}")
_COUNTS = re.compile(r"count|acct|traffic|usage|stat(?:s|istic)|measure|bytes", re.IGNORECASE)
_ADDRESSES = (Family.IP.saddr, Family.IP.daddr)
_MOST = 2
"""As many are forgotten; more are there to count."""


class BareNumber(NamedTuple):
    """An address that is written as one number: ``-d 53`` is 53.0.0.0."""

    rule: Rule
    part: int
    written: str
    address: str


def bare_numbers(analysis: TableAnalysis) -> Iterator[BareNumber]:
    for _, rule in rules_where(analysis.table, _tests_an_address):
        yield from _bare_in(analysis.syntax, rule)


def _tests_an_address(rule: Rule) -> bool:
    return any(isinstance(match, Within) and match.field in _ADDRESSES for match in rule.matches)


def has_bare_number(syntax: Syntax, rule: Rule) -> bool:
    return any(_bare_in(syntax, rule))


def _bare_in(syntax: Syntax, rule: Rule) -> Iterator[BareNumber]:
    for part, octet in _numbers_in(rule):
        span = rule.origin.part(part)
        if _NUMBER.fullmatch(syntax.value(rule, part)) and span != rule.origin.span:
            yield BareNumber(rule, part, span.text, f"{octet}.0.0.0")


def _numbers_in(rule: Rule) -> Iterator[tuple[int, int]]:
    """The tests for a single address that ends in zeros, each with its first octet."""
    for part, match in enumerate(rule.matches):
        if isinstance(match, Within) and match.field in _ADDRESSES:
            (low, high), *more = match.ranges
            if low == high and low and not (low & 0xFFFFFF or more):
                yield part, low >> 24


def without_target(analysis: TableAnalysis) -> Iterator[tuple[Chain, Rule]]:
    """Rules of iptables for ports, states or recent senders that do nothing with them, where their
    neighbours do: one or two, as more are there to count; or all that there are before a last one
    that denies everything."""
    if analysis.syntax.makes_base_chains:
        return
    for chain in analysis.table.chains.values():
        idle = [chain.rules[number] for number in numbers_where(chain, _has_no_target)]
        few = 0 < len(idle) <= _MOST and 3 * len(idle) < len(chain.rules)
        forgotten = few or (idle and _is_all_before_a_closing_one(chain, idle))
        if forgotten and owner_of_name(chain.name) is None and not _COUNTS.search(chain.name):
            yield from ((chain, rule) for rule in idle)


def _is_all_before_a_closing_one(chain: Chain, idle: Sequence[Rule]) -> bool:
    """Whether these, rules for ports at least, are all that there is but for a last rule or a
    policy that denies whatever is left: what they are for is shut out."""
    *others, last = chain.rules
    for_ports = all(any(_tests_a_port(match) for match in rule.matches) for rule in idle)
    return last.denies_all and for_ports and len(others) == len(idle)


def _tests_a_port(match: Match) -> bool:
    return isinstance(match, Within) and match.field in (Field.DPORT, Field.SPORT)


def _has_no_target(rule: Rule) -> bool:
    if not rule.read or rule.effects or rule.is_policy or not rule.matches:
        return False
    said = _COUNTS.search(rule.comment or "")
    return rule.verdict.kind is VerdictKind.CONTINUE and not rule.verdict.name and not said
