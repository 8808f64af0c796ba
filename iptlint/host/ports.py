"""Which listening sockets the firewall opens to the world, and which ports it opens for none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from iptlint.analysis.exposure import Exposure, exposure
from iptlint.analysis.shares import Share
from iptlint.model import Family, Field, Hook, Rule, Within
from iptlint.model.host import Host, Listener
from iptlint.model.host_addresses import known_of
from iptlint.model.matches import Ranges
from iptlint.model.protocols import TCP, UDP
from iptlint.netfilter.firewall import Firewall, Hooks

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_PROTOCOLS = {"tcp": TCP, "udp": UDP}
_WIDE = 16
"""A rule for more ports than this is not about services that one could miss."""


class Reach(Enum):
    LOCAL = "local"
    OPEN = "open"
    PARTLY = "partly"
    CLOSED = "closed"
    UNKNOWN = "unknown"


_SAID = {
    Reach.LOCAL: "only this host itself",
    Reach.OPEN: "open to the world",
    Reach.PARTLY: "open to the world at times (limits, lists)",
    Reach.CLOSED: "not open to the world",
    Reach.UNKNOWN: "not known: the rules could not be read",
}


@dataclass(frozen=True, slots=True)
class Port:
    """``by``: what lets the world in, where it is open."""

    listener: Listener
    reach: Reach
    by: str | None = None

    @property
    def said(self) -> str:
        return f"{_SAID[self.reach]}{f', by {self.by}' if self.by else ''}"


@lru_cache(maxsize=4)
def ports(host: Host) -> tuple[Port, ...]:
    """One for each listening socket, the open ones first."""
    sockets = [_port(host, listener) for listener in host.facts.listeners or ()]
    order = [Reach.OPEN, Reach.PARTLY, Reach.UNKNOWN, Reach.CLOSED, Reach.LOCAL]
    return tuple(
        sorted(sockets, key=lambda p: (order.index(p.reach), p.listener.protocol, p.listener.port))
    )


def _port(host: Host, listener: Listener) -> Port:
    if listener.is_local:
        return Port(listener, Reach.LOCAL)
    if host.running is None:
        return Port(listener, Reach.UNKNOWN)
    families = [Family(name) for name in listener.families]
    if host.facts.ipv6 is False:
        families = [family for family in families if family is not Family.IP6]
    for family in families:
        by = _opened(host, family, listener)
        if by is not None:
            several = len(families) > 1
            return Port(listener, Reach.OPEN, f"{by}{_OVER[family] if several else ''}")
    return Port(listener, Reach.CLOSED)


_OVER = {Family.IP: " (IPv4)", Family.IP6: " (IPv6)"}


def _opened(host: Host, family: Family, listener: Listener) -> str | None:
    """What lets the world in to the socket; None where nothing does for certain."""
    hooks = _hooks(host, family)
    if hooks is None:
        return "no rule at all"
    exposed = exposure(hooks, Hook.INPUT)
    to_port = _to_port(exposed, listener.protocol, listener.port)
    if not exposed.is_most(to_port):
        return None
    by = exposed.accepters(to_port)
    return _place(by[0]) if by else "no rule at all"


def _to_port(exposed: Exposure, protocol: str, port: int) -> PacketSet:
    space = exposed.space
    asked = space.value(Field.DPORT, port) & space.value(Field.PROTO, _PROTOCOLS[protocol])
    return exposed.now(asked)


def _place(share: Share) -> str:
    span = share.span
    what = f"the policy of {share.chain.name}, " if share.rule is None else ""
    return f"{what}{span.source.path}:{span.line}"


@lru_cache(maxsize=8)
def _hooks(host: Host, family: Family) -> Hooks | None:
    if host.running is None or not host.running.sees(family):
        return None
    return Hooks(Firewall(host.running), family, addresses=known_of(host.facts))


@lru_cache(maxsize=4)
def unused_openings(host: Host) -> tuple[tuple[str, int, str], ...]:
    """Protocol, port and the line that opens it to the world, where nothing listens."""
    if host.running is None or host.facts.listeners is None:
        return ()
    listening = {(one.protocol, one.port) for one in host.facts.listeners}
    openings: dict[tuple[str, int], str] = {}
    for family in (Family.IP, Family.IP6):
        hooks = _hooks(host, family)
        if hooks is None or (family is Family.IP6 and host.facts.ipv6 is False):
            continue
        for protocol, port in _named(hooks):
            if (protocol, port) not in listening and (protocol, port) not in openings:
                by = _by_rule(hooks, protocol, port)
                if by is not None:
                    openings[protocol, port] = by
    return tuple((protocol, port, by) for (protocol, port), by in sorted(openings.items()))


def _by_rule(hooks: Hooks, protocol: str, port: int) -> str | None:
    """The rule that names the port and opens it; what opens every port is none."""
    exposed = exposure(hooks, Hook.INPUT)
    to_port = _to_port(exposed, protocol, port)
    by = exposed.accepters(to_port) if exposed.is_most(to_port) else []
    rule = by[0].rule if by else None
    named = rule is not None and port in {*_ports(rule)}
    return _place(by[0]) if named else None


def _named(hooks: Hooks) -> Iterator[tuple[str, int]]:
    """The single ports that accept rules of the input hook name."""
    named = {port for table in hooks.tables() for _, rule in table.rules() for port in _ports(rule)}
    return ((protocol, port) for protocol in _PROTOCOLS for port in sorted(named))


def _ports(rule: Rule) -> Iterator[int]:
    for match in rule.matches:
        match match:
            case Within(field=Field.DPORT, ranges=ranges, negated=False) if _few(ranges):
                yield from (port for low, high in ranges for port in range(low, high + 1))
            case _:
                pass


def _few(ranges: Ranges) -> bool:
    return sum(high - low + 1 for low, high in ranges) <= _WIDE
