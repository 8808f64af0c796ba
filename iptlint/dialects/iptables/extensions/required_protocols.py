"""The protocols an extension needs ``-p`` to name: without, tool or kernel refuse the rule.

Facts: the ``proto`` fields and check functions of net/netfilter/xt_*.c, and libxt_NAT.c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import cast

from iptlint.dialects.iptables.extensions.builders import value_of
from iptlint.dialects.iptables.extensions.registries import PROTOCOLS
from iptlint.dialects.iptables.extensions.row import Extension, Uses
from iptlint.model import Family

Names = tuple[str, ...]
"""Protocols of which ``-p`` has to name one; empty: no need."""

_PORTED = ("tcp", "udp", "udplite", "sctp", "dccp")
_NAT = ("tcp", "udp", "sctp", "dccp", "icmp", "ipv6-icmp")


def _always(*names: str) -> Callable[[Uses], Names]:
    return lambda _: names


def _with(option: str, *names: str) -> Callable[[Uses], Names]:
    return lambda uses: names if option in uses else ()


def _ports_of(option: str) -> Callable[[Uses], Names]:
    """SNAT and DNAT need a protocol where ports follow the address."""
    return lambda uses: _NAT if cast("tuple[str, str]", value_of(uses, option))[1] else ()


def _ecn(uses: Uses) -> Names:
    return ("tcp",) if any(name.startswith("ecn-tcp") for name in uses) else ()


def _reject(uses: Uses) -> Names:
    return ("tcp",) if value_of(uses, "reject-with") == "tcp-reset" else ()


_NEEDS: Mapping[str, Callable[[Uses], Names]] = {
    **{name: _always(name) for name in ("tcp", "udp", "udplite", "sctp", "dccp", "icmp")},
    **{name: _always(name) for name in ("esp", "ipcomp")},
    "icmp6": _always("ipv6-icmp"),
    "mh": _always("mh"),
    "multiport": _always(*_PORTED),
    "tcpmss": _always("tcp"),
    "osf": _always("tcp"),
    "ecn": _ecn,
    "ECN": _ecn,
    "REJECT": _reject,
    "TPROXY": _always("tcp", "udp"),
    "TCPMSS": _always("tcp"),
    "TCPOPTSTRIP": _always("tcp"),
    "SYNPROXY": _always("tcp"),
    "SNAT": _ports_of("to-source"),
    "DNAT": _ports_of("to-destination"),
    "REDIRECT": _with("to-ports", *_NAT),
    "MASQUERADE": _with("to-ports", *_NAT),
}


def protocols_for(extension: Extension, uses: Uses) -> Names:
    # The authentication header is a protocol of IPv4 and an extension header of IPv6.
    if extension.name == "ah" and extension.families == (Family.IP,):
        return ("ah",)
    need = _NEEDS.get(extension.name)
    return need(uses) if need else ()


@cache
def numbers(names: Names) -> frozenset[int]:
    return frozenset(PROTOCOLS[name] for name in names)
