"""How many packets each rule has counted.

A rule is known by the number of its line, which ``labelled`` writes into its comment: the
kernel keeps comments, so it tells itself which rule a counter belongs to.
"""

from __future__ import annotations

import ctypes
import re
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from tests.kernel.netlink import ROOT_AND_MATCH, Netlink, attributes

_LABEL = re.compile(rb"rule-(\d+)\.")
_IPTABLES_RULE = re.compile(r"-A (\S+)")

Counts = Counter[int]
"""Packets by the line of the rule that counted them."""


def labelled(text: str) -> str:
    """The ruleset with the line number of each rule in a comment.

    A rule of iptables is a line that starts with ``-A``; one of nft is a line with ``counter``.
    """
    return "\n".join(_label(number, line) for number, line in enumerate(text.split("\n"), 1))


def _label(number: int, line: str) -> str:
    if line.startswith("-A "):
        return _IPTABLES_RULE.sub(rf"-A \1 -m comment --comment rule-{number}.", line, count=1)
    is_nft_rule = re.search(r"\bcounter\b", line) and not line.lstrip().startswith("#")
    return f'{line} comment "rule-{number}."' if is_nft_rule else line


class CounterReader(Protocol):
    def read(self) -> Counts: ...


# --- nftables, whoever loaded the rules --------------------------------------------------------

_GET_RULE = 10 << 8 | 7  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETRULE
_EXPRESSIONS, _EXPRESSION_NAME, _EXPRESSION_DATA, _COUNTER_PACKETS = 4, 1, 2, 2


class NftCounters:
    """Of every rule of every table in the namespace; of a rule with several counters the last."""

    def __init__(self, netlink: Netlink) -> None:
        self._netlink = netlink
        self._known: dict[int, tuple[int, int]] = {}

    def read(self) -> Counts:
        counts: Counts = Counter()
        for number, message in enumerate(self._netlink.ask(_GET_RULE, ROOT_AND_MATCH, 0)):
            line, at = self._place(number, message)
            if at:
                counts[line] += struct.unpack_from(">Q", message, at)[0]
        return counts

    def forget(self) -> None:
        """To be called where the rules have changed."""
        self._known.clear()

    def _place(self, number: int, message: bytes) -> tuple[int, int]:
        """The line of the n-th rule, and where its counter is in the message; 0 where it has none.

        Both stay while the rules do.
        """
        if number not in self._known:
            label = _LABEL.search(message)
            self._known[number] = (int(label[1]), _counter_at(message)) if label else (0, 0)
        return self._known[number]


def _counter_at(message: bytes) -> int:
    found = 0
    for kind, value, at in _placed(message, 0, len(message)):
        if kind == _EXPRESSIONS:
            for _, _, element in _placed(message, at, at + len(value)):
                found = _packets_at(message, element) or found
    return found


def _packets_at(message: bytes, expression: int) -> int:
    start, end = expression, expression + struct.unpack_from("=H", message, expression - 4)[0] - 4
    parts = {kind: (value, at) for kind, value, at in _placed(message, start, end)}
    if parts[_EXPRESSION_NAME][0] != b"counter\0":
        return 0
    value, at = parts[_EXPRESSION_DATA]
    inner = {kind: place for kind, _, place in _placed(message, at, at + len(value))}
    return inner[_COUNTER_PACKETS]


def _placed(message: bytes, start: int, end: int) -> Iterator[tuple[int, bytes, int]]:
    """The attributes, with where in the message their values are."""
    at = start
    for kind, value in attributes(message[start:end]):
        yield kind, value, at + 4
        at += len(value) + 4 + 3 & ~3


# --- iptables-legacy ---------------------------------------------------------------------------

_GET_INFO, _GET_ENTRIES = 64, 65  # IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES
_INFO_BYTES, _SIZE_AT, _ENTRIES_AT = 84, 80, 40  # struct ipt_getinfo, ipt_get_entries
_LAYOUTS = {  # where next_offset and counters are in struct ipt_entry, ip6t_entry
    socket.AF_INET: (socket.IPPROTO_IP, 90, 96),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 142, 152),
}
_libc = ctypes.CDLL(None, use_errno=True)


class LegacyCounters:
    """Of the tables named; ``entry`` is a raw socket of the namespace and the family."""

    def __init__(self, entry: socket.socket, tables: tuple[str, ...]) -> None:
        self._socket = entry
        self._tables = tables
        self._level, self._next_at, self._counters_at = _LAYOUTS[entry.family]

    def read(self) -> Counts:
        counts: Counts = Counter()
        for table in self._tables:
            for entry in self._entries(table):
                label = _LABEL.search(entry)
                if label:
                    packets = struct.unpack_from("=Q", entry, self._counters_at)[0]
                    counts[int(label[1])] += packets
        return counts

    def _entries(self, table: str) -> Iterator[bytes]:
        name = table.encode().ljust(32, b"\0")
        info = self._get(_GET_INFO, name.ljust(_INFO_BYTES, b"\0"))
        (size,) = struct.unpack_from("=I", info, _SIZE_AT)
        asked = (name + struct.pack("=I", size)).ljust(_ENTRIES_AT + size, b"\0")
        blob = self._get(_GET_ENTRIES, asked)[_ENTRIES_AT:]
        at = 0
        while at < size:
            (length,) = struct.unpack_from("=H", blob, at + self._next_at)
            yield blob[at : at + length]
            at += length

    def _get(self, option: int, asked: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(asked, len(asked))
        length = ctypes.c_uint32(len(asked))
        fd = self._socket.fileno()
        if _libc.getsockopt(fd, self._level, option, buffer, ctypes.byref(length)):
            raise OSError(ctypes.get_errno(), f"getsockopt {option}")
        return buffer.raw
