"""Two rules with different verdicts are for some of the same packets, so their order decides.

## What it does
Finds an accept and a DROP or REJECT in one chain that overlap without one holding the other: a
ban with a hole that an earlier accept makes, or two rules on the same fields that cross. It
names the earlier rule and a packet that both are for.

## Why it matters
Swapping the two changes who gets in, and nothing in either line says so. Whoever inserts a rule
between, or sorts the file, changes the firewall.

## Example
```
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -j DROP
```

## Fix
Put the ban first if it should hold without exception. If the exception is wanted, say so in a
comment.

## When it is wrong
Often the order is what the author meant. Silent, therefore, where one rule holds the other
(specific first, general later), for bans above accepts, for accepts of running connections and
of the loopback interface, for rules that close a chain, and for rules of software.

## References
- E. Al-Shaer, H. Hamed, *Discovery of Policy Anomalies in Distributed Firewalls*, INFOCOM
  2004 (correlation)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.evidence import shown_by
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import is_ban, later_copies, unmatched_rules
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.grouping import SHOWN
from iptlint.findings.phrases import labels, line, name, verb
from iptlint.model import AnyOf, Chain, Field, Interface, Masked, Match, Rule, VerdictKind, Within
from iptlint.model.matches import CT_STATES
from iptlint.model.ownership import is_user_chain
from iptlint.packets.packet import Packet
from iptlint.packets.union_tree import UnionTree
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT108",
    name="overlap-with-other-verdict",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
    pedantic=True,
)

_ANSWERS = {CT_STATES.index(state) for state in ("established", "related")}


class _Crossing(NamedTuple):
    """``both``: the packets that the earlier rule takes from the later one."""

    analysis: TableAnalysis
    earlier: Rule
    later: Rule
    both: PacketSet


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        analyses = context.firewall(ruleset).analyses()
        crossings = (each for analysis in analyses for each in _in_table(analysis))
        for number, crossing in enumerate(crossings):
            yield _finding(crossing, shown=number < SHOWN)


def _in_table(analysis: TableAnalysis) -> Iterator[_Crossing]:
    for chain in analysis.table.chains.values():
        if is_user_chain(analysis.table, chain.name):
            yield from _in_chain(analysis, chain)


def _in_chain(analysis: TableAnalysis, chain: Chain) -> Iterator[_Crossing]:
    others = unmatched_rules(analysis) | later_copies(analysis)
    decides = [_decides(rule) and rule not in others for rule in chain.rules]
    kinds = [rule.verdict.kind for rule in chain.rules]
    accepts = _of(
        analysis, chain, [d and not k.denies for d, k in zip(decides, kinds, strict=True)]
    )
    denials = _of(analysis, chain, [d and k.denies for d, k in zip(decides, kinds, strict=True)])
    for number, rule in enumerate(chain.rules):
        if not decides[number]:
            continue
        accepting = rule.verdict.kind is VerdictKind.ACCEPT
        if accepting or is_ban(rule):
            earlier = _crossing(analysis, chain, number, denials if accepting else accepts)
            if earlier is not None:
                yield _Crossing(analysis, chain.rules[earlier[0]], rule, earlier[1])


def _of(analysis: TableAnalysis, chain: Chain, wanted: list[bool]) -> UnionTree | None:
    """For searches among the rules that are wanted; None where there is none."""
    tests = analysis.flows[chain.name].tests
    nothing = analysis.space.false
    sets = [each.may if want else nothing for each, want in zip(tests, wanted, strict=True)]
    return UnionTree(sets) if any(wanted) else None


def _decides(rule: Rule) -> bool:
    """Whether it is for someone or something, and not for what is asked for or at home."""
    plain = rule.verdict.kind.decides and rule.read and rule.whole is None
    return plain and not any(map(_is_idiom, rule.matches))


def _is_idiom(match: Match) -> bool:
    match match:
        case Within(Field.CT_STATE, ranges, negated=False):
            return any(low <= state <= high for low, high in ranges for state in _ANSWERS)
        case Interface(name="lo"):
            return True
        case _:
            return False


def _crossing(
    analysis: TableAnalysis, chain: Chain, number: int, earlier: UnionTree | None
) -> tuple[int, PacketSet] | None:
    """The last rule before that takes packets of this one, and some that are not its own."""
    rule, flow = chain.rules[number], analysis.flows[chain.name]
    own = flow.tests[number].may & analysis.entries[chain.name].intended
    last = earlier.last(number, own) if earlier else None
    if last is None:
        return None
    other = flow.tests[last].sure & analysis.entries[chain.name].intended
    both = flow.arriving_at(last, own & other)
    crosses = (own & ~other).satisfiable() and (other & ~own).satisfiable()
    same = rule.verdict.kind.denies or _fields(rule) == _fields(chain.rules[last])
    return (last, both) if crosses and same and both.satisfiable() else None


def _fields(rule: Rule) -> frozenset[Field | None]:
    """What the rule looks at."""
    return frozenset(field for match in rule.matches for field in _looked_at(match))


def _looked_at(match: Match) -> Iterator[Field | None]:
    match match:
        case Within(Field.FRAGMENT | Field.FAMILY):
            return
        case Within(field) | Masked(field) | Interface(field):
            yield field
        case AnyOf(alternatives):
            for alternative in alternatives:
                for test in alternative:
                    yield from _looked_at(test)
        case _:
            yield None


def _finding(crossing: _Crossing, *, shown: bool) -> Finding:
    """``shown``: with a packet, which takes a while to find; of many only the first are told."""
    _, earlier, later, _ = crossing
    return META.finding(
        later.origin.span,
        f"line {line(earlier)} {verb(earlier.verdict.kind)} some of the packets that this"
        f" {name(later)} is for, and only because it comes first",
        f"move it above line {line(earlier)} if it should have no exception; else say in a comment"
        " that the order matters",
        related=labels([earlier], "what both are for"),
        witness=_witness(crossing) if shown else None,
        likeness="order decides",
    )


def _witness(crossing: _Crossing) -> Packet | None:
    """A packet that both are for, and the earlier one takes."""
    analysis, earlier, _, both = crossing
    return shown_by(analysis, analysis.place(earlier).chain, (earlier,), both)
