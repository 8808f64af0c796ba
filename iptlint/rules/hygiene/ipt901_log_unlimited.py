"""Anyone can fill the log: packets of strangers are logged without a limit.

## What it does
Finds LOG, NFLOG and `log` rules that packets from the world get to, on the whole way from the
hook, without passing a limit. Packets that anyone can send count: new, invalid or untracked
ones from any public address, on an interface that faces the world. It is an information for
NFLOG and `log group`, whose packets go to a program of its own.

## Why it matters
A port scan or a flood writes a line a packet. The kernel log pushes out what matters, syslog
writes it to the disk until that is full, and writing slows the host down while it is attacked.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -j LOG --log-prefix "dropped: "
COMMIT
```

## Fix
`-A INPUT -m limit --limit 5/min --limit-burst 10 -j LOG --log-prefix "dropped: "`; in nft, in a
rule of its own before the verdict, `limit rate 5/minute burst 10 packets log prefix "dropped: "`.

## When it is wrong
Where every packet has to be on record, or the reader of the log limits what it writes. Silent
where a limit, a list that changes or an unknown extension stands on the way; for lists of
sources; for packets of private networks; and in chains that managers and daemons write.

## References
- iptables-extensions(8), LOG and limit:
  https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- nft(8), "LOG STATEMENT" and "LIMIT STATEMENT":
  https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.log_flood import LogFlood, logs
from iptlint.analysis.reordering import is_uncertain
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import unmatched_rules
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.fix import Fix, rewriting
from iptlint.findings.grouping import SHOWN
from iptlint.findings.per_family import for_each_family
from iptlint.model import Hook, Rule
from iptlint.model.kinds import rules_testing
from iptlint.model.ownership import is_user_chain
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta
from iptlint.source import Origin

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT901",
    name="log-unlimited",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.HYGIENE,
    since="0.1.0",
    fixable=True,
)

_HOOKS = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD)
_NFT_LIMIT = "limit rate 5/minute burst 10 packets"


def check(context: Context) -> Iterator[Finding]:
    yield from for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    reported: set[Origin] = set()
    wanted = [
        (analysis, rule) for analysis in hooks.firewall.analyses() for rule in _logging(analysis)
    ]
    for hook in _HOOKS if wanted else ():
        flood = LogFlood(hooks, hook)
        for analysis, rule in wanted:
            statement, chain = rule.statement, analysis.place(rule).chain
            if statement in reported or hook not in analysis.calls.hooks_of(chain):
                continue
            packets = flood.reaching(analysis, rule)
            if packets.satisfiable():
                reported.add(statement)
                yield META.finding(
                    statement.span,
                    f"anyone can fill the log: {_all_of(rule)} is logged, and no limit is on its"
                    " way",
                    _advice(analysis, rule),
                    # Of many alike only the first are reported.
                    witness=witness(hooks.space, packets, hook) if len(reported) <= SHOWN else None,
                    severity=Severity.INFO if _is_to_a_program(rule) else None,
                    likeness=f"unlimited {_is_to_a_program(rule)}",
                    fix=_fix(analysis, rule),
                )


def _all_of(rule: Rule) -> str:
    passing = " and passes its tests" * bool(rule.matches)
    return f"every packet from the world that comes here{passing}"


def _logging(analysis: TableAnalysis) -> Iterator[Rule]:
    return (
        rule
        for chain, rule in rules_testing(analysis.table, _logs_all)
        if is_user_chain(analysis.table, chain.name) and rule not in unmatched_rules(analysis)
    )


def _logs_all(rule: Rule) -> bool:
    """Whether it logs all that its tests are for."""
    return logs(rule) and rule.read and not any(map(is_uncertain, rule.matches))


def _is_to_a_program(rule: Rule) -> bool:
    return any(effect.to_program for effect in rule.effects)


def _fix(analysis: TableAnalysis, rule: Rule) -> Fix | None:
    """Less is logged by it, which somebody may not want."""
    limited = "; ".join(analysis.syntax.with_limit(rule))
    return rewriting(analysis.ruleset, rule, limited or None, safe=False)


def _advice(analysis: TableAnalysis, rule: Rule) -> str:
    syntax = analysis.syntax
    limited = syntax.with_limit(rule)
    if limited:
        return ("two rules: " if len(limited) > 1 else "") + "; ".join(limited)
    return syntax.pick(
        iptables="give the LOG a line of its own, with `-m limit --limit 5/min --limit-burst 10`",
        nft=f"put `{_NFT_LIMIT}` before the log, in a rule without a verdict",
    )
