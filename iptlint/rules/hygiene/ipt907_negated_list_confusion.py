"""Two negated rules in a row that together match everything.

## What it does
Finds two rules, one behind the other, with the same verdict, each with a negated test (`!`,
`!=`) of the same thing, so that every packet passes one test or the other. Proved over all
packets: each rule alone leaves some, the two together leave none.

## Why it matters
Whoever writes "not A, drop" and then "not B, drop" means that A and B are let through. But a
packet from A is not from B, so the second rule drops it, and nobody gets further. With ACCEPT
instead of DROP, everybody is accepted.

## Example
```
-A INPUT ! -s 198.51.100.0/24 -p tcp -m tcp --dport 22 -j DROP
-A INPUT ! -s 203.0.113.7/32 -p tcp -m tcp --dport 22 -j DROP
```

## Fix
One test for both: accept `-s 198.51.100.0/24,203.0.113.7/32` and drop what is left, or compare
with a set: `-m set ! --match-set admins src -j DROP`; in nft
`ip saddr != { 198.51.100.0/24, 203.0.113.7 } tcp dport 22 drop`.

## When it is wrong
It is never wrong about what happens. Whether it is meant, only the author knows; then one rule
without the negated tests says it plainly. Where a rule between the two ends the way of some
packets, nothing is said.

## References
- iptables(8), "!": https://man7.org/linux/man-pages/man8/iptables.8.html
- nft(8), "EXPRESSIONS": https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.evidence import shown_by
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.phrases import line, verb
from iptlint.model import AnyOf, Chain, Field, Interface, Masked, Match, Rule, VerdictKind, Within
from iptlint.model.kinds import examples
from iptlint.model.ownership import is_user_chain
from iptlint.model.syntax import Syntax
from iptlint.packets.packet import Packet
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT907",
    name="negated-list-confusion",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.HYGIENE,
    since="0.1.0",
)

_OF_NFT = (Field.FAMILY,)


class _Negated(NamedTuple):
    """A rule, the negated test that its neighbour has another one for, by its place, and the
    tests that both have."""

    rule: Rule
    place: int
    test: Match
    others: frozenset[Match]

    @property
    def about(self) -> Field | None:
        return _about(self.test)


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        for table in ruleset.tables:
            for chain in table.chains.values():
                pairs = [*_pairs(chain)] if is_user_chain(table, chain.name) else []
                for first, second in pairs:
                    yield from _finding(context.firewall(ruleset).analysis(table), first, second)


def _pairs(chain: Chain) -> Iterator[tuple[_Negated, _Negated]]:
    """Neighbours that are alike but for what they negate; what goes on does not part them."""
    if not any(map(_negates, examples(chain))):
        return
    deciding = (rule for rule in chain.rules if rule.verdict.kind is not VerdictKind.CONTINUE)
    for one, two in pairwise(deciding):
        if one.verdict == two.verdict and _negates(one) and _negates(two):
            first, second = _negated(one, two), _negated(two, one)
            if first and second and first.about is second.about:
                yield first, second


def _negates(rule: Rule) -> bool:
    kind = rule.verdict.kind
    answers = kind.decides or kind is VerdictKind.RETURN
    whole = rule.whole is None and rule.read
    return answers and whole and any(_about(match) is not None for match in rule.matches)


def _negated(rule: Rule, neighbour: Rule) -> _Negated | None:
    """The rule, if one negated test is all that its neighbour does not have too."""
    own = [n for n, match in enumerate(rule.matches) if match not in neighbour.matches]
    if len(own) != 1 or _about(rule.matches[own[0]]) is None:
        return None
    others = (match for number, match in enumerate(rule.matches) if number != own[0])
    return _Negated(rule, own[0], rule.matches[own[0]], frozenset(others))


def _about(match: Match) -> Field | None:
    """The field that the test negates; None where it negates nothing."""
    match match:
        case Within(field, negated=True) | Masked(field, negated=True):
            return field
        case Interface(field, negated=True):
            return field
        case AnyOf(((Within(field), *_), *_), negated=True):
            return field
        case _:
            return None


def _finding(analysis: TableAnalysis, first: _Negated, second: _Negated) -> Iterator[Finding]:
    one, two = analysis.tests(first.rule), analysis.tests(second.rule)
    if one.may != one.sure or two.may != two.sure:
        return
    matcher = analysis.matcher_of(analysis.place(first.rule).chain)
    meant = matcher.all_of(first.others, analysis.space.universe).may
    entering = meant & analysis.entries[analysis.place(first.rule).chain].intended
    if _leaves(meant, one.may | two.may) or not analysis.is_matched(second.rule):
        return
    if not _leaves(entering, one.may) or not _leaves(entering, two.may):
        return
    syntax = analysis.syntax
    values = syntax.value(first.rule, first.place), syntax.value(second.rule, second.place)
    yield META.finding(
        second.rule.origin.span,
        _message(values, first, second),
        _advice(values, second, syntax),
        related=(Label(first.rule.origin.span, "the other one"),),
        witness=_witness(analysis, second.rule),
    )


def _witness(analysis: TableAnalysis, rule: Rule) -> Packet | None:
    """A packet that the rule takes."""
    return shown_by(analysis, analysis.place(rule).chain, (rule,), analysis.matched(rule))


def _leaves(packets: PacketSet, taken: PacketSet) -> bool:
    return (packets & ~taken).satisfiable()


def _message(values: tuple[str, str], first: _Negated, second: _Negated) -> str:
    kind = second.rule.verdict.kind
    others = any(getattr(match, "field", None) not in _OF_NFT for match in second.others)
    those = "every packet that passes their other tests" if others else "every packet"
    return (
        f"line {line(first.rule)} {verb(kind)} what is not {values[0]}, and this rule"
        f" {verb(kind)} what is not {values[1]}: no packet is both, so together they"
        f" {verb(kind, plural=True)} {those}"
    )


def _advice(values: tuple[str, str], second: _Negated, syntax: Syntax) -> str:
    verdict = second.rule.verdict.name
    mended = syntax.with_negated(
        second.rule, second.place, [value.strip("{} ") for value in values]
    )
    if mended is not None:
        return f"if both were meant: {mended}"
    return (
        f"if both were meant, send {values[0]} and {values[1]} past the {verdict} in a rule above"
        f" it, and {verdict} the rest without `!`"
    )
