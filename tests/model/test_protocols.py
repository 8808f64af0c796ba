"""Numbers and names of protocols, the same for every tool; and where a tool has its own."""

from __future__ import annotations

import pytest

from iptlint.dialects.iptables.extensions import registries
from iptlint.dialects.nft.lowering import symbols
from iptlint.model import Family, protocols
from iptlint.model.protocols import (
    ICMP,
    ICMP6,
    ICMP_TYPE_NAMES,
    PORT_PROTOCOLS,
    PROTOCOL_NAMES,
    PROTOCOL_NUMBERS,
    TCP,
    TCP_FLAGS,
    echo_request,
    icmp_of,
    tcp_flag_bits,
    tcp_flag_names,
)


@pytest.mark.parametrize(
    "name", ["icmp", "tcp", "udp", "dccp", "gre", "esp", "ah", "sctp", "mh", "udplite"]
)
def test_the_constant_is_the_number_of_the_name(name: str) -> None:
    assert getattr(protocols, name.upper()) == PROTOCOL_NUMBERS[name]


def test_a_protocol_is_called_by_one_of_its_names() -> None:
    assert all(PROTOCOL_NUMBERS[name] == number for number, name in PROTOCOL_NAMES.items())
    assert PROTOCOL_NAMES[ICMP6] == "ipv6-icmp"
    assert {PROTOCOL_NAMES[number] for number in PORT_PROTOCOLS} == {
        *("tcp", "udp", "dccp", "sctp", "udplite")
    }


def test_flags_are_bits_of_the_tcp_header() -> None:
    assert (tcp_flag_bits("syn"), tcp_flag_bits("syn", "ack"), tcp_flag_bits()) == (2, 18, 0)
    assert tcp_flag_bits(*TCP_FLAGS) == 0xFF
    assert all(tcp_flag_bits(*tcp_flag_names(bits)) == bits for bits in range(256))


def test_a_ping_is_of_the_family() -> None:
    assert (icmp_of(Family.IP), echo_request(Family.IP)) == (ICMP, 8)
    assert (icmp_of(Family.IP6), echo_request(Family.IP6)) == (ICMP6, 128)
    assert ICMP_TYPE_NAMES[ICMP6][128] == ICMP_TYPE_NAMES[ICMP][8] == "echo-request"


def test_iptables_has_further_names_for_codes() -> None:
    assert registries.ICMP_TYPES["destination-unreachable"] == (3, 0, 255)
    assert registries.ICMP_TYPES["fragmentation-needed"] == (3, 4, 4)
    assert registries.ICMP_TYPES["ping"] == (8, 0, 255)
    assert registries.ICMP6_TYPES["neighbor-solicitation"] == (135, 0, 255)
    assert "mld2-listener-report" not in registries.ICMP6_TYPES


def test_nft_spells_some_otherwise() -> None:
    assert symbols.ICMPV6_TYPES["nd-neighbor-solicit"] == 135
    assert "neighbour-solicitation" not in symbols.ICMPV6_TYPES
    assert symbols.TCP_FLAGS["ecn"] == tcp_flag_bits("ece")
    assert symbols.protocol("tcp") == TCP
