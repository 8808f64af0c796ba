"""Addresses as numbers, the hosts that a mask leaves, and the fewest prefixes for ranges."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import overload

from iptlint.model import Family, numbers


def number(text: str) -> tuple[int, int] | None:
    """An address as a number, and how many bits it has."""
    family, bits = (socket.AF_INET6, 128) if ":" in text else (socket.AF_INET, 32)
    try:
        return int.from_bytes(socket.inet_pton(family, text), "big"), bits
    except OSError:
        return None


def address_text(number: int, family: Family) -> str:
    """As ``ipaddress`` writes it, which writes no part of an address of IPv6 as one of IPv4."""
    version = socket.AF_INET if family is Family.IP else socket.AF_INET6
    text = socket.inet_ntop(version, number.to_bytes(family.address_bits // 8, "big"))
    return str(IPv6Address(number)) if family is Family.IP6 and "." in text else text


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


class Prefixes(Sequence[IPv4Network | IPv6Network]):
    """``each``: the first address of a prefix, and its length. There may be very many, so that one
    is made a network only where somebody looks at it."""

    def __init__(self, each: Sequence[tuple[int, int]], family: Family) -> None:
        self._each = each
        self._family = family
        self._make = IPv4Network if family is Family.IP else IPv6Network

    def __len__(self) -> int:
        return len(self._each)

    def texts(self) -> Iterator[str]:
        """Each as people write it: of a single address without the length."""
        bits = self._family.address_bits
        for number, length in self._each:
            text = address_text(number, self._family)
            yield text if length == bits else f"{text}/{length}"

    @overload
    def __getitem__(self, number: int) -> IPv4Network | IPv6Network: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[IPv4Network | IPv6Network]: ...
    def __getitem__(
        self, number: int | slice
    ) -> IPv4Network | IPv6Network | Sequence[IPv4Network | IPv6Network]:
        if isinstance(number, slice):
            return [self._make(each) for each in self._each[number]]
        return self._make(self._each[number])


def fewest(ranges: Iterable[tuple[int, int]], family: Family) -> Prefixes:
    """The fewest prefixes that hold the same addresses."""
    merged: list[tuple[int, int]] = []
    furthest = -2
    for low, high in sorted(ranges):
        if low > furthest + 1:
            merged.append((low, high))
            furthest = high
        elif high > furthest:
            merged[-1] = merged[-1][0], high
            furthest = high
    bits = family.address_bits
    prefixes: list[tuple[int, int]] = []
    for low, high in merged:
        if low == high:
            prefixes.append((low, bits))
        else:
            prefixes += _prefixes(low, high, bits)
    return Prefixes(prefixes, family)


def _prefixes(low: int, high: int, bits: int) -> Iterator[tuple[int, int]]:
    while low <= high:
        # No wider than the alignment of its start and what is left; /0 is in no set.
        aligned = (low & -low).bit_length() - 1 if low else bits - 1
        size = min(aligned, (high - low + 1).bit_length() - 1, bits - 1)
        yield low, bits - size
        low += 1 << size
