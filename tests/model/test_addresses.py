"""Which addresses the world can name, and which no machine has."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from iptlint.model import Family
from iptlint.model.addresses import (
    BLOCKS,
    NOT_PUBLIC,
    AddressKind,
    blocks,
    is_public,
    kind_of,
    ranges,
    written,
)


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "172.16.0.1", "172.31.255.254", "192.168.1.1", "100.64.3.1", "198.18.0.1"),
        *("127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fd00::1", "fe80::1", "ff02::1", "100::1"),
    ],
)
def test_the_world_does_not_reach(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "2a01:4f8::1"],
)
def test_the_world_reaches(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", ["192.0.2.1", "198.51.100.7", "203.0.113.9", "2001:db8::7"])
def test_an_example_stands_for_a_public_address(address: str) -> None:
    assert kind_of(ip_address(address)) is AddressKind.EXAMPLE
    assert is_public(ip_address(address))


def test_machines_may_have_reserved_addresses_but_not_the_last() -> None:
    assert kind_of(ip_address("255.255.255.254")) is AddressKind.RESERVED
    assert kind_of(ip_address("255.255.255.255")) is AddressKind.NOBODY


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: written(block.network))
def test_a_block_is_of_its_kind_from_end_to_end(block) -> None:
    first, last = block.network[0], block.network[-1]
    assert kind_of(first) is block.kind
    assert kind_of(last) is block.kind or last == ip_address("255.255.255.255")
    family = Family.IP if first.version == 4 else Family.IP6
    assert (int(first), int(last)) in ranges(family, block.kind)
    assert block.source.startswith("RFC ")


def test_blocks_are_those_of_the_family_and_the_kinds() -> None:
    assert [*map(written, blocks(Family.IP6, AddressKind.LOOPBACK))] == ["::1"]
    assert [*map(written, blocks(Family.IP, AddressKind.LOOPBACK))] == ["127.0.0.0/8"]
    every = {*blocks(Family.IP, *NOT_PUBLIC), *blocks(Family.IP6, *NOT_PUBLIC)}
    examples = {block.network for block in BLOCKS if block.kind is AddressKind.EXAMPLE}
    assert every == {block.network for block in BLOCKS} - examples
