"""Packet sets as people read them: exact, short, the largest part first."""

from __future__ import annotations

import importlib
import random
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from iptlint.model import AnyOf, Field, Interface, Masked, Match, Opaque, Within
from iptlint.model.writes import Writes
from iptlint.packets.bdd import union
from iptlint.packets.describe import clause, describe, share_text
from iptlint.packets.describe.clause import Wording
from iptlint.packets.describe.cover import EXISTS_IN, Axes, Axis, cover
from iptlint.packets.match import Matcher
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Rules = Sequence[Sequence[Match]]


def is_(field: Field, *ranges: int | tuple[int, int]) -> Within:
    return Within(field, tuple((r, r) if isinstance(r, int) else r for r in ranges))


def no(match: Match) -> Match:
    assert isinstance(match, Within | Masked | Interface | Opaque | AnyOf)
    return replace(match, negated=True)


def net(field: Field, *texts: str) -> Within:
    networks = [ip_network(text) for text in texts]
    return is_(field, *((int(n.network_address), int(n.broadcast_address)) for n in networks))


IP, IP6, ARP = (is_(Field.FAMILY, number) for number in range(3))
TCP, UDP, ICMP, ICMP6 = (is_(Field.PROTO, number) for number in (6, 17, 1, 58))
SSH, DNS = is_(Field.DPORT, 22), is_(Field.DPORT, 53)
NEW, INVALID = is_(Field.CT_STATE, 0), is_(Field.CT_STATE, 3)
GOING_ON = is_(Field.CT_STATE, (1, 2))
LO, ETH0, ETH1 = (Interface(Field.IIF, name) for name in ("lo", "eth0", "eth1"))
ETH = Interface(Field.IIF, "eth", wildcard=True)
PPP = Interface(Field.IIF, "ppp", wildcard=True)
NAMED_PPP = Interface(Field.IIF, "ppp+")
PING = is_(Field.ICMP_TYPE, 8)
SYN = Masked(Field.TCP_FLAGS, 0b10111, 0b00010)
FROM_TEN = net(Field.SADDR, "10.0.0.0/8")
MARKED = Masked(Field.MARK, 0xFF, 1)
SENT_TO = Opaque("conntrack --ctorigdstport 443:443")
ANSWERED_FROM = Opaque("conntrack --ctreplsrc 192.0.2.0/24")
LISTED, STRING = Opaque("set blocklist src"), Opaque("string --string foo")
SCATTERED = is_(Field.SADDR, *(0x0A000000 + 7 * number for number in range(3000)))
FILTER: Rules = (
    [GOING_ON],
    [LO],
    [TCP, SSH],
    [TCP, is_(Field.DPORT, 80, 443)],
    [ICMP, PING],
    [UDP, DNS, FROM_TEN],
)
BOTH: Rules = (
    [IP, TCP, SSH, FROM_TEN],
    [IP6, TCP, SSH, net(Field.SADDR6, "2001:db8::/32")],
    [IP6, ICMP6, is_(Field.ICMP_TYPE, 135, 136)],
    [UDP, DNS],
)


class Sets:
    """Rules as one packet set; the names of three interfaces occur."""

    def __init__(self, *families: str, tests: Sequence[Match] = (), defragmented: bool = True):
        self.space = Space(families, [LO, ETH0, ETH1, ETH, *tests], defragmented=defragmented)
        self.matcher = Matcher(self.space, Writes())
        none = self.space.no_interface
        self.coming_in = self.space.universe & none(Field.OIF) & ~none(Field.IIF)

    def of(self, rules: Rules) -> PacketSet:
        found = [self.matcher.all_of(rule, self.space.universe).may for rule in rules]
        return union(found, self.space.false)


def lines(sets: Sets, rules: Rules, within: PacketSet | None = None) -> tuple[str, ...]:
    found = describe(sets.space, sets.of(rules), within=within)
    assert not found.more
    return found.lines


ONE_LINE = [
    ([], "any packet"),
    (
        [TCP, SSH, net(Field.SADDR, "203.0.113.0/24"), is_(Field.SPORT, (1024, 65535)), ETH0, NEW],
        "tcp from 203.0.113.0/24 port 1024-65535 to port 22, in on eth0, new",
    ),
    (
        [UDP, net(Field.DADDR, "192.0.2.10/32"), is_(Field.DPORT, 53, 123)],
        "udp to 192.0.2.10 port 53 or 123",
    ),
    (
        [TCP, SSH, net(Field.DADDR, "192.0.2.1/32", "192.0.2.7/32")],
        "tcp to port 22 of 192.0.2.1 or 192.0.2.7",
    ),
    ([TCP, no(SSH)], "tcp to any port but 22"),
    ([TCP, no(SSH), no(FROM_TEN)], "tcp from anywhere but 10.0.0.0/8 to any port but 22"),
    ([no(TCP)], "every protocol but tcp"),
    ([is_(Field.PROTO, 6, 17)], "tcp or udp"),
    ([is_(Field.PROTO, 99)], "protocol 99"),
    ([ICMP, PING], "icmp echo-request"),
    ([ICMP, no(PING)], "icmp of any type but echo-request"),
    (
        [ICMP, is_(Field.ICMP_TYPE, 3), is_(Field.ICMP_CODE, 4)],
        "icmp destination-unreachable code 4",
    ),
    ([TCP, SYN], "tcp with syn and not fin, rst or ack"),
    ([TCP, no(SYN)], "tcp with fin, rst or ack or without syn"),
    ([TCP, is_(Field.TCP_FLAGS, 0)], "tcp without any flag"),
    ([TCP, is_(Field.TCP_FLAGS, 0b101001)], "tcp with only fin, psh and urg"),
    ([TCP, no(Masked(Field.TCP_FLAGS, 0b11, 0))], "tcp with fin or syn"),
    ([TCP, no(Masked(Field.TCP_FLAGS, 0b10010, 0b10010))], "tcp without both syn and ack"),
    # Who reads of a port knows the protocols that have one.
    ([is_(Field.PROTO, 6, 17, 33, 132, 136), SSH], "to port 22"),
    ([INVALID], "invalid"),
    ([no(NEW)], "not new"),
    ([no(GOING_ON)], "neither established nor related"),
    ([is_(Field.CT_DIRECTION, 1)], "reply direction"),
    ([is_(Field.CT_DNAT, 1)], "dnat"),
    ([no(LO)], "not in on lo"),
    ([no(LO), no(ETH1)], "in on any interface but lo and eth1"),
    ([ETH], "in on eth+"),
    ([ETH, no(ETH0)], "in on eth+ (but not eth0)"),
    # In nft it is a name.
    ([PPP, no(NAMED_PPP)], 'in on ppp+ (but not the interface "ppp+")'),
    ([NAMED_PPP], 'in on the interface "ppp+"'),
    ([MARKED], "mark 0x1/0xff"),
    ([no(MARKED)], "mark not 0x1/0xff"),
    ([is_(Field.MARK, 5)], "mark 0x5"),
    ([is_(Field.LENGTH, (0, 60))], "length 0-60"),
    ([Masked(Field.TOS, 0xFC, 46 << 2)], "dscp 46"),
    ([is_(Field.MAC_SOURCE, 0x001122334455)], "mac 00:11:22:33:44:55"),
    ([is_(Field.SADDR, (0x0A000005, 0x0A00004D))], "from 10.0.0.5-10.0.0.77"),
    ([Masked(Field.SADDR, 0xFF00FF00, 0x0A000100)], "from 10.0.1.0/255.0.255.0"),
    ([LISTED], "if `set blocklist src`"),
    # Both languages have it, each in its words.
    (
        [SENT_TO, no(ANSWERED_FROM)],
        "if `ct original dport 443` and not `ct reply saddr 192.0.2.0/24`",
    ),
    ([TCP, LISTED, no(STRING)], "tcp, if `set blocklist src` and not `string --string foo`"),
    (
        [SCATTERED, UDP],
        "udp from 10.0.0.0, 10.0.0.7, 10.0.0.14, 10.0.0.21 and others (3,000 addresses)",
    ),
]


@pytest.mark.parametrize(("tests", "line"), ONE_LINE, ids=[line for _, line in ONE_LINE])
def test_one_rule_is_one_line(tests: list[Match], line: str) -> None:
    sets = Sets("ip", tests=tests)
    assert lines(sets, [tests], sets.coming_in) == (line,)


def test_a_filter_lets_in() -> None:
    sets = Sets("ip")
    assert lines(sets, FILTER, sets.coming_in) == (
        "established or related",
        "in on lo",
        "icmp echo-request",
        "tcp to port 22, 80 or 443",
        "udp from 10.0.0.0/8 to port 53",
    )


def test_a_filter_shuts_out() -> None:
    sets = Sets("ip")
    out = describe(sets.space, ~sets.of(FILTER), within=sets.coming_in & ~sets.of(FILTER[:2]))
    assert not out.more
    assert out.lines == (
        "every protocol but icmp, tcp and udp",
        "udp to any port but 53",
        "tcp to any port but 22, 80 and 443",
        "udp from anywhere but 10.0.0.0/8",
        "icmp of any type but echo-request",
    )


def test_two_families() -> None:
    assert lines(Sets("ip", "ip6"), BOTH) == (
        "ip6 ipv6-icmp neighbour-solicitation or neighbour-advertisement",
        "udp to port 53",
        "tcp from 10.0.0.0/8 to port 22",
        "tcp from 2001:db8::/32 to port 22",
    )


def test_a_negated_address_does_not_show_its_family() -> None:
    assert lines(Sets("ip", "ip6"), [[IP, no(FROM_TEN)]]) == ("ip from anywhere but 10.0.0.0/8",)


def test_what_lies_outside_simplifies_and_is_not_said() -> None:
    sets = Sets("ip")
    ssh = sets.of([[TCP, SSH]])
    found = describe(sets.space, sets.of([[TCP, SSH, FROM_TEN]]), within=ssh)
    assert found.lines == ("from 10.0.0.0/8",)
    assert describe(sets.space, ssh, within=ssh).lines == ("any packet",)


def test_what_is_tied_to_something_unsaid_is_said() -> None:
    """Of packets that go out where they came in, either way tells the other; not none."""
    sets = Sets("ip")
    names = ("lo", "eth0", "eth1")
    pairs = [[Interface(f, name) for f in (Field.IIF, Field.OIF)] for name in names]
    assert lines(sets, pairs[1:2], sets.of(pairs)) in {("in on eth0",), ("out on eth0",)}


def test_no_packet() -> None:
    space = Sets("ip").space
    found = describe(space, space.false)
    assert (found.lines, found.more, found.left) == (("no packet",), False, 0)


def test_fragments_have_no_ports() -> None:
    sets = Sets("ip", defragmented=False)
    whole = is_(Field.FRAGMENT, 0)
    rules = [[is_(Field.FRAGMENT, 1)], [whole, TCP, SSH]]
    assert lines(sets, rules) == ("a later fragment", "tcp to port 22")


def test_a_field_that_packets_do_not_have_is_called_strange() -> None:
    """Nobody is told of "icmp to port 22"."""
    assert lines(Sets("ip"), [[ICMP, SSH]]) == (
        "icmp, with 22 where the destination port would be",
    )


def test_arp_is_a_family_of_its_own() -> None:
    assert lines(Sets("ip", "ip6", "arp", "other"), [[ARP]]) == ("arp",)


def test_the_largest_lines_are_kept_and_the_rest_counted() -> None:
    sets = Sets("ip")
    rules = [[TCP, is_(Field.DPORT, n), is_(Field.SADDR, (0, 2**n - 1))] for n in range(20, 30)]
    found = describe(sets.space, sets.of(rules), limit=2)
    assert found.lines == (
        "tcp from 0.0.0.0/3 to port 29",
        "tcp from 0.0.0.0/4 to port 28",
    )
    assert found.more
    assert found.left == pytest.approx((2**28 - 2**20) / (2**30 - 2**20), rel=0.01)


def test_a_sentence_says_how_much_it_does_not() -> None:
    sets = Sets("ip")
    packets = sets.of(FILTER)
    assert clause(sets.space, packets, sets.coming_in, limit=2) == (
        "established or related; or in on lo; and others (less than 1 % of them)"
    )
    assert clause(sets.space, sets.of([[TCP], [LO]])) == "in on lo; or tcp"
    assert [share_text(x) for x in (0.001, 0.123, 0.999)] == [
        "less than 1 % of them",
        "12 % of them",
        "99 % of them",
    ]


# -- sets of every shape -------------------------------------------------------


def _address(rng: random.Random, field: Field, width: int) -> Match:
    length = rng.choice((0, 8, 24, 32))
    host = rng.choice((10, 192)) << 24 | rng.randrange(3) << 8 | rng.randrange(4)
    first = (host + (0x20010DB8 << 96 if width == 128 else 0)) >> (32 - length) << (32 - length)
    test = is_(field, (first, first + (1 << (32 - length)) - 1))
    return no(test) if rng.random() < 0.2 else test


def _product(rng: random.Random, families: int) -> list[Match]:
    """The tests of one rule, as they are written: each field where it exists."""
    six = rng.randrange(families)
    tests: list[Match] = [IP6 if six else IP]
    width = 128 if six else 32
    for fields in ((Field.SADDR, Field.SADDR6), (Field.DADDR, Field.DADDR6)):
        if rng.random() < 0.35:
            tests.append(_address(rng, fields[six], width))
    headers: tuple[list[Match], ...] = (
        [TCP, SSH],
        [TCP, is_(Field.DPORT, (22, 5000)), SYN],
        [TCP, no(SSH)],
        [UDP, DNS, is_(Field.SPORT, (1024, 65535))],
        [ICMP, PING],
        [no(TCP)],
        [MARKED],
    )
    tests += [is_(Field.FRAGMENT, 0), *rng.choice(headers)]
    extra = (LO, no(ETH0), ETH, NEW, no(INVALID), GOING_ON, LISTED, no(STRING))
    return tests + [test for test in extra if rng.random() < 0.12]


def _random_case(seed: int) -> tuple[Sets, PacketSet, PacketSet, random.Random]:
    """A set of packets, and what it is asked within."""
    rng = random.Random(seed)
    families = rng.choice((("ip",), ("ip", "ip6")))
    sets = Sets(*families, defragmented=rng.random() < 0.5)
    packets = sets.space.false
    for _ in range(rng.randrange(1, 8)):
        rule = sets.of([_product(rng, len(families))])
        packets = packets | rule if rng.random() < 0.8 else packets & ~rule
    if rng.random() < 0.3:
        packets = sets.space.universe & ~packets
    within = rng.choice((sets.space.universe, sets.coming_in))
    if rng.random() < 0.2:
        within = within & sets.of([_product(rng, len(families))])
    return sets, packets, within, rng


@pytest.mark.parametrize("seed", range(60))
def test_the_lines_are_the_set(seed: int) -> None:
    sets, packets, within, rng = _random_case(seed)
    found = describe(sets.space, packets, rng.choice((1, 3, 8, 40)), within)
    wanted, said = packets & within, union(found.boxes, sets.space.false)
    assert not (said & ~wanted).satisfiable()
    assert found.more == (said != wanted)
    assert found.more == (found.left > 0)
    assert len({*found.lines}) == len(found.lines) == len(found.boxes)


@pytest.mark.parametrize("seed", range(60))
def test_what_a_line_says_is_its_box(seed: int) -> None:
    """Taken at its word, and by which packets have a field at all."""
    sets, packets, within, _ = _random_case(seed)
    axes = Axes(sets.space)
    wording = Wording(axes, within)
    for box in cover(axes, packets, within, 8).boxes:
        told = {axis: listing.said for axis, listing in wording.listings(box).items()}
        real = _existing(axes, told)
        assert axes.product(told) & within & real == axes.product(box) & within & real


def _existing(axes: Axes, told: dict[Axis, PacketSet]) -> PacketSet:
    """The packets that have the fields told of."""
    packets = axes.space.true
    for axis in told:
        for other in EXISTS_IN.get(axis, ()):
            there = axes.exists_in(axis, other)
            if there is not None and (told.get(other, there) & there).satisfiable():
                packets = packets & there
    return packets


def test_thousands_of_rules_are_told_by_their_largest_parts() -> None:
    rng = random.Random(5)
    hosts = [rng.getrandbits(32) for _ in range(100)]
    rules: list[list[Match]] = [[GOING_ON], [LO]]
    for _ in range(3000):
        source = rng.getrandbits(16) << 16
        to = [is_(Field.DADDR, rng.choice(hosts)), TCP, is_(Field.DPORT, rng.randrange(2**16))]
        rules.append([is_(Field.SADDR, (source, source + 0xFFFF)), *to])
    sets = Sets("ip", tests=[test for rule in rules for test in rule])
    found = describe(sets.space, sets.of(rules), within=sets.coming_in)
    assert found.lines[:2] == ("established or related", "in on lo")
    assert len(found.lines) == 8
    assert found.more
    assert found.left < 1e-9


def test_a_long_list_is_named_though_few_looks_at_it_are_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = random.Random(9)
    listed = is_(Field.SADDR, *sorted({rng.getrandbits(32) for _ in range(10_000)}))
    sets = Sets("ip", tests=[LO, listed])
    packets = sets.of([[no(LO), NEW, no(listed), TCP, SSH]])
    module = importlib.import_module("iptlint.packets.describe.cover")
    monkeypatch.setattr(module, "BUDGET", 4 * packets.node_count())
    found = describe(sets.space, packets)
    (line,) = found.lines
    assert line.startswith("tcp from anywhere but ")
    assert line.endswith(" and others (10,000 addresses) to port 22, not in on lo, new")
    assert not found.more


def _on_no_list(sets: Sets, number: int) -> PacketSet:
    packets = sets.space.universe
    for index in range(number):
        packets = packets & ~sets.space.opaque(Opaque(f"set s{index} src"))
    return packets


def test_of_many_conditions_some_are_said_and_the_others_counted() -> None:
    sets = Sets("ip")
    (line,) = describe(sets.space, _on_no_list(sets, 20)).lines
    assert line.startswith("if not `set s0 src`, not `set s1 src`")
    assert line.endswith("not `set s6 src` and 13 further conditions")


def test_what_takes_hundreds_of_conditions_is_left() -> None:
    sets = Sets("ip")
    packets = _on_no_list(sets, 1200)
    found = describe(sets.space, packets)
    assert (found.lines, found.more, found.left) == ((), True, 1.0)
    assert "too many conditions" in clause(sets.space, packets)
