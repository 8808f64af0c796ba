"""Rules that send each value of a field elsewhere can be one verdict map.

## What it does
Finds four or more rules of nft, one behind the other, that are alike but for one value (a port,
an interface, an address, a mark …) and for what they do with the packet. One `vmap` does the
same.

## Why it matters
A packet is compared with the rules one by one, and the last value waits longest. A verdict map
finds the value in one step, however many there are, and shows in one place what goes where.

## Example
```
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        iifname "lan0" jump from_lan
        iifname "dmz0" jump from_dmz
        iifname "wg0" jump from_vpn
        iifname "wan0" jump from_wan
    }
    chain from_lan { tcp dport 22 accept; }
    chain from_dmz { tcp dport 53 accept; }
    chain from_vpn { tcp dport 22 accept; }
    chain from_wan { tcp dport 443 accept; }
}
```

## Fix
`iifname vmap { "lan0" : jump from_lan, "dmz0" : jump from_dmz, "wg0" : jump from_vpn,
"wan0" : jump from_wan }`

## When it is wrong
It never changes what happens to a packet: the values exclude each other, the other tests are
equal, and nothing on the way changes the field. Rules with comments, counters, logs or limits
are left as they are, and so are tables that iptables looks after, and rules that all do the
same: they want a set.

## References
- nft(8), "VMAP STATEMENT": https://www.netfilter.org/projects/nftables/manpage.html
- nftables wiki, "Verdict Maps (vmaps)"
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.fix import replacement
from iptlint.findings.phrases import counted
from iptlint.model import (
    Chain,
    Field,
    Interface,
    Match,
    Rule,
    Ruleset,
    Verdict,
    VerdictKind,
    Within,
)
from iptlint.model.owners import owner_of_table
from iptlint.model.ownership import made_by_iptables
from iptlint.model.syntax import Syntax
from iptlint.model.writes import writes_of
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT505",
    name="verdict-map",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.SCALE,
    since="0.1.0",
    fixable=True,
    leaves_to={
        "IPT501": "a list of addresses belongs into a set, reported or not",
    },
)

_FEWEST = 4
_LIST = 6
"""So many addresses with one verdict are IPT501's."""

_IN_MAPS = {
    VerdictKind.ACCEPT: "accept",
    VerdictKind.DROP: "drop",
    VerdictKind.RETURN: "return",
    VerdictKind.JUMP: "jump",
    VerdictKind.GOTO: "goto",
}
"""The verdicts that a map can hold."""

_SHOWN = 6

_KEYS = {
    *(Field.IIF, Field.OIF, Field.PROTO, Field.SPORT, Field.DPORT, Field.MAC_SOURCE),
    *(Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6),
    *(Field.ICMP_TYPE, Field.CT_STATE, Field.MARK, Field.CT_MARK, Field.PKTTYPE),
}
"""Fields that a map compares as a rule does. One of flags it does not: a rule asks for a bit."""

_Alike = tuple[Field, tuple[Match, ...], str, str]


class Step(NamedTuple):
    """A rule of a ladder. ``field``: of the test that tells the rules apart; ``others``: its
    other tests, and ``before`` how they are written; ``key``, ``value``: as they are written."""

    rule: Rule
    field: Field
    number: int | str
    others: tuple[Match, ...]
    before: str
    key: str
    value: str

    @property
    def alike(self) -> _Alike:
        return self.field, self.others, self.before, self.key


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        for table in ruleset.tables:
            if owner_of_table(table.name) is None and not made_by_iptables(table):
                changed = writes_of(rule for _, rule in table.rules()).fields
                for chain in table.chains.values():
                    yield from _ladders(chain, changed, ruleset)


def _ladders(chain: Chain, changed: frozenset[Field], ruleset: Ruleset) -> Iterator[Finding]:
    steps = [
        _step(parts[0], ruleset.syntax) if len(parts) == 1 else None for parts in chain.statements()
    ]
    for alike, group in groupby(steps, key=lambda step: step.alike if step else None):
        ladder = [step for step in group if step is not None]
        if alike is not None and alike[0] not in changed and _is_worth_it(ladder):
            yield _finding(ruleset, ladder)


def _is_worth_it(ladder: Sequence[Step]) -> bool:
    if len(ladder) < _FEWEST or len({step.number for step in ladder}) < len(ladder):
        return False
    verdicts = Counter(step.rule.verdict for step in ladder)
    addresses = ladder[0].field in (Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6)
    return len(verdicts) > 1 and not (addresses and max(verdicts.values()) >= _LIST)


def _step(rule: Rule, syntax: Syntax) -> Step | None:
    """None for a rule that a verdict map could not replace. The last test is the key: what is
    written behind it, before the verdict, could be anything."""
    if not rule.read or rule.effects or rule.counters or rule.comment or not rule.matches:
        return None
    if rule.verdict.kind not in _IN_MAPS or rule.verdict.options:
        return None
    *others, match = rule.matches
    tested = _exact(match)
    comparison = syntax.comparison(rule) if tested else None
    if tested is None or comparison is None:
        return None
    return Step(rule, *tested, tuple(others), *comparison)


def _exact(match: Match) -> tuple[Field, int | str] | None:
    """The field and its one value."""
    match match:
        case Within(field, ((low, high),), negated=False) if low == high and field in _KEYS:
            return field, low
        case Interface(field, name, wildcard=False, negated=False):
            return field, name
        case _:
            return None


def _finding(ruleset: Ruleset, ladder: Sequence[Step]) -> Finding:
    first, last = ladder[0], ladder[-1]
    verdicts = len({step.rule.verdict for step in ladder})
    return META.finding(
        first.rule.origin.span,
        f"{counted(len(ladder), 'rule')}, one behind the other, compare {first.key} with one value"
        f" each and have {verdicts} different verdicts: a verdict map finds the right one at once",
        f"one rule does the same: {_map(ladder)}",
        related=(Label(last.rule.origin.span, "the last of them"),),
        fix=replacement(ruleset, [step.rule for step in ladder], [_map(ladder)]),
    )


def _map(ladder: Sequence[Step]) -> str:
    elements = ", ".join(f"{step.value} : {_verdict(step.rule.verdict)}" for step in ladder)
    first = ladder[0]
    return " ".join(filter(None, (first.before, first.key, "vmap {", elements, "}")))


def _verdict(verdict: Verdict) -> str:
    return " ".join(filter(None, (_IN_MAPS[verdict.kind], verdict.chain)))
