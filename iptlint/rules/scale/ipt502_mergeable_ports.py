"""Several rules differ only in one port: one rule takes their place.

## What it does
Finds five or more rules of one chain that are alike but for their destination port, or their
source port. They need not stand together: a rule is counted only where moving it up to the
first of them changes no decision, which is proved over all packets.

## Why it matters
Every packet that none of them is for is compared with each of them, and whoever changes one
(another source, a limit) has to remember the others.

## Example
```
-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 25 -j ACCEPT
-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 110 -j ACCEPT
-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 143 -j ACCEPT
-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 465 -j ACCEPT
-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 587 -j ACCEPT
```

## Fix
`-A INPUT -s 198.51.100.0/24 -p tcp -m multiport --dports 25,110,143,465,587 -j ACCEPT`, in the
place of the first of the rules. A multiport match holds 15 ports; a range counts as two. In nft:
`ip saddr 198.51.100.0/24 tcp dport { 25, 110, 143, 465, 587 } accept`.

## When it is wrong
It changes no decision, but some like one rule a service: accepts for everybody of services that are
unlike each other (the web, mail, DNS) are left alone, and so are rules that an empty line or a
remark keeps apart. Rules with comments, limits, logs or counters of their own are not counted, nor
are those that managers and daemons write.

## References
- iptables-extensions(8), multiport: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- nft(8), "SETS": https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptlint.analysis.reordering import Alike, MovableRuns, alike_but_for, match_of
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import later_copies, unmatched_rules
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.fix import replacement
from iptlint.model import Chain, Field, Match, Rule, VerdictKind, Within
from iptlint.model.matches import Ranges
from iptlint.model.ownership import is_user_chain, made_by_iptables
from iptlint.model.services import kinds_of
from iptlint.model.syntax import Syntax
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT502",
    name="mergeable-ports",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.SCALE,
    since="0.1.0",
    fixable=True,
)

_FEWEST, _SAVED = 5, 3
"""So many rules at least, and so many fewer once they are merged. Fewer, people like to keep apart:
a line for the web, one for mail, one for SSH."""

_ADDRESSES = (Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6)
_SIDES = {Field.DPORT: "destination", Field.SPORT: "source"}


@dataclass(frozen=True, slots=True)
class _Merge:
    """Rules that one rule, or a few, can replace."""

    analysis: TableAnalysis
    chain: Chain
    field: Field
    rules: tuple[Rule, ...]

    @property
    def pieces(self) -> list[Ranges]:
        """The ports of each rule that is left."""
        ports = _disjoint(r for rule in self.rules for r in match_of(rule, self.field)[1].ranges)
        room = self.analysis.syntax.ports_in_a_list
        return [tuple(ports)] if room is None else _filled(ports, room)


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        for analysis in context.firewall(ruleset).analyses():
            if ruleset.is_nft and made_by_iptables(analysis.table):
                continue
            for chain in analysis.table.chains.values():
                if len(chain.rules) >= _FEWEST and is_user_chain(analysis.table, chain.name):
                    yield from map(_finding, _merges(analysis, chain))


def _merges(analysis: TableAnalysis, chain: Chain) -> Iterator[_Merge]:
    many = _many(analysis.syntax, chain)
    used: set[int] = set()
    search = MovableRuns(analysis, chain) if many else None
    for alike in sorted(many, key=lambda alike: -len(alike.numbers)):
        apart = _kept_together(chain, alike.field, alike.numbers)
        free = [n for n in _worth_it(analysis, chain, apart) if n not in used]
        for run in search.runs(alike.verdict, free) if search and len(free) >= _FEWEST else ():
            merge = _Merge(analysis, chain, alike.field, tuple(chain.rules[n] for n in run))
            if len({rule.origin.span for rule in merge.rules}) == 1:
                continue  # a script makes all of them by one command, in a loop
            if len(run) >= _FEWEST and len(run) - len(merge.pieces) >= _SAVED:
                used.update(run)
                yield merge


def _many(syntax: Syntax, chain: Chain) -> list[Alike]:
    """Those of one paragraph that differ in their port alone; what begins first, first."""
    rules, many = chain.rules, list[Alike]()
    for alike in alike_but_for(chain, tuple(_SIDES)):
        by_paragraph: dict[int, list[int]] = defaultdict(list)
        enough = len(alike.numbers) >= _FEWEST
        for number in alike.numbers if enough else ():
            if not match_of(rules[number], alike.field)[1].negated:
                by_paragraph[syntax.paragraph(rules[number])].append(number)
        many += (alike._replace(numbers=numbers) for numbers in by_paragraph.values())
    many.sort(key=lambda alike: (alike.numbers[0], [*_SIDES].index(alike.field)))
    return [alike for alike in many if len(alike.numbers) >= _FEWEST]


def _kept_together(chain: Chain, field: Field, numbers: Sequence[int]) -> list[int]:
    """Of rules that let everybody in to services unlike each other, only those for ports without a
    name: people keep a line for each service."""
    first = chain.rules[numbers[0]]
    if first.verdict.kind is not VerdictKind.ACCEPT or any(map(_is_for_somebody, first.matches)):
        return [*numbers]
    kinds = {n: _services(chain.rules[n], field) for n in numbers}
    several = len(frozenset().union(*kinds.values())) > 1
    return [n for n in numbers if not (several and kinds[n])]


def _services(rule: Rule, field: Field) -> frozenset[frozenset[int]]:
    return kinds_of(low for low, high in match_of(rule, field)[1].ranges if low == high)


def _is_for_somebody(match: Match) -> bool:
    """Whether the test is of an address."""
    return isinstance(match, Within) and match.field in _ADDRESSES


def _worth_it(analysis: TableAnalysis, chain: Chain, numbers: Sequence[int]) -> Iterator[int]:
    """Without those that are other findings'."""
    unmatched, copies = unmatched_rules(analysis), later_copies(analysis)
    if not analysis.entries[chain.name].is_reachable:
        return
    for number in numbers:
        rule = chain.rules[number]
        if rule not in unmatched and rule not in copies and _can_be_rewritten(analysis, rule):
            yield number


def _can_be_rewritten(analysis: TableAnalysis, rule: Rule) -> bool:
    field = next(field for field in _SIDES if any(_is_of(m, field) for m in rule.matches))
    part, ports = match_of(rule, field)
    return analysis.syntax.with_ports(rule, part, ports.ranges) is not None


def _is_of(match: object, field: Field) -> bool:
    return isinstance(match, Within) and match.field is field


def _disjoint(ranges: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Each port once; neighbours stay what they are."""
    apart: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if apart and low <= apart[-1][1]:
            first, last = apart.pop()
            low, high = first, max(high, last)
        apart.append((low, high))
    return apart


def _filled(ports: Sequence[tuple[int, int]], room: int) -> list[Ranges]:
    """As few lists with so much room as can hold them."""
    pieces: list[list[tuple[int, int]]] = [[]]
    slots = 0
    for low, high in ports:
        needed = 1 if low == high else 2
        if slots + needed > room:
            pieces.append([])
            slots = 0
        pieces[-1].append((low, high))
        slots += needed
    return [tuple(piece) for piece in pieces]


def _finding(merge: _Merge) -> Finding:
    first, last, pieces = merge.rules[0], merge.rules[-1], merge.pieces
    left = "one rule does" if len(pieces) == 1 else f"{len(pieces)} rules do"
    texts = _texts(merge)
    new = "; ".join(f"`{text}`" for text in texts[:2])
    more = f" and {len(pieces) - 2} more" if len(pieces) > 2 else ""
    return META.finding(
        first.origin.span,
        f"{len(merge.rules)} rules of {merge.chain.name} differ only in their"
        f" {_SIDES[merge.field]} port: {left} the same",
        f"in the place of the first, the others taken out: {new}{more}",
        related=(Label(last.origin.span, "the last of them"),),
        likeness="ports",
        fix=replacement(merge.analysis.ruleset, merge.rules, texts),
    )


def _texts(merge: _Merge) -> list[str | None]:
    """Those of the rules that are left."""
    first, syntax = merge.rules[0], merge.analysis.syntax
    part, _ = match_of(first, merge.field)
    return [syntax.with_ports(first, part, piece) for piece in merge.pieces]
