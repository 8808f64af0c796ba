"""What is in the sets after the last line."""

from __future__ import annotations

import pytest

from iptlint.dialects.ipset.intervals import merged, subtracted
from iptlint.dialects.ipset.lower import lower
from iptlint.dialects.ipset.parser import parse
from iptlint.model import Family
from iptlint.model.sets import Device, Entry, Extras, Numbers, Ports, SavedSets, SetContents
from iptlint.source import SourceFile

TEN = 10 << 24


def sets(*texts: str) -> SavedSets:
    found, diagnostics = lower([parse(SourceFile(f"ipsets{n}", t)) for n, t in enumerate(texts)])
    assert diagnostics == ()
    return found


def contents(kind: str, *lines: str) -> SetContents:
    text = f"create a {kind}\n" + "".join(f"{line}\n" for line in lines)
    return sets(text).contents["a"]


def entries(kind: str, *added: str) -> list[Entry]:
    return [*contents(kind, *(f"add a {each}" for each in added)).entries]


@pytest.mark.parametrize(
    ("kind", "entry", "parts"),
    [
        ("hash:ip", "10.0.0.1", [(Numbers(TEN + 1, TEN + 1),)]),
        ("hash:ip", "10.1", [(Numbers(TEN + 1, TEN + 1),)]),
        ("hash:ip", "10.0.0.9-10.0.0.1", [(Numbers(TEN + 1, TEN + 9),)]),
        ("hash:ip", "10.0.0.1/30", [(Numbers(TEN, TEN + 3),)]),
        ("hash:ip netmask 24", "10.0.0.7", [(Numbers(TEN, TEN + 255),)]),
        ("hash:ip netmask 24", "10.0.0.7-10.0.1.1", [(Numbers(TEN, TEN + 511),)]),
        ("hash:ip bitmask 255.0.0.255", "10.9.9.1", [(Numbers(TEN + 1, TEN + 1),)]),
        ("hash:ip family inet6", "::1", [(Numbers(1, 1),)]),
        ("hash:net", "10.0.0.1", [(Numbers(TEN + 1, TEN + 1),)]),
        ("hash:net", "10.0.0.5/30", [(Numbers(TEN + 4, TEN + 7),)]),
        (
            "hash:net",
            "10.0.0.1-10.0.0.4",
            [(Numbers(TEN + n, TEN + m),) for n, m in ((1, 1), (2, 3), (4, 4))],
        ),
        ("hash:mac", "02:00:00:00:00:01", [(Numbers(0x20000000001, 0x20000000001),)]),
        ("bitmap:port range 0-99", "udp:20-22", [(Ports(None, 20, 22),)]),
        ("bitmap:ip,mac range 10.0.0.0/24", "10.0.0.1", [(Numbers(TEN + 1, TEN + 1),)]),
    ],
)
def test_an_entry(kind: str, entry: str, parts: list[Entry]) -> None:
    assert entries(kind, entry) == parts


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("80", Ports(6, 80, 80)),
        ("http-443", Ports(6, 80, 443)),
        ("tcp:[ftp-data]", Ports(6, 20, 20)),
        ("udp:60-50", Ports(17, 50, 60)),
        ("132:7", Ports(132, 7, 7)),
        ("icmp:echo-request", Ports(1, 0x800, 0x800)),
        ("icmp:3/4", Ports(1, 0x304, 0x304)),
        ("gre:0", Ports(47, 0, 0)),
    ],
)
def test_ports(text: str, port: Ports) -> None:
    ((_, found),) = entries("hash:ip,port", f"10.0.0.1,{text}")
    assert found == port


def test_marks_are_kept_under_the_mask() -> None:
    ((_, mark),) = entries("hash:ip,mark markmask 0xff00", "10.0.0.1,0x1234")
    assert mark == Numbers(0x1200, 0x1200)


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("eth0", Device("eth0")),
        ("[eth-0]", Device("eth-0")),
        ("physdev:eth0", Device("eth0", False, True)),
        ("ppp wildcard", Device("ppp", True)),
    ],
)
def test_interfaces(text: str, device: Device) -> None:
    ((_, found),) = entries("hash:net,iface", f"10.0.0.0/8,{text}")
    assert found == device


def test_what_is_said_of_an_entry() -> None:
    kind = "hash:net timeout 300 counters comment"
    found = contents(
        kind,
        "add a 10.0.0.1",
        "add a 10.0.0.2 timeout 0 packets 3 bytes 4",
        'add a 10.0.0.3 timeout 9 nomatch comment "x y"',
    )
    assert [*found.entries.values()] == [
        Extras(timeout=300),
        Extras(counters=(3, 4)),
        Extras(nomatch=True, timeout=9, comment="x y"),
    ]
    assert found.counters


def test_a_default_timeout_of_0_keeps_entries() -> None:
    found = contents("hash:ip timeout 0", "add a 10.0.0.1")
    assert [*found.entries.values()] == [Extras()]


def test_families() -> None:
    kinds = ("hash:ip", "hash:ip family inet6", "hash:ip -6", "hash:mac", "list:set")
    expected = [Family.IP, Family.IP6, Family.IP6, None, None]
    assert [contents(kind).family for kind in kinds] == expected


def test_entries_are_deleted_out_of_ranges() -> None:
    found = contents("hash:ip", "add a 10.0.0.0/29", "del a 10.0.0.2-10.0.0.3", "del a 10.0.0.7")
    assert [*found.entries] == [(Numbers(TEN, TEN + 1),), (Numbers(TEN + 4, TEN + 6),)]
    two = contents("hash:ip,port", "add a 10.0.0.1,80-89", "del a 10.0.0.1,85", "del a 10.0.0.2,80")
    one = Numbers(TEN + 1, TEN + 1)
    assert [*two.entries] == [(one, Ports(6, 80, 84)), (one, Ports(6, 86, 89))]


def test_a_network_is_deleted_whole_or_not_at_all() -> None:
    found = contents("hash:net", "add a 10.0.0.0/29", "del a 10.0.0.1", "del a 10.0.0.0/30")
    assert [*found.entries] == [(Numbers(TEN, TEN + 7),)]


def test_a_timeout_added_later_counts() -> None:
    found = contents("hash:ip timeout 0", "add a 10.0.0.0/30", "-exist add a 10.0.0.3 timeout 5")
    assert dict(found.entries) == {
        (Numbers(TEN, TEN + 2),): Extras(),
        (Numbers(TEN + 3, TEN + 3),): Extras(timeout=5),
    }


def test_files_are_carried_out_one_after_the_other() -> None:
    found = sets("create a hash:ip\nadd a 10.0.0.1\n", "-exist create a hash:ip\nadd a 10.0.0.2\n")
    assert len(found.contents["a"].entries) == 2


def test_flush_destroy_rename_and_swap() -> None:
    start = "create a hash:ip\nadd a 10.0.0.1\ncreate b hash:ip\ncreate l list:set\nadd l a\n"

    def after(line: str) -> dict[str, int]:
        found = sets(start + line + "\n").contents
        return {name: len(each.entries) for name, each in found.items()}

    assert after("flush a") == {"a": 0, "b": 0, "l": 1}
    assert after("flush") == {"a": 0, "b": 0, "l": 0}
    assert after("destroy b") == {"a": 1, "l": 1}
    assert after("destroy") == {}
    assert after("swap a b") == {"a": 0, "b": 1, "l": 1}
    assert after("rename a c") == {"c": 1, "b": 0, "l": 1}
    assert sets(start + "swap a b\n").contents["l"].members == ("b",)
    assert sets(start + "rename a c\n").contents["l"].members == ("c",)


@pytest.mark.parametrize(
    "line",
    ["add a host.example", "add a 10.0.0.300", "add a", "add a 10.0.0.1 comment x", 'add a "1'],
)
def test_a_set_with_a_line_that_nobody_understood_is_not_exact(line: str) -> None:
    text = f"create a hash:ip\n{line}\ncreate b hash:ip\n"
    found, _ = lower([parse(SourceFile("ipsets", text))])
    assert not found.contents["a"].exact
    assert found.contents["b"].exact


def test_of_a_set_that_no_line_creates_nothing_is_known() -> None:
    found = sets("add a 10.0.0.1\nflush b\n")
    assert [each.exact for each in found.contents.values()] == [False, False]


def test_spans() -> None:
    assert merged([(5, 6), (0, 0), (7, 9), (2, 3), (1, 1), (6, 6)]) == ((0, 3), (5, 9))
    assert merged([]) == ()
    spans = ((0, 10), (20, 30), (40, 50))
    assert subtracted(spans, ((5, 5), (8, 22), (30, 60))) == ((0, 4), (6, 7), (23, 29))
    assert subtracted(spans, ()) == spans
