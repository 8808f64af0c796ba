"""A rule asks for the state of a connection by `-m state`, the old name of `-m conntrack`.

## What it does
Reports rules of iptables with `-m state --state`, once for a file that has many of them, and
prints the line with `-m conntrack --ctstate` instead.

## Why it matters
`state` is a mere alias of `conntrack` for many years now, kept so that old files load. It knows
neither SNAT, DNAT nor the direction of a packet, and two spellings of one test hide that two
rules are the same.

## Example
```
*filter
-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
COMMIT
```

## Fix
```
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
```

## When it is wrong
Nothing breaks: both names do the same. A file that very old systems load too may need `state`.

## References
- iptables-extensions(8), "state": a subset of "conntrack":
  https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.connections import tests_state
from iptlint.analysis.session import Context
from iptlint.analysis.user_rules import user_rules_testing
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.fix import rewriting
from iptlint.model import Rule
from iptlint.model.syntax import Syntax
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT206",
    name="state-alias",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
    fixable=True,
    pedantic=True,
)


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        for _, rule in user_rules_testing(analysis, _tests_state):
            for part, renamed in _renamed(rule, analysis.syntax):
                yield META.finding(
                    rule.origin.part(part),
                    "`-m state` is the old name of `-m conntrack`",
                    f"write: {renamed}",
                    likeness="alias",
                    fix=rewriting(analysis.ruleset, rule, renamed),
                )
                break


def _tests_state(rule: Rule) -> bool:
    return any(map(tests_state, rule.matches))


def _renamed(rule: Rule, syntax: Syntax) -> Iterator[tuple[int, str]]:
    """The tests by the old name, with the rule as it reads by the new one."""
    for part, match in enumerate(rule.matches):
        renamed = syntax.with_present_state_test(rule, part) if tests_state(match) else None
        if renamed is not None:
            yield part, renamed
