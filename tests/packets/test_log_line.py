"""Lines as the kernel and the daemons print them: those of the first test come from a kernel."""

from __future__ import annotations

import json

import pytest

from iptlint.model import Family, Field
from iptlint.model.protocols import tcp_flag_bits
from iptlint.packets.log_line import LoggedPacket, LogLine, log_lines
from iptlint.packets.space import Space

TCP = (
    "IN=lo OUT= MAC=02:00:00:00:00:01:02:00:00:00:00:2a:08:00 SRC=127.0.0.1 DST=127.0.0.2 LEN=60 "
    "TOS=0x10 PREC=0xC0 TTL=64 ID=44109 DF PROTO=TCP SPT=56114 DPT=81 WINDOW=65495 RES=0x00 ACK "
    "SYN URGP=0 OPT (0204FFD70402080AF00F712D000000000103030A) MARK=0x7 "
)
ERROR = (
    "IN=lo OUT= MAC= SRC=127.0.0.1 DST=127.0.0.1 LEN=57 TOS=0x00 PREC=0xC0 TTL=64 ID=45118 "
    "PROTO=ICMP TYPE=3 CODE=3 [SRC=127.0.0.9 DST=127.0.0.8 LEN=29 TOS=0x00 PREC=0x00 TTL=63 "
    "ID=41441 DF PROTO=UDP SPT=54597 DPT=53 LEN=9 ] "
)
IPV6 = (
    "IN=v1 OUT=v1 MAC= SRC=0000:0000:0000:0000:0000:0000:0000:0001 "
    "DST=ff02:0000:0000:0000:0000:0000:0000:0016 LEN=76 TC=7 HOPLIMIT=1 FLOWLBL=475649 "
    "PROTO=ICMPv6 TYPE=143 CODE=0 MARK=0xd4 "
)
UDP = (
    "IN= OUT=eth0 SRC=192.0.2.1 DST=192.0.2.7 LEN=29 TOS=0x00 PREC=0x00 TTL=64 ID=737 DF "
    "PROTO=UDP SPT=47669 DPT=53 LEN=9 "
)


def line_of(text: str) -> LogLine:
    (line,) = log_lines(text)
    assert isinstance(line, LogLine)
    return line


def packet_of(text: str) -> LoggedPacket:
    packet = line_of(text).packet
    assert packet is not None
    return packet


def test_tcp() -> None:
    packet = packet_of(TCP)
    assert (packet.iif, packet.oif, packet.proto) == ("lo", None, 6)
    assert (packet.saddr, packet.daddr) == (0x7F000001, 0x7F000002)
    assert (packet.sport, packet.dport) == (56114, 81)
    assert packet.tcp_flags == tcp_flag_bits("syn", "ack")
    assert (packet.length, packet.ttl, packet.tos, packet.mark) == (60, 64, 0xD0, 7)
    assert packet.mac_source == 0x02000000002A


def test_an_error_is_not_what_it_is_about() -> None:
    packet = packet_of(ERROR)
    assert (packet.icmp_type, packet.icmp_code, packet.sport) == (3, 3, None)
    assert (packet.saddr, packet.length, packet.mac_source) == (0x7F000001, 57, None)


def test_ipv6() -> None:
    packet = packet_of(IPV6)
    assert (packet.family, packet.proto) == (Family.IP6, 58)
    assert (packet.ttl, packet.tos, packet.icmp_type, packet.mark) == (1, 7, 143, 0xD4)
    assert packet.as_packet().saddr == "::1"


def test_udp_has_a_length_of_its_own() -> None:
    packet = packet_of(UDP)
    assert (packet.iif, packet.oif, packet.length, packet.mark) == (None, "eth0", 29, 0)


def test_fragments_and_decoded_addresses() -> None:
    text = (
        "IN=eth0 OUT= MACSRC=02:00:00:00:00:2a MACDST=02:00:00:00:00:01 MACPROTO=0800 "
        "SRC=192.0.2.1 DST=192.0.2.7 LEN=29 TOS=0x00 PREC=0x00 TTL=64 ID=737 FRAG:185 PROTO=UDP "
    )
    packet = packet_of(text)
    assert (packet.fragment, packet.sport, packet.mac_source) == (True, None, 0x02000000002A)
    assert not packet_of(text.replace("FRAG:185", "FRAG:0 MF")).fragment


@pytest.mark.parametrize(
    "head",
    [
        "",
        "[  703.747895] ",
        "<4>[  703.747895] ",
        "4,1234,567890,-;",
        "Nov 29 11:27:46 fw kernel: ",
        "Nov  9 11:27:46 fw.example.net kernel: [  703.747895] ",
        "Nov 29 11:27:46 kernel: ",
        "2026-11-29T11:27:46.123456+00:00 fw kernel: [703.7] ",
        "2026-11-29T11:27:46,123456+00:00 ",
        "[Sun Nov 29 11:27:46 2026] ",
        "kern  :warn  : [  703.747895] ",
        "Sun Nov 29 11:27:46 2026 kern.warn kernel: [  703.7] ",
        "<4>1 2026-11-29T11:27:46.1Z fw kernel - - - [703.7] ",
    ],
)
@pytest.mark.parametrize("prefix", ["DROP: ", "", "[UFW BLOCK] ", "fw:in:drop: ", "drop"])
def test_what_daemons_put_before(head: str, prefix: str) -> None:
    line = line_of(f"{head}{prefix}{TCP}")
    assert prefix in line.prefixes()
    longer = [each for each in line.prefixes() if each.endswith(prefix) and each != prefix]
    assert all(any(sign in each for sign in ":;>]") for each in longer if prefix)


def test_a_word_of_the_prefix_is_no_host() -> None:
    assert line_of(f"[  703.7] o {TCP}").prefixes()[0] == "o "
    assert line_of(f"Nov 29 11:27:46 fw kernel: o {TCP}").prefixes()[0] == "o "


def test_journalctl_as_json() -> None:
    text = json.dumps({"MESSAGE": f"DROP: {TCP}", "PRIORITY": "4"})
    assert (line_of(text).prefixes()[0], line_of(text).packet) == ("DROP: ", packet_of(TCP))


def test_other_lines_are_counted() -> None:
    text = f"usb 1-1: new device\n\n{TCP}\n{{broken\nIN=eth0 OUT= ARP HTYPE=1\n"
    lines = list(log_lines(text))
    assert [line if isinstance(line, int) else line.number for line in lines] == [1, 3, 4, 5]
    assert isinstance(lines[3], LogLine)
    assert lines[3].packet is None


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("SRC=192.0.2.1", "SRC=192.0.2.256"),
        ("SRC=192.0.2.1", "SRC=2001:db8::1"),
        ("DST=192.0.2.7", "DST="),
        ("PROTO=UDP", "PROTO=300"),
        ("PROTO=UDP", "PROTO=" + "9" * 5000),
    ],
)
def test_a_line_that_shows_no_packet(right: str, wrong: str) -> None:
    assert line_of(UDP.replace(right, wrong)).packet is None


def test_a_number_too_large_is_none() -> None:
    assert packet_of(UDP.replace("SPT=47669", "SPT=470669")).sport is None


@pytest.mark.parametrize(("tos", "alike"), [(0xD0, True), (0xD1, True), (0x10, False)])
def test_packets_like_it_have_the_bits_of_its_tos_that_are_shown(tos: int, alike: bool) -> None:
    """TOS=0x10 PREC=0xC0: nf_log_syslog.c leaves the lowest bit out."""
    space = Space(("ip",), (), defragmented=True)
    like = packet_of(TCP).packets(space, [Field.TOS])
    assert (like & space.value(Field.TOS, tos)).satisfiable() is alike
    assert (packet_of(TCP).packets(space, []) & space.value(Field.TOS, tos)).satisfiable()
