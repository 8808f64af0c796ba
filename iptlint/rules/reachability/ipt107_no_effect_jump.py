"""A jump leads to a chain that does nothing with the packets it sends.

## What it does
Reports a jump to an empty chain, and a jump whose packets match no rule of the chain. And a rule of
iptables without a target, where it is one of two at most among many that have one: it only counts.

## Why it matters
The jump reads as if something were decided or counted there. Often the rules were lost, or
were written for other packets than those that are sent.

## Example
```
*filter
:INPUT DROP [0:0]
:dns - [0:0]
-A INPUT -p tcp --dport 22 -j dns
-A dns -p udp --dport 53 -j ACCEPT
COMMIT
```

## Fix
Delete the jump, or mend its tests or those of the chain.

## When it is wrong
Where a program fills the chain at run time. Silent for the chains of software iptlint knows,
and for empty chains whose name says that someone is to fill them (`local`, `custom`, `user`,
`blacklist`, `dynamic`, `override` …), or whose rules stand in remarks.

## References
- iptables(8): https://man7.org/linux/man-pages/man8/iptables.8.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.half_written import without_target
from iptlint.analysis.occasions import is_refused
from iptlint.analysis.reach import Reason
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import dead_in, later_copies, unmatched_rules
from iptlint.findings import Confidence, Finding, Label, Severity, phrases
from iptlint.findings.fix import Fix, deletion
from iptlint.model import Chain, Rule, VerdictKind
from iptlint.model.names import is_for_users
from iptlint.model.owners import owner_of_name
from iptlint.model.ownership import owner_of_chain
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT107",
    name="no-effect-jump",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
    fixable=True,
    leaves_to={
        "IPT106": "one finding is for all jumps to a chain, the copies left out",
    },
)


_FILLED = "fill the chain"
_MENDED = "mend its tests or those of the chain"


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        for name, chain in analysis.table.chains.items():
            jumps = [rule for rule in _jumps(analysis, name) if analysis.is_matched(rule)]
            if not jumps or owner_of_chain(analysis.table, name) is not None:
                continue
            if all(map(_only_returns, chain.rules)) and _is_filled(analysis, name):
                continue
            if not chain.rules:
                if not is_refused(analysis.ruleset, name) and not _waits(analysis, chain):
                    yield _to_empty(analysis, chain, jumps)
            elif not _explained(analysis, chain):
                yield from _past_all_rules(analysis, chain, jumps)
        yield from (_no_target(rule) for _, rule in without_target(analysis))


def _no_target(rule: Rule) -> Finding:
    return META.finding(
        rule.origin.span,
        "this rule has no `-j`: it counts its packets, and leaves them to the rules below",
        "give it the target that is missing (-j ACCEPT, -j DROP), or delete it",
        severity=Severity.WARNING,
        likeness="no target",
    )


def _is_filled(analysis: TableAnalysis, chain: str) -> bool:
    """Whether people put rules into the chain by hand, or files that are not here may."""
    script = analysis.ruleset.script
    return is_for_users(chain) or (script is not None and script.lacks_files)


def _waits(analysis: TableAnalysis, chain: Chain) -> bool:
    """Whether its rules stand in remarks: who left them out knows that it is empty."""
    return analysis.syntax.has_rules_left_out(chain)


def _only_returns(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.RETURN and not rule.matches


def _jumps(analysis: TableAnalysis, name: str) -> Iterator[Rule]:
    """The jumps to the chain that do nothing else; a goto ends its own chain. Copies of a jump
    left out."""
    again = later_copies(analysis)
    for caller, number in analysis.calls.callers(name):
        rule = analysis.table.chains[caller].rules[number]
        plain = rule.verdict.kind is VerdictKind.JUMP and not rule.effects
        if plain and rule not in again and owner_of_name(caller) is None:
            yield rule


def _to_empty(analysis: TableAnalysis, chain: Chain, jumps: Sequence[Rule]) -> Finding:
    spans = [*dict.fromkeys(rule.origin.span for rule in jumps)]  # in a loop there are several
    others = tuple(Label(span, "here too") for span in spans[1 : phrases.MAX_LABELS])
    return META.finding(
        jumps[0].origin.span,
        f"this jump does nothing: the chain {chain.name} is empty",
        f"delete the jump, or {_FILLED}",
        related=(Label(analysis.declaration_of(chain), "declared here, without rules"), *others),
        likeness="empty",
        fix=_deletion(analysis, jumps, _FILLED),
    )


def _past_all_rules(
    analysis: TableAnalysis, chain: Chain, jumps: Sequence[Rule]
) -> Iterator[Finding]:
    if len(analysis.calls.callers(chain.name)) == 1 and _is_matched(analysis, chain):
        return
    useful = {j for j in jumps if _does_something(analysis, chain, analysis.matched(j))}
    commands = {jump.origin.span for jump in useful}  # each with all rounds of its loop
    for jump in jumps:
        if jump.origin.span not in commands:
            yield META.finding(
                jump.origin.span,
                f"this jump does nothing: no packet that it sends matches a rule of {chain.name}",
                f"delete the jump, or {_MENDED}",
                related=(Label(chain.rules[0].origin.span, f"the rules of {chain.name}"),),
                fix=_deletion(analysis, [jump], _MENDED),
            )


def _deletion(analysis: TableAnalysis, jumps: Sequence[Rule], otherwise: str) -> Fix | None:
    """Somebody may fill the chain while the host runs, so that is not safe."""
    if any(jump.whole for jump in jumps):
        return None
    says = "delete the jump" if len(jumps) == 1 else f"delete the {len(jumps)} jumps"
    return deletion(analysis.ruleset, jumps, says, safe=False, otherwise=otherwise)


def _is_matched(analysis: TableAnalysis, chain: Chain) -> bool:
    """Whether a rule of the chain, other than a closing RETURN, is known to match something."""
    dead = unmatched_rules(analysis)
    return any(
        rule not in dead
        for rule in chain.rules
        if rule.read and not rule.is_policy
        if not _only_returns(rule)
    )


def _does_something(analysis: TableAnalysis, chain: Chain, packets: PacketSet) -> bool:
    """Whether a rule of the chain, other than a closing RETURN, matches some of the packets."""
    flow = analysis.flows[chain.name]
    return any(
        flow.arriving_at(number, packets & flow.tests[number].may).satisfiable()
        for number, rule in enumerate(chain.rules)
        if not _only_returns(rule)
    )


def _explained(analysis: TableAnalysis, chain: Chain) -> bool:
    """Whether no rule of the chain can match, and findings on the rules say why."""
    dead = [each.reason for each in dead_in(analysis, chain)]
    return len(dead) == len(chain.rules) and set(dead) != {Reason.NOT_SENT}
