"""MASQUERADE or SNAT takes everything that leaves, whatever its interface or source.

## What it does
Reports a rule that translates the source of every packet that leaves: from any source, to any
destination, by any interface but `lo`. It looks at the packets that get to the rule: one behind
exceptions, such as a RETURN for private destinations, is restricted by them.

As possible it tells a SNAT that is for the packets of one network, with no word of where they go:
it takes what that network sends to itself, too, if the host forwards that.

## Why it matters
What the host forwards from the world to a machine behind it (a port that is forwarded, a VPN)
then seems to come from the host itself. Logs, bans and access lists there see one address for
everybody. Packets between two networks behind the router are changed as well. Where a SNAT is for
one network (the clients of a VPN), these see the host's public address instead of each other.

## Example
```
*nat
-A POSTROUTING -j MASQUERADE
COMMIT
```

## Fix
Name the interface that leads to the world: `-A POSTROUTING -o eth0 -j MASQUERADE`; or the
network to be translated: `-A POSTROUTING -s 192.168.1.0/24 -o eth0 -j MASQUERADE`.

## When it is wrong
Where that is meant: the machines behind have no route back to whoever connects, and one
interface is all there is. Rules with a mark, an interface, an address or any other test that
leaves something out are not reported, nor are those that software writes.

## References
- iptables-extensions(8), MASQUERADE and SNAT: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- RFC 3022 (traditional NAT): https://www.rfc-editor.org/rfc/rfc3022
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import hosts
from iptlint.analysis.evidence import shown_by
from iptlint.analysis.external_interfaces import gives_source
from iptlint.analysis.hook_verdicts import surely_ends
from iptlint.analysis.nat import translated, uplink
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import later_copies, unmatched_rules
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.memo import memo
from iptlint.model import Chain, EffectKind, Family, Field, Hook, Rule, VerdictKind, Within
from iptlint.model.addresses import AddressKind, kind_of
from iptlint.model.ownership import writer_of
from iptlint.model.protocols import TCP, UDP
from iptlint.packets.ordinary import typically_holds
from iptlint.packets.samples import samples
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.base_chain import BaseChain
    from iptlint.netfilter.firewall import Hooks
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT801",
    name="masquerade-unscoped",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.1.0",
    leaves_to={
        "IPT101": "of the rules that take everything the first that sees packets is reported",
    },
)

_KINDS = {"everything": (TCP, UDP), "all tcp": (TCP,), "all udp": (UDP,)}
"""What a rule may take, as the message calls it; the first that it takes."""

_ADDRESSES: dict[Family, type[IPv4Address] | type[IPv6Address]] = {
    Family.IP: IPv4Address,
    Family.IP6: IPv6Address,
}


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    base_chains = [s for s in hooks.base_chains(Hook.POSTROUTING) if s.chain.type == "nat"]
    if not any(map(_candidates, base_chains)):
        return
    leaving = {kind: _leaving(hooks, *numbers) for kind, numbers in _KINDS.items()}
    before = hooks.space.false
    for base_chain in base_chains:
        yield from _of_one_network(hooks, base_chain)
        for chain, rule in _candidates(base_chain):
            kinds = (k for k, sent in leaving.items() if _takes_all(base_chain, chain, rule, sent))
            kind = next(kinds, None)
            # A source is translated once: a later chain of type nat sees none of these.
            if kind is not None and (left := leaving[kind] & ~before).satisfiable():
                yield _finding(hooks, base_chain.analysis, rule, kind, left)
                break
        before = before | translated(base_chain)


def _of_one_network(hooks: Hooks, base_chain: BaseChain) -> Iterator[Finding]:
    """SNAT to another address for all that a network sends, itself among the destinations."""
    for chain, rule in _candidates(base_chain):
        low, high = _network(hooks, rule)
        if rule.verdict.name.upper() != "SNAT" or low >= high or _stays_in(hooks, rule, low, high):
            continue
        space, family = hooks.space, hooks.family
        within = _leaving(hooks, TCP, UDP)
        middle = (low + high) // 2
        for field, part in ((family.saddr, (low, middle)), (family.daddr, (middle + 1, high))):
            within = within & space.ranges(field, (part,))
        if within.satisfiable() and _takes_all(base_chain, chain, rule, within):
            yield _of_network_finding(hooks, base_chain.analysis, rule, within)


def _network(hooks: Hooks, rule: Rule) -> tuple[int, int]:
    """The addresses of the one private network that the rule is for; else an empty range."""
    for match in rule.matches:
        match match:
            case Within(field, ((low, high),), negated=False) if field is hooks.family.saddr:
                if kind_of(_ADDRESSES[hooks.family](low)) is AddressKind.PRIVATE:
                    return low, high
    return 0, 0


def _stays_in(hooks: Hooks, rule: Rule, low: int, high: int) -> bool:
    """Whether the new source is one of the network, or not known."""
    saddr = hooks.family.saddr
    new = [e.value for e in rule.effects if e.kind is EffectKind.WRITE and e.field is saddr]
    return not new or any(value is None or low <= value <= high for value in new)


@memo
def _candidates(base_chain: BaseChain) -> list[tuple[Chain, Rule]]:
    analysis = base_chain.analysis
    unwanted = unmatched_rules(analysis) | later_copies(analysis)
    return [
        (chain, rule)
        for chain, rule in base_chain.rules_where(gives_source)
        if writer_of(analysis.table, chain.name, rule) is None
        if rule not in unwanted
    ]


def _leaving(hooks: Hooks, *protocols: int) -> PacketSet:
    """New connections of any host to any host, by any interface but lo."""
    space = hooks.space
    return (
        hooks.hook_packets(Hook.POSTROUTING)
        & ~space.interface(Field.OIF, "lo")
        & space.state("new")
        & space.ranges(Field.PROTO, tuple((number, number) for number in protocols))
        & hosts(hooks, hooks.family.saddr)
        & hosts(hooks, hooks.family.daddr)
        & space.value(Field.CT_DIRECTION, 0)
    )


def _takes_all(base_chain: BaseChain, chain: Chain, rule: Rule, leaving: PacketSet) -> bool:
    analysis = base_chain.analysis
    # Most rules are for some address, as a few packets show.
    if analysis.place(rule).number not in _met_by_few(analysis, chain.name, leaving):
        return False
    if (leaving & ~analysis.tests(rule).sure).satisfiable():
        return False
    if (leaving & ~analysis.entries[chain.name].intended).satisfiable():
        return False
    ordinary = leaving & analysis.space.value(Field.MARK, 0)
    for test, variable in analysis.space.opaques.items():
        ordinary = ordinary & (variable if typically_holds(test, Hook.POSTROUTING) else ~variable)
    return surely_ends(base_chain, ordinary, VerdictKind.NAT)


@memo
def _met_by_few(analysis: TableAnalysis, chain: str, leaving: PacketSet) -> frozenset[int]:
    """The numbers of the rules of the chain that may match a few of the packets, the same for
    each."""
    flow = analysis.flows[chain]
    few = next(samples(analysis.space, leaving, 1), leaving)
    return frozenset(n for n in flow.concerning(few) if (flow.tests[n].sure & few).satisfiable())


def _of_network_finding(
    hooks: Hooks, analysis: TableAnalysis, rule: Rule, within: PacketSet
) -> Finding:
    name = uplink(hooks)
    restricted = analysis.syntax.by_interface(rule, name)
    return META.finding(
        rule.statement.span,
        "this SNAT is for all that the network sends: also what goes to the network itself, and to"
        " others behind this host, if it forwards that, seems to come from the host",
        f"name the interface that leads to the world, if that is {name}: {restricted}",
        witness=shown_by(analysis, analysis.place(rule).chain, (rule,), within),
        severity=Severity.INFO,
        confidence=Confidence.POSSIBLE,
    )


def _finding(
    hooks: Hooks, analysis: TableAnalysis, rule: Rule, kind: str, leaving: PacketSet
) -> Finding:
    name = uplink(hooks)
    restricted = analysis.syntax.by_interface(rule, name)
    return META.finding(
        rule.statement.span,
        f"{kind} that leaves, from any source and by any interface, gets an address of this"
        " host: machines to which it forwards connections see this host instead of who connects",
        f"name the interface that leads to the world, if that is {name}: {restricted}",
        witness=shown_by(analysis, analysis.place(rule).chain, (rule,), leaving),
    )
