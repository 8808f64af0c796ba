"""A name of an interface in nft ends in `+`, which is a wildcard in iptables only.

## What it does
Finds tests of interfaces in rules of nft (`iifname "wg+"`, also in lists, sets and verdict maps)
whose name ends in `+`.

## Why it matters
In iptables `wg+` is every interface whose name begins with `wg`. In nft the wildcard is `*`, and
`+` is a letter like any other: the test is for one interface with the name `wg+`, which no host
has. What the rule accepts stays shut; what it drops gets in.

## Example
```
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "wg+" tcp dport 445 accept
    }
}
```

## Fix
`iifname "wg*"`. A named set of the type `ifname` with a wildcard among its elements needs
`flags interval`.

## When it is wrong
Where an interface is really called so.

## References
- nft(8), "META EXPRESSIONS" (iifname): https://www.netfilter.org/projects/nftables/manpage.html
- iptables(8), "-i, --in-interface": https://man7.org/linux/man-pages/man8/iptables.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.fix import Change, Fix
from iptlint.model import AnyOf, Hook, Interface, Match, Rule, Table, VerdictKind
from iptlint.model.call_graph import calls_in
from iptlint.model.kinds import rules_testing
from iptlint.rules.meta import Group, Meta
from iptlint.source import Edit, Span

META = Meta(
    code="IPT113",
    name="plus-in-nft",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.2.0",
    fixable=True,
)

_WILDCARD = "+"
_BY_THEMSELVES = (VerdictKind.ACCEPT, VerdictKind.DROP, VerdictKind.REJECT)


class Written(NamedTuple):
    """A test of a name that ends in a plus, and where it is written."""

    match: Interface
    test: Span


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        for table in ruleset.tables:
            yield from _in_table(table)


def _in_table(table: Table) -> Iterator[Finding]:
    named = rules_testing(table, _names_with_plus)
    written = {each: (chain, rule) for chain, rule in named for each in _in_tests(rule)}
    for each, (chain, rule) in written.items():
        yield _finding(each, rule, calls_in(table).hooks_of(chain.name))


def _names_with_plus(rule: Rule) -> bool:
    return any(test for match in rule.matches for test in _with_plus(match))


def _in_tests(rule: Rule) -> Iterator[Written]:
    for number, match in enumerate(rule.matches):
        for test in _with_plus(match):
            yield Written(test, rule.origin.part(number))


def _with_plus(match: Match) -> Iterator[Interface]:
    match match:
        # In iptables the plus is no part of the name: there it is the wildcard.
        case Interface(name=name, wildcard=False) if name.endswith(_WILDCARD):
            yield match
        case AnyOf(alternatives):
            for alternative in alternatives:
                for test in alternative:
                    yield from _with_plus(test)


def _finding(written: Written, rule: Rule, hooks: tuple[Hook, ...]) -> Finding:
    name = written.match.name
    start = name.removesuffix(_WILDCARD)
    return META.finding(
        written.test,
        f"this is no wildcard: nft compares with the name {name} letter by letter, plus and all",
        f'nft writes the wildcard as *: "{start}*"'
        if start
        else "leave the test out: it is for any name",
        likeness="plus",
        fix=_fix(written, rule, hooks) if start else None,
    )


def _fix(written: Written, rule: Rule, hooks: tuple[Hook, ...]) -> Fix | None:
    """The packets of all such interfaces get the rule's verdict, where it is one by itself, and the
    name stands in the rule."""
    match, test = written
    if match.negated or match.name not in test.text or rule.verdict.kind not in _BY_THEMSELVES:
        return None
    start = match.name.removesuffix(_WILDCARD)
    change = Change(rule.verdict.kind, hooks, ((replace(match, name=start, wildcard=True),),))
    text = test.text.replace(match.name, f"{start}*")
    return Fix(f"write: {text}", (Edit(test, text),), safe=False, changes=(change,))
