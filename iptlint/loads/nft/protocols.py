"""Which protocol a rule is about at each layer, as nft works it out from test to test.

src/proto.c has the protocols and what each carries, src/payload.c what a selector demands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from iptlint.model import Family

LINK, NETWORK, TRANSPORT = 1, 2, 3


@dataclass(frozen=True, slots=True, eq=False)
class Protocol:
    """``carries``: the protocols of the next layer, or of the same, by number."""

    name: str
    layer: int
    carries: Mapping[int, str] = field(default_factory=dict)

    def number_of(self, name: str) -> int | None:
        return next((number for number, each in self.carries.items() if each == name), None)


_TRANSPORTS = {
    **{50: "esp", 51: "ah", 108: "comp", 17: "udp", 136: "udplite", 6: "tcp", 33: "dccp"},
    **{132: "sctp", 1: "icmp", 2: "igmp", 58: "icmpv6"},
}
_BEHIND_HEADER = {n: name for n, name in _TRANSPORTS.items() if n not in (1, 2, 58)}
_ETHER = {0x0800: "ip", 0x0806: "arp", 0x86DD: "ip6", 0x8100: "vlan", 0x88A8: "vlan"}

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("ether", LINK, _ETHER),
        Protocol("vlan", LINK, _ETHER),
        Protocol("netdev", LINK, _ETHER),
        Protocol("inet", LINK, {2: "ip", 10: "ip6"}),
        Protocol("ip", NETWORK, _TRANSPORTS),
        Protocol("ip6", NETWORK, _TRANSPORTS),
        Protocol("arp", NETWORK),
        Protocol("inet-service", TRANSPORT, _TRANSPORTS),
        Protocol("ah", TRANSPORT, _BEHIND_HEADER),
        Protocol("comp", TRANSPORT, _BEHIND_HEADER),
        *(
            Protocol(name, TRANSPORT)
            for name in (
                *("esp", "udp", "udplite", "tcp", "dccp", "sctp", "icmp", "igmp", "icmpv6"),
                "unknown",
            )
        ),
    )
}
_LOWEST = {
    **{Family.BRIDGE: "ether", Family.NETDEV: "netdev", Family.INET: "inet"},
    **{Family.IP: "ip", Family.IP6: "ip6", Family.ARP: "arp"},
}
_NETWORK_OF_ICMP = {"icmp": "ip", "igmp": "ip", "icmpv6": "ip6"}
_DUMMY = ("inet", "netdev")
_MOST = 16
"""Protocols of a layer that nft remembers (PROTO_CTX_NUM_PROTOS)."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """``first`` is what the rule is about already, ``second`` what a selector asks for."""

    first: str
    second: str


class ProtocolContext:
    """The protocol of each layer, from the family and from the tests so far."""

    def __init__(self, family: Family) -> None:
        self.family = family
        lowest = PROTOCOLS[_LOWEST[family]]
        self._base = lowest
        self._at: dict[int, Protocol] = {lowest.layer: lowest}
        self._transports: list[str] = []
        self._stacked: list[str] = []

    def name_at(self, layer: int) -> str | None:
        protocol = self._at.get(layer)
        return protocol.name if protocol else None

    @property
    def network(self) -> str | None:
        return self.name_at(NETWORK)

    @property
    def transport(self) -> str | None:
        return self.name_at(TRANSPORT)

    # -- selectors ---------------------------------------------------------------------------

    def read(self, name: str) -> Conflict | None:
        """A field of the protocol is read: nft adds the tests that it demands, or refuses."""
        wanted = PROTOCOLS.get(name)
        if wanted is None:
            return None
        now = self._at.get(wanted.layer)
        if now is None:
            conflict = self._depend(wanted)
            if conflict is not None:
                return conflict
            now = self._at.get(wanted.layer)
            if now is None or now is wanted:
                return None
        if wanted.layer == TRANSPORT and len(self._transports) > 1:
            other = next(each for each in self._transports if each != name)
            return Conflict(other, name)
        return None if now is wanted else self._resolve(now, wanted)

    def read_network(self, name: str) -> Conflict | None:
        """An option or extension header of the network protocol is read."""
        if self.network == name:
            return None
        if self.network is not None:
            return Conflict(self.network, name)
        return self._depend(PROTOCOLS[name])

    def _depend(self, wanted: Protocol) -> Conflict | None:
        if wanted.layer < self._base.layer:
            self._at[LINK] = PROTOCOLS["ether"]
            if wanted.name == "vlan":
                self._stacked.append("ether")
                self._at[LINK] = wanted
            return None
        lower = self._at.get(wanted.layer - 1)
        if lower is None:
            network = _NETWORK_OF_ICMP.get(wanted.name)
            if network is not None and LINK in self._at:
                conflict = self._under(self._at[LINK], PROTOCOLS[network])
                if conflict is not None:
                    return conflict
                lower = PROTOCOLS[network]
            else:
                lower = PROTOCOLS["inet-service"]
        if self.family is Family.BRIDGE and lower.name == "ether" and wanted.name in ("ip", "ip6"):
            lower = PROTOCOLS["netdev"]
        return self._under(lower, wanted)

    def _under(self, lower: Protocol, wanted: Protocol) -> Conflict | None:
        if lower.number_of(wanted.name) is None:
            return Conflict(lower.name, wanted.name)
        self._set(wanted)
        return None

    def _resolve(self, now: Protocol, wanted: Protocol) -> Conflict | None:
        """Two protocols of one layer: only link layers go together."""
        conflict = Conflict(now.name, wanted.name)
        if wanted.layer != LINK:
            # Behind ah or comp there may be another one; nft itself fails where it is asked.
            return None if now.number_of(wanted.name) is not None else conflict
        if now.name in _DUMMY:
            self._at[LINK] = PROTOCOLS["ether"]
            self._stacked.append("ether")
            now = wanted
        elif wanted.name in self._stacked:
            return None
        if NETWORK in self._at:
            return None if self._at[LINK] is wanted else conflict
        if now.number_of(wanted.name) is None:
            return None if self._at[LINK] is wanted else conflict
        self._stacked.append(now.name)
        self._at[LINK] = wanted
        return None

    # -- tests -------------------------------------------------------------------------------

    def learn(self, layer: int, protocol: str, numbers: Iterable[int]) -> None:
        """A field that says what comes next is one of the numbers: ``protocol`` holds the field,
        at ``layer`` is what it tells of."""
        below = PROTOCOLS.get(protocol)
        if below is None:
            return
        for number in numbers:
            name = below.carries.get(number)
            if name is not None:
                above = PROTOCOLS[name]
                if above.layer == below.layer == LINK:
                    self._stacked.append(below.name)
                self._set(above)
            elif layer == TRANSPORT and protocol == "inet-service":
                self._set(PROTOCOLS["unknown"])

    def learn_network(self, name: str | None) -> None:
        """None: one that nft does not know."""
        self._at[NETWORK] = PROTOCOLS[name] if name else Protocol("unknown", NETWORK)

    def learn_link(self, name: str | None) -> None:
        self._at[LINK] = PROTOCOLS[name] if name else Protocol("unknown", LINK)

    def _set(self, protocol: Protocol) -> None:
        if protocol.layer == TRANSPORT:
            known = protocol.name in self._transports
            if not known and len(self._transports) < _MOST:
                self._transports.append(protocol.name)
        self._at[protocol.layer] = protocol
