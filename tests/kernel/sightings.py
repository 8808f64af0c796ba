"""What a packet is like once all rules have had it: a table behind them notes it down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kernel.firewall import KernelFirewall

_TABLE = "inet iptlint-eyes"
_NOTES = " ".join(
    f"meta l4proto {{ tcp, udp }} add @seen_{ip} "
    f"{{ {ip} saddr . {ip} daddr . th sport . th dport . meta mark }}\n"
    for ip in ("ip", "ip6")
)
_SETS = "\n".join(
    f"set seen_{ip} {{ type {kind} . {kind} . inet_service . inet_service . mark; flags dynamic; "
    "size 64; }"
    for ip, kind in (("ip", "ipv4_addr"), ("ip6", "ipv6_addr"))
)
_EYES = f"""table {_TABLE} {{
{_SETS}
chain delivered {{
type filter hook input priority 600
{_NOTES}
}}
chain left {{
type filter hook postrouting priority 600
{_NOTES}
}}
}}
"""
_ADDRESSES = {"ip": "192.0.2.254/32", "ip6": "2001:db8:1::254/128"}


@dataclass(frozen=True)
class Sighting:
    saddr: str
    daddr: str
    sport: int
    dport: int
    mark: int


class Eyes:
    """To be opened before rules are loaded."""

    def __init__(self, firewall: KernelFirewall) -> None:
        self._firewall = firewall
        firewall.host.run(["nft", "-f", "-"], _EYES)

    def have_interfaces(self, *names: str) -> None:
        """With an address, as masquerading and redirection need: without, they drop."""
        self._firewall.have_interfaces(names)
        for name in names:
            for address in _ADDRESSES.values():
                self._firewall.host.run(["ip", "addr", "add", address, "dev", name])

    def close(self) -> None:
        sets = "".join(f"flush set {_TABLE} seen_{ip}\n" for ip in ("ip", "ip6"))
        self._firewall.host.run(["nft", "-f", "-"], sets)

    def seen(self, family: str) -> list[Sighting]:
        """Since ``close``."""
        command = ["nft", "-nj", "list", "set", *_TABLE.split(), f"seen_{family}"]
        return [*_sightings(json.loads(self._firewall.host.run(command)))]


def _sightings(
    said: dict[str, list[dict[str, dict[str, list[dict[str, list[str]]]]]]],
) -> Iterator[Sighting]:
    for part in said["nftables"]:
        for element in part.get("set", {}).get("elem", ()):
            saddr, daddr, sport, dport, mark = element["concat"]
            yield Sighting(saddr, daddr, int(sport), int(dport), int(mark))
