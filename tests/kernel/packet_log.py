"""What passes the hooks of a host, as the kernel logs it to whoever asks (nfnetlink_log).

The numbers are those of linux/netfilter/nfnetlink_log.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.kernel.datagrams import Datagram, parse
from tests.kernel.netlink import ACK, Netlink, attribute, attributes

GROUP = 5
_PACKET, _CONFIG = 4 << 8 | 0, 4 << 8 | 1  # NFNL_SUBSYS_ULOG
_HEADER, _MARK, _IIF, _OIF, _PAYLOAD, _PREFIX = 1, 2, 4, 5, 9, 10
_BIND, _COMMAND, _MODE, _THRESHOLD = 1, 1, 2, 5
_WHOLE_PACKETS = 2
_HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
"""As linux/netfilter.h numbers them."""

TABLE = "inet iptlint-log"
"""Chains before and behind all rules of each hook, and nothing of the host's own making that no
ruleset asked for: neighbour discovery, group membership."""

RULES = "\n".join(
    (
        f"table {TABLE} {{",
        *(
            f"chain {hook}_{place} {{\ntype filter hook {hook} priority {priority};\n"
            f'log prefix "{place}" group {GROUP}\n}}'
            for hook in _HOOKS
            for place, priority in (("first", -600), ("last", 600))
        ),
        "chain unasked {\ntype filter hook output priority -700;",
        "ip protocol igmp drop",
        "icmpv6 type { 130-137, 143 } drop",
        "}\n}\n",
    )
)


@dataclass(frozen=True, slots=True)
class Entry:
    """``is_last``: behind all rules of the hook, else before them."""

    hook: str
    is_last: bool
    iif: int
    oif: int
    mark: int
    datagram: Datagram


class PacketLog:
    """To be made inside the namespace whose log it is."""

    def __init__(self) -> None:
        self._netlink = Netlink()
        for kind, value in (
            (_COMMAND, bytes([_BIND])),
            (_MODE, struct.pack(">IBB", 0xFFFF, _WHOLE_PACKETS, 0)),
            (_THRESHOLD, struct.pack(">I", 1)),
        ):
            self._netlink.ask(_CONFIG, ACK, 0, attribute(kind, value), resource=GROUP)

    def read(self) -> list[Entry]:
        """Since it was last read, in the order of the packets' way."""
        return [_entry(dict(attributes(message))) for message in self._netlink.unasked()]

    def close(self) -> None:
        self._netlink.close()


def _entry(parts: dict[int, bytes]) -> Entry:
    def number(kind: int) -> int:
        return int.from_bytes(parts.get(kind, b""), "big")

    is_last = parts[_PREFIX].startswith(b"last")
    hook = _HOOKS[parts[_HEADER][2]]
    ends = number(_IIF), number(_OIF), number(_MARK)
    return Entry(hook, is_last, *ends, parse(parts[_PAYLOAD]))
