"""TCP ports that a host keeps for some over IPv4, and opens to every address over IPv6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.exposure import exposure
from iptlint.analysis.handshake import opening
from iptlint.analysis.hook_verdicts import may_end
from iptlint.analysis.ipv6_counterpart import counterpart, only_ipv6_open
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, shares
from iptlint.model import Family, Field, Hook, VerdictKind
from iptlint.model.ownership import is_generated
from iptlint.model.protocols import TCP
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.intervals import few_ranges

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.interfaces import InterfaceClass

_MOST_PORTS = 16
"""A rule for more is about none of them in particular."""


class OpenOverIp6(NamedTuple):
    """``opened`` lets everyone in over IPv6, ``kept`` only some over IPv4."""

    ip6: Hooks
    opened: Share
    kept: Share
    ports: tuple[int, ...]


def open_over_ipv6(context: Context) -> Iterator[OpenOverIp6]:
    """Of hosts that deny by default over both."""
    apart = {side.ip.ruleset for side in only_ipv6_open(context)}
    for ruleset in context.rulesets:
        beside = counterpart(context, ruleset)
        if beside is None or ruleset in apart:
            continue
        ip, ip6 = context.hooks(ruleset, Family.IP), context.hooks(beside, Family.IP6)
        if ip is not None and ip6 is not None and ip6.deciding_chain(Hook.INPUT):
            yield from _between(ip, ip6)


def _between(ip: Hooks, ip6: Hooks) -> Iterator[OpenOverIp6]:
    over_ip6 = exposure(ip6, Hook.INPUT)
    for opened in over_ip6.accepters(over_ip6.accepted & ~over_ip6.by_policy):
        generated = is_generated(opened.analysis.table, opened.chain.name)
        if opened.rule is None or generated or not over_ip6.is_most(opened.packets):
            continue
        names = _interfaces(opened)
        kept = {
            port: share
            for port in _ports(ip6, opened.packets)
            if (share := _kept(ip, port)) is not None and not _is_for_all(share, names)
        }
        if kept:
            yield OpenOverIp6(ip6, opened, next(iter(kept.values())), tuple(kept))


def _ports(hooks: Hooks, packets: PacketSet) -> Iterator[int]:
    """The few ports that packets are for; none where they are for many."""
    space = hooks.space
    ports = space.project(packets & space.value(Field.PROTO, TCP), Field.DPORT)
    ranges = few_ranges(ports, space.fields[Field.DPORT], _MOST_PORTS)
    if sum(high - low + 1 for low, high in ranges) <= _MOST_PORTS:
        yield from (port for low, high in ranges for port in range(low, high + 1))


def _kept(ip: Hooks, port: int) -> Share | None:
    """Who accepts the port over IPv4, where that is for some and for no stranger."""
    space = ip.space
    asked = space.value(Field.PROTO, TCP) & space.value(Field.DPORT, port)
    if not exposure(ip, Hook.INPUT).denies_all(asked):
        return None
    some = may_end(ip, Hook.INPUT, VerdictKind.ACCEPT, opening(ip) & asked)
    if not some.satisfiable():
        return None
    naming = (share for share in shares(ip, Hook.INPUT, some) if _names_ports(share))
    return next(naming, None)


def _names_ports(share: Share) -> bool:
    """Whether it accepts for the port's sake: who trusts a network with everything keeps no
    port for it."""
    rule = share.rule
    return rule is not None and share.kind.passes and share.analysis.restricts(rule, Field.DPORT)


def _is_for_all(share: Share, names: frozenset[InterfaceClass]) -> bool:
    """Whether it is for every address behind all of these interfaces: then it keeps nothing,
    whatever each family's rules make of where the world is."""
    assert share.rule is not None
    everybody = not share.analysis.restricts(share.rule, Field.SADDR)
    return everybody and names <= _interfaces(share)


def _interfaces(share: Share) -> frozenset[InterfaceClass]:
    """By which its packets come in."""
    space = share.analysis.space
    return frozenset(
        cls
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if (share.packets & space.value(Field.IIF, number)).satisfiable()
    )
