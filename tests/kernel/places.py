"""The values that random rulesets about exchanges are written with: those of the topology."""

from __future__ import annotations

from tests.kernel.topology import DOCKER, LAN, WAN

NETWORKS = (WAN, LAN, DOCKER)
INTERFACES = tuple(one.interface for one in NETWORKS)
STATIONS = {
    family: tuple(s.addresses[family] for one in NETWORKS for s in one.stations)
    for family in ("ip", "ip6")
}
SERVERS = {family: addresses[1:] for family, addresses in STATIONS.items()}
"""Those that do not stand in the world."""
OWN = {family: tuple(one.own[family].split("/")[0] for one in NETWORKS) for family in ("ip", "ip6")}
NETS = {
    "ip": ("192.168.1.0/24", "172.17.0.0/16", "198.51.100.0/24"),
    "ip6": ("fd00:1::/64", "fd00:17::/64", "2001:db8:1::/64"),
}
SMALL_NETS = {
    "ip": ("192.168.1.96/29", "172.17.0.0/29"),
    "ip6": ("fd00:1::60/125", "fd00:17::/125"),
}
"""For NETMAP: each has a server at its beginning."""
RANGES = {"ip": "172.17.0.2-172.17.0.3", "ip6": "fd00:17::2-fd00:17::3"}
"""Of addresses that there are."""
FAR = {"ip": "203.0.113.9", "ip6": "2001:db8:99::9"}
"""Somebody beyond the default route."""
PUBLISHED = {"ip": "203.0.113.82", "ip6": "2001:db8:99::82"}
"""An address that nobody has, to be translated."""
PUBLISHED_NET = {"ip": "203.0.113.80/29", "ip6": "2001:db8:99::80/125"}
PORTS = (22, 53, 80, 443, 8080)
MARKS = ("0x1", "0x2", "0x3")
