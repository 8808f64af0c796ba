"""Packets by chance, near the values that a ruleset's text names, in whatever language."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from iptlint.packets.packet import Packet
from tests.kernel.states import Preparation, prepare
from tests.kernel.trial import refuse_unroutable
from tests.kernel.wire import UnsendableError

_COMMENT = re.compile(r'(--)?comment "?rule-\d+\."?')
_ADDRESSES = {
    "ip": re.compile(r"\d+\.\d+\.\d+\.\d+(?:/\d+)?(?![\d.])"),
    "ip6": re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:/\d+)?(?![\w:])"),
}
_NUMBER = re.compile(r"(?<![\w.:/])(?:0x[0-9a-f]+|\d+)(?![\w.])")
_INTERFACE = re.compile(r'-[io] ([\w+-]+)|"(\w[\w-]*\*?)"')
_STRING = re.compile(r'--string "([^"]+)"')
_ELSEWHERE = {"ip": "198.51.100.9", "ip6": "2001:db8:9::9"}
_FLAGS = (
    "syn",
    "ack",
    "syn ack",
    "rst",
    "fin ack",
    "psh ack",
    "syn fin",
    "",
    "fin psh urg",
    "rst ack",
)
_PROTOCOLS = {
    "ip": ("tcp", "tcp", "tcp", "udp", "udp", "icmp", "gre", "esp", "sctp", "89"),
    "ip6": ("tcp", "tcp", "tcp", "udp", "udp", "ipv6-icmp", "gre", "sctp", "89"),
}
_STATES = ("new", "new", "established", "established", "related", "invalid", "untracked")
_ICMP = {"ip": (8, 0, 3, 11), "ip6": (128, 129, 1, 3)}


@dataclass(frozen=True)
class Values:
    """What to draw from; each is the values named, and their neighbours."""

    family: str
    addresses: tuple[str, ...]
    numbers: tuple[int, ...]
    interfaces: tuple[str, ...]
    strings: tuple[str, ...]

    @classmethod
    def of(cls, text: str, family: str) -> Values:
        text = _COMMENT.sub("", text)
        bare = _ADDRESSES[family].sub("", text)
        numbers = {int(word, 0) for word in _NUMBER.findall(bare)}
        return cls(
            family,
            (*_edges(text, family), _ELSEWHERE[family]),
            (*sorted({near for n in numbers for near in (n - 1, n, n + 1) if near >= 0}), 40000),
            tuple(sorted({*_interfaces(text), "eth0", "eth1", "other0"})),
            tuple(sorted({*_STRING.findall(text)})),
        )

    def packet(self, rng: random.Random) -> Packet:
        hook = rng.choice(("input", "input", "forward", "forward", "output"))
        proto = rng.choice(_PROTOCOLS[self.family])
        with_ports = proto in ("tcp", "udp", "sctp")
        is_icmp = proto in ("icmp", "ipv6-icmp")
        return Packet(
            self.family,
            hook,
            iif=rng.choice(self.interfaces) if hook != "output" else None,
            oif=rng.choice(self.interfaces) if hook != "input" else None,
            saddr=rng.choice(self.addresses),
            daddr=rng.choice(self.addresses),
            proto=proto,
            sport=self._number(rng, 65535) if with_ports else None,
            dport=self._number(rng, 65535) if with_ports else None,
            tcp_flags=tuple(rng.choice(_FLAGS).split()) if proto == "tcp" else None,
            icmp_type=rng.choice(_ICMP[self.family]) if is_icmp else None,
            icmp_code=rng.choice((0, 1, 4)) if is_icmp else None,
            ct_state=rng.choice(_STATES),
            mark=rng.choice((0, 0, self._number(rng, 0xFFFFFFFF))),
            conditions=tuple(
                f"string --algo bm --string {text.encode().hex()}"
                for text in self.strings
                if rng.random() < 0.4
            ),
        )

    def _number(self, rng: random.Random, most: int) -> int:
        return rng.choice([n for n in self.numbers if n <= most])

    def near(self, packet: Packet, rng: random.Random) -> Packet:
        """The same but for a field or two."""
        other = self.packet(rng)
        names = ["saddr", "daddr", "ct_state", "mark", "conditions"]
        names += [name for name in _OF_SOME if None not in _both(packet, other, name)]
        changed = rng.sample(names, rng.choice((1, 1, 2)))
        return replace(packet, **{name: getattr(other, name) for name in changed})


_OF_SOME = ("iif", "oif", "sport", "dport", "tcp_flags", "icmp_type", "icmp_code")


def _both(one: Packet, other: Packet, name: str) -> tuple[object, object]:
    return getattr(one, name), getattr(other, name)


def packets(
    values: Values, known: Sequence[Packet], rng: random.Random, count: int
) -> Iterator[tuple[Packet, Preparation]]:
    """Every other one is near a ``known`` packet, if there are any.

    A packet that cannot have its state is sent without a connection.
    """
    known = [packet for packet in known if packet.family == values.family]
    while count:
        is_near = known and count % 2
        packet = values.near(rng.choice(known), rng) if is_near else values.packet(rng)
        try:
            refuse_unroutable(packet)
        except UnsendableError:
            continue
        try:
            preparation = prepare(packet)
        except UnsendableError:
            preparation = Preparation()
        yield packet, preparation
        count -= 1


def _edges(text: str, family: str) -> Iterator[str]:
    for word in sorted({*_ADDRESSES[family].findall(text)}):
        net: IPv4Network | IPv6Network = ip_network(word, strict=False)
        first, last = int(net[0]), int(net[-1])
        most = (1 << net.max_prefixlen) - 1
        for value in {first - 1, first, (first + last) // 2, last, last + 1}:
            if 0 <= value <= most:
                yield str(ip_address(value) if family == "ip" else _ip6(value))


def _ip6(value: int) -> str:
    return str(ip_address(value.to_bytes(16, "big")))


def _interfaces(text: str) -> Iterator[str]:
    for words in _INTERFACE.findall(_STRING.sub("", text)):
        name = "".join(words)
        stem = name.rstrip("+*")
        if stem == name:
            yield name
        else:
            yield from (f"{stem}0", f"{stem}7")
