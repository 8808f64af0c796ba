"""What the tests of a rule say of a packet, as nft 1.0.6 loads them and the kernel runs them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execute import execute
from iptlint.dialects.nft.lowering import matches as lowering
from iptlint.dialects.nft.parser import parse
from iptlint.model import AnyOf, Field, Interface, Masked, Match, Opaque, Uncertain, Within
from iptlint.model.matches import CT_STATES, PACKET_FAMILIES
from iptlint.source import SourceFile

NEVER = AnyOf(())


@dataclass
class Read:
    """One rule: its tests, the branches of its maps, and what is wrong with it."""

    matches: tuple[Match, ...] = ()
    branches: tuple[lowering.Branch, ...] = ()
    diagnostics: list[Diagnostic] = field(default_factory=list)
    exact: bool = True


def read(rule: str, family: str = "inet", sets: str = "") -> Read:
    head = f"flush ruleset\ntable {family} t {{\n{sets}\nchain c {{\n"
    source = SourceFile("-", f"{head}{rule}\n}}\n}}\n")
    file = parse(source)
    assert not file.diagnostics, file.diagnostics
    (table,) = execute(file).tables
    (placed,) = table.chains["c"].rules
    found = Read()
    rule = lowering.RuleLowering(table, placed.source, found.diagnostics)
    for statement in placed.rule.statements:
        match statement:
            case t.Match() | t.MaskMatch():
                found.matches += lowering.tests(statement, rule)
            case t.VerdictMap(key, t.SetLiteral() | t.SetReference() as mapping):
                found.branches += lowering.branches(key, mapping, rule)
                found.exact = lowering.exact(mapping, rule)
            case t.Mangle(target):
                found.matches += lowering.implied(target, rule)
    return found


def lowered(rule: str, family: str = "inet", sets: str = "") -> tuple[Match, ...]:
    found = read(rule, family, sets)
    assert found.diagnostics == []
    return found.matches


def is_(field: Field, *values: int, negated: bool = False) -> Within:
    return Within(field, tuple((value, value) for value in values), negated)


def of(family: str) -> Within:
    return is_(Field.FAMILY, PACKET_FAMILIES.index(family))


def states(*names: str, negated: bool = False) -> Within:
    numbers = sorted(CT_STATES.index(name) for name in names)
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return Within(Field.CT_STATE, tuple(ranges), negated)


WHOLE = is_(Field.FRAGMENT, 0)
TCP = (is_(Field.PROTO, 6), WHOLE)
CONNECTED = states("invalid", "untracked", negated=True)
SYN, ACK, FIN, RST = 2, 16, 1, 4

EXACT = [
    # Addresses say what the packet's family is, where a table sees several.
    ("ip", "ip saddr 192.0.2.1", (is_(Field.SADDR, 0xC0000201),)),
    ("inet", "ip saddr 192.0.2.1", (of("ip"), is_(Field.SADDR, 0xC0000201))),
    ("inet", "ip6 daddr ::1", (of("ip6"), is_(Field.DADDR6, 1))),
    ("ip", "ip saddr 10.9.8.7/8", (Within(Field.SADDR, ((0x0A000000, 0x0AFFFFFF),)),)),
    ("ip", "ip saddr & 255.0.255.0 == 10.0.1.0", (Masked(Field.SADDR, 0xFF00FF00, 0x0A000100),)),
    ("ip6", "ip6 saddr & ::ffff == ::1", (Masked(Field.SADDR6, 0xFFFF, 1),)),
    ("arp", "ip saddr 192.0.2.1", (NEVER, is_(Field.SADDR, 0xC0000201))),
    # A port demands its protocol, and a later fragment has none.
    ("ip", "tcp dport 22", (*TCP, is_(Field.DPORT, 22))),
    ("ip", "tcp dport != 22", (*TCP, is_(Field.DPORT, 22, negated=True))),
    ("ip", "tcp dport 010", (*TCP, is_(Field.DPORT, 8))),
    ("ip", "tcp dport 09", (*TCP, is_(Field.DPORT, 9))),
    ("ip", "tcp dport ssh", (*TCP, is_(Field.DPORT, 22))),
    ("ip", "tcp dport < 1024", (*TCP, Within(Field.DPORT, ((0, 1023),)))),
    ("ip", "tcp dport > 65535", (*TCP, NEVER)),
    ("ip", "tcp dport { 80, 443, 81-90 }", (*TCP, Within(Field.DPORT, ((80, 90), (443, 443))))),
    (
        "ip",
        "meta l4proto { tcp, udp } th dport 53",
        (is_(Field.PROTO, 6, 17), WHOLE, is_(Field.DPORT, 53)),
    ),
    # icmp is of ip, unless an earlier test has said that it is icmp.
    ("inet", "icmp type 8", (of("ip"), is_(Field.PROTO, 1), WHOLE, is_(Field.ICMP_TYPE, 8))),
    (
        "inet",
        "meta l4proto icmp icmp type 8",
        (is_(Field.PROTO, 1), is_(Field.PROTO, 1), WHOLE, is_(Field.ICMP_TYPE, 8)),
    ),
    # Flags without an operator: any of them.
    ("ip", "tcp flags syn", (*TCP, Masked(Field.TCP_FLAGS, SYN, SYN))),
    ("ip", "tcp flags syn,ack", (*TCP, Masked(Field.TCP_FLAGS, SYN | ACK, 0, True))),
    ("ip", "tcp flags == syn,ack", (*TCP, is_(Field.TCP_FLAGS, SYN | ACK))),
    ("ip", "tcp flags ! syn,ack", (*TCP, Masked(Field.TCP_FLAGS, SYN | ACK, 0))),
    (
        "ip",
        "tcp flags & (fin|syn|rst|ack) == syn",
        (*TCP, Masked(Field.TCP_FLAGS, SYN | ACK | FIN | RST, SYN)),
    ),
    ("ip", "tcp flags != syn / fin,syn", (*TCP, Masked(Field.TCP_FLAGS, SYN | FIN, SYN, True))),
    ("ip", "tcp flags { syn, syn|ack }", (*TCP, is_(Field.TCP_FLAGS, SYN, SYN | ACK))),
    # A packet has one state.
    ("ip", "ct state established,related", (states("established", "related"),)),
    ("ip", "ct state { new, untracked }", (states("new", "untracked"),)),
    ("ip", "ct state ! new", (states("established", "related", "invalid", "untracked"),)),
    # Never, and connections are tracked for it (nft_ct_get_init).
    ("ip", "ct state == new,established", (NEVER, Within(Field.CT_STATE, ((0, 4),)))),
    ("ip", "ct state & (new|established) == 0", (states("related", "invalid", "untracked"),)),
    ("ip", "ct status dnat", (CONNECTED, is_(Field.CT_DNAT, 1))),
    ("ip", "ct status & snat == snat", (CONNECTED, is_(Field.CT_SNAT, 1))),
    ("ip", "ct direction reply", (CONNECTED, is_(Field.CT_DIRECTION, 1))),
    ("ip", "ct mark != 1", (CONNECTED, is_(Field.CT_MARK, 1, negated=True))),
    # Parts of fields.
    ("ip", "ip dscp ef", (Masked(Field.TOS, 0xFC, 0xB8),)),
    ("ip", "ip ecn ce", (Masked(Field.TOS, 3, 3),)),
    ("ip", "ip frag-off & 0x1fff != 0", (is_(Field.FRAGMENT, 0, negated=True),)),
    ("ip", "meta mark & 0xff == 0x10", (Masked(Field.MARK, 0xFF, 0x10),)),
    ("ip", "meta mark >> 8 == 1", (Masked(Field.MARK, 0xFFFFFF00, 0x100),)),
    ("ip", "meta mark 0x10 | 0x20", (is_(Field.MARK, 0x30),)),
    ("ip", "meta mark | 1 == 2", (NEVER,)),
    ("ip6", "ip6 length 60", (is_(Field.LENGTH, 100),)),
    # Names of interfaces.
    ("ip", 'iifname "eth*"', (Interface(Field.IIF, "eth", wildcard=True),)),
    ("ip", "oifname != lo", (Interface(Field.OIF, "lo", negated=True),)),
    # Families by ethertype.
    ("inet", "meta nfproto ipv6", (of("ip6"),)),
    ("bridge", "meta protocol arp", (of("arp"),)),
    ("bridge", "meta protocol != ip", (is_(Field.FAMILY, 0, negated=True),)),
    ("ip", "meta protocol ip", ()),
    ("ip", "meta protocol ip6", (NEVER,)),
]


@pytest.mark.parametrize(("family", "rule", "expected"), EXACT, ids=lambda value: str(value)[:50])
def test_an_exact_test(family: str, rule: str, expected: tuple[Match, ...]) -> None:
    assert lowered(rule, family) == expected


AS_IPTABLES = [
    ("meta skuid 1000", "owner --uid-owner 1000"),
    ("meta skgid 5-9", "owner --gid-owner 5-9"),
    ("meta cpu 1", "cpu --cpu 1"),
    ("iifgroup 5", "devgroup --src-group 0x5"),
    ("meta rtclassid 5", "realm --realm 0x5"),
    ("fib daddr type local", "addrtype --dst-type LOCAL"),
    ("fib saddr . iif oif exists", "rpfilter"),
    ("meta ipsec exists", "policy --dir in --pol ipsec"),
]


@pytest.mark.parametrize(("rule", "key"), AS_IPTABLES)
def test_the_same_test_has_the_key_that_iptables_gives_it(rule: str, key: str) -> None:
    assert lowered(rule) == (Opaque(key),)


def test_a_route_back_is_missing_where_rpfilter_finds_none() -> None:
    assert lowered("fib saddr . iif oif missing") == (Opaque("rpfilter", negated=True),)


def test_a_label_is_a_bit() -> None:
    assert lowered("ct label 5") == (CONNECTED, Opaque("connlabel --label 5"))


def test_a_set_of_opaque_values_is_one_test_for_each() -> None:
    assert lowered("meta skuid { root, 1, 2 }") == (
        AnyOf(tuple((Opaque(f"owner --uid-owner {user}"),) for user in (0, 1, 2))),
    )


def test_a_negated_test_needs_something_to_look_at() -> None:
    """The rule ends where a packet has no socket (nft_meta.c)."""
    is_user = Opaque("owner --uid-owner 5", negated=True)
    assert lowered("meta skuid != 5") == (Opaque("owner --socket-exists"), is_user)


def test_what_goes_up_to_the_last_value_is_the_rest_of_what_is_below() -> None:
    assert lowered("meta skuid < 1000") == (Opaque("owner --uid-owner 0-999"),)
    assert lowered("meta skuid >= 1000") == (
        Opaque("owner --socket-exists"),
        Opaque("owner --uid-owner 0-999", negated=True),
    )


def test_a_test_that_holds_for_every_value_asks_that_there_is_one() -> None:
    assert lowered("meta skuid 0-4294967295") == (Opaque("owner --socket-exists"),)


def test_the_first_next_header_names_the_protocol_but_not_the_other_way_round() -> None:
    tcp_next = (is_(Field.PROTO, 6), Opaque("ip6 nexthdr 6"))
    assert lowered("ip6 nexthdr tcp", "ip6") == tcp_next
    assert lowered("ip6 nexthdr != tcp", "ip6") == (AnyOf((tcp_next,), negated=True),)
    assert lowered("ip6 nexthdr 0", "ip6") == (Opaque("ip6 nexthdr 0"),)


def test_ports_of_a_protocol_without_ports_are_only_what_stands_there() -> None:
    with_ports = is_(Field.PROTO, 6, 17, 33, 132, 136)
    without = is_(Field.PROTO, 6, 17, 33, 132, 136, negated=True)
    either = AnyOf(((with_ports, is_(Field.DPORT, 53)), (without, Opaque("@th,16,16 53"))))
    assert lowered("th dport 53", "ip") == (WHOLE, either)


def test_an_option_is_missing_from_other_protocols_too() -> None:
    there = (*TCP, Opaque("tcp --tcp-option 2"))
    assert lowered("tcp option maxseg exists") == there
    assert lowered("tcp option maxseg missing") == (AnyOf((there,), negated=True),)


def test_behind_a_vlan_tag_addresses_are_not_those_of_the_model() -> None:
    found = lowered("vlan id 5 ip saddr 192.0.2.1", "bridge")
    assert not any(isinstance(match, Within) for match in found)


def test_time_and_chance_are_uncertain() -> None:
    for rule in ('meta hour "08:00"-"17:00"', "meta random < 5", "numgen inc mod 2 0"):
        assert any(isinstance(match, Uncertain) for match in lowered(rule)), rule


def test_the_braces_around_one_flag_mean_what_the_version_makes_of_them() -> None:
    """nft 1.0.6 asks for any bit, a later one for just this value."""
    *_, last = lowered("tcp flags { syn }", "ip")
    assert isinstance(last, AnyOf)
    assert any(isinstance(match, Uncertain) for each in last.alternatives for match in each)


# -- sets -----------------------------------------------------------------------------------


def test_a_named_set_is_the_sum_of_its_changes() -> None:
    sets = "set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/30, 10.0.0.8 } }"
    assert lowered("ip saddr @s", "ip", sets) == (
        Within(Field.SADDR, ((0x0A000000, 0x0A000003), (0x0A000008, 0x0A000008))),
    )


@pytest.mark.parametrize(
    "body",
    [
        "type ipv4_addr;",
        "type ipv4_addr; flags dynamic; elements = { 10.0.0.1 }",
        "type ipv4_addr; flags timeout; elements = { 10.0.0.1 }",
        "type ipv4_addr; timeout 1h; elements = { 10.0.0.1 }",
    ],
)
def test_what_is_in_a_set_that_changes_is_not_known(body: str) -> None:
    key = "set @ip t s ip saddr"
    assert lowered("ip saddr @s", "ip", f"set s {{ {body} }}") == (Opaque(key),)
    assert lowered("ip saddr != @s", "ip", f"set s {{ {body} }}") == (Opaque(key, negated=True),)


def test_an_interval_set_with_everything_takes_every_packet_that_has_the_field() -> None:
    sets = "set s { type ipv4_addr; flags interval; elements = { * } }"
    assert lowered("ip saddr @s", "inet", sets) == (of("ip"),)
    assert lowered("ip saddr != @s", "ip", sets) == (AnyOf(((),), negated=True),)


def test_concatenations_are_alternatives() -> None:
    rule = "ip saddr . tcp dport { 10.0.0.1 . 22, 10.0.0.2 . 22, 10.0.0.9 . 80-90 }"
    assert lowered(rule, "ip") == (
        *TCP,
        AnyOf(
            (
                (Within(Field.SADDR, ((0x0A000001, 0x0A000002),)), is_(Field.DPORT, 22)),
                (is_(Field.SADDR, 0x0A000009), Within(Field.DPORT, ((80, 90),))),
            )
        ),
    )


def test_a_long_set_is_one_test() -> None:
    addresses = ", ".join(f"10.0.{high}.{low}" for high in range(200) for low in range(1, 200, 2))
    (found,) = lowered(f"ip saddr {{ {addresses} }}", "ip")
    assert isinstance(found, Within)
    assert len(found.ranges) == 200 * 100


# -- maps -----------------------------------------------------------------------------------


def test_a_map_has_a_branch_for_each_verdict() -> None:
    found = read("ct state vmap { new : drop, established : accept, related : accept }", "ip")
    assert [branch.matches for branch in found.branches] == [
        (states("new"),),
        (states("established", "related"),),
    ]
    assert [branch.data for branch in found.branches] == [t.Verdict("drop"), t.Verdict("accept")]
    assert found.exact


def test_what_no_other_element_takes() -> None:
    found = read("tcp dport vmap { 22 : accept, * : drop }", "ip")
    assert found.branches[1].matches == (*TCP, is_(Field.DPORT, 22, negated=True))


def test_a_map_that_a_program_fills() -> None:
    found = read("tcp dport vmap @m", "ip", "map m { type inet_service : verdict; }")
    assert found.branches == ()
    assert not found.exact


def test_a_statement_that_writes_a_port_demands_the_protocol() -> None:
    assert lowered("tcp dport set 80", "ip") == TCP


# -- what nft refuses -----------------------------------------------------------------------

REFUSED = [
    ("tcp dport 70000", "70000", "`70000` is too large for a port"),
    ("tcp dport 22,80", "22,80", "a list joined by commas is for flags, and a port is none"),
    ("tcp dport 80-20", "80-20", "the range ends before it begins"),
    ("ip saddr 192.0.2.300", "192.0.2.300", "`192.0.2.300` is no IPv4 address"),
    ("ip saddr 10.0.0.0/33", "10.0.0.0/33", "the prefix length 33 is too long"),
    ("ip6 saddr 10.0.0.1", "10.0.0.1", "(it is an IPv4 address)"),
    ("ct state nwe", "nwe", "`nwe` is no connection state"),
    ("icmp type 08", "08", "`08` is no ICMP type: the 0 at its beginning makes it octal"),
    ("icmp type 256", "256", "`256` is too large for an ICMP type"),
    ("ip dscp 64", "64", "`64` is too large for a DSCP class"),
    ("iifname abcdefghijklmnop", "abcdefghijklmnop", "at most 15 characters"),
]


@pytest.mark.parametrize(("rule", "place", "message"), REFUSED)
def test_a_value_that_nft_refuses(rule: str, place: str, message: str) -> None:
    found = read(rule)
    (diagnostic,) = found.diagnostics
    assert diagnostic.code == "IPT006"
    assert diagnostic.severity == "error"
    assert message in diagnostic.message
    assert diagnostic.source is not None
    assert diagnostic.source.text[diagnostic.start : diagnostic.end] == place
    assert all(isinstance(match, Uncertain) for match in found.matches)


def test_a_near_word_is_offered() -> None:
    (diagnostic,) = read("ct state nwe").diagnostics
    assert diagnostic.help == "did you mean `new`?"


def test_a_set_that_is_not_there() -> None:
    found = read("ip saddr @blokked", "ip", "set blocked { type ipv4_addr; }")
    (diagnostic,) = found.diagnostics
    assert diagnostic.code == "IPT003"
    assert "@blokked" in diagnostic.message
    assert "@blocked" in diagnostic.help
    assert any(isinstance(match, Uncertain) for match in found.matches)


@pytest.mark.parametrize("rule", ["tcp dport no-such-service", "meta skuid nobody-here"])
def test_a_name_of_the_machine_is_no_mistake(rule: str) -> None:
    assert any(isinstance(match, Opaque) for match in lowered(rule))
