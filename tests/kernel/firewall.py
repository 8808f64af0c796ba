"""A host to put rulesets in, and the world around it: two network namespaces.

Every interface is a veth pair whose other end, of the same name, is in the world. Routing
sends all packets either to the host itself (AnyIP) or out of one interface, as is told before
each packet. A table of the harness stands before and behind all rules: it gives packets their
mark and takes them out of tracking as their source address of Ethernet says, counts them, and
keeps every answer of the host from the counters.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress

from tests.kernel.namespaces import Namespace
from tests.kernel.netlink import Netlink

TOOLS = ("nft", "ip", "iptables-legacy-restore", "iptables-nft-restore", "ip6tables-legacy-restore")

_PRIORITIES = 0x70007, 0x70008
"""Of the sockets that stand for the host's own packets: tracked, untracked."""

_MAC = "02:00:00:00:00:01"
_IPV4 = {
    **{f"ipv4/conf/{where}/rp_filter": "0" for where in ("all", "default")},
    **{f"ipv4/conf/{where}/accept_local": "1" for where in ("all", "default")},
    **{f"ipv4/conf/{where}/route_localnet": "1" for where in ("all", "default")},
    **{f"ipv4/conf/{where}/send_redirects": "0" for where in ("all", "default")},
    "ipv4/ip_forward": "1",
    "ipv4/icmp_echo_ignore_all": "1",
    "ipv4/icmp_ratemask": "0",
    "netfilter/nf_conntrack_tcp_be_liberal": "1",
}
_IPV6 = {
    "ipv6/conf/all/forwarding": "1",
    **{f"ipv6/conf/{where}/accept_dad": "0" for where in ("all", "default")},
    "ipv6/conf/default/dad_transmits": "0",
    "ipv6/conf/default/addr_gen_mode": "1",
    "ipv6/conf/default/router_solicitations": "0",
    "ipv6/conf/default/accept_ra": "0",
    "ipv6/icmp/ratelimit": "0",
}
_LOCAL_TABLE = 255  # RT_TABLE_LOCAL: only an address in it may answer (__ip_dev_find)
_ANY_ADDRESS = """\
route add local {} dev lo table local
rule add pref 32765 lookup local
rule del pref 0
"""

HARNESS = "iptlint-harness"
_SENTINELS = f"""
table inet {HARNESS} {{
    chain before {{
        type filter hook prerouting priority -500
        meta mark set @ll,64,32
        @ll,56,8 & 1 == 1 notrack
        counter comment "rule-1000001."
    }}
    chain entering_input {{
        type filter hook input priority -500
        counter comment "rule-1000007."
    }}
    chain entering_forward {{
        type filter hook forward priority -500
        counter comment "rule-1000008."
    }}
    chain delivered {{
        type filter hook input priority 500
        counter comment "rule-1000002."
    }}
    chain forwarded {{
        type filter hook forward priority 500
        counter comment "rule-1000003."
    }}
    chain left {{
        type filter hook postrouting priority 500
        counter comment "rule-1000009."
    }}
    chain own {{
        type filter hook output priority -500; policy drop
        meta priority 7:8 notrack
        meta priority {{ 7:7, 7:8 }} counter accept comment "rule-1000004."
        icmp type destination-unreachable counter comment "rule-1000005."
        icmpv6 type destination-unreachable counter comment "rule-1000005."
        tcp flags rst counter comment "rule-1000005."
    }}
    chain sent {{
        type filter hook output priority 500
        counter comment "rule-1000006."
    }}
}}
"""
ARRIVED, DELIVERED, FORWARDED, OWN, ANSWERED, SENT = range(1000001, 1000007)
AT_INPUT, AT_FORWARD, LEFT = 1000007, 1000008, 1000009


def missing() -> str | None:
    """Why there can be no firewall here; None where there can."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"needs {', '.join(lacking)}"
    try:
        KernelFirewall().close()
    except (OSError, RuntimeError) as error:
        return f"the kernel gives no firewall: {error}"
    return None


class KernelFirewall:
    """OSError or RuntimeError where the kernel lacks something."""

    def __init__(self) -> None:
        self.host, self.world = Namespace(), Namespace()
        self.host.set(_IPV4 | _IPV6)
        self.world.set({"ipv6/conf/default/disable_ipv6": "1"})
        self._interfaces: dict[str, int] = {}
        self._heading: dict[str, int] = {}
        self.host.run(["ip", "link", "set", "lo", "up"])
        for family, everything in (("-4", "0.0.0.0/0"), ("-6", "::/0")):
            self.host.run(["ip", family, "-batch", "-"], _ANY_ADDRESS.format(everything))
        self.host.run(["nft", "-f", "-"], _SENTINELS)
        with self.host.entered():
            self.netlink = Netlink()
            self._loopback = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self.raw = {family: _raw(family) for family in (socket.AF_INET, socket.AF_INET6)}
        with self.world.entered():
            self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)

    def have_interfaces(self, names: Iterable[str]) -> None:
        """Makes those that are not there yet."""
        new = [n for n in dict.fromkeys(names) if n != "lo" and n not in self._interfaces]
        if not new:
            return
        world = self.world.path
        links, routes, far = [], [], []
        for name in new:
            number = self._interfaces[name] = _LOCAL_TABLE + 1 + len(self._interfaces)
            links.append(
                f"link add name {name} address {_MAC} type veth peer name {name} netns {world}"
            )
            links.append(f"link set {name} arp off up")
            far.append(f"link set {name} arp off up")
            routes.append(f"route add default dev {name} table {number}")
        self.host.run(["ip", "-batch", "-"], "\n".join(links))
        self.world.run(["ip", "-batch", "-"], "\n".join(far))
        self.host.run(["ip", "-4", "-batch", "-"], "\n".join(routes))
        self.host.run(["ip", "-6", "-batch", "-"], "\n".join(routes))

    def head_for(self, family: str, interface: str | None) -> None:
        """From now on packets go out of the interface, or to the host itself (None)."""
        table = _LOCAL_TABLE if interface is None else self._table(interface)
        if self._heading.get(family) == table:
            return
        option = "-4" if family == "ip" else "-6"
        lines = [f"rule add pref 1 lookup {table}"]
        if family in self._heading:
            lines.insert(0, "rule del pref 1")
        self.host.run(["ip", option, "-batch", "-"], "\n".join(lines))
        self._heading[family] = table

    def _table(self, interface: str) -> int:
        return _LOCAL_TABLE if interface == "lo" else self._interfaces[interface]

    def receive(self, interface: str, family: str, data: bytes, mark: int, untracked: bool) -> None:
        """The packet comes in from outside."""
        ethertype = 0x0800 if family == "ip" else 0x86DD
        source = bytes([2, untracked]) + struct.pack("=I", mark)
        if interface == "lo":
            frame = bytes(6) + source + struct.pack(">H", ethertype) + data
            self._loopback.sendto(frame, (interface, 0))
            return
        frame = bytes.fromhex(_MAC.replace(":", "")) + source + struct.pack(">H", ethertype) + data
        self._wire.sendto(frame, (interface, 0))

    def emit(self, family: str, daddr: str, data: bytes, mark: int, untracked: bool) -> None:
        """The packet is one of the host's own."""
        number = socket.AF_INET if family == "ip" else socket.AF_INET6
        own = self.raw[number]
        own.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, struct.pack("=I", mark))
        own.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, _PRIORITIES[untracked])
        with suppress(PermissionError):  # where a rule drops it, the socket is told
            own.sendto(data, (daddr, 0))

    def close(self) -> None:
        self.netlink.close()
        for opened in (self._loopback, self._wire, *self.raw.values()):
            opened.close()
        self.host.close()
        self.world.close()


def _raw(family: socket.AddressFamily) -> socket.socket:
    """A socket that sends packets with their IP header as given."""
    opened = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    if family == socket.AF_INET6:
        ipv6_hdrincl = 36  # linux/in6.h
        opened.setsockopt(socket.IPPROTO_IPV6, ipv6_hdrincl, 1)
    return opened
