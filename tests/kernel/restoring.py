"""Rulesets given to the kernel, by the tool of their kind."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from enum import Enum
from typing import Protocol

from tests.kernel.counters import CounterReader, LegacyCounters, NftCounters
from tests.kernel.namespaces import Namespace
from tests.kernel.netlink import Netlink


class Kind(Enum):
    """Who loads a ruleset, and into what."""

    LEGACY = "iptables-legacy"
    IPTABLES_NFT = "iptables-nft"
    NFT = "nft"


class Restorable(Protocol):
    """A host that takes rules; ``raw``: sockets of it by their family."""

    @property
    def host(self) -> Namespace: ...
    @property
    def netlink(self) -> Netlink: ...
    @property
    def raw(self) -> Mapping[socket.AddressFamily, socket.socket]: ...


_TABLES = re.compile(r"^\*(\w+)", re.MULTILINE)


def restore(
    firewall: Restorable, text: str, kind: Kind, family: str = "ip"
) -> tuple[CounterReader, ...]:
    """What reads the counters of its rules, ``text`` being ``labelled``. RuntimeError where the
    kernel refuses it."""
    tool = "iptables" if family == "ip" else "ip6tables"
    rules_of_nft = NftCounters(firewall.netlink)
    match kind:
        case Kind.NFT:
            firewall.host.run(["nft", "-f", "-"], text)
            return (rules_of_nft,)
        case Kind.IPTABLES_NFT:
            firewall.host.run([f"{tool}-nft-restore"], text)
            return (rules_of_nft,)
        case Kind.LEGACY:
            firewall.host.run([f"{tool}-legacy-restore"], text)
            number = socket.AF_INET if family == "ip" else socket.AF_INET6
            tables = tuple(dict.fromkeys(_TABLES.findall(text)))
            return (rules_of_nft, LegacyCounters(firewall.raw[number], tables))


_TWO_OTHER_PORTS = re.compile(r"(! --sport \d+) ! --dport \d+(?= |$)", re.MULTILINE)


def without_misread_ports(text: str) -> str:
    """iptables-nft 1.8.9 makes one comparison of two ports that are excluded (``cmp neq`` of four
    bytes), so that its rule also takes packets with one of them: its own fault, which is left
    out."""
    return _TWO_OTHER_PORTS.sub(r"\1", text)


_REFUSED_LINE = re.compile(r"/dev/stdin:(\d+):\d+-\d+: Error")


def acceptable(firewall: Restorable, text: str) -> str:
    """A ruleset of nft without the lines that nft refuses; the others keep their numbers."""
    while True:
        try:
            firewall.host.run(["nft", "-c", "-f", "-"], text)
        except RuntimeError as error:
            lines = text.split("\n")
            refused = {int(number) for number in _REFUSED_LINE.findall(str(error))}
            if not any(lines[number - 1] for number in refused):
                raise
            for number in refused:
                lines[number - 1] = ""
            text = "\n".join(lines)
        else:
            return text
