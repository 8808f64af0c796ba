"""Netlink messages, as far as counters and connections need them (linux/netlink.h)."""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Iterator
from types import TracebackType

NETLINK_NETFILTER = 12
REQUEST, ACK, ROOT_AND_MATCH, CREATE = 0x1, 0x4, 0x300, 0x400
NESTED = 0x8000

_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # length, type


class Netlink:
    """A socket to the netfilter of the namespace it is opened in."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self._socket.settimeout(120)
        self._sequence = 0

    def ask(
        self, kind: int, flags: int, family: int, body: bytes = b"", resource: int = 0
    ) -> list[bytes]:
        """The answers, each without its header and ``nfgenmsg``; OSError where refused."""
        self._sequence += 1
        payload = struct.pack("=BB", family, 0) + struct.pack(">H", resource) + body
        length = _HEADER.size + len(payload)
        header = _HEADER.pack(length, kind, flags | REQUEST, self._sequence, 0)
        self._socket.send(header + payload)
        return list(self._answers())

    def _answers(self) -> Iterator[bytes]:
        while True:
            data = self._socket.recv(1 << 18)
            at = 0
            while at < len(data):
                length, kind, _, sequence, _ = _HEADER.unpack_from(data, at)
                payload = data[at + _HEADER.size : at + length]
                at += length + 3 & ~3
                if sequence != self._sequence:
                    continue
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    _raise(-struct.unpack_from("=i", payload)[0])
                    return
                yield payload[4:]

    def unasked(self) -> Iterator[bytes]:
        """What the kernel has sent by itself up to now, each without header and ``nfgenmsg``."""
        while select.select([self._socket], [], [], 0)[0]:
            data = self._socket.recv(1 << 18)
            at = 0
            while at < len(data):
                length, *_ = _HEADER.unpack_from(data, at)
                yield data[at + _HEADER.size + 4 : at + length]
                at += length + 3 & ~3

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Netlink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


def _raise(number: int) -> None:
    if number:
        raise OSError(number, os.strerror(number))


def attribute(kind: int, *parts: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    value = b"".join(parts)
    padding = b"\0" * (-len(value) % 4)
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + padding


def nest(kind: int, *parts: bytes) -> bytes:
    return attribute(kind | NESTED, *parts)


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type (without its flags) and value of each attribute."""
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        yield kind & 0x3FFF, data[at + _ATTRIBUTE.size : at + length]
        at += length + 3 & ~3
