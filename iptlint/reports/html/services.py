"""Ports in words for people who know no ports."""

from __future__ import annotations

from collections.abc import Mapping

from iptlint.analysis.services import SERVICES as SELDOM_PUBLIC
from iptlint.analysis.services import Service
from iptlint.model.matches import Ranges
from iptlint.model.protocols import TCP, UDP
from iptlint.model.services import SERVICES as NAMES

_NUMBERS = {"tcp": TCP, "udp": UDP}

_PLAIN: Mapping[tuple[str, int], str] = {
    ("tcp", 21): "file transfer (FTP)",
    ("tcp", 22): "remote login (SSH)",
    ("tcp", 25): "mail from other servers (SMTP)",
    ("tcp", 53): "names (DNS)",
    ("udp", 53): "names (DNS)",
    ("tcp", 80): "web (HTTP)",
    ("tcp", 110): "reading mail (POP3)",
    ("udp", 123): "time (NTP)",
    ("tcp", 143): "reading mail (IMAP)",
    ("tcp", 443): "web (HTTPS)",
    ("udp", 443): "web (HTTP/3)",
    ("tcp", 465): "sending mail (SMTP over TLS)",
    ("udp", 500): "VPN (IPsec)",
    ("tcp", 587): "sending mail (submission)",
    ("tcp", 993): "reading mail (IMAP over TLS)",
    ("tcp", 995): "reading mail (POP3 over TLS)",
    ("tcp", 1194): "VPN (OpenVPN)",
    ("udp", 1194): "VPN (OpenVPN)",
    ("tcp", 4190): "sorting mail (ManageSieve)",
    ("udp", 4500): "VPN (IPsec)",
    ("udp", 51820): "VPN (WireGuard)",
    ("tcp", 8080): "web, second port (HTTP)",
    ("tcp", 8443): "web, second port (HTTPS)",
    ("tcp", 9090): "web console (Cockpit, Prometheus)",
}
"""What is usual at a port; that the host has it there, nothing says."""

_BY_PORT: Mapping[int, str] = {port: name for name, port in reversed([*NAMES.items()])}
_MOST = 6


def seldom_public(protocol: str, ports: Ranges) -> list[tuple[int, Service]]:
    """The services at the ports which are seldom public on purpose, each with its port."""
    return [
        (port, service)
        for service in SELDOM_PUBLIC
        if _NUMBERS.get(protocol) in service.protocols
        for port in service.ports
        if any(low <= port <= high for low, high in ports)
    ]


def usual_at(protocol: str, port: int) -> str:
    """What is usual at the port; nothing where nobody has a name for it."""
    if (protocol, port) in _PLAIN:
        return _PLAIN[protocol, port]
    seldom = seldom_public(protocol, ((port, port),))
    return seldom[0][1].name if seldom else _BY_PORT.get(port, "")


def in_words(protocol: str, ports: Ranges) -> str:
    """What is usual at the ports: all that have a name, where they are few."""
    if ports == ((0, 65535),):
        return "every port"
    return ", ".join(names_at(protocol, ports)[:_MOST])


def names_at(protocol: str, ports: Ranges) -> list[str]:
    numbers = [port for low, high in ports if high - low < _MOST for port in range(low, high + 1)]
    return [*dict.fromkeys(name for port in numbers if (name := usual_at(protocol, port)))]


def numbers(ports: Ranges, most: int = 12) -> str:
    """``22, 80-90``"""
    shown = [str(low) if low == high else f"{low}-{high}" for low, high in ports[:most]]
    more = len(ports) - most
    return ", ".join(shown) + (f" and {more} more ranges" if more > 0 else "")
