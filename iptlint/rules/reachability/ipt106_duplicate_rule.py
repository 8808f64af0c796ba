"""The same rule stands twice in a chain.

## What it does
Finds rules of one chain that take the same packets, however their tests are ordered or
spelt, with the same verdict, the same options and the same effects. Comments and counters
may differ.

## Why it matters
A script that adds its rules again at every start leaves copies behind; each packet is
compared with all of them. Deleting one copy seems to do nothing, since the other is left.

## Example
```
*filter
-A INPUT -p tcp --dport 22 -j ACCEPT
-A INPUT -p tcp --dport 80 -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
```

## Fix
Delete the copy. In a script, test with `iptables -C` before `iptables -A`, or flush first.

## When it is wrong
Two rules with a limit, a quota or a list count apart and are never called copies, nor are
rules between which another changes what they test. `-m recent --set` twice notes each packet
twice. The same holds of two calls of a chain with such rules. Of copies behind a rule that
nothing gets past IPT101 tells. For rules that docker, kube-proxy and their like write there is
IPT855.

## References
- iptables(8), `-C`: https://man7.org/linux/man-pages/man8/iptables.8.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.cut_off import is_copy_behind
from iptlint.analysis.occasions import occasion
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import copies
from iptlint.findings import Confidence, Finding, Label, Severity, phrases
from iptlint.findings.fix import deletion
from iptlint.model import Rule, Table
from iptlint.model.ownership import writer_of
from iptlint.model.prefixes import host_bits, number
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT106",
    name="duplicate-rule",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
    fixable=True,
    leaves_to={
        "IPT855": "what software writes is no copy of the user's, reported or not",
        "IPT904": "hosts that are written with a mask are one network, and the mask is the mistake",
    },
)


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        for rules in copies(analysis):
            owner = writer_of(analysis.table, analysis.place(rules[0]).chain, rules[0])
            if owner is not None and owner.transient:
                continue  # IPT855 tells of these
            chain = analysis.place(rules[0]).chain
            if any(_is_another_host(rules[0], other) for other in rules[1:]):
                continue
            if analysis.entries[chain].is_reachable and not is_copy_behind(analysis, rules[1]):
                yield _finding(analysis, rules, chain)


def _by_one_command(analysis: TableAnalysis, rules: Sequence[Rule], chain: str) -> Finding:
    """A command of a script that is carried out several times."""
    first, second, *others = rules
    message = f"{occasion(analysis, second)}, this makes the same rule again as "
    message += f"{occasion(analysis, first)}"
    if others:
        message += f", and so it does {phrases.counted(len(others), 'more time')}"
    return META.finding(
        second.origin.span,
        message,
        "carry it out once: outside of the loop or the function, or for one of the values that "
        "make no difference",
        likeness=_likeness(analysis.table),
    )


def _likeness(table: Table) -> str:
    """Of one table: on a host those of another may be another tool's."""
    return f"copy {table.family.value} {table.name}"


_COUNTED = re.compile(r"\b(?:packets|bytes) \d+|\[\d+:\d+\]")


def _words(rule: Rule) -> list[str]:
    """Its text without counters and comment: the other rule may say it in another way."""
    text = _COUNTED.sub("", rule.origin.span.text)
    return text.replace(rule.comment or "\0", "").split()


def _is_another_host(one: Rule, other: Rule) -> bool:
    """Whether they are written for two hosts, and are the same for what is behind the mask alone:
    without it they are not."""
    pairs = [*zip(_words(one), _words(other), strict=False)]
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    return bool(differing) and all(any(map(_has_host_bits, pair)) for pair in differing)


def _has_host_bits(word: str) -> bool:
    address, slash, mask = word.partition("/")
    low, bits = number(address) or (0, 0)
    return bool(slash and bits and low & (host_bits(mask, bits) or 0))


def _finding(analysis: TableAnalysis, rules: Sequence[Rule], chain: str) -> Finding:
    by_command: dict[object, Rule] = {}
    for rule in rules:
        by_command.setdefault(rule.origin.span if rule.occasions else rule, rule)
    if len(by_command) == 1:
        return _by_one_command(analysis, rules, chain)
    first, second, *others = by_command.values()
    same = _words(first) == _words(second)
    message = f"this is the same rule as line {phrases.line(first)}"
    if not same:
        message = f"this takes the same packets as line {phrases.line(first)}, and does the same"
    if others:
        message += f", and so {'is' if len(others) == 1 else 'are'} {phrases.lines(others)}"
    again = tuple(Label(rule.origin.span, "here again") for rule in others)
    kept = again[: phrases.MAX_LABELS - 1]
    if len(again) > len(kept):
        left = len(again) - len(kept)
        kept = (*kept[:-1], Label(kept[-1].span, f"here again … and {left} more"))
    advice = "delete it" if not others else "delete all but one"
    parts = len(by_command) < len(rules) or any(rule.whole for rule in rules)
    return META.finding(
        second.origin.span,
        message,
        advice,
        related=(Label(first.origin.span, "first here"), *kept),
        likeness=_likeness(analysis.table),
        fix=None if parts else deletion(analysis.ruleset, (second, *others), advice),
    )
