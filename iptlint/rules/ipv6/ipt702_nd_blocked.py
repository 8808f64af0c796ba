"""Neighbour discovery is dropped, without which IPv6 does not work.

## What it does
Where some new connection is accepted over IPv6, or a rule accepts some ICMPv6 by name, sends
neighbour solicitations and advertisements (ICMPv6 types 135 and 136, hop limit 255, from any
address) the way to this host, through PREROUTING and INPUT, and the way from it.
If all of a type are certainly dropped, on every interface but `lo`, the rule or the policy that
drops them is reported; as a warning, if they are on those that face the world, by which strangers
are let in, and pass on others. Connection tracking leaves these packets alone: their state is
untracked, so neither `ESTABLISHED` nor `NEW` accepts them. Router advertisements (type 134) that
are all dropped at a host which is no router are possibly meant to be, and told of as a warning.

## Why it matters
Neighbour discovery is to IPv6 what ARP is to IPv4, but it passes through the firewall: without
solicitations nobody on the link finds the host, without advertisements it finds nobody, its
router neither. What works for some minutes after a reload stops when the tables expire.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
```

## Fix
```
-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT
-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT
```
in nft `icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept`.

## When it is wrong
Where the host has no IPv6 (then nothing need be accepted over it), or where its links have no
neighbours, as tunnels. Rules that accept nothing new over IPv6 are taken to switch it off, and
are not reported. Of tables for both families in which no rule is about IPv6 alone, it is said as
a warning. Router advertisements: where addresses and routes are written down by hand.

## References
- RFC 4861 (neighbour discovery): https://www.rfc-editor.org/rfc/rfc4861
- RFC 4890, 4.4.1 (traffic that must not be dropped): https://www.rfc-editor.org/rfc/rfc4890
- nf_conntrack_icmpv6_error (untracked): https://elixir.bootlin.com/linux/latest/source/net/netfilter/nf_conntrack_proto_icmpv6.c
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import forwards_on_its_own, outside
from iptlint.analysis.exposure import external_probes, interface_name
from iptlint.analysis.external_interfaces import visited_classes
from iptlint.analysis.handshake import is_switched_off, lets_someone_in
from iptlint.analysis.hook_verdicts import may_end, some_pass
from iptlint.analysis.icmp_errors import is_turned_away, turned_away_by
from iptlint.analysis.ipv6_counterpart import is_about_ip6
from iptlint.analysis.session import Context
from iptlint.findings import Cause, Confidence, Finding, Label, Severity, suggestions
from iptlint.findings.acceptance import acceptance
from iptlint.findings.fix import Change, Fix
from iptlint.findings.per_family import for_each_family
from iptlint.findings.phrases import so_many_others
from iptlint.model import Chain, Family, Field, Hook, Rule, VerdictKind, Within
from iptlint.model.addresses import AddressKind, ranges
from iptlint.model.protocols import ICMP, ICMP6, UDP
from iptlint.model.syntax import Suggestion
from iptlint.packets.bdd import union
from iptlint.packets.describe.lists import listed
from iptlint.packets.witness import witness_of_part
from iptlint.rules.meta import Group, Meta, Needs

if TYPE_CHECKING:
    from iptlint.analysis.largest_share import LargestShare
    from iptlint.analysis.shares import Decider
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT702",
    name="nd-blocked",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.IPV6,
    since="0.1.0",
    fixable=True,
    needs=Needs.IPV6,
)


class _Kind(NamedTuple):
    """A message of neighbour discovery; ``nft``: its name there."""

    type: int
    name: str
    nft: str


class _Links(NamedTuple):
    """Interfaces, by the packets on them. ``where``: how to call them; empty for all."""

    packets: PacketSet
    where: str = ""


_NEIGHBOURS = (
    _Kind(135, "neighbour solicitations", "nd-neighbor-solicit"),
    _Kind(136, "neighbour advertisements", "nd-neighbor-advert"),
)
_ROUTER = _Kind(134, "router advertisements", "nd-router-advert")
_LINK_LOCAL = ranges(Family.IP6, AddressKind.LINK_LOCAL)
_LOOPBACK = ranges(Family.IP6, AddressKind.LOOPBACK)
_HOP_LIMIT = 255  # of all of them (RFC 4861, 4)
_RESULTS = {
    Hook.INPUT: "nobody on the link finds this host over IPv6, or is found by it",
    Hook.OUTPUT: "this host finds nobody on the link over IPv6, and is not found",
}


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    if hooks.family is not Family.IP6 or is_switched_off(hooks):
        return
    if not (lets_someone_in(hooks) or _lets_datagrams_in(hooks)) and not any(
        map(_accepts_icmp, hooks.examples())
    ):
        return
    for hook in _RESULTS:
        everywhere = _Links(hooks.space.true)
        kinds = _dropped(hooks, hook, everywhere)
        listens = hook is Hook.INPUT and not _is_router(hooks)
        routers = (_ROUTER,) if listens and _is_lost(hooks, hook, _ROUTER, everywhere) else ()
        if kinds:
            yield _blocked(hooks, hook, kinds + routers, everywhere)
        elif routers:
            yield _no_router(hooks)
        elif hook is Hook.INPUT and (kinds := _dropped(hooks, hook, uplink := _uplink(hooks))):
            yield _blocked(hooks, hook, kinds, uplink)


def _lets_datagrams_in(hooks: Hooks) -> bool:
    asked = external_probes(hooks, Hook.INPUT, UDP)
    return hooks.deciding_chain(Hook.INPUT) is not None and any(
        some_pass(hooks, Hook.INPUT, each) for each in asked
    )


def _accepts_icmp(rule: Rule) -> bool:
    """Whether the rule is to accept some ICMPv6 by name, as ping or their messages: its author
    wants IPv6 to work."""
    tests = [match for match in rule.matches if isinstance(match, Within) and not match.negated]
    of_icmp6 = any(m.field is Field.PROTO and m.ranges == ((ICMP6, ICMP6),) for m in tests)
    named = any(match.field is Field.ICMP_TYPE for match in tests)
    return rule.verdict.kind is VerdictKind.ACCEPT and of_icmp6 and named


def _uplink(hooks: Hooks) -> _Links:
    """By which rules let strangers in."""
    space, numbers = hooks.space, visited_classes(hooks)
    packets = union([space.value(Field.IIF, number) for number in numbers], space.false)
    return _Links(packets, f" on {interface_name(space, packets)}")


def _dropped(hooks: Hooks, hook: Hook, links: _Links) -> tuple[_Kind, ...]:
    """Of neighbours' messages, those that nobody's pass."""
    if hooks.deciding_chain(hook) is None:
        return ()
    return tuple(kind for kind in _NEIGHBOURS if _is_lost(hooks, hook, kind, links))


def _is_lost(hooks: Hooks, hook: Hook, kind: _Kind, links: _Links) -> bool:
    return is_turned_away(hooks, hook, _messages(hooks, hook, kind) & links.packets)


def _messages(hooks: Hooks, hook: Hook, *kinds: _Kind) -> PacketSet:
    space = hooks.space
    types = tuple((kind.type, kind.type) for kind in kinds)
    messages = (
        hooks.hook_packets(hook)
        & outside(space)
        & space.state("untracked")
        & space.value(Field.PROTO, ICMP6)
        & space.ranges(Field.ICMP_TYPE, types)
        & space.value(Field.ICMP_CODE, 0)
        & space.value(Field.TTL, _HOP_LIMIT)
        & space.value(Field.FRAGMENT, 0)
    )
    for field in (Field.SADDR6, Field.DADDR6):  # they come from no host's lo, and to none
        messages &= ~space.ranges(field, _LOOPBACK)
    link_local = kinds == (_ROUTER,)
    return messages & space.ranges(Field.SADDR6, _LINK_LOCAL) if link_local else messages


def _blocked(hooks: Hooks, hook: Hook, kinds: Sequence[_Kind], links: _Links) -> Finding:
    sent = _messages(hooks, hook, *kinds) & links.packets
    most = turned_away_by(hooks, hook, sent)
    decider, base = most.by, most.by.base(hook)
    surely = is_about_ip6(hooks) and not links.where
    possible = f"where the host has IPv6{links.where}, "
    there = " there" * bool(links.where)
    share, rest = _and_others(most)
    return META.finding(
        decider.span,
        f"{'' if surely else possible}neighbour discovery does not work{there}: "
        f"{decider.name} {decider.does} {share} {listed([kind.name for kind in kinds])}{rest}, so "
        f"that {_RESULTS[hook]}",
        suggestions.first(decider, base.name, *_remedies(hooks, kinds)),
        witness=witness_of_part(hooks.space, sent, most.part, hook),
        related=_mistaken(base),
        severity=None if surely else Severity.WARNING,
        confidence=None if surely else Confidence.POSSIBLE,
        fix=_fix(hooks, decider, hook, kinds),
        causes=(Cause(hooks.ruleset, hooks.family, hook),),
    )


def _mistaken(chain: Chain) -> tuple[Label, ...]:
    """The first rule of the chain whose author may think that it accepts these messages."""
    rule = next(filter(_accepts_icmp_of_ip4, chain.rules), None)
    if rule is None:
        return ()
    return (Label(rule.origin.span, "accepts the ICMP of IPv4 only"),)


def _accepts_icmp_of_ip4(rule: Rule) -> bool:
    test = Within(Field.PROTO, ((ICMP, ICMP),))
    return rule.verdict.kind is VerdictKind.ACCEPT and test in rule.matches


def _and_others(most: LargestShare) -> tuple[str, str]:
    if not most.others:
        return "all", ""
    return "most", f" ({so_many_others(most.others, most.other)})"


def _fix(hooks: Hooks, decider: Decider, hook: Hook, kinds: Sequence[_Kind]) -> Fix | None:
    six = Within(Field.PROTO, ((ICMP6, ICMP6),))
    types = Within(Field.ICMP_TYPE, tuple((kind.type, kind.type) for kind in kinds))
    change = Change(VerdictKind.ACCEPT, (hook,), ((six, types),))
    return acceptance(decider, hook, _remedies(hooks, kinds), change)


def _no_router(hooks: Hooks) -> Finding:
    sent = _messages(hooks, Hook.INPUT, _ROUTER)
    most = turned_away_by(hooks, Hook.INPUT, sent)
    decider, chain = most.by, most.by.base(Hook.INPUT).name
    share, rest = _and_others(most)
    return META.finding(
        decider.span,
        f"{decider.name} {decider.does} {share} router advertisements{rest}: unless its IPv6 "
        "address and route are set by hand, this host loses them",
        suggestions.first(decider, chain, *_remedies(hooks, [_ROUTER])),
        witness=witness_of_part(hooks.space, sent, most.part, Hook.INPUT),
        severity=Severity.WARNING,
        confidence=Confidence.POSSIBLE,
        fix=_fix(hooks, decider, Hook.INPUT, [_ROUTER]),
    )


def _remedies(hooks: Hooks, kinds: Sequence[_Kind]) -> Sequence[Suggestion]:
    """iptables has no list of types."""
    names = ", ".join(kind.nft for kind in kinds)
    types = f"{{ {names} }}" if len(kinds) > 1 else names
    nft = f"icmpv6 type {types} accept"
    rules = [
        Suggestion(f"-p ipv6-icmp -m icmp6 --icmpv6-type {kind.type} -j ACCEPT", nft)
        for kind in kinds
    ]
    return hooks.ruleset.syntax.pick(iptables=rules, nft=rules[:1])


def _is_router(hooks: Hooks) -> bool:
    """Whether rules forward something, or translate: a router sends advertisements itself."""
    if hooks.translates or forwards_on_its_own(hooks):
        return True
    main = hooks.deciding_chain(Hook.FORWARD)
    accepted = may_end(hooks, Hook.FORWARD, VerdictKind.ACCEPT, hooks.hook_packets(Hook.FORWARD))
    return main is not None and bool(main.chain.rules) and accepted.satisfiable()
