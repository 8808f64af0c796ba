"""What `convert` writes is taken by nft and the kernel, and the sets that stand for the match
``recent`` say what xt_recent says of the same packets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from iptlint.convert.rendering import State
from iptlint.model import Family
from tests.convert.test_rows import FILTER, OTHERS, conversion, ruleset_text
from tests.kernel.namespaces import Namespace

NOT_EVERYWHERE = ("queue num", "socket transparent", "tproxy", "dup to", "synproxy", "dccp option")
"""Statements of modules that a kernel may lack, or of versions of nft after 1.0.6."""


@pytest.mark.parametrize(
    ("family", "table"),
    [(Family.IP6, "filter"), *((Family.IP, table) for table in ("filter", "raw", "mangle", "nat"))],
)
def test_nft_takes_what_each_row_writes(family: Family, table: str) -> None:
    cases = [
        f"-A {chain} {rule}\n"
        for of, place, chain, rule, written in (*FILTER, *OTHERS)
        if (of, place) == (family, table) and not any(w in written for w in NOT_EVERYWHERE)
    ]
    text = ruleset_text(table, "OUTPUT" if table in ("filter", "raw") else "POSTROUTING", "")
    made = conversion(text.replace("COMMIT", "".join(cases) + "COMMIT"), family)
    assert not [(each.rules, each.reason) for each in made.of_state(State.NOT_CONVERTED)]
    host = Namespace()
    host.run(["nft", "-f", "-"], made.source.text)


RECENT = """\
*filter
:INPUT ACCEPT [0:0]
-A INPUT -p udp -m udp --dport 9 -m recent --set --name a --rsource
-A INPUT -p udp -m udp --dport 9 -m recent --update --seconds 2 --hitcount 4 --name a --rsource
-A INPUT -p udp -m udp --dport 9 -m recent --rcheck --seconds 1 --hitcount 2 --name a --rsource
-A INPUT -p udp -m udp --dport 9 -m recent --rcheck --hitcount 9 --name a --rsource
-A INPUT -p udp -m udp --dport 10 -m recent --remove --name a --rsource
-A INPUT -p udp -m udp --dport 9 -m recent --update --seconds 1 --name b --rsource
-A INPUT -p udp -m udp --sport 1003 -m recent --set --name b --rsource
COMMIT
"""
SEND = """\
import random, socket, time
random.seed({seed})
senders = []
for number in range(3):
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind((f"127.0.0.{{number + 1}}", 1001 + number))
    senders.append(sender)
for _ in range(60):
    port = random.choice((9, 9, 9, 9, 9, 9, 9, 10))
    random.choice(senders).sendto(b"x", ("127.0.0.1", port))
    time.sleep(random.choice((0.01, 0.03, 0.07, 0.3, 0.61)))
"""
BOTH = """\
set -e
ip link set lo up
iptables-legacy-restore rules.v4
nft -f rules.nft
python3 send.py
iptables-legacy -vnxL INPUT > old
nft list chain ip filter input > new
"""


HELPER = """\
*raw
:OUTPUT ACCEPT [0:0]
-A OUTPUT -p tcp -m tcp --dport 21 -j CT --helper ftp
COMMIT
*filter
:OUTPUT ACCEPT [0:0]
-A OUTPUT -m conntrack --ctstate NEW -j ACCEPT
COMMIT
"""
LISTED = """\
import socket, struct
server = socket.socket()
server.bind(("127.0.0.1", 21))
server.listen()
client = socket.create_connection(("127.0.0.1", 21))
client.send(b"x")
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
# IPCTNL_MSG_CT_GET, all of IPv4: connections with the names of their helpers
kernel.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 1, 0x301, 1, 0, socket.AF_INET, 0, 0))
print(b"ftp\\0" in kernel.recv(65536))
"""


def test_the_kernel_gives_the_same_helper() -> None:
    made = conversion(HELPER)
    assert made.holds
    said = []
    for load, text in (
        (["iptables-legacy-restore"], HELPER),
        (["nft", "-f", "-"], made.source.text),
        (["nft", "-f", "-"], made.source.text.replace('ct helper set "ftp_tcp"', "counter")),
    ):
        host = Namespace()
        host.run(["ip", "link", "set", "lo", "up"])
        host.run(load, text)
        said.append(host.run(["python3", "-c", LISTED]).strip())
    assert said == ["True", "True", "False"]


REWRITTEN = """\
*mangle
:OUTPUT ACCEPT [0:0]
-A OUTPUT -p udp -m udp --dport 9 -j TTL --ttl-inc 2
-A OUTPUT -p udp -m udp --dport 10 -j TTL --ttl-dec 3
-A OUTPUT -p udp -m udp --dport 11 -j TOS --set-tos 0x10/0x3f
-A OUTPUT -p udp -m udp --dport 12 -j TOS --set-tos 0x12/0x00
-A OUTPUT -p udp -m udp --dport 13 -j TOS --set-tos 0x00/0xed
-A OUTPUT -p udp -m udp --dport 14 -j TOS --set-tos 0x1f/0x1f
COMMIT
"""
AS_THEY_COME = """\
import socket, struct
for port in range(9, 15):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", port))
    server.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
    server.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    option = socket.IP_TTL if port < 11 else socket.IP_TOS
    for number in range(1, 256):
        client.setsockopt(socket.IPPROTO_IP, option, number)
        client.sendto(b"x", ("127.0.0.1", port))
        _, told, _, _ = server.recvmsg(9, 99)
        print(port, number, [data[0] for _, _, data in told])
"""


def test_header_fields_are_counted_and_written_in_part_alike() -> None:
    made = conversion(REWRITTEN)
    assert made.holds
    said = []
    for load, text in (
        (["iptables-legacy-restore"], REWRITTEN),
        (["nft", "-f", "-"], made.source.text),
        (["nft", "-f", "-"], ""),
    ):
        host = Namespace()
        host.run(["ip", "link", "set", "lo", "up"])
        host.run(load, text)
        said.append(host.run(["python3", "-c", AS_THEY_COME]).splitlines())
    old, new, without = said
    assert len(old) == 6 * 255
    assert old == new
    assert len({*old} - {*without}) > 4 * 255


@pytest.mark.parametrize("seed", [3])
def test_recent_says_what_the_sets_say(seed: int, tmp_path: Path) -> None:
    """Counted beside each other, for the same packets."""
    from iptlint.convert.conversion import converted
    from iptlint.convert.text import Style
    from iptlint.dialects import Reader, read
    from iptlint.source import SourceFile

    ruleset = read(SourceFile("rules.v4", RECENT), Reader(Family.IP)).ruleset
    made = converted([ruleset], None, Style(counters=True), [])
    assert made.holds
    for name, text in (
        ("rules.v4", RECENT),
        ("rules.nft", made.source.text),
        ("send.py", SEND.format(seed=seed)),
    ):
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", BOTH],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if "recent" in done.stderr:
        pytest.skip(f"this kernel has no xt_recent: {done.stderr[:100]}")
    assert done.returncode == 0, done.stderr
    old = [line.split()[0] for line in (tmp_path / "old").read_text().splitlines()[2:]]
    new = re.findall(
        r"^(?!.*type filter).* counter packets (\d+)", (tmp_path / "new").read_text(), re.M
    )
    assert len(set(old)) > 3, old
    assert old == new
