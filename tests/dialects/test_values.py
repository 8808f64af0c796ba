"""Readers of arguments: what they take, what they make of it, what they refuse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import (
    addresses,
    header_matches,
    nat_targets,
    stateful,
    transport_matches,
    values,
)
from iptlint.dialects.iptables.extensions.addresses import Net
from iptlint.dialects.iptables.extensions.registries import ICMP6_TYPES, ICMP_TYPES
from iptlint.dialects.iptables.extensions.row import Value
from iptlint.model import Family

V4, V6 = Family.IP, Family.IP6
ALL4 = 2**32 - 1

# Every row was tried with iptables 1.8.9.
TAKEN: list[tuple[Value, str, Family, object]] = [
    (values.bits(8), "0x1f", V4, 31),
    (values.bits(8), "017", V4, 15),
    (values.bits(8), " +7", V4, 7),
    (values.span(16), ":", V4, (0, 65535)),
    (values.span(16), "4:", V4, (4, 65535)),
    (values.span(16), ":4", V4, (0, 4)),
    (values.span(16, inverted=True), "5:3", V4, (5, 3)),
    (addresses.ports, "ssh:1024", V4, (22, 1024)),
    (addresses.ports, ":1024", V4, (0, 1024)),
    (addresses.ports, "1024:", V4, (1024, 65535)),
    (addresses.any_ports, "4:3", V4, (4, 3)),
    (addresses.port_list, "22,80:90,https", V4, ((22, 22), (80, 90), (443, 443))),
    (addresses.port_list, "1,2,3,4,5,6,7,8,9,10,11,12,13,14:15", V4, None),
    (addresses.protocol, "TCP", V4, 6),
    (addresses.protocol, "0x6", V4, 6),
    (addresses.protocol, "all", V4, 0),
    (addresses.protocol, "icmpv6", V6, 58),
    (addresses.net, "10.1.2.3/8", V4, Net(0x0A000000, 0xFF000000)),
    (addresses.net, "10.11.12.13/255.0.255.0", V4, Net(0x0A000C00, 0xFF00FF00)),
    (addresses.net, "10/8", V4, Net(0x0A000000, 0xFF000000)),
    (addresses.net, "010.0.0.1", V4, Net(0x08000001, ALL4)),
    (addresses.net, "NTP.Example.net", V4, Net(0, ALL4, "ntp.example.net")),
    (addresses.net, "any/0", V4, Net(0, 0)),
    (addresses.net, "0.0.0.0/0", V6, Net(0, 0)),
    (addresses.net, "!/00", V6, Net(0, 0)),
    (addresses.net, "fe80::1/ffff::", V6, Net(0xFE80 << 112, 0xFFFF << 112)),
    (addresses.address_range, "10.0.0.9-10.0.0.1", V4, (0x0A000009, 0x0A000001)),
    (addresses.mac, "0:1:22:33:44:FF", V4, 0x0001223344FF),
    (values.value_mask(32), "0x10/0xf", V4, (16, 15)),
    (values.value_mask(32), "7", V4, (7, ALL4)),
    (values.rate(10000), "5", V4, "5/second"),
    (values.rate(10000), "5/m", V4, "5/minute"),
    (values.hex_pattern, "a|0a 0B|c", V4, "610a0b63"),
    (values.pattern, "test", V4, "74657374"),
    (transport_matches.icmp_type(ICMP_TYPES), "dest", V4, (3, 0, 255)),
    (transport_matches.icmp_type(ICMP_TYPES), "3/4", V4, (3, 4, 4)),
    (transport_matches.icmp_type(ICMP_TYPES), "Ping", V4, (8, 0, 255)),
    (transport_matches.icmp_type(ICMP6_TYPES), "redirect", V6, (137, 0, 255)),
    (header_matches.tos, "Minimize-Delay", V4, (16, 63)),
    (header_matches.tos, "0x10/0x08", V4, (16, 8)),
    (nat_targets.nat_address, "1.1.1.1:10-20/ftp", V4, ("1.1.1.1", "10-20/21")),
    (nat_targets.nat_address, "[dead::beef]:ssh", V6, ("dead::beef", "22")),
    (nat_targets.nat_address, "10.0.0.1-10.0.0.9", V4, ("10.0.0.1-10.0.0.9", "")),
    (stateful.bit_rate, "5kbit", V4, "5kbit"),
]


@pytest.mark.parametrize(("reader", "text", "family", "value"), TAKEN)
def test_taken(reader: Value, text: str, family: Family, value: object) -> None:
    found = reader(text, family)
    assert value is None or found == value


REFUSED: list[tuple[Value, str, Family, bool]] = [
    (values.bits(8), "256", V4, False),
    (values.bits(8), "-1", V4, False),
    (values.bits(8), "٣", V4, False),
    (values.bits(8), "", V4, False),
    (values.bits(32), "9" * 5000, V4, False),
    (values.span(16), "5:3", V4, True),
    (addresses.ports, "4:3", V4, True),
    (addresses.ports, "https:ssh", V4, True),
    (addresses.ports, "65536", V4, False),
    (addresses.ports, "no-such-service", V4, False),
    (addresses.port_list, "80:80", V4, True),
    (addresses.port_list, "1,2,3,4,5,6,7,8,9,10,11,12,13,14:15,16", V4, True),
    (addresses.port_list, "80,", V4, False),
    (addresses.protocol, "256", V4, False),
    (addresses.protocol, "tcpp", V4, False),
    (addresses.net, "1.2.3.4/33", V4, False),
    (addresses.net, "1.2.3.4/", V4, False),
    (addresses.net, "1.2.3.400", V4, False),
    (addresses.net, "::1", V4, False),
    (addresses.net, "1.2.3.4", V6, False),
    (addresses.nets, "1.2.3.4,", V4, False),
    (addresses.mac, "42:01:02:03:04", V4, False),
    (addresses.mac, "42:01:02:03:04:05:06", V4, False),
    (values.interface, "thisinterfaceistoolong0", V4, True),
    (values.up_to(29, "log prefix"), "x" * 30, V4, True),
    (values.up_to(29, "log prefix"), "", V4, False),
    (values.rate(10000), "5/fortnight", V4, False),
    (values.rate(10000), "0/s", V4, False),
    (values.hex_pattern, "|0", V4, False),
    (transport_matches.icmp_type(ICMP_TYPES), "t", V4, False),
    (transport_matches.icmp_type(ICMP_TYPES), "3/0-4", V4, False),
    (transport_matches.tcp_flags, "SYN,FOO", V4, False),
    (nat_targets.nat_ports, "10-ssh", V4, False),
    (nat_targets.nat_ports, "65536", V4, False),
    (nat_targets.unshifted_ports, "42-1234/567", V4, True),
]


@pytest.mark.parametrize(("reader", "text", "family", "refused"), REFUSED)
def test_refused(
    reader: Callable[[str, Family], object], text: str, family: Family, refused: bool
) -> None:
    with pytest.raises(InvalidValueError) as caught:
        reader(text, family)
    assert caught.value.refused is refused
    assert str(caught.value)
