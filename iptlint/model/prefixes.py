"""Addresses as numbers, the hosts that a mask leaves, and the fewest prefixes for ranges."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from functools import cache
from ipaddress import IPv4Network, IPv6Network

from iptlint.model import Family, numbers


def number(text: str) -> tuple[int, int] | None:
    """An address as a number, and how many bits it has."""
    family, bits = (socket.AF_INET6, 128) if ":" in text else (socket.AF_INET, 32)
    try:
        return int.from_bytes(socket.inet_pton(family, text), "big"), bits
    except OSError:
        return None


@cache
def host_bits(mask: str, bits: int) -> int | None:
    """The mask's zeros, as a number; None where they are not the last bits."""
    everything = (1 << bits) - 1
    length = numbers.decimal(mask)
    if length is not None:
        return everything >> length if length <= bits else None
    address = number(mask)
    hosts = everything & ~address[0] if address and address[1] == bits else None
    return hosts if hosts is not None and hosts & (hosts + 1) == 0 else None


def fewest(ranges: Iterable[tuple[int, int]], family: Family) -> list[IPv4Network | IPv6Network]:
    """The fewest prefixes that hold the same addresses."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            first, last = merged.pop()
            low, high = first, max(high, last)
        merged.append((low, high))
    return [prefix for low, high in merged for prefix in _prefixes(low, high, family)]


def _prefixes(low: int, high: int, family: Family) -> Iterator[IPv4Network | IPv6Network]:
    bits = family.address_bits
    make = IPv4Network if family is Family.IP else IPv6Network
    while low <= high:
        # No wider than the alignment of its start and what is left; /0 is in no set.
        aligned = (low & -low).bit_length() - 1 if low else bits - 1
        size = min(aligned, (high - low + 1).bit_length() - 1, bits - 1)
        yield make((low, bits - size))
        low += 1 << size
