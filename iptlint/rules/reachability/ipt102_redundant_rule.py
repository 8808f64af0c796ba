"""A rule changes nothing: other rules do the same with all of its packets.

## What it does
Reports a rule whose packets earlier rules take with the same verdict, and a rule without
which later rules would decide the same for every packet that it decides. Both are proofs
over every packet, through every call. What a third rule above both takes is no matter: it is
the exception from both.

## Why it matters
It costs a comparison and, more, a reader: whoever deletes it to close a port, or keeps it to
hold one open, is mistaken.

## Example
```
*filter
-A INPUT -p tcp --dport 443 -j ACCEPT
-A INPUT -s 198.51.100.0/24 -p tcp --dport 443 -j ACCEPT
COMMIT
```

## Fix
Delete the rule, or narrow the one that covers it if that was the intention.

## When it is wrong
Where the rule is there to count its packets, or to spare most traffic the way through a long
chain. Silent, therefore, for rules with a comment that have counted packets, for early
accepts of established connections and of the loopback interface, for chains that software
writes, where only a policy or a closing rule decides the same, for a rule that denies whatever is
left at the end of a chain, and where several drop odd tcp flags.

## References
- iptables(8): https://man7.org/linux/man-pages/man8/iptables.8.html
- E. Al-Shaer, H. Hamed, *Discovery of Policy Anomalies in Distributed Firewalls*, INFOCOM
  2004 (redundancy)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.cut_off import CutOff, cut_off_runs, shadowed_alone
from iptlint.analysis.evidence import shown_by
from iptlint.analysis.redundancy import Redundant, needless
from iptlint.analysis.script_lockouts import makes_more
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import Shadowed, copies, unmatched_rules
from iptlint.findings import Cause, Confidence, Finding, Severity, Telling, phrases, shadowing
from iptlint.findings.fix import Fix, deletion
from iptlint.memo import memo
from iptlint.model import Field, Interface, Masked, Match, Rule, VerdictKind, Within
from iptlint.model.matches import CT_STATES
from iptlint.model.owners import Owner, owner_of_name
from iptlint.model.ownership import holds_user_rules, owner_of_chain, owners_of_interfaces
from iptlint.packets.packet import Packet
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT102",
    name="redundant-rule",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
    fixable=True,
    yields_to=("IPT101", "IPT114"),
    leaves_to=dict.fromkeys(
        ("IPT106", "IPT853"),
        "what is left says which later rules decide the same",
    ),
)

_KEPT = "keep it if it is there to count packets or to spare them the rules between"

_ANSWERS = {CT_STATES.index(state) for state in ("established", "related")}


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        for cut in cut_off_runs(analysis):
            if not any(shadowed.differs for shadowed in cut.shadowed) and not _is_owned(
                analysis, cut.by
            ):
                yield _cut_off(analysis, cut)
        alone = [
            shadowed
            for shadowed in shadowed_alone(analysis)
            if not shadowed.differs
            and not _is_owned(analysis, shadowed.rule)
            and not _is_closing(analysis, shadowed.rule)
            and not _is_hygiene((shadowed.rule, *shadowed.blockers))
        ]
        likenesses = shadowing.likenesses(analysis, alone)
        for shadowed in alone:
            yield _taken(analysis, shadowed, likenesses[shadowed.rule])
        copied = {rule for rules in copies(analysis) for rule in rules}

        def wanted(
            rule: Rule, analysis: TableAnalysis = analysis, copied: set[Rule] = copied
        ) -> bool:
            kept = rule.is_policy or rule in copied or _is_owned(analysis, rule) or _is_kept(rule)
            return not (kept or makes_more(analysis, rule))

        covered = [
            redundant
            for redundant in needless(analysis, wanted, unmatched_rules(analysis))
            if not _is_hygiene((redundant.rule, *redundant.later))
        ]
        together = shadowing.together(
            analysis, [(each.rule, shadowing.cause(each.rule, each.later)) for each in covered]
        )
        for redundant in covered:
            yield _covered(analysis, redundant, together[redundant.rule])


def _is_closing(analysis: TableAnalysis, rule: Rule) -> bool:
    """Whether it denies all that is left at the end of a chain: in case that one day something
    is."""
    chain, number = analysis.place(rule)
    last = number + 1 == len(analysis.table.chains[chain].rules)
    return last and rule.denies_all


def _is_hygiene(rules: Sequence[Rule]) -> bool:
    """Whether all of them deny packets with tcp flags that no connection has: lists of such are
    copied from each other, overlap, and cost nothing."""
    return all(rule.verdict.kind.denies and any(map(_asks_flags, rule.matches)) for rule in rules)


def _asks_flags(match: Match) -> bool:
    return isinstance(match, Masked | Within) and match.field is Field.TCP_FLAGS


def _is_owned(analysis: TableAnalysis, rule: Rule) -> bool:
    """Whether software wrote the rule: in a chain of its own, or for an interface of its own."""
    chain = analysis.place(rule).chain
    if owner_of_chain(analysis.table, chain) is not None:
        return not holds_user_rules(analysis.table, chain)
    return not _owners(analysis).isdisjoint(owners_of_interfaces(rule))


@memo
def _owners(analysis: TableAnalysis) -> frozenset[Owner]:
    """The software that has chains in the table."""
    owners = map(owner_of_name, analysis.table.chains)
    return frozenset(owner for owner in owners if owner is not None)


def _cut_off(analysis: TableAnalysis, cut: CutOff) -> Finding:
    return META.finding(
        cut.shadowed[0].span,
        shadowing.message(analysis, cut),
        "delete them",
        related=shadowing.labels_of(cut),
        fix=None if cut.copies else _deletion(analysis, cut.shadowed, "delete them"),
    )


def _taken(analysis: TableAnalysis, shadowed: Shadowed, likeness: str) -> Finding:
    what = f"{shadowing.this_one(analysis, shadowed)} changes nothing"
    return META.finding(
        shadowed.span,
        f"{what}: {shadowing.in_short(analysis, shadowed)}",
        _ONE_OF_SEVERAL if makes_more(analysis, shadowed.rule) else "delete it",
        related=shadowing.labels(shadowed),
        likeness=likeness,
        fix=_deletion(analysis, (shadowed,), "delete it"),
        causes=(Cause(analysis.ruleset, part=shadowed.rule),),
        later=lambda: Telling(f"{what}: {shadowing.actions(analysis, shadowed, 'already')}"),
    )


def _deletion(analysis: TableAnalysis, lost: Sequence[Shadowed], says: str) -> Fix | None:
    rules = [shadowed.rule for shadowed in lost]
    if any(makes_more(analysis, rule) for rule in rules) or not all(s.is_whole for s in lost):
        return None
    return deletion(analysis.ruleset, rules, says)


_ONE_OF_SEVERAL = "keep the line: it makes other rules too; leave out the value that makes this one"


def _covered(analysis: TableAnalysis, redundant: Redundant, likeness: str) -> Finding:
    ending = "them too" if len(redundant.later) == 1 else "some of them too"
    message = (
        f"without this {phrases.name(redundant.rule)} nothing would change: "
        + phrases.actions(redundant.later, "all of these packets too")
    )
    return META.finding(
        redundant.rule.origin.span,
        message,
        f"delete it; {_KEPT}",
        related=phrases.labels(redundant.later, ending),
        likeness=likeness,
        fix=deletion(analysis.ruleset, [redundant.rule], "delete it", otherwise=_KEPT),
        later=lambda: Telling(message, _witness(analysis, redundant.rule)),
    )


def _witness(analysis: TableAnalysis, rule: Rule) -> Packet | None:
    """A packet that the rule takes."""
    return shown_by(analysis, analysis.place(rule).chain, (rule,), analysis.tests(rule).may)


def _is_kept(rule: Rule) -> bool:
    """Whether there is a reason for the rule other than its verdict, or it is only a part of
    one."""
    if rule.whole is not None:
        return True
    counts = rule.comment is not None and rule.counters is not None and rule.counters[0] > 0
    early = rule.verdict.kind is VerdictKind.ACCEPT and any(map(_takes_most, rule.matches))
    return counts or early


def _takes_most(match: Match) -> bool:
    match match:
        case Within(Field.CT_STATE, ranges, negated):
            states = {state for low, high in ranges for state in range(low, high + 1)}
            return bool(_ANSWERS - states) if negated else bool(_ANSWERS & states)
        case Interface(Field.IIF | Field.OIF, "lo", False, False):
            return True
        case _:
            return False
