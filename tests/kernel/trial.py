"""Packets through a ruleset: which rules counted them, and what became of them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from iptlint.packets.packet import Packet
from tests.kernel.connections import Connections
from tests.kernel.counters import CounterReader, Counts, labelled
from tests.kernel.firewall import (
    ANSWERED,
    ARRIVED,
    AT_FORWARD,
    AT_INPUT,
    DELIVERED,
    FORWARDED,
    LEFT,
    OWN,
    SENT,
    KernelFirewall,
)
from tests.kernel.restoring import Kind, restore, without_misread_ports
from tests.kernel.states import Preparation, prepare
from tests.kernel.wire import UnsendableError, build, is_fragment

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PATIENCE = 120.0
"""Seconds for a packet to be seen by the first sentinel, where the machine is busy."""


class Fate(Enum):
    DELIVERED = "delivered"  # passed input
    FORWARDED = "forwarded"  # passed forward
    SENT = "sent"  # the host's own, passed output
    REJECTED = "rejected"  # stopped, and the sender was told
    DROPPED = "dropped"


@dataclass(frozen=True)
class Trial:
    """``moved``: the lines of the rules that counted the packet. ``hooks``: where it came by.
    ``left``: it passed postrouting."""

    moved: frozenset[int]
    fate: Fate
    hooks: frozenset[str]
    left: bool = False

    @property
    def passed(self) -> bool:
        """All hooks on its way."""
        return self.left or self.fate is Fate.DELIVERED


@dataclass(frozen=True)
class Loaded:
    """A ruleset in the kernel. ``text`` has the line of each rule in its comment."""

    firewall: KernelFirewall
    text: str
    readers: tuple[CounterReader, ...]

    def send(self, packet: Packet) -> Trial:
        """UnsendableError where no such packet can be had."""
        return self.send_prepared(packet, prepare(packet))

    def send_prepared(
        self, packet: Packet, preparation: Preparation, *, routed: bool = True
    ) -> Trial:
        """``routed``: refuse what no rule of the hook would see."""
        if routed:
            refuse_unroutable(packet)
        data = build(packet, preparation.nature)
        connections = Connections(self.firewall.netlink)
        connections.forget()
        preparation.connect(connections)
        with on_one_processor():
            before = self._counts()
            self._send(packet, data, preparation.untracked)
            return _trial(self._counts_after(before, packet) - before)

    def _send(self, packet: Packet, data: bytes, untracked: bool) -> None:
        family, mark = packet.family, packet.mark or 0
        self.firewall.have_interfaces(name for name in (packet.iif, packet.oif) if name)
        self.firewall.head_for(family, packet.oif)
        if packet.iif is None:
            self.firewall.emit(family, str(packet.daddr), data, mark, untracked)
        else:
            self.firewall.receive(packet.iif, family, data, mark, untracked)

    def _counts(self) -> Counts:
        counts: Counts = Counts()
        for reader in self.readers:
            counts += reader.read()
        return counts

    def _counts_after(self, before: Counts, packet: Packet) -> Counts:
        """A packet's whole way is one piece of work of this processor (``on_one_processor``): once
        the first sentinel has seen it, it is through."""
        first = OWN if packet.iif is None else ARRIVED
        deadline = time.monotonic() + _PATIENCE
        while (counts := self._counts())[first] == before[first]:
            if time.monotonic() > deadline:
                raise AssertionError(f"the kernel never saw this packet: {packet}")
            time.sleep(0.001)
        return counts


def refuse_unroutable(packet: Packet) -> None:
    """What routing stops before any rule of input or forward could see it."""
    if packet.hook in ("prerouting", "ingress"):
        return
    if packet.hook == "input" and packet.family == "ip" and is_fragment(packet):
        raise UnsendableError("fragments of ip are put together before input (ip_local_deliver)")
    source, destination = str(packet.saddr), str(packet.daddr)
    unroutable = _UNROUTABLE[packet.family]
    if unroutable[0].match(source) or unroutable[1].match(destination):
        raise UnsendableError(f"not routed: {source} to {destination}")


_UNROUTABLE = {
    # Sources and destinations: this network, multicast, broadcast (ip_route_input_slow).
    "ip": (
        re.compile(r"0\.|22[4-9]\.|23\d\.|24\d\.|25[0-5]\."),
        re.compile(r"0\.|22[4-9]\.|23\d\.|24\d\.|25[0-5]\."),
    ),
    # Loopback, unspecified, multicast; link-local ones are not forwarded (ip6_rcv_core).
    "ip6": (
        re.compile(r"::1?$|::ffff:|ff|fe[89ab]", re.IGNORECASE),
        re.compile(r"::1?$|ff|fe[89ab]", re.IGNORECASE),
    ),
}


_HOOKS = {ARRIVED: "prerouting", AT_INPUT: "input", AT_FORWARD: "forward", OWN: "output"}


def _trial(moved: Counts) -> Trial:
    rules = frozenset(line for line in moved if line < ARRIVED)
    hooks = frozenset(hook for sentinel, hook in _HOOKS.items() if moved[sentinel])
    return Trial(rules, _fate(moved), hooks, bool(moved[LEFT]))


def _fate(moved: Counts) -> Fate:
    passed = ((DELIVERED, Fate.DELIVERED), (FORWARDED, Fate.FORWARDED), (SENT, Fate.SENT))
    for sentinel, fate in passed:
        if moved[sentinel]:
            return fate
    return Fate.REJECTED if moved[ANSWERED] else Fate.DROPPED


def load(firewall: KernelFirewall, text: str, kind: Kind, family: str = "ip") -> Loaded:
    """RuntimeError where the kernel refuses it. The firewall is to be a new one, or one whose
    rules were taken out by ``unload``."""
    text = labelled(text)
    if kind is Kind.IPTABLES_NFT:
        text = without_misread_ports(text)
    return Loaded(firewall, text, restore(firewall, text, kind, family))


@contextmanager
def on_one_processor() -> Iterator[None]:
    """Packets are sent and walked by the same processor, so one after the other; each process of
    the tests has another one.

    To be entered around many packets: each one enters it, which then costs nothing.
    """
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[_WORKER % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
