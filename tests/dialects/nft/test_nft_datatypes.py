"""How nft reads a value of each data type."""

from __future__ import annotations

import pytest

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.bitwise import Bits
from iptlint.dialects.nft.lowering.datatypes import DataType, Name, NftValueError, Text
from iptlint.dialects.nft.lowering.values import Values, merged, without


def value(text: str, kind: t.Kind = t.Kind.SYMBOL) -> t.Value:
    return t.Value(text, kind)


def called(parameter: object) -> str:
    return parameter.name if isinstance(parameter, DataType) else str(parameter)


READ = [
    (d.SERVICE, "22", 22),
    (d.SERVICE, "0x16", 22),
    (d.SERVICE, "026", 22),
    (d.SERVICE, "domain", 53),
    (d.SERVICE, "no-such-service", Name("no-such-service")),
    (d.PROTO, "udp", 17),
    (d.PROTO, "ipv6-icmp", 58),
    (d.IPV4, "10.1", 0x0A000001),
    (d.IPV4, "0xc0000201", 0xC0000201),
    (d.IPV4, "www.example.com", Name("www.example.com")),
    (d.IPV6, "::ffff:192.0.2.1", 0xFFFFC0000201),
    (d.ETHER, "0:1b:21:0:0:1", 0x001B21000001),
    (d.UID, "root", 0),
    (d.UID, "somebody", Name("somebody")),
    (d.TC_HANDLE, "1:a0", 0x100A0),
    (d.TIME, "1m30s", 90_000),
    (d.CT_LABEL, "3", 8),
    (d.IFNAME, "eth*", Text("eth", wildcard=True)),
    (d.IFNAME, "eth\\*", Text("eth*")),
    (d.ETHER, "1:10", 0x0110),
    (d.ETHER, "10", 0x10),
    (d.ETHER, "0x10", 0x16),
    (d.CT_STATE, "established", 2),
    (d.DSCP, "af41", 34),
    (d.ETHER_TYPE, "8021q", 0x8100),
    (d.ICMPV6_TYPE, "nd-neighbor-solicit", 135),
]


@pytest.mark.parametrize(("type", "text", "expected"), READ, ids=called)
def test_a_value(type: DataType, text: str, expected: object) -> None:
    assert type.read(value(text)) == expected


@pytest.mark.parametrize(
    ("type", "text"),
    [
        (d.SERVICE, "65536"),
        (d.PROTO, "256"),
        (d.IPV4, "1.2.3.4.5"),
        (d.IPV4, "::1"),
        (d.ETHER, "00:11:22:33:444"),
        (d.ETHER, "100"),
        (d.CT_STATE, "establish"),
        (d.TCP_FLAG, "sync"),
        (d.CT_LABEL, "128"),
        (d.IFNAME, "*"),
    ],
    ids=called,
)
def test_a_value_that_is_refused(type: DataType, text: str) -> None:
    with pytest.raises(NftValueError):
        type.read(value(text))


def test_ranges_that_meet_are_one() -> None:
    assert merged([(5, 9), (1, 2), (3, 3), (7, 12), (20, 20)]) == ((1, 3), (5, 12), (20, 20))


def test_what_is_taken_out_of_a_range_leaves_its_ends() -> None:
    kept = without(Values(((0, 9), (20, 29))), Values(((3, 4), (8, 21))))
    assert kept == Values(((0, 2), (5, 7), (22, 29)))


@pytest.mark.parametrize("steps", [[("&", 0xF0)], [(">>", 2), ("&", 5)], [("|", 6), ("^", 3)]])
def test_bits_say_of_every_value_what_the_operations_do(steps: list[tuple[str, int]]) -> None:
    bits = Bits.whole(8)
    for operator, operand in steps:
        bits = bits.then(operator, operand)
    wanted = ((2, 7), (16, 40))
    tests = bits.tests(wanted)
    assert tests is not None
    for number in range(256):
        by_value = any(low <= bits.of(number) <= high for low, high in wanted)
        assert by_value == any(number & mask == expected for mask, expected in tests)
