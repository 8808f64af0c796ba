"""An element of a list that no packet can match: earlier rules take all that it is for.

## What it does
Looks at the lists of ports and addresses that are written in a rule (`--dports 22,80`, `-s
10.0.0.1,10.0.0.2`, `tcp dport { 22, 80 }`) and reports the elements for which no packet ever
comes to the rule, though some come for the others, and for which earlier rules decide otherwise.
Proved over all packets, through every call.

## Why it matters
The rule works, so nobody looks for what of it does not: one port of a list is open that the list
was to close, or shut that it was to open.

## Example
```
*filter
:INPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m multiport --dports 22,80,443 -j DROP
COMMIT
```

## Fix
Take the element out of the list. Where this rule was to decide, move it above the one that takes
the packets.

## When it is wrong
Where another program inserts or deletes rules above at run time. Named sets are left out: other
rules may use them, and others may fill them. So are chains that software writes anew at every
start, and rules of which every element is dead.

## References
- iptables-extensions(8), multiport: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- nft(8), "SETS" (anonymous sets): https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.blockers import blockers
from iptlint.analysis.evidence import meant_for
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import unmatched_rules
from iptlint.findings import Confidence, Finding, Severity, phrases
from iptlint.findings.fix import Fix
from iptlint.model import Field, Rule, Ruleset, VerdictKind, Within
from iptlint.model.ownership import is_generated
from iptlint.model.syntax import PORT_BITS, ListElement, WrittenList
from iptlint.packets.bdd import union
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.packet import Packet

META = Meta(
    code="IPT109",
    name="dead-element",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.2.0",
    fixable=True,
)

_LISTED = (Field.SPORT, Field.DPORT, Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6)
_SHOWN = 4


class _List(NamedTuple):
    """A list in a rule, and its elements."""

    place: WrittenList
    elements: Sequence[ListElement]


_ByLine = dict[int, list[_List]]


class _Lost(NamedTuple):
    """``packets``: those that the element is for; ``takers``: who takes them first, and not all as
    the rule says."""

    element: ListElement
    packets: PacketSet
    takers: tuple[Rule, ...]


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        lists = _by_line(ruleset)
        for analysis in context.firewall(ruleset).by_decision().analyses() if lists else ():
            yield from _check_table(analysis, lists)


def _by_line(ruleset: Ruleset) -> _ByLine:
    """The lists that are written in rules, by the lines where they begin."""
    by_line: _ByLine = defaultdict(list)
    for place in ruleset.syntax.lists(ruleset):
        if place.named is None and place.span.source is ruleset.source:
            elements = ruleset.syntax.elements(place)
            if len(elements) > 1:
                by_line[place.span.line].append(_List(place, elements))
    return by_line


def _check_table(analysis: TableAnalysis, lists: _ByLine) -> Iterator[Finding]:
    silent = unmatched_rules(analysis)
    for chain, rule in analysis.table.rules():
        if rule in silent or not rule.read or rule.occasions:
            continue
        if is_generated(analysis.table, chain.name) or not analysis.is_matched(rule):
            continue
        for field, written in _lists_of(rule, lists):
            dead = _dead(analysis, rule, field, written.elements)
            if len(dead) < len(written.elements) and (lost := [*_lost(analysis, rule, dead)]):
                yield _finding(analysis, rule, written, lost)


def _lists_of(rule: Rule, lists: _ByLine) -> Iterator[tuple[Field, _List]]:
    """Each with the field that is compared with its elements."""
    span = rule.origin.span
    for line in range(span.line, span.end_line + 1):
        for written in lists.get(line, ()):
            place = written.place.span
            for number, match in enumerate(rule.matches):
                if isinstance(match, Within) and not match.negated and match.field in _LISTED:
                    part = rule.origin.part(number)
                    if part != span and part.start <= place.start and place.end <= part.end:
                        yield match.field, written


def _dead(
    analysis: TableAnalysis, rule: Rule, field: Field, elements: Sequence[ListElement]
) -> list[tuple[ListElement, PacketSet]]:
    """The elements that get no packet, each with those that it is for."""
    space, meant = analysis.space, analysis.intended(rule)
    wanted = space.project(meant, field)
    unmet = wanted & ~space.project(analysis.matched(rule), field)
    if not unmet.satisfiable():
        return []
    values = ((each, space.ranges(field, ((each.low, each.high),))) for each in elements)
    return [
        (element, meant & own)
        for element, own in values
        if (unmet & own).satisfiable() and not (wanted & own & ~unmet).satisfiable()
    ]


def _lost(
    analysis: TableAnalysis, rule: Rule, dead: Sequence[tuple[ListElement, PacketSet]]
) -> Iterator[_Lost]:
    """Those of the dead elements to whose packets something else happens than the rule says."""
    for element, packets in dead:
        takers = blockers(analysis, rule, packets)
        if _differs(rule, takers):
            yield _Lost(element, packets, takers)


def _differs(rule: Rule, takers: Sequence[Rule]) -> bool:
    """Whether something else becomes of the packets than the rule says."""
    return any(
        taker.verdict.kind is not rule.verdict.kind
        or (rule.verdict.kind is VerdictKind.NAT and taker.verdict != rule.verdict)
        for taker in takers
    )


def _finding(analysis: TableAnalysis, rule: Rule, written: _List, dead: Sequence[_Lost]) -> Finding:
    first = dead[0].element
    more = len(dead) - _SHOWN
    names = [each.element.span.text.strip() for each in dead[:_SHOWN]]
    names += [f"{more} more"] if more > 0 else []
    kind, plural = ("port", "s") if first.bits == PORT_BITS else ("address", "es")
    kind += plural if len(names) > 1 else ""
    unique = dict.fromkeys(taker for each in dead for taker in each.takers)
    takers = sorted(unique, key=lambda taker: taker.origin.span.start)
    above = f"if this rule is to decide, move it above line {phrases.line(takers[0])}"
    otherwise = above if takers[0] in analysis.places else ""
    says = f"take {'it' if len(names) == 1 else 'them'} out of the list"
    return META.finding(
        first.span,
        f"no packet comes here for the {kind} {listed(names)}: "
        + phrases.actions(takers, "all of them before"),
        "; ".join(filter(None, (says, otherwise))),
        related=phrases.labels(takers, "them here" if len(takers) == 1 else "some of them here"),
        witness=_witness(
            analysis, rule, takers, union([each.packets for each in dead], analysis.space.false)
        ),
        likeness="dead element",
        fix=_without(written, dead, says, otherwise),
    )


def _without(written: _List, dead: Sequence[_Lost], says: str, otherwise: str) -> Fix | None:
    """Not safe: what stands in the list says what somebody wanted."""
    numbers = [written.elements.index(each.element) for each in dead]
    edits = written.place.without(written.elements, numbers)
    return Fix(says, edits, safe=False, otherwise=otherwise) if edits else None


def _witness(
    analysis: TableAnalysis, rule: Rule, takers: Sequence[Rule], packets: PacketSet
) -> Packet | None:
    """A packet that an element is for, and that comes to one of the takers."""
    for base in analysis.calls.bases_of(analysis.place(rule).chain):
        packet = meant_for(analysis, base, rule, takers, packets)
        if packet is not None:
            return packet
    return None
