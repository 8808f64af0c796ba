"""Each rule logs twice: with a prefix that it shares with others, and with one of its own, which
says what the first one is asked."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from fcntl import LOCK_EX, flock
from itertools import pairwise
from pathlib import Path

import pytest

import iptlint
from iptlint.analysis.logged import LogReader
from iptlint.packets.log_line import LogLine, log_lines
from tests.kernel.datagrams import ACK, SYN, TCP, UDP, Datagram
from tests.kernel.firewall import KernelFirewall
from tests.kernel.restoring import Kind, restore
from tests.kernel.test_harness import skip_if_lacking

ALL_NAMESPACES = Path("/proc/sys/net/netfilter/nf_log_all_netns")
INTERFACES = ("eth0", "eth1")
ADDRESSES = ("192.0.2.1", "198.51.100.7", "203.0.113.9", "10.0.0.1")
PORTS = (22, 53, 80)
_OWN = re.compile(r"own-(\d+) ")
_OURS = re.compile(r";(?:[ab]: |own-)")
"""Others log meanwhile."""


@pytest.fixture
def kernel_log() -> Iterator[int]:
    """What is logged from now on in all namespaces; one test at a time has it, for all write to the
    same log."""
    try:
        opened = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        flock(opened, LOCK_EX)
        before = ALL_NAMESPACES.read_text()
        ALL_NAMESPACES.write_text("1")
    except OSError as error:
        pytest.skip(f"the kernel does not let its log be read: {error}")
    os.lseek(opened, 0, os.SEEK_END)
    yield opened
    ALL_NAMESPACES.write_text(before)
    os.close(opened)


def printed(log: int) -> str:
    records = []
    with suppress(BlockingIOError):
        while True:
            records.append(os.read(log, 8192).decode().split("\n")[0])
    return "\n".join(records)


def random_tests(luck: random.Random, chain: str) -> str:
    choices = [
        f"-p {luck.choice(('tcp', 'udp'))} --dport {luck.choice(PORTS)}",
        f"-s {luck.choice(ADDRESSES)}/{luck.choice((8, 32))}",
        f"-m conntrack --ctstate {luck.choice(('NEW', 'ESTABLISHED', 'INVALID'))}",
        "-m mark --mark 0x1/0x1",
        f"-m length --length :{luck.choice((30, 40))}",
        "-p tcp --tcp-flags SYN,ACK SYN",
    ]
    if chain != "OUTPUT":
        choices.append(f"-i {luck.choice(INTERFACES)}")
    return " ".join(luck.sample(choices, luck.choice((0, 1, 1, 2))))


def once(text: str) -> str:
    """One protocol a rule."""
    words = text.split(" -p ")
    return text if len(words) < 3 else " -p ".join(words[:2])


def ruleset(luck: random.Random) -> str:
    number, texts = 0, []
    for table, chains in (("mangle", ("PREROUTING",)), ("filter", ("INPUT", "FORWARD", "OUTPUT"))):
        lines = [f"*{table}", *(f":{chain} ACCEPT [0:0]" for chain in chains)]
        if table == "mangle":
            lines.append("-A PREROUTING -p udp -j MARK --set-xmark 0x1/0x1")
        for chain in chains:
            for _ in range(5):
                number += 1
                tests = once(f"{chain} {random_tests(luck, chain)}")
                lines.append(f'-A {tests} -j LOG --log-prefix "{luck.choice("ab")}: "')
                lines.append(f'-A {tests} -j LOG --log-prefix "own-{number} "')
                if luck.random() < 0.3:
                    lines.append(f"-A {tests} -j {luck.choice(('DROP', 'ACCEPT', 'RETURN'))}")
        texts.append("\n".join((*lines, "COMMIT\n")))
    return "".join(texts)


def datagrams(luck: random.Random) -> Iterator[Datagram]:
    for _ in range(40):
        ends = luck.choice(ADDRESSES), luck.choice(ADDRESSES)
        ports = luck.choice((40000, 1234)), luck.choice(PORTS)
        proto = luck.choice((TCP, UDP))
        flags = luck.choice((SYN, ACK, SYN | ACK)) if proto == TCP else 0
        yield Datagram(*ends, proto, *ports, flags, payload=b"x" * luck.choice((0, 20)))


@pytest.mark.parametrize("seed", range(6))
def test_the_rule_that_wrote_a_line(seed: int, firewall: KernelFirewall, kernel_log: int) -> None:
    kind = (Kind.LEGACY, Kind.IPTABLES_NFT)[seed % 2]
    skip_if_lacking(kind, "ip")
    luck = random.Random(seed)
    text = ruleset(luck)
    firewall.have_interfaces(INTERFACES)
    restore(firewall, text, kind)
    for datagram in datagrams(luck):
        firewall.head_for("ip", luck.choice((None, "eth1")))
        if luck.random() < 0.3:
            firewall.emit("ip", datagram.daddr, datagram.pack(), 0, False)
        else:
            firewall.receive(luck.choice(INTERFACES), "ip", datagram.pack(), 0, False)
    reader = LogReader(iptlint.read(text))
    lines = [
        line
        for line in log_lines(printed(kernel_log))
        if isinstance(line, LogLine) and _OURS.search(line.head)
    ]
    asked = alone = 0
    for shared, own in pairwise(lines):
        if (number := _OWN.search(own.head)) is None or _OWN.search(shared.head):
            continue
        told = [writer.decision.span.text for writer in reader.read(shared).writers]
        (wrote,) = (w.decision.span for w in reader.read(own).writers)
        assert f"own-{number[1]} " in wrote.text
        before = text.splitlines()[wrote.line - 2]
        assert before in told, (shared, text)
        asked, alone = asked + 1, alone + (len(told) == 1)
    assert asked > 20
    assert alone > 1
