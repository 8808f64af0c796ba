"""Names that iptables has for protocols, icmp types and codes, and classes of service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from iptlint.model import protocols

PROTOCOLS = {"all": 0, **protocols.PROTOCOL_NUMBERS}

# -- icmp ---------------------------------------------------------------------

Icmp = tuple[int, int, int]
"""Type, first and last code."""

_Further = Mapping[str, Mapping[str, int | None]]
"""By the name of a type: names for one of its codes, or (None) for all of them."""

_FURTHER: _Further = {
    "echo-reply": {"pong": None},
    "destination-unreachable": {
        "network-unreachable": 0,
        "host-unreachable": 1,
        "protocol-unreachable": 2,
        "port-unreachable": 3,
        "fragmentation-needed": 4,
        "source-route-failed": 5,
        "network-unknown": 6,
        "host-unknown": 7,
        "network-prohibited": 9,
        "host-prohibited": 10,
        "TOS-network-unreachable": 11,
        "TOS-host-unreachable": 12,
        "communication-prohibited": 13,
        "host-precedence-violation": 14,
        "precedence-cutoff": 15,
    },
    "redirect": {
        "network-redirect": 0,
        "host-redirect": 1,
        "TOS-network-redirect": 2,
        "TOS-host-redirect": 3,
    },
    "echo-request": {"ping": None},
    "time-exceeded": {
        "ttl-exceeded": None,
        "ttl-zero-during-transit": 0,
        "ttl-zero-during-reassembly": 1,
    },
    "parameter-problem": {"ip-header-bad": 0, "required-option-missing": 1},
}
_FURTHER6: _Further = {
    "destination-unreachable": {
        "no-route": 0,
        "communication-prohibited": 1,
        "beyond-scope": 2,
        "address-unreachable": 3,
        "port-unreachable": 4,
        "failed-policy": 5,
        "reject-route": 6,
    },
    "time-exceeded": {
        "ttl-exceeded": None,
        "ttl-zero-during-transit": 0,
        "ttl-zero-during-reassembly": 1,
    },
    "parameter-problem": {"bad-header": 0, "unknown-header-type": 1, "unknown-option": 2},
    "echo-request": {"ping": None},
    "echo-reply": {"pong": None},
    "mld-listener-done": {"mld-listener-reduction": None},
    "neighbour-solicitation": {"neighbor-solicitation": None},
    "neighbour-advertisement": {"neighbor-advertisement": None},
}
_NAMELESS = {"mld2-listener-report"}
"""Types that ip6tables knows by number only."""


def _every(kind: int) -> Icmp:
    return kind, 0, 255


def _named(types: Mapping[str, int], further: _Further) -> Iterator[tuple[str, Icmp]]:
    for name, kind in types.items():
        yield name, _every(kind)
        for other, code in further.get(name, {}).items():
            yield other, _every(kind) if code is None else (kind, code, code)


ICMP_TYPES: Mapping[str, Icmp] = {
    "any": _every(255),
    **dict(_named(protocols.ICMP_TYPES, _FURTHER)),
}
ICMP6_TYPES: Mapping[str, Icmp] = {
    name: codes for name, codes in _named(protocols.ICMP6_TYPES, _FURTHER6) if name not in _NAMELESS
}

# -- the rest -----------------------------------------------------------------

TOS_NAMES = {
    "Minimize-Delay": 0x10,
    "Maximize-Throughput": 0x08,
    "Maximize-Reliability": 0x04,
    "Minimize-Cost": 0x02,
    "Normal-Service": 0x00,
}

_MH_SHORT = ("brr", "hoti", "coti", "hot", "cot", "bu", "ba", "be")
MH_TYPES: Mapping[str, int] = {
    name: number
    for number, names in enumerate(zip(protocols.MH_TYPES, _MH_SHORT, strict=True))
    for name in names
}
