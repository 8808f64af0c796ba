"""The state of a connection is tested before connection tracking has seen the packet.

## What it does
Reports tests such as `ct state` and `--ctstate` in base chains whose priority is -200 or lower
(the raw table), and in chains that only these call. There every packet has the state invalid,
or untracked behind a notrack; says of each test whether it holds for all of them or for none.

## Why it matters
A rule in raw that is to drop invalid packets early drops all of them. One that is to spare
established connections spares none.

## Example
```
*raw
-A PREROUTING -m conntrack --ctstate INVALID -j DROP
COMMIT
```

## Fix
Test the state after conntrack: in the mangle table (priority -150), or in filter.
```
*mangle
-A PREROUTING -m conntrack --ctstate INVALID -j DROP
COMMIT
```
In nft give the chain the priority `mangle` instead of `raw`.

## When it is wrong
Packets that this host sends to itself over lo keep the connection they were sent with, so the
test tells them apart even here; so it does with the answers of a REJECT on their way out. Rules
that turn tracking off are no tests and are not reported.

## References
- nft(8), "Standard priority names": https://www.netfilter.org/projects/nftables/manpage.html
- include/uapi/linux/netfilter_ipv4.h, enum nf_ip_hook_priorities: conntrack at -200
- net/netfilter/nft_ct.c, xt_conntrack.c: a packet without a connection is invalid
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.before_conntrack import early_chains, untestable_state, untracked_packets
from iptlint.analysis.connections import tests_state
from iptlint.analysis.reach import Reason
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import dead_rules, later_copies
from iptlint.analysis.user_rules import user_rules_testing
from iptlint.findings import Cause, Confidence, Finding, Severity
from iptlint.model import Chain, Hook, Rule
from iptlint.model.ownership import is_generated
from iptlint.model.writes import Writes
from iptlint.packets.match import Matcher
from iptlint.rules.meta import Group, Meta
from iptlint.source import Origin, Span

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT209",
    name="state-before-conntrack",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
)

_LAYER_3 = ("ip", "ip6")
_SHOWN = 60


class _Test(NamedTuple):
    """``holds``: for every packet, or for none."""

    chain: Chain
    rule: Rule
    span: Span
    holds: bool


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        if {*analysis.table.family.packets} <= {*_LAYER_3}:
            by_statement: dict[Origin, list[_Test]] = {}
            for test in _tests(analysis):
                by_statement.setdefault(test.rule.statement, []).append(test)
            for tests in by_statement.values():
                yield _finding(analysis, tests)


def _tests(analysis: TableAnalysis) -> Iterator[_Test]:
    early = early_chains(analysis)
    if not early:
        return
    matcher = Matcher(analysis.space, Writes())
    states = untracked_packets(analysis)
    asking = user_rules_testing(analysis, lambda rule: any(map(tests_state, rule.matches)))
    for chain, rule in (*asking, *_never_matched(analysis)):
        if chain.name in early:
            for number, match in enumerate(rule.matches):
                if tests_state(match):
                    passing = states & matcher.test(match).may
                    if not passing.satisfiable() or passing == states:
                        span = rule.origin.part(number)
                        yield _Test(chain, rule, span, passing.satisfiable())


def _never_matched(analysis: TableAnalysis) -> Iterator[tuple[Chain, Rule]]:
    """The rules whose tests only packets over lo pass, which earlier rules take."""
    for dead in dead_rules(analysis):
        taken = dead.reason is Reason.TAKEN and dead.rule not in later_copies(analysis)
        generated = is_generated(analysis.table, dead.chain.name)
        if taken and not generated and untestable_state(analysis, dead.rule) is not None:
            yield dead.chain, dead.rule


def _finding(analysis: TableAnalysis, tests: list[_Test]) -> Finding:
    test = tests[0]
    bases = analysis.calls.bases_of(test.chain.name)
    priority = max(base.priority or 0 for base in bases)
    comes_back = any(base.hook is Hook.PREROUTING for base in bases)
    besides = ", what comes over lo aside" if comes_back else ", the answers of a reject aside"
    return META.finding(
        test.span,
        f"{_answer(tests)} here{besides}: at priority {priority} connection tracking, which comes "
        f"at -200, has not seen them, so they belong to no connection (state invalid)"
        f"{_consequence(test)}",
        _advice(analysis, test),
        likeness="early",
        causes=tuple(Cause(analysis.ruleset, part=each.rule) for each in tests),
    )


def _answer(tests: list[_Test]) -> str:
    shown = " ".join(tests[0].span.text.split())
    shown = f"`{shown}`" if len(shown) <= _SHOWN else "this test"
    holds = {test.holds for test in tests}
    if len(holds) > 1:
        return f"{shown} finds every packet invalid"
    return f"{shown} holds for {'every' if holds == {True} else 'no'} packet"


def _consequence(test: _Test) -> str:
    if test.holds and test.rule.verdict.kind.denies and len(test.rule.matches) == 1:
        return ", and all of them are dropped"
    return ""


def _advice(analysis: TableAnalysis, test: _Test) -> str:
    moved = analysis.syntax.in_table(test.rule, "mangle")
    if moved is not None:
        return f"write: {moved}"
    hook = analysis.calls.bases_of(test.chain.name)[0].hook
    assert hook is not None
    return analysis.syntax.pick(
        iptables=f"move it to *mangle: {test.rule.statement.span.text}",
        nft=f"move it to a chain behind conntrack: type filter hook {hook.value} priority mangle;",
    )
