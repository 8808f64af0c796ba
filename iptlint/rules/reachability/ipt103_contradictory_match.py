"""No packet can pass all tests of a rule.

## What it does
Reports a rule whose own tests exclude each other, a test that nothing can pass, a test that
no packet at the hook can pass (`-o` in INPUT, ESTABLISHED in the nat table), and a rule of a
chain to which only other packets are sent. So it does where the name of an interface is none:
an address, an alias (`eth0:1`), a protocol, what a template has there, a variable of nft between
quotes, `ppp` or `eth` without its number; and of a rule for the ICMP of the other
version of IP, which nobody sends (`-p icmp` of ip6tables, `ip protocol icmpv6`). And of an
address that is written as one number: `-d 53` is 53.0.0.0, and no port.

## Why it matters
The rule does nothing, whatever it says. Often an `-o` was meant to be an `-i`, or a list was
written as two tests that both have to hold.

## Example
```
*filter
-A INPUT -m conntrack --ctstate NEW -m state --state ESTABLISHED -j ACCEPT
COMMIT
```

## Fix
Split the rule in two, or mend the test that is not meant.

## When it is wrong
Tests of tcp flags are bitwise and are read so. Nothing is said of rules in chains that
software writes for every case at once.

## References
- iptables(8): https://man7.org/linux/man-pages/man8/iptables.8.html
- Later fragments: net/ipv4/netfilter/nf_defrag_ipv4.c puts datagrams together at priority
  -400, before any rule
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from iptlint.analysis.before_conntrack import untestable_state
from iptlint.analysis.foreign_icmp import ForeignIcmp, foreign_icmp
from iptlint.analysis.half_written import BareNumber, bare_numbers
from iptlint.analysis.later_fragments import may_be_misread
from iptlint.analysis.misnamed_interfaces import INSTEAD, Misnamed, misnamed_in, misnamed_interfaces
from iptlint.analysis.reach import Reason
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import Dead, dead_in, dead_rules
from iptlint.findings import Cause, Confidence, Finding, Label, Severity, phrases
from iptlint.model import Chain, Family, Field, Hook, Interface, Match, Rule, VerdictKind, Within
from iptlint.model.matches import CT_STATES
from iptlint.model.names import NoInterface
from iptlint.model.ownership import owner_of_chain
from iptlint.model.writes import reads_conntrack
from iptlint.packets.describe.lists import listed
from iptlint.packets.match import Matcher
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT103",
    name="contradictory-match",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
    yields_to=("IPT111",),
    leaves_to={
        "IPT209": "a test that packets over lo could pass contradicts nothing",
    },
)


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        for dead in dead_rules(analysis):
            if dead.reason is Reason.CONTRADICTION:
                finding = _contradiction(analysis, dead)
                misread = may_be_misread(analysis, dead.rule)
                yield phrases.but_for_fragments(finding) if misread else finding
            elif dead.reason is Reason.NOT_SENT:
                yield from _not_sent(analysis, dead)
        named = (each for each in misnamed_interfaces(analysis) if not each.certain)
        yield from map(_no_such_interface, named)
        yield from (_foreign_icmp(analysis, each) for each in foreign_icmp(analysis))
        yield from map(_bare_number, bare_numbers(analysis))


def _bare_number(bare: BareNumber) -> Finding:
    return META.finding(
        bare.rule.origin.part(bare.part),
        f"`{bare.written}` is the address {bare.address}, and no port",
        "write --dport or --sport behind the protocol if a port is meant, else the whole address",
        likeness="bare number",
    )


def _no_such_interface(misnamed: Misnamed) -> Finding:
    """One that may have the name is not there by custom only."""
    what, advice = INSTEAD[misnamed.kind]
    span, name = misnamed.rule.origin.part(misnamed.number), misnamed.name
    unless = "" if misnamed.certain else ", unless an interface is called so"
    return META.finding(
        span,
        f"{name} is {what}: no packet passes `{span.text}`{unless}",
        advice.format(interface=name.partition(":")[0]),
        confidence=Confidence.CERTAIN if misnamed.certain else Confidence.POSSIBLE,
        likeness=f"interface {_blank_or(misnamed)}",
    )


def _blank_or(misnamed: Misnamed) -> str:
    """The blanks of a template are filled in at one go, and quotes taken away so."""
    at_one_go = (NoInterface.PLACEHOLDER, NoInterface.VARIABLE)
    return misnamed.kind.value if misnamed.kind in at_one_go else misnamed.name


def _foreign_icmp(analysis: TableAnalysis, foreign: ForeignIcmp) -> Finding:
    span = foreign.rule.origin.part(foreign.number)
    version, iptables, nft = _ICMP[foreign.family]
    instead = analysis.syntax.pick(iptables=iptables, nft=nft)
    denies = foreign.rule.verdict.kind.denies  # so would it all ICMPv6, neighbour discovery too
    return META.finding(
        span,
        f"nobody sends what passes `{span.text}`: the ICMP of {version} is another protocol",
        "delete the rule" if denies else f"write `{instead}`",
        likeness=f"icmp {span.text}",
    )


_ICMP = {
    Family.IP: ("IPv4", "-p icmp", "meta l4proto { icmp, ipv6-icmp }"),
    Family.IP6: ("IPv6", "-p ipv6-icmp", "meta l4proto ipv6-icmp"),
}
"""By the version of IP that the rule is for."""


def _contradiction(analysis: TableAnalysis, dead: Dead) -> Finding:
    rule = dead.rule
    alone = _impossible(analysis, rule, analysis.space.universe)
    if alone is not None:
        return _nothing_passes(analysis, rule, alone)
    pair = _excluding(analysis, rule)
    if pair is not None:
        return _two_tests(*(rule.origin.part(index) for index in pair))
    return _wrong_state(analysis, rule, analysis.space.universe) or META.finding(
        dead.span, "no packet can pass all tests of this rule", "mend or delete the rule"
    )


def _wrong_state(analysis: TableAnalysis, rule: Rule, among: PacketSet) -> Finding | None:
    """That connection tracking never gives such packets the state that is asked for."""
    of_state = [n for n, match in enumerate(rule.matches) if reads_conntrack((match,))]
    others = [match for n, match in enumerate(rule.matches) if n not in of_state]
    packets = _matcher(analysis, rule).all_of(others, among).may
    states = [name for name in CT_STATES if (packets & analysis.space.state(name)).satisfiable()]
    if not of_state or not states:
        return None
    span = rule.origin.part(of_state[0])
    return META.finding(
        span,
        f"no packet that passes the other tests passes `{span.text}`: to connection tracking "
        f"such packets are {listed(states, 'or')}",
        _advice_on_state(analysis, rule),
        likeness=f"state {span.text} {rule.verdict.kind.value}",
    )


def _advice_on_state(analysis: TableAnalysis, rule: Rule) -> str:
    """A rule that denies would do so to running connections too without the test."""
    if rule.verdict.kind is VerdictKind.ACCEPT:
        return "take the test of the state out, or ask for such a state"
    invalid = analysis.syntax.pick(iptables="--ctstate INVALID", nft="ct state invalid")
    return f"delete the rule: `{invalid}` finds the packets that belong to no connection"


def _two_tests(one: Span, other: Span) -> Finding:
    return META.finding(
        one,
        f"no packet passes both `{one.text}` and `{other.text}`",
        "all tests of a rule have to hold; make two rules of it, or mend the wrong test",
        related=(Label(other, "this excludes it"),) if other != one else (),
        likeness=f"two {one.text} {other.text}",
    )


def _matcher(analysis: TableAnalysis, rule: Rule) -> Matcher:
    return analysis.matcher_of(analysis.place(rule).chain)


def _impossible(analysis: TableAnalysis, rule: Rule, packets: PacketSet) -> int | None:
    """The test that none of the packets passes."""
    for index, match in enumerate(rule.matches):
        if not _matcher(analysis, rule).all_of((match,), packets).may.satisfiable():
            return index
    return None


def _excluding(analysis: TableAnalysis, rule: Rule) -> tuple[int, int] | None:
    """The first two tests that exclude each other."""
    universe = analysis.space.universe
    for (i, one), (j, other) in combinations(enumerate(rule.matches), 2):
        if not _matcher(analysis, rule).all_of((one, other), universe).may.satisfiable():
            return i, j
    return None


def _nothing_passes(analysis: TableAnalysis, rule: Rule, index: int) -> Finding:
    span, match = rule.origin.part(index), rule.matches[index]
    misnamed = next((each for each in misnamed_in(rule) if each.number == index), None)
    if misnamed is not None:
        return _no_such_interface(misnamed)
    if _asks_for_fragments(match):
        return META.finding(
            span,
            f"no packet passes `{span.text}`: connection tracking, which this ruleset uses, puts "
            "datagrams together before any rule sees them",
            "delete the rule",
            severity=Severity.INFO,
            likeness="fragments",
        )
    return META.finding(
        span,
        f"no packet passes {_named(analysis, rule, index)}",
        "mend or delete the rule",
        likeness=f"nothing {span.text}",
    )


def _named(analysis: TableAnalysis, rule: Rule, index: int) -> str:
    """How to call a test of a rule; by its number where it has no text, as in JSON."""
    text = rule.origin.part(index).text
    chain, number = analysis.place(rule)
    return f"`{text}`" if text else f"test {index + 1} of rule {number + 1} of {chain}"


def _asks_for_fragments(match: Match) -> bool:
    return isinstance(match, Within) and match.field is Field.FRAGMENT


def _not_sent(analysis: TableAnalysis, dead: Dead) -> Iterator[Finding]:
    if dead.chain.hook is not None:
        yield _not_at_hook(analysis, dead.rule, dead.chain)
    elif owner_of_chain(analysis.table, dead.chain.name) is not None:
        return
    elif not _whole_chain(analysis, dead.chain):
        yield from _not_in_chain(analysis, dead.rule, dead.chain)


def _too_early(analysis: TableAnalysis, rule: Rule, chain: Chain, index: int) -> Finding:
    """At output; where packets over lo could pass, IPT209 tells of it. What a REJECT answers is of
    the connection that it refuses (nf_ct_attach)."""
    span = rule.origin.part(index)
    return META.finding(
        span,
        f"no packet in {chain.name} passes `{span.text}`, the answers of a reject aside: at "
        f"priority {chain.priority} connection tracking, which comes at -200, has not seen them",
        analysis.syntax.pick(
            iptables="test it in the mangle table", nft="test it in a later chain"
        ),
        likeness="early",
    )


def _not_at_hook(analysis: TableAnalysis, rule: Rule, chain: Chain) -> Finding:
    index = _impossible(analysis, rule, analysis.base_packets(chain))
    if index is None:
        return _wrong_state(analysis, rule, analysis.base_packets(chain)) or META.finding(
            rule.origin.span,
            f"no packet in {chain.name} can pass all tests of this rule",
            "mend or delete the rule",
        )
    if untestable_state(analysis, rule) == index:
        return _too_early(analysis, rule, chain, index)
    span = rule.origin.part(index)
    if _asks_for_fragments(rule.matches[index]):
        return META.finding(
            span,
            f"no packet in {chain.name} passes `{span.text}`: the kernel puts IPv4 datagrams "
            "together before it hands them to this host",
            "delete the rule",
            severity=Severity.INFO,
            likeness="fragments here",
        )
    match = rule.matches[index]
    why, advice = _why_never(analysis, chain, match, span.text)
    if chain.type == "nat" and rule.verdict.kind is VerdictKind.NAT and _tests_state(match):
        advice = "delete the rule: answers are translated back without one"
    refused = analysis.syntax.pick(iptables=Severity.ERROR, nft=None)
    grave = refused if isinstance(match, Interface) else None
    return META.finding(
        span,
        why,
        advice,
        severity=grave,
        likeness=f"{chain.name} {span.text}",
        causes=(Cause(analysis.ruleset, part=chain),),
    )


def _tests_state(match: Match) -> bool:
    return isinstance(match, Within) and match.field is Field.CT_STATE


def _why_never(analysis: TableAnalysis, chain: Chain, match: Match, text: str) -> tuple[str, str]:
    """Why no packet at the hook of the chain passes the test, and what to do."""
    refuses = analysis.syntax.pick(iptables="iptables refuses", nft="nothing passes")
    never = f"{refuses} `{text}`"
    match match:
        case Interface(Field.IIF) if chain.devices:
            devices = listed(chain.devices)
            return (
                f"{chain.name} sees only packets of {devices}, so {never}",
                f"mend the test, or add the interface to the devices of {chain.name}",
            )
        case Interface(Field.OIF):
            return (
                f"no packet in {chain.name} has a way out yet, so {never}",
                "test the incoming interface, or move the rule to forward or output",
            )
        case Interface(Field.IIF):
            why = f"no packet in {chain.name} came in anywhere"
            if chain.hook is Hook.POSTROUTING:  # of a bridge
                why = (
                    f"behind forward the kernel no longer tells {chain.name} where packets came in"
                )
            return (
                f"{why}, so {never}",
                "test the outgoing interface, or move the rule to input or forward",
            )
    passes = f"no packet in {chain.name} passes `{text}`"
    if chain.type == "nat":
        return (
            f"{passes}: a nat chain sees only the first one of a connection",
            "filter in a filter chain",
        )
    return passes, "mend or delete the rule"


def _whole_chain(analysis: TableAnalysis, chain: Chain) -> bool:
    """Whether no rule of the chain gets what it is for; then the fault is the calls'."""
    dead = dead_in(analysis, chain)
    return len(dead) == len(chain.rules) and {each.reason for each in dead} == {Reason.NOT_SENT}


def _not_in_chain(analysis: TableAnalysis, rule: Rule, chain: Chain) -> Iterator[Finding]:
    places = analysis.calls.callers(chain.name)
    calls = [analysis.table.chains[place.chain].rules[place.number] for place in places]
    pair = _excluded_by(analysis, rule, calls[0]) if len(calls) == 1 else None
    if pair is not None:
        span, elsewhere = rule.origin.part(pair[0]), calls[0].origin.part(pair[1])
        if _looks_into_a_set(span) and _looks_into_a_set(elsewhere):
            return  # a list of exceptions: what is in both may change at any time
        related: tuple[Label, ...] = (
            Label(elsewhere, f"only these packets are sent to {chain.name}"),
        )
    else:
        span = rule.origin.span
        related = tuple(Label(call.origin.span, "called here") for call in calls)
    yield META.finding(
        span,
        f"no packet that is sent to the chain {chain.name} can match this rule",
        "mend the rule or the calls, or delete the rule",
        related=related[: phrases.MAX_LABELS],
        severity=Severity.INFO,
        likeness=f"not sent to {chain.name}",
    )


def _looks_into_a_set(span: Span) -> bool:
    return "@" in span.text or "--match-set" in span.text


def _excluded_by(analysis: TableAnalysis, rule: Rule, call: Rule) -> tuple[int, int] | None:
    """The test of the rule and the test of the call that exclude each other."""
    universe = analysis.space.universe
    for i, one in enumerate(rule.matches):
        for j, other in enumerate(call.matches):
            if not _matcher(analysis, rule).all_of((one, other), universe).may.satisfiable():
                return i, j
    return None
