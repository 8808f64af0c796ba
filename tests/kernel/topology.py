"""A host between networks, each with stations that the harness plays.

The host has a namespace, all wires end in another one. An interface is a veth pair; a bridge has a
veth pair for each station as its port. Addresses are real ones of the host, routing is by them,
and nobody but the harness answers anything: neither the host's sockets nor a station's.

    stations ── wire ── host ── wire ── stations
                          └── bridge ── wire ── station
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface

from tests.kernel.datagrams import Datagram, parse
from tests.kernel.namespaces import Namespace
from tests.kernel.netlink import Netlink
from tests.kernel.packet_log import RULES, Entry, PacketLog

FAMILIES = ("ip", "ip6")
HOST_MAC, BRIDGE_MAC = (bytes((2, 0, 0, 0, 0, number)) for number in (1, 2))
_OPTION = {"ip": "-4", "ip6": "-6"}
_ETHERTYPE = {"ip": 0x0800, "ip6": 0x86DD}
_MARKER = 0x88B5  # of local experiments (IEEE 802)
_SOL_PACKET, _QDISC_BYPASS = 263, 20  # linux/socket.h, linux/if_packet.h
_PATIENCE = 120.0
"""Seconds that the kernel may take, which is at once on a machine with nothing else to do."""
_ROUNDS = 4
"""A packet waits once for each namespace, and once more where it goes by lo."""


@dataclass(frozen=True, slots=True)
class Station:
    """``addresses`` by family. It has the ``wire`` of its network, or one of its own."""

    name: str
    addresses: dict[str, str] = field(hash=False)
    wire: str
    number: int

    @property
    def mac(self) -> bytes:
        return bytes((2, 0, 0, 0, 1, self.number))


@dataclass(frozen=True, slots=True)
class Network:
    """``interface`` is the host's in it, ``own`` its addresses there with their networks."""

    interface: str
    own: dict[str, str] = field(hash=False)
    stations: tuple[Station, ...]
    is_bridge: bool = False

    @property
    def wires(self) -> tuple[str, ...]:
        return self.interface, *(station.wire for station in self.stations)

    @property
    def mac(self) -> bytes:
        return BRIDGE_MAC if self.is_bridge else HOST_MAC

    @property
    def own_addresses(self) -> tuple[str, ...]:
        return tuple(own_address(self, family) for family in self.own)

    def has(self, address: str) -> bool:
        version = ip_address(address).version
        return (
            ip_address(address) in ip_interface(self.own["ip" if version == 4 else "ip6"]).network
        )


def network(
    interface: str, own: tuple[str, str], hosts: dict[str, int], *, bridge: bool = False
) -> Network:
    """``hosts``: the stations by name, with the last number of their addresses."""
    stations = tuple(
        Station(
            name,
            {family: _sibling(one, number) for family, one in zip(FAMILIES, own, strict=True)},
            f"v-{name}" if bridge else interface,
            number,
        )
        for name, number in hosts.items()
    )
    return Network(interface, dict(zip(FAMILIES, own, strict=True)), stations, bridge)


def _sibling(own: str, number: int) -> str:
    return str(ip_interface(own).network[number])


WAN = network("eth0", ("198.51.100.1/24", "2001:db8:1::1/64"), {"client": 7})
LAN = network("eth1", ("192.168.1.1/24", "fd00:1::1/64"), {"guest": 50, "server": 100})
DOCKER = network("docker0", ("172.17.0.1/16", "fd00:17::1/64"), {"web": 2, "base": 3}, bridge=True)


def own_address(one: Network, family: str) -> str:
    """The host's."""
    return str(ip_interface(one.own[family]).ip)


@dataclass(frozen=True, slots=True)
class Frame:
    """What came out of a wire at the stations' end."""

    wire: str
    mac: bytes
    datagram: Datagram


_SYSCTLS = {
    **{f"ipv4/conf/{where}/rp_filter": "0" for where in ("all", "default")},
    **{f"ipv4/conf/{where}/send_redirects": "0" for where in ("all", "default")},
    "ipv4/ip_forward": "1",
    "ipv4/icmp_echo_ignore_all": "1",
    "ipv4/icmp_ratemask": "0",
    "ipv4/conf/lo/disable_policy": "0",
    "ipv6/conf/all/forwarding": "1",
    "ipv6/conf/lo/disable_policy": "0",
    **{f"ipv6/conf/{where}/accept_dad": "0" for where in ("all", "default")},
    "ipv6/conf/default/dad_transmits": "0",
    "ipv6/conf/default/addr_gen_mode": "1",
    "ipv6/conf/default/router_solicitations": "0",
    "ipv6/conf/default/accept_ra": "0",
    "ipv6/icmp/ratelimit": "0",
    "ipv6/icmp/echo_ignore_all": "1",
}
_LONG = "86400"
"""Seconds that a connection is remembered: between two of its packets the machine may be busy."""
_CONNECTIONS = {
    f"netfilter/nf_conntrack_{name}_timeout{rest}": _LONG
    for name, rest in (
        *(("udp", ""), ("udp", "_stream"), ("icmp", ""), ("icmpv6", ""), ("generic", "")),
        *(("tcp", f"_{state}") for state in ("syn_sent", "syn_recv", "fin_wait", "close")),
    )
}
_BRIDGE_CALLS = ("bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables")
_NOBODY_ANSWERS = "xfrm policy add dir in src {0} dst {0} action block"
"""No socket gets anything (xfrm_policy_check), and no answer says that nobody listens."""


class Topology:
    """The first network has the default route. OSError or RuntimeError where the kernel lacks
    something. ``bridge_calls``: bridges show what they forward to the chains of ip (br_netfilter).
    """

    def __init__(
        self, networks: tuple[Network, ...] = (WAN, LAN, DOCKER), *, bridge_calls: bool = False
    ) -> None:
        self.networks = networks
        self.host, self.world = Namespace(), Namespace()
        self.host.set(_SYSCTLS)
        calls = dict.fromkeys(_BRIDGE_CALLS, str(int(bridge_calls)))
        for name, value in (*_CONNECTIONS.items(), *calls.items()):
            with suppress(FileNotFoundError):  # without conntrack, or br_netfilter
                self.host.set({name: value})
        self.world.set({"ipv6/conf/default/disable_ipv6": "1"})
        self._wires: list[str] = []
        self._build()
        self.host.run(["nft", "-f", "-"], RULES)
        self._open()

    def _build(self) -> None:
        """The stations' ends come up first: the end that makes a wire complete may send at once,
        the other one only when the kernel finds the time (linkwatch)."""
        made, routes = [*self._wire("sync0")], ["link set lo up", "link set sync0 arp off up"]
        for one in self.networks:
            made += self._bridge(one) if one.is_bridge else self._wire(one.interface)
            routes += [f"link set {station.wire} up" for station in one.stations if one.is_bridge]
            routes.append(f"link set {one.interface} arp off up")
            routes += [f"addr add {own} dev {one.interface} nodad" for own in one.own.values()]
            routes += _neighbours(one) if one.is_bridge else []
        self.host.run(["ip", "-batch", "-"], "\n".join(made))
        far = (f"link set {wire} arp off up" for wire in self._wires)
        self.world.run(["ip", "-batch", "-"], "\n".join(far))
        self.host.run(["ip", "-batch", "-"], "\n".join(routes))
        first = self.networks[0].interface
        for family, everything in (("ip", "0.0.0.0/0"), ("ip6", "::/0")):
            lines = [_NOBODY_ANSWERS.format(everything), f"route add default dev {first}"]
            self.host.run(["ip", _OPTION[family], "-batch", "-"], "\n".join(lines))

    def _wire(self, name: str) -> list[str]:
        self._wires.append(name)
        mac = HOST_MAC.hex(":")
        return [f"link add {name} address {mac} type veth peer name {name} netns {self.world.path}"]

    def _bridge(self, one: Network) -> list[str]:
        lines = [f"link add {one.interface} address {BRIDGE_MAC.hex(':')} type bridge"]
        lines.append(f"link set {one.interface} type bridge mcast_snooping 0")
        for number, station in enumerate(one.stations, 3):
            lines += self._wire(station.wire)
            lines.append(f"link set {station.wire} address 02:00:00:00:00:{number:02x}")
            lines.append(f"link set {station.wire} master {one.interface}")
        return lines

    def _open(self) -> None:
        with self.host.entered():
            self.netlink = Netlink()
            self._log = PacketLog()
            self._marking = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self.raw = {family: _raw(family) for family in (socket.AF_INET, socket.AF_INET6)}
            self.interfaces = dict(socket.if_nameindex())
        with self.world.entered():
            every = socket.htons(0x0003)  # ETH_P_ALL
            self._ends = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, every)
        self._ends.setblocking(False)
        self._ends.setsockopt(_SOL_PACKET, _QDISC_BYPASS, 1)
        self._until_ports_forward()
        for one in self.networks:  # bridges learn where each station is
            for station in one.stations:
                self._put(station.wire, station.mac, one.mac, _MARKER, b"learn")
        self.settle()

    def _until_ports_forward(self) -> None:
        """A port does when the kernel has found the time to see that its wire is complete
        (linkwatch)."""
        ports = sum(len(one.stations) for one in self.networks if one.is_bridge)
        deadline = time.monotonic() + _PATIENCE
        listing = ["ip", "-d", "link", "show", "type", "bridge_slave"]
        while self.host.run(listing).count("bridge_slave state forwarding") < ports:
            if time.monotonic() > deadline:
                raise RuntimeError("a port of a bridge does not forward")
            time.sleep(0.005)

    # --- packets ---------------------------------------------------------------------------

    def hears(self, frame: Frame) -> Station:
        """Who of those at the wire has the address, or a stranger there."""
        return self._station(frame.wire, frame.datagram.daddr)

    def neighbour(self, station: Station, datagram: Datagram) -> Station | None:
        """Whom the station reaches without the host's routing; None where it asks the host."""
        one = self._network(station.wire)
        if not one.has(datagram.daddr) or datagram.daddr in one.own_addresses:
            return None
        wires = [other.wire for other in one.stations if datagram.daddr in other.addresses.values()]
        return self._station(wires[0] if wires else station.wire, datagram.daddr)

    def send(self, station: Station, datagram: Datagram) -> None:
        """By its wire, unless it reaches a neighbour without the host."""
        there = self.neighbour(station, datagram)
        if there is not None and there.wire == station.wire:
            return
        to = self._network(station.wire).mac if there is None else there.mac
        self._put(station.wire, station.mac, to, _ETHERTYPE[datagram.family], datagram.pack())

    def send_bytes(self, station: Station, family: str, data: bytes) -> None:
        """To the host, whatever it is."""
        to = self._network(station.wire).mac
        self._put(station.wire, station.mac, to, _ETHERTYPE[family], data)

    def _network(self, wire: str) -> Network:
        return next(one for one in self.networks if wire in one.wires)

    def _station(self, wire: str, address: str) -> Station:
        at_wire = (s for s in self._network(wire).stations if s.wire == wire)
        stranger = Station("stranger", {}, wire, 254)
        return next((s for s in at_wire if address in s.addresses.values()), stranger)

    def emit(self, datagram: Datagram) -> None:
        """A packet of the host's own."""
        own = self.raw[socket.AF_INET if datagram.family == "ip" else socket.AF_INET6]
        with suppress(OSError):  # where a rule drops it, the socket is told
            own.sendto(datagram.pack(), (datagram.daddr, 0))

    def _put(self, wire: str, source: bytes, to: bytes, kind: int, data: bytes) -> None:
        self._ends.sendto(to + source + struct.pack(">H", kind) + data, (wire, 0))

    def settle(self) -> tuple[list[Frame], list[Entry]]:
        """What has come out of wires, and what the hooks saw, once nothing is under way any more.

        All packets wait in one queue of the processor (``on_one_processor``): one that is sent
        behind them says when they are through.
        """
        frames: list[Frame] = []
        for number in range(_ROUNDS):
            marker = struct.pack(">H", _MARKER) + bytes([number])
            self._marking.sendto(bytes(6) + HOST_MAC + marker, ("sync0", 0))
            frames += self._until(marker)
        return frames, self._log.read()

    def _until(self, marker: bytes) -> Iterator[Frame]:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                data, (wire, kind, direction, *_) = self._ends.recvfrom(1 << 16)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise AssertionError("the kernel never sent the marker") from None
                time.sleep(0.0005)
                continue
            if direction == socket.PACKET_OUTGOING:
                continue
            if wire == "sync0" and data[12:].startswith(marker):
                return
            if kind in _ETHERTYPE.values():
                yield Frame(wire, data[:6], parse(data[14:]))

    def close(self) -> None:
        self.netlink.close()
        self._log.close()
        for opened in (self._marking, self._ends, *self.raw.values()):
            opened.close()
        self.host.close()
        self.world.close()


def _neighbours(one: Network) -> list[str]:
    return [
        f"neigh add {address} lladdr {station.mac.hex(':')} dev {one.interface} nud permanent"
        for station in one.stations
        for address in station.addresses.values()
    ]


def _raw(family: socket.AddressFamily) -> socket.socket:
    """A socket that sends packets with their IP header as given."""
    opened = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    if family == socket.AF_INET6:
        ipv6_hdrincl = 36  # linux/in6.h
        opened.setsockopt(socket.IPPROTO_IPV6, ipv6_hdrincl, 1)
    return opened
