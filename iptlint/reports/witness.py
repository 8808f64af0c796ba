"""A packet in one line, and as the JSON contract has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from iptlint.packets.describe.clause import test_words
from iptlint.packets.packet import Packet


def describe(packet: Packet) -> str:
    """``tcp 10.1.2.3:40000 -> 192.0.2.1:22 in eth0, new, syn``"""
    ends = (_end(packet.saddr, packet.sport), _end(packet.daddr, packet.dport))
    head = f"{packet.proto or 'any protocol'} {' -> '.join(ends)}"
    ways = [f"{way} {name}" for way, name in (("in", packet.iif), ("out", packet.oif)) if name]
    return ", ".join((" ".join((_FRAMES.get(packet.family, head), *ways)), *_details(packet)))


_FRAMES = {"arp": "arp", "other": "neither ip nor arp"}


def _end(address: str | None, port: int | None) -> str:
    name = address or "any"
    if port is None:
        return name
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _details(packet: Packet) -> Iterator[str]:
    if packet.ct_state:
        yield packet.ct_state
    if packet.tcp_flags is not None:
        yield "+".join(packet.tcp_flags) or "no tcp flags"
    if packet.icmp_type is not None:
        yield f"icmp type {packet.icmp_type}, code {packet.icmp_code or 0}"
    if packet.mark:
        yield f"mark {packet.mark:#x}"
    yield from map(test_words, packet.conditions)


def as_json(packet: Packet | None) -> dict[str, object] | None:
    return asdict(packet) if packet else None
