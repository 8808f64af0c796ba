"""What verdicts mean that have more to them than a kind, in words that all languages share."""

from __future__ import annotations

from collections.abc import Iterable


def translation(name: str, address: str, ports: str, flags: Iterable[str]) -> str:
    """``snat to 192.0.2.1-192.0.2.9 port 1024-2047 random``; in nft's words."""
    where = f" to {address}" if address else ""
    port = f" port {ports}" if ports else ""
    return " ".join((f"{name}{where}{port}", *sorted(flags)))


def queue(numbers: str, flags: Iterable[str]) -> str:
    return " ".join((f"queue {numbers}", *sorted(flags)))


_SAME_ANSWER = {
    "net-unreachable": "no-route",
    "addr-unreachable": "host-unreachable",
    "adm-prohibited": "admin-prohibited",
}
"""What ip and ip6 have different names for (nft_reject.c)."""


def answer(name: str) -> str:
    """``reject with port-unreachable``, of a name as iptables or nft has it, or none."""
    for protocol in ("icmp-", "icmp6-", "icmp ", "icmpv6 ", "icmpx "):
        name = name.removeprefix(protocol)
    return f"reject with {_SAME_ANSWER.get(name, name) or 'port-unreachable'}"


def synproxy(mss: str, wscale: str, flags: Iterable[str]) -> str:
    numbers = (f"{word} {text}" for word, text in (("mss", mss), ("wscale", wscale)) if text)
    return " ".join(("synproxy", *numbers, *sorted(flags)))
