"""Banned addresses still get to services that are translated: they never come to INPUT.

## What it does
Takes the rules of INPUT that drop or reject public source addresses or lists of them (an ipset, a
set of nft, the rules of fail2ban), and follows the same callers to the ports that DNAT sends to
another machine or a container. If they get there for certain, the ban is reported.

## Why it matters
A packet whose destination is translated to another host is forwarded: it goes through FORWARD and
never sees INPUT. The ban is in the list, the log says so, and whoever is banned goes on with the
published port of a container.

## Example
```
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A INPUT -m set --match-set banned src -j DROP
COMMIT
```

## Fix
Drop them where all packets pass: `iptables -t raw -I PREROUTING -m set --match-set banned src -j
DROP`, in nft a chain of `type filter hook prerouting priority raw`. With docker, in DOCKER-USER;
fail2ban: `chain = DOCKER-USER` in the jail.

## When it is wrong
Where the ban is meant for the host's own services alone. A ban for one port is silent unless that
port is translated; so is a set of nft that rules or programs fill.

## References
- Netfilter hooks: https://wiki.nftables.org/wiki-nftables/index.php/Netfilter_hooks
- docker, packet filtering: https://docs.docker.com/engine/network/packet-filtering-firewalls/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.bans import names_senders
from iptlint.analysis.default_verdict import outside, public_hosts
from iptlint.analysis.delivery import delivery
from iptlint.analysis.nat import DestinationNat, destination_nats, to
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import unmatched_rules
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.findings.phrases import counted, line
from iptlint.model import Field, Hook, Interface, Match, Rule, Within
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta, Needs

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT608",
    name="ban-bypassed",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.2.0",
    needs=Needs.FORWARDING,
)

_MOST = 64
"""Bans that are asked about: a list of more is one of the same kind."""


_OF_WAY = (
    *(Field.FAMILY, Field.IIF, Field.PROTO, Field.SPORT, Field.DPORT),
    *(Field.FRAGMENT, Field.CT_STATE, Field.TCP_FLAGS),
)


class _Bypass(NamedTuple):
    """``packets``: of banned callers, such as the translation sends on, and that get there; to a
    public address, if there are any."""

    ban: Rule
    translation: DestinationNat
    packets: PacketSet


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    translations = [t for t in destination_nats(hooks) if not t.stays and not t.is_dead]
    if not translations:
        return
    bypasses = [b for ban in _bans(hooks) if (b := _bypass(hooks, *ban, translations))]
    if bypasses:
        yield _finding(hooks, bypasses)


def _bans(hooks: Hooks) -> Iterator[tuple[TableAnalysis, Rule]]:
    """The rules of INPUT that deny somebody, whoever it is that they name."""
    return islice(_every_ban(hooks), _MOST)


def _every_ban(hooks: Hooks) -> Iterator[tuple[TableAnalysis, Rule]]:
    for base_chain in hooks.base_chains(Hook.INPUT):
        if not base_chain.chain.filters or base_chain.is_open:
            continue
        silent = unmatched_rules(base_chain.analysis)
        for _, rule in base_chain.rules_testing(partial(_is_ban, hooks)):
            if rule not in silent:
                yield base_chain.analysis, rule


def _is_ban(hooks: Hooks, rule: Rule) -> bool:
    """Whether it denies senders, and asks for no more than them and their way."""
    named = any(names_senders(hooks.family, match) for match in rule.matches)
    only = all(names_senders(hooks.family, match) or _is_of_way(match) for match in rule.matches)
    return rule.verdict.kind.denies and named and only


def _is_of_way(match: Match) -> bool:
    """Whether the test says by which way, or to which port, the packet comes."""
    return isinstance(match, Within | Interface) and match.field in _OF_WAY


def _bypass(
    hooks: Hooks, analysis: TableAnalysis, ban: Rule, translations: Sequence[DestinationNat]
) -> _Bypass | None:
    space, saddr = hooks.space, hooks.family.saddr
    banned = analysis.intended(ban) & analysis.tests(ban).sure
    banned = banned & space.state("new") & outside(space) & public_hosts(hooks, saddr)
    if not banned.satisfiable():
        return None
    kept = (Field.FAMILY, Field.IIF, Field.PROTO, Field.DPORT, saddr, hooks.family.daddr)
    banned = space.forget(banned, [field for field in space.fields if field not in kept])
    unmarked = space.value(Field.MARK, 0) & space.value(Field.CT_MARK, 0)
    for translation in translations:
        sent = translation.setting_out(hooks, Hook.FORWARD) & banned & unmarked
        if sent.satisfiable():
            delivered = delivery(hooks, Hook.FORWARD, sent)
            surely = sent & delivered.through & ~delivered.lost
            if surely.satisfiable():
                # What the world sends to the network behind comes there by translation alone.
                public = sent & delivered.through & public_hosts(hooks, hooks.family.daddr)
                return _Bypass(ban, translation, public if public.satisfiable() else surely)
    return None


def _finding(hooks: Hooks, bypasses: list[_Bypass]) -> Finding:
    ban, translation, packets = bypasses[0]
    more = len(bypasses) - 1
    others = f", and so it is with {counted(more, 'more rule')} of INPUT" if more else ""
    coming = hooks.space.forget(packets, (Field.OIF,)) & hooks.hook_packets(Hook.PREROUTING)
    prerouting = hooks.ruleset.syntax.pick(
        iptables="in PREROUTING of the raw table",
        nft="in a chain of type filter hook prerouting priority raw",
    )
    return META.finding(
        ban.statement.span,
        f"who is banned here still gets to {to(translation)}: line {line(translation.rule)}"
        f" translates the packets, and so they go by FORWARD and not by INPUT{others}",
        f"ban them where all packets pass, {prerouting}; or in FORWARD as well",
        related=(Label(translation.rule.origin.span, "sends them on"),),
        witness=witness(hooks.space, coming, Hook.PREROUTING),
    )
