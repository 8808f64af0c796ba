"""Tables of packets: each verdict is what the trace of the packet says."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

import iptlint
from iptlint.model import Family, VerdictKind
from iptlint.packets.packet import Packet
from iptlint.policy.batch import Row, TableError, judge_packets, read_packets
from iptlint.reports.policy_packets import packets_csv, packets_text
from tests.expectations import FIXTURES
from tests.policy.hosts import closed, host

SERVER = closed(
    "-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT",
    "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT",
    "-A INPUT -p tcp -m tcp --dport 113 -j REJECT",
    "-A INPUT -p udp -m udp --dport 53 -m limit --limit 5/s -j ACCEPT",
)


@pytest.mark.parametrize(
    ("cells", "verdict"),
    [
        ("203.0.113.9,tcp,22,", "accept"),
        ("9.9.9.9,tcp,22,", "drop"),
        (",tcp,22,", "depends"),
        (",tcp,80,", "accept"),
        (",tcp,113,", "reject"),
        ("9.9.9.9,udp,53,", "depends"),
        (",udp,54,", "drop"),
        ("127.0.0.1,tcp,80,", "no such packet"),
    ],
)
def test_verdicts(cells: str, verdict: str) -> None:
    _, rows = read_packets(f"saddr,proto,dport,expect\n{cells}\n")
    (told,) = judge_packets(host(SERVER), rows)
    assert (told.verdict, told.error) == (verdict, "")


def test_what_is_expected() -> None:
    table = "saddr,proto,dport,expect\n9.9.9.9,tcp,22,deny\n9.9.9.9,tcp,80,drop\n9.9.9.9,tcp,80,\n"
    header, rows = read_packets(table)
    told = [*judge_packets(host(SERVER), rows)]
    assert [each.as_expected for each in told] == [True, False, None]
    assert "t.csv:3: accept, not drop" in packets_text("t.csv", told)
    written = [*csv.reader(io.StringIO(packets_csv(header, told)))]
    assert written[0][-2:] == ["verdict", "as_expected"]
    assert [row[-1] for row in written[1:]] == ["yes", "no", ""]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("saddr\n9.9.9.x\n", "no address of ip"),
        ("saddr\n9.9.9.9\0\n", "no address of ip"),
        ("dport\n22\n", "needs a protocol"),
        ("proto,dport\ntcp,70000\n", "from 0 to 65535"),
        ("proto\nnothing\n", "no protocol"),
        ("way\nsideways\n", "no way"),
        # it exists, so "no such packet" would be false of it
        ("iif\nlo\n", "iif lo: what this host sends to itself is not asked about"),
        ("saddr\n2001:db8::1\n", "no rules for packets of ip6"),
        ("saddr,expect\n9.9.9.9,maybe\n", "nothing to expect"),
    ],
)
def test_a_row_that_is_no_packet_is_told(table: str, said: str) -> None:
    _, rows = read_packets(table)
    (told,) = judge_packets(host(SERVER), rows)
    assert said in told.error


def test_a_header_that_is_none() -> None:
    with pytest.raises(TableError, match="did you mean saddr"):
        read_packets("sadr,dport\n")
    with pytest.raises(TableError, match="no CSV"):
        read_packets("saddr\n" + "9" * 200_000)
    with pytest.raises(TableError, match="names the columns"):
        read_packets("")


@pytest.mark.parametrize("name", ["web-server", "bastion", "nat-router", "nft-router"])
def test_they_are_what_a_trace_says(name: str) -> None:
    rng = random.Random(f"batch {name}")
    file = sorted((FIXTURES / "hosts" / name).iterdir())[0]
    one = host(Path(file).read_text("utf-8"))
    names = [c.name for c in one.firewalls(Family.IP)[0].space.interfaces.classes if c.name]
    rows = []
    for number in range(40):
        address = f"{rng.randrange(1, 120)}.{rng.randrange(256)}.3.{rng.randrange(1, 250)}"
        known = rng.choice(("198.51.100.9", "203.0.113.9", "192.168.10.9", address))
        cells = {
            "iif": rng.choice([n for n in names if n != "lo"] or ["eth0"]),
            "saddr": known,
            "daddr": "192.0.2.10",
            "proto": rng.choice(("tcp", "udp")),
            "sport": "40000",
            "dport": str(rng.choice((22, 25, 53, 80, 443, 9100, 51820, rng.randrange(1, 65536)))),
        }
        rows.append(Row(number, cells))
    for told in judge_packets(one, rows):
        cells = dict(told.row.cells)
        packet = Packet(
            "ip",
            "input",
            iif=cells["iif"],
            saddr=cells["saddr"],
            daddr=cells["daddr"],
            proto=cells["proto"],
            sport=40000,
            dport=int(cells["dport"]),
            ct_state="new",
            tcp_flags=("syn",) if cells["proto"] == "tcp" else None,
            mark=0,
        )
        kinds = {outcome.kind for outcome in iptlint.trace(one.rulesets[0], packet).outcomes}
        if told.verdict == "accept":
            assert kinds == {VerdictKind.ACCEPT}, cells
        elif told.verdict in ("drop", "reject"):
            assert not any(kind.may_pass for kind in kinds), cells
