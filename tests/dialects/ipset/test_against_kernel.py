"""The kernel is asked which packets a set takes, and the model has to say the same."""

from __future__ import annotations

import json
import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pytest

from iptlint.dialects import Reader, read
from iptlint.dialects.ipset.inline_sets import with_sets
from iptlint.dialects.ipset.lower import lower
from iptlint.dialects.ipset.parser import parse
from iptlint.model import AnyOf, Family, Field, Interface, Masked, Match, Opaque, Uncertain, Within
from iptlint.source import SourceFile

TOOLS = ("unshare", "ip", "ipset", "iptables", "ip6tables")


def _reason() -> str | None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "sending packets takes root"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"there is no {', '.join(missing)} here"
    probe = "ipset create a hash:ip && ip link add x type veth peer name y"
    done = subprocess.run(["unshare", "-n", "sh", "-c", probe], capture_output=True, timeout=20)
    return None if done.returncode == 0 else "the kernel here has no sets, veth or namespaces"


REASON = _reason()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")

SETS = """\
create net hash:net
add net 10.0.0.0/8
add net 10.1.0.0/16 nomatch
add net 10.1.2.0/24
add net 10.1.2.3 nomatch
add net 172.16.0.1-172.16.0.6
create ip hash:ip
add ip 10.0.0.1
add ip 10.0.1.0-10.0.1.9
create masked hash:ip netmask 24
add masked 10.0.5.77
create gaps hash:ip bitmask 255.0.0.255
add gaps 10.9.9.1
create ipport hash:ip,port
add ipport 10.0.0.1,80
add ipport 10.0.0.1,udp:50-59
add ipport 10.0.0.1,icmp:8/0
add ipport 10.0.0.1,icmp:port-unreachable
add ipport 10.0.0.1,gre:0
add ipport 10.0.0.1,sctp:7
create netport hash:net,port
add netport 10.0.0.0/8,tcp:80
add netport 10.1.0.0/16,tcp:80 nomatch
add netport 10.1.0.0/16,tcp:81 nomatch
create three hash:ip,port,net
add three 10.0.0.1,udp:53,192.168.0.0/16
add three 10.0.0.1,udp:53,192.168.1.0/24 nomatch
create both hash:ip,port,ip
add both 10.0.0.1,udp:53,192.168.1.1
create iface hash:net,iface
add iface 10.0.0.0/8,far
add iface 10.1.0.0/16,other
add iface 10.2.0.0/16,fa wildcard
add iface 10.3.0.0/16,far nomatch
add iface 10.3.3.0/24,far
create ports bitmap:port range 0-1000
add ports 50-80
create bits bitmap:ip range 10.0.0.0/16 netmask 30
add bits 10.0.0.5
create macs bitmap:ip,mac range 10.0.0.0/24
add macs 10.0.0.1,02:00:00:00:00:01
add macs 10.0.0.2,02:00:00:00:00:bb
create six hash:net family inet6
add six 2001:db8::/32
add six 2001:db8:1::/48 nomatch
create sixport hash:ip,port family inet6
add sixport 2001:db8::1,tcp:80
add sixport 2001:db8::1,icmpv6:128/0
add sixport 2001:db8::1,gre:0
create all list:set
add all six
add all ip
add all ipport
add all ports
create few list:set
add few net
add few masked after net
"""

IP_TESTS = [
    *("net src", "net dst", "net src --return-nomatch", "net src,dst", "net dst,src"),
    *("ip src", "ip src,src", "masked src", "gaps src", "bits src", "bits src --return-nomatch"),
    *("ipport src,dst", "ipport src,src", "ipport dst,dst", "ipport src", "ipport src,dst,dst"),
    *("netport src,dst", "netport src,dst --return-nomatch", "netport src"),
    *("three src,dst,dst", "three src,dst,dst --return-nomatch", "three src,dst"),
    *("both src,dst,dst", "both dst,src,src"),
    *("iface src,src", "iface src,dst", "iface src,src --return-nomatch", "iface dst,src"),
    *("ports src", "ports dst", "macs src,src", "macs src,dst", "macs dst,src", "macs src"),
    *("all src", "all src,dst", "all dst,dst", "few src", "few src --return-nomatch", "few dst"),
]
IP6_TESTS = [
    *("six src", "six src --return-nomatch", "six dst", "sixport src,dst", "sixport src,src"),
    *("all src", "all src,dst", "all dst", "ports dst"),
]


@dataclass(frozen=True)
class Packet:
    source: str
    destination: str = "192.168.1.1"
    protocol: int = 17
    ports: tuple[int, int] = (1234, 53)  # of icmp: type, code
    fragment: int = 0
    mac: str | None = None

    @property
    def family(self) -> Family:
        return Family.IP6 if ":" in self.source else Family.IP

    def wire(self) -> bytes:
        ends = ip_address(self.source).packed + ip_address(self.destination).packed
        payload = self._payload()
        if self.family is Family.IP6:
            return struct.pack("!IHBB", 6 << 28, len(payload), self.protocol, 64) + ends + payload
        length = 20 + len(payload)
        head = struct.pack("!BBHHHBBH", 0x45, 0, length, 1, self.fragment, 64, self.protocol, 0)
        total = sum(struct.unpack("!10H", head + ends))
        total = (total & 0xFFFF) + (total >> 16)
        checksum = ~(total + (total >> 16)) & 0xFFFF
        return head[:10] + checksum.to_bytes(2, "big") + ends + payload

    def _payload(self) -> bytes:
        numbers = "!BB" if self.protocol in (1, 58) else "!HH"
        return struct.pack(numbers, *self.ports) + bytes(24)

    def value(self, field: Field) -> int | None:
        """None where the packet has no such field."""
        sport, dport = self.ports
        icmp, later = self.protocol in (1, 58), self.fragment & 0x1FFF
        return {
            self.family.saddr: int(ip_address(self.source)),
            self.family.daddr: int(ip_address(self.destination)),
            Field.PROTO: self.protocol,
            Field.FRAGMENT: int(later > 0),
            Field.SPORT: None if icmp or later else sport,
            Field.DPORT: None if icmp or later else dport,
            Field.ICMP_TYPE: sport if icmp and not later else None,
            Field.ICMP_CODE: dport if icmp and not later else None,
            Field.MAC_SOURCE: int((self.mac or "02:00:00:00:00:aa").replace(":", ""), 16),
        }[field]


PACKETS = [
    *(Packet(f"10.{end}") for end in ("0.0.1", "0.0.5", "0.0.6", "0.1.4", "0.1.10", "0.5.1")),
    *(Packet(f"10.{end}") for end in ("9.9.1", "1.0.1", "1.2.1", "1.2.3", "2.0.1", "3.0.1")),
    *(Packet(f"10.{end}") for end in ("3.3.1", "4.0.1", "0.0.4", "0.0.8")),
    *(Packet(f"172.16.0.{end}") for end in (0, 1, 6, 7)),
    Packet("192.168.1.1", "10.0.0.1", ports=(53, 50)),
    Packet("192.168.1.1", "10.1.0.1", ports=(80, 80)),
    Packet("10.0.0.1", "192.168.2.1"),
    Packet("10.0.0.1", "192.168.1.2"),
    Packet("10.0.0.1", ports=(55, 1)),
    *(Packet("10.0.0.1", protocol=p, ports=(1, n)) for p in (6, 17, 132) for n in (80, 55, 7)),
    *(Packet("10.1.0.1", protocol=6, ports=(80, n)) for n in (80, 81, 82)),
    *(Packet("10.0.0.1", protocol=1, ports=ports) for ports in ((8, 0), (3, 3), (0, 8), (8, 1))),
    *(Packet("10.0.0.1", protocol=p) for p in (47, 33, 50)),
    Packet("10.0.0.1", protocol=47, fragment=100),
    Packet("10.0.0.1", protocol=6, ports=(80, 80), fragment=100),
    Packet("10.0.0.1", protocol=6, ports=(80, 80), fragment=0x2000),
    *(Packet(f"10.0.0.{end}", mac="02:00:00:00:00:01") for end in (1, 2)),
    Packet("192.168.1.1", "10.0.0.1", mac="02:00:00:00:00:01"),
    *(Packet(f"2001:db8:{end}", "2001:db8::9") for end in (":1", "1::1", "2::1")),
    *(Packet("2001:db8::1", "fd00::1", p, (80, 80)) for p in (6, 17, 47)),
    *(Packet("2001:db8::1", "fd00::1", 58, ports) for ports in ((128, 0), (129, 0))),
    Packet("fd00::1", "fd00::2", 6, (1, 80)),
]


def holds(match: Match, packet: Packet) -> bool | None:
    """Whether the test holds of a packet that comes in at ``far``; None: nobody can say."""
    match match:
        case Within(field, ranges, negated):
            value = packet.value(field)
            inside = value is not None and any(low <= value <= high for low, high in ranges)
            return inside is not negated
        case Masked(field, mask, wanted, negated):
            value = packet.value(field)
            return (value is not None and value & mask == wanted) is not negated
        case Interface(field, name, wildcard):
            there = "far" if field is Field.IIF else ""
            return there.startswith(name) if wildcard else there == name
        case AnyOf(alternatives, negated):
            found = [_all(tests, packet) for tests in alternatives]
            told = True if True in found else None if None in found else False
            return None if told is None else told is not negated
        case Uncertain():
            return None
        case _:
            return match.key == "ether daddr 02:00:00:00:00:bb"


def _all(tests: tuple[Match, ...], packet: Packet) -> bool | None:
    found = [holds(test, packet) for test in tests]
    return False if False in found else None if None in found else True


def ask(sets: str, ip: list[str], ip6: list[str], packets: list[Packet]) -> dict[str, object]:
    rules = {"ip": [f"-m set {rule}" for rule in ip], "ip6": [f"-m set {rule}" for rule in ip6]}
    frames = [[p.family.value, p.wire().hex(), p.mac] for p in packets]
    asked = json.dumps({"restore": sets, "rules": rules, "frames": frames})
    program = str(Path(__file__).with_name("kernel_side.py"))
    done = subprocess.run(
        ["unshare", "-n", sys.executable, program],
        input=asked,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


RULES = [f"--match-set {test}" for test in IP_TESTS] + [f"! --match-set {t}" for t in IP_TESTS]
RULES6 = [f"--match-set {test}" for test in IP6_TESTS]


@cache
def answer() -> dict[str, object]:
    return ask(SETS, RULES, RULES6, PACKETS)


def lowered(sets: str, rules: list[str], family: Family) -> list[tuple[Match, ...]]:
    contents, diagnostics = lower([parse(SourceFile("ipsets", sets))])
    assert diagnostics == ()
    text = "*raw\n" + "".join(f"-A PREROUTING -m set {rule}\n" for rule in rules) + "COMMIT\n"
    ruleset = with_sets(read(SourceFile("rules", text), Reader(family)).ruleset, contents)
    return [rule.matches for _, _, rule in ruleset.rules()]


@pytest.mark.parametrize("written", ["as it was written", "as the kernel prints it"])
@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_the_same_packets_are_taken(family: Family, written: str) -> None:
    sets = SETS if written == "as it was written" else str(answer()["save"])
    rules = RULES if family is Family.IP else RULES6
    told = lowered(sets, rules, family)
    hits = answer()["hits"]
    assert isinstance(hits, list)
    wrong = []
    for packet, hit in zip(PACKETS, hits, strict=True):
        if packet.family is family:
            for number, tests in enumerate(told):
                model, kernel = _all(tests, packet), number in hit
                if model is not kernel:
                    wrong.append((rules[number], packet, model, kernel))
    assert wrong == []


LENGTHS = (7, 8, 9, 15, 16, 17, 23, 24, 25, 29, 30, 31, 32)


class Draw:
    """Sets and packets at random, close enough to each other that they meet."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def one(self, *choices: str) -> str:
        return self.draw.choice(choices)

    def address(self) -> str:
        third, last = self.one("0", "0", "1", "3"), self.one("0", "1", "2", "7", "128", "200")
        return f"10.{self.one('0', '0', '1', '2')}.{third}.{last}"

    def network(self) -> str:
        return f"{self.address()}/{self.draw.choice(LENGTHS)}"

    def few(self) -> str:
        return self.address() + self.one("", "", "/30", "/31")

    def port(self) -> str:
        name = self.one("tcp", "udp", "sctp", "udplite")
        numbers = self.one("1", "2", "1-3", "3")
        return self.one(f"{name}:{numbers}", f"{name}:{numbers}", "icmp:8/0", "icmp:3/1", "gre:0")

    def device(self) -> str:
        return self.one("far", "far", "other", "fa wildcard", "[fa-r]")

    def packet(self) -> Packet:
        protocol = self.draw.choice([6, 17, 132, 136, 1, 47])
        numbers = ([8, 3], [0, 1]) if protocol == 1 else ([1, 2, 3, 4], [1, 2, 3, 4])
        ports = self.draw.choice(numbers[0]), self.draw.choice(numbers[1])
        fragment = self.draw.choice([0, 0, 0, 0, 0, 0, 100])
        return Packet(self.address(), self.address(), protocol, ports, fragment)

    def rule(self, name: str, dimensions: int) -> str:
        directions = ",".join(self.one("src", "dst") for _ in range(dimensions))
        test = f"--match-set {name} {directions}{self.one('', ' --return-nomatch')}"
        return self.one("", "! ") + test

    def sets(self) -> str:
        lines = []
        for name, (kind, entry, exceptions) in self.kinds().items():
            lines.append(f"create {name} {kind}")
            for _ in range(self.draw.randrange(12)):
                nomatch = self.one("", "", " nomatch") if exceptions else ""
                lines.append(f"add {name} {entry()}{nomatch} -exist")
                if self.draw.random() < 0.1 and exceptions is False:
                    lines.append(f"del {name} {entry()} -exist")
        lines.append("create l list:set")
        lines += (f"add l {name}" for name in self.draw.sample([*self.kinds()], 3))
        return "\n".join(lines) + "\n"

    def kinds(self) -> dict[str, tuple[str, Callable[[], str], bool]]:
        def joined(*parts: Callable[[], str]) -> Callable[[], str]:
            return lambda: ",".join(part() for part in parts)

        masks = (" netmask 24", " netmask 31", " bitmask 255.0.0.3", "")
        return {
            "n": ("hash:net", self.network, True),
            "i": ("hash:ip" + self.one(*masks), self.few, False),
            "p": ("hash:ip,port", joined(self.few, self.port), False),
            "np": ("hash:net,port", joined(self.network, self.port), True),
            "t": ("hash:ip,port,net", joined(self.few, self.port, self.network), True),
            "b": ("hash:ip,port,ip", joined(self.few, self.port, self.address), False),
            "f": ("hash:net,iface", joined(self.network, self.device), True),
        }


DIMENSIONS = {"n": 1, "i": 1, "p": 2, "np": 2, "t": 3, "b": 3, "f": 2, "l": 3}


@pytest.mark.parametrize("seed", range(6))
def test_sets_at_random(seed: int) -> None:
    draw = Draw(seed)
    sets, packets = draw.sets(), [draw.packet() for _ in range(25)]
    rules = [draw.rule(*each) for each in DIMENSIONS.items() for _ in range(2)]
    found = ask(sets, rules, [], packets)
    hits = found["hits"]
    assert isinstance(hits, list)
    for text in (sets, str(found["save"])):
        told = lowered(text, rules, Family.IP)
        assert sum(isinstance(tests[0], AnyOf) for tests in told) >= 12
        for packet, hit in zip(packets, hits, strict=True):
            for number, tests in enumerate(told):
                if not _is_unknown(tests[0]):
                    assert _all(tests, packet) is (number in hit), (seed, rules[number], packet)


def _is_unknown(test: Match) -> bool:
    match test:
        case Opaque():
            return True
        case AnyOf(alternatives):
            return any(_is_unknown(each) for tests in alternatives for each in tests)
        case _:
            return False


def test_every_rule_takes_a_packet_or_never_can() -> None:
    """The packets above tell the rules apart, or the comparison would say little."""
    hits = answer()["hits"]
    assert isinstance(hits, list)
    taken = {
        n
        for packet, hit in zip(PACKETS, hits, strict=True)
        if packet.family is Family.IP
        for n in hit
    }
    idle = {IP_TESTS[n] for n in range(len(IP_TESTS)) if n not in taken}
    short = {"ipport src", "netport src", "three src,dst", "macs src"}
    assert idle == short | {"iface src,dst"}


def test_an_address_without_a_mac_takes_that_of_the_first_packet() -> None:
    sets = "create macs bitmap:ip,mac range 10.0.0.0/24\nadd macs 10.0.0.1\n"
    packets = [Packet("10.0.0.1", mac=f"02:00:00:00:00:0{n}") for n in (1, 2, 1)]
    found = ask(sets, ["--match-set macs src,src"], [], packets)
    assert found["hits"] == [[0], [], [0]]
    ((test,),) = lowered(sets, ["--match-set macs src,src"], Family.IP)
    assert [holds(test, packet) for packet in packets] == [None, None, None]
    assert holds(test, Packet("10.0.0.2")) is False


def test_iptables_refuses_a_set_of_the_other_family() -> None:
    probe = "ipset create six hash:ip family inet6 && iptables -A INPUT -m set --match-set six src"
    done = subprocess.run(["unshare", "-n", "sh", "-c", probe], capture_output=True, text=True)
    assert done.returncode != 0
    assert "protocol family" in done.stderr
