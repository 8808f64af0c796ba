"""Rules and objects that nft refuses, each put to ``nft -f`` once (nftables 1.0.6, Linux 6.18).

What is taken beside them stands with an empty token.
"""

from __future__ import annotations

import pytest

from tests.loads.test_nft import in_chain, loaded, refused


def table(*definitions: str, rule: str = "") -> str:
    return "\n".join(["table ip t {", *definitions, f"chain c {{\n{rule}\n}}", "}", ""])


ICMP = (
    ("icmp type echo-request icmp mtu 5", "icmp mtu"),
    ("icmp type { 8, 3 } icmp mtu 5", ""),
    ("icmp type { 3, 8 } icmp mtu 5", "icmp mtu"),
    ("icmp type 0 icmp id 5", ""),
    ("icmp type != 8 icmp mtu 5", ""),
    ("icmp id 1 icmp mtu 5", "icmp mtu"),
    ("icmp mtu . icmp id { 1 . 2 }", "icmp id"),
    ("icmpv6 type echo-reply icmpv6 id 5", ""),
    ("icmpv6 id 5 icmpv6 mtu 5", "icmpv6 mtu"),
)
"""nft adds a test of the type for a field that only some types have."""

FLAGS = (
    ("tcp flags ! syn", ""),
    ("ct state ! new,established", ""),
    ("tcp dport ! 22", "tcp dport"),
    ("ct state ! { new, established }", "ct state"),
    ("tcp flags & syn ! syn", "tcp flags & syn"),
)

EVENTS = (
    ("ct event set new,label", ""),
    ("ct event set new or related or foobar", "foobar"),
    ("ct event set new,foobar", "foobar"),
    ("ct event set new,helper", "helper"),
    ("ct event set new,mark", "mark"),
    ("ct event set helper", "helper"),
)

CONNECTIONS = (
    ("ip saddr 1.1.1.1 ct original saddr 1.1.1.1", ""),
    ("ip saddr 1.1.1.1 ct original saddr vmap { 1.1.1.1 : drop }", "ct original saddr"),
    ("ip saddr 1.1.1.1 ct original saddr . meta mark { 1.1.1.1 . 1 }", "ct original saddr"),
    ("ip saddr 1.1.1.1 meta mark set ct reply daddr map { 1.1.1.1 : 1 }", "ct reply daddr"),
    ("ct original ip saddr . meta mark { 1.1.1.1 . 1 }", ""),
)

NUMBERS = (
    ("limit rate 5 mbytes/second burst 5 kbytes/second", ""),
    ("quota over 5 kbytes/second used 1 bytesx", ""),
    ("ether saddr { 08, 1:10, 10.0.0.1, 00:11:22:33:44:55 }", ""),
    ("ether saddr 100", "100"),
    ("reject with icmpx 257", ""),
    ("reject with icmpx 260", "260"),
    ("reject with icmp 255", "255"),
    ("meta hour 1h", ""),
    ("meta hour x", "x"),
    ("ct expiration { 1, missing }", ""),
    ("meta mark set exists", "exists"),
    ("meta mark set 1 | 4294967296", "4294967296"),
    ("ip dscp set ip dscp | 0x40", "0x40"),
    ("meta mark set meta mark & 0xffffffff", ""),
    ("icmp code { exists, 3 }", ""),
    ("exthdr hbh exists", ""),
    ("meta mark exists", "exists"),
    ("iif missing", "missing"),
    ("meta mark 1w", "1w"),
    ('iifname { "a", "b"-"c" }', '"b"-"c"'),
    ("limit rate 1/second burst 0 packets", "1"),
    ("limit rate 1 bytes/second burst 0 bytes", ""),
    ("ip saddr . tcp dport { 1.1.1.1 . . }", "."),
    ("accept comment label", ""),
    ("accept comment chain", "chain"),
    ("ct expiration 49d17h", ""),
    ("ct expiration { 08, 0x10, 4294967s, 99999999ms }", ""),
    ("ct expiration 4294968", "4294968"),
    ("ct expiration 1s-4294968s", "4294968s"),
    ("ct expiration != 50d", "50d"),
    ("ct expiration 100000000ms", "100000000ms"),
    ("meta priority set 10.1.26.4", ""),
    ("meta priority { 1:10, ::1, fe80::1, 4294967297, nosuch, none, root }", ""),
    ("meta rtclassid 10.1.26.4", "10.1.26.4"),
    ("socket transparent 2", "2"),
    ("socket wildcard { 0, 2 }", "2"),
    ("socket transparent 1", ""),
    ("reset tcp option 256", "tcp option 256"),
    ("reset tcp option 255", ""),
    ("ipsec in spnum 5 reqid 1", ""),
    ("ipsec in spnum 6 reqid 1", "ipsec in spnum 6 reqid"),
    ("queue to symhash mod 65536", ""),
    ("queue to symhash mod 2 offset 65536", "symhash mod 2 offset 65536"),
    ("meta mark & 0xf << 32 == 1", "32"),
    ("meta mark set ip length", "ip length"),
    ("meta mark set @nh,0,32", ""),
    ("meta mark set @nh,0,16", "@nh,0,16"),
)

TO_PORTS = (
    ("dnat ip to ip saddr map { 10.0.0.1 : 10.0.0.2 . 80 }", True),
    ("dnat ip to ip saddr . th dport map { 10.0.0.1 . 80 : 10.0.0.2 . 80 }", True),
    ("dnat ip to ip saddr . tcp dport map { 10.0.0.1 . 80 : 10.0.0.2 . 80 }", False),
    ("dnat ip to ip saddr . meta l4proto map { 10.0.0.1 . tcp : 10.0.0.2 . 80 }", False),
    ("dnat ip to ip saddr . meta l4proto map { 10.0.0.1 . tcp : 10.0.0.2 }:80", False),
    ("dnat ip to meta l4proto map { tcp : 10.0.0.2 . 80 }", True),
)


@pytest.mark.parametrize(
    ("rule", "token"), [*ICMP, *FLAGS, *EVENTS, *CONNECTIONS, *NUMBERS], ids=str
)
def test_of_a_rule_the_token_is_told(rule: str, token: str) -> None:
    assert refused(in_chain(rule)) == token


@pytest.mark.parametrize(("rule", "is_refused"), TO_PORTS)
def test_a_map_to_ports_needs_a_protocol(rule: str, *, is_refused: bool) -> None:
    assert bool(refused(in_chain(rule, hook="prerouting", kind="nat"))) is is_refused


HELPER = 'ct helper x {{ type "ftp" protocol tcp; {} }}'
EXPECTATION = "ct expectation x {{ protocol tcp; dport 9; timeout 1m; size 12; {} }}"


@pytest.mark.parametrize(
    ("family", "definition", "token"),
    [
        ("ip", HELPER.format("l3proto ip6;"), "x"),
        ("inet", HELPER.format("l3proto ip6;"), ""),
        ("inet", HELPER.format("l3proto arp;"), "x"),
        ("ip", EXPECTATION.format(""), ""),
        ("ip6", EXPECTATION.format("l3proto ip;"), "x"),
        ("inet", EXPECTATION.format(""), "x"),
        ("inet", EXPECTATION.format("l3proto ip;"), ""),
        ("inet", "map x { type ipv4_addr : ct helper; }", "ct helper"),
        ("inet", "map x { type ipv4_addr : mark; elements = { 1.1.1.1 : 1-2 } }", "1-2"),
        ("inet", "map x { type ipv4_addr : interval mark; elements = { 1.1.1.1 : 1-2 } }", ""),
    ],
)
def test_of_a_definition_the_token_is_told(family: str, definition: str, token: str) -> None:
    assert refused(f"table {family} t {{\n {definition}\n}}\n") == token


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("add table ip t\nadd quota ip t q\n", "q"),
        ("add table ip t\nadd counter ip t q\n", ""),
        ("add table ip t\nlist meter ip t m\n", "m"),
        ("add table ip t\nlist counter ip t m\n", "m"),
        ("add table ip t\nadd counter ip t m\nlist counter ip t m\n", ""),
        ("add table ip t\nadd counter ip t m\nreset counter ip t m\n", "m"),
        ("reset counters table ip t\n", "t"),
        ("reset counters\n", ""),
        ("add table ip t\nadd table ip t { flags owner; }\n", "t"),
        (
            "table ip t {\n chain c { }\n chain c { type filter hook input priority 0; }\n}\n",
            "type filter hook input priority 0",
        ),
        (
            "table ip t {\n chain c { accept; }\n}\ninsert rule ip t c position 2 accept\n",
            "position 2",
        ),
        ("table ip t {\n chain c { accept; }\n}\nreplace rule ip t c handle 2 accept\n", ""),
        (
            "table inet t {\n flowtable f { hook ingress priority 0; devices = { }; }\n}\n",
            "devices = { }",
        ),
        ("define x = { }\ntable ip t {\n set s { type ipv4_addr; elements = $x; }\n}\n", ""),
        (
            "table ip t {\n set s { type ifname . ifname . ifname . ifname . mark; }\n}\n",
            "s",
        ),
        ("table ip t {\n set s { type ipv6_addr . ipv6_addr . ipv6_addr . ipv6_addr; }\n}\n", ""),
        ("table netdev t {\n set s { type mark; flags dynamic; ct count 5; }\n}\n", "ct count 5"),
        ("table ip t {\n secmark s { }\n}\n", "s"),
    ],
)
def test_of_commands_the_token_is_told(text: str, token: str) -> None:
    assert refused(text) == token


NAT = "tcp dport 1 {}"


@pytest.mark.parametrize(
    ("statement", "token"),
    [
        ("dnat ip to 192.0.2.0/24:80", "24"),
        ("dnat ip to 192.0.2.0/24 :80", ""),
        ("redirect random,persistent", ""),
        ("redirect random persistent", "redirect random persistent"),
    ],
)
def test_of_a_translation_the_token_is_told(statement: str, token: str) -> None:
    """nft reads 24:80 as a class of traffic."""
    assert refused(in_chain(NAT.format(statement), hook="prerouting", kind="nat")) == token


def test_behind_what_was_there_before_a_rule_can_be_put() -> None:
    before = "table ip t {\n chain c {\n  accept\n }\n}\n"
    assert loaded("insert rule ip t c position 2 accept\n", before).taken


TWO = "set s { type ipv4_addr; counter; limit rate 1/second; elements = { 1.1.1.1 %s } }"


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("add table ip t\nadd chain ip t c\nrename chain ip t c d\n", "c"),
        ("add table ip t\nadd set ip t s { type mark; }\nget element ip t s { 1 }\n", "s"),
        (table(TWO % "counter limit rate 1/second"), ""),
        (table(TWO % ""), ""),
        (table(TWO % "limit rate 1/second counter"), "limit rate 1/second"),
        (table(TWO % "counter"), "counter"),
        (table(rule="meta mark set tcp dport map { 22 : 1, 23 : 192.168.0.1 }"), "192.168.0.1"),
        (table(rule="meta mark set tcp dport map { 22 : 1, 23 : 0x123456789 }"), "0x123456789"),
        (table(rule="meta mark set tcp dport map { 22 : 1, 23 : guests }"), ""),
    ],
)
def test_of_what_nfts_own_tests_refuse_the_token_is_told(text: str, token: str) -> None:
    assert refused(text) == token


IN_BRACES = "tcp dport {{{}}} accept"
TIMED = "set s {{ type ipv4_addr; {}; }}"


def timed(time: str) -> str:
    """A rule that puts senders into a set for as long."""
    set_ = TIMED.format("flags timeout")
    return table(set_, rule=f"update @s {{ ip saddr timeout {time} limit rate 1/second }}")


@pytest.mark.parametrize(
    ("between", "line"),
    [
        (" 21,\n\n 22 ", 6),
        (" 21,\n \t\n 22 ", 6),
        ("\n\n 21 ", 6),
        (" 21\n\n", 6),
        (" 21, # a\n\n 22 ", 6),
        (" 21,\n # a\n\n 22 ", 7),
        (" 21,\n # a\n # b\n 22 ", 0),
        ("\n 21,\n 22,\n", 0),
        (" 21, \\\n\n 22 ", 0),
    ],
)
def test_a_blank_line_between_the_braces_of_a_set_is_refused(between: str, line: int) -> None:
    lines = [each.span.line for each in loaded(in_chain(IN_BRACES.format(between))).refusals]
    assert lines == [line][: bool(line)]


def test_a_blank_line_in_a_definition_and_in_elements_is_refused() -> None:
    assert not loaded("define x = { 21,\n\n 22 }\n").taken
    assert not loaded(table("set s { type mark; elements = { 21,\n\n 22 }\n }")).taken
    assert not loaded("add table ip t\nadd element ip t s { 21,\n\n 22 }\n").taken


def test_blank_lines_in_blocks_are_none_of_a_set() -> None:
    set_ = "set s {\n\n type mark\n\n elements = { 21,\n 22 }\n\n }"
    assert loaded(table(set_, rule="\n\n tcp dport 22 jump {\n\n accept\n\n }\n\n")).taken
    for object_ in ("counter c {\n\n }", "quota q {\n\n 10 bytes\n\n }"):
        assert loaded(table(object_)).taken
    assert loaded("add table ip t\nadd counter ip t c {\n\n }\n").taken


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (table(TIMED.format("flags timeout; elements = { 1.1.1.1 timeout x }")), "x"),
        (table(TIMED.format("flags timeout; elements = { 1.1.1.1 timeout 1h30m }")), ""),
        (table(TIMED.format("timeout x")), "x"),
        (table(TIMED.format("flags timeout; gc-interval x")), "x"),
        (timed("60d"), ""),
        (timed("1d99999999s"), ""),
        (timed("100000000s"), "100000000s"),
        (timed("213503d23h34m33s708ms"), ""),
        (timed("213503d23h34m33s709ms"), "213503d23h34m33s709ms"),
        (table(TIMED.format("flags timeout; timeout 213504d")), "213504d"),
        (
            table(TIMED.format("flags timeout; elements = { 1.1.1.1 timeout 213504d }")),
            "213504d",
        ),
        (table("map m { type ipv4_addr : counter; flags dynamic; }"), "flags dynamic"),
        (table("map m { type ipv4_addr : counter; flags timeout; }"), ""),
        (
            table("map m { type mark : ether_addr; }", rule="ip daddr set meta mark map @m"),
            "meta mark map @m",
        ),
        (table("map m { type mark : ipv4_addr; }", rule="ip daddr set meta mark map @m"), ""),
    ],
)
def test_of_times_and_maps_the_token_is_told(text: str, token: str) -> None:
    assert refused(text) == token


SYNPROXY = "add table ip t\nadd synproxy ip t s mss 1460 ; wscale 5{}"


@pytest.mark.parametrize(
    ("rest", "token"),
    [
        ("\n", ""),
        ("\n\nadd table ip y\n", ""),
        (" # a\n\nadd table ip y\n", ""),
        (" ;\nadd table ip y\n", ""),
        ("\ntimestamp\nadd table ip y\n", ""),
        (" ; timestamp sack-perm\nadd table ip y\n", ""),
        ("\nadd table ip y\n", "add"),
        ("\n# a\n# b\nadd table ip y\n", "add"),
    ],
)
def test_a_synproxy_with_a_separator_in_it_takes_one_more(rest: str, token: str) -> None:
    assert refused(SYNPROXY.format(rest)) == token


def test_of_two_types_of_a_chain_in_one_block_the_last_stands() -> None:
    types = "type nat hook prerouting priority dstnat; type nat hook postrouting priority srcnat;"
    rule = f"{types} snat to 192.0.2.1"
    assert loaded(f"table ip t {{\n chain c {{\n {rule}\n }}\n}}\n").taken


UNTYPED = "set s { typeof ip saddr . ct original proto-dst; flags dynamic; }"
TYPED = "set s { type ipv4_addr . inet_service; flags dynamic; }"


@pytest.mark.parametrize(
    ("definition", "rule", "token"),
    [
        (UNTYPED, "tcp dport 1 update @s { ip saddr . ct original proto-dst }", "ip saddr"),
        (UNTYPED, "ip saddr . tcp dport @s", "@s"),
        (UNTYPED, "update @s { ip saddr . ct original proto-dst }", ""),
        (TYPED, "tcp dport 1 update @s { ip saddr . ct original proto-dst }", ""),
        (TYPED, "update @s { ip saddr . ct original proto-dst }", "ct original proto-dst"),
    ],
)
def test_up_to_nft_1_0_6_a_port_of_a_connection_may_have_no_type(
    definition: str, rule: str, token: str
) -> None:
    refusals = loaded(table(definition, rule=rule), target="nft=1.0.6").refusals
    assert [refusal.span.text.startswith(token) for refusal in refusals] == [True][: bool(token)]
    assert loaded(table(definition, rule=rule)).taken


def test_a_chain_that_was_there_before_can_be_renamed() -> None:
    assert loaded("rename chain ip t c d\n", "table ip t {\n chain c { }\n}\n").taken


PARTS = "set s { type ipv4_addr . inet_service; flags interval; elements = { %s } }"
WIDE, NARROW = "10.0.0.0/8 . 80", "10.1.0.0/16 . 80"


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (table(PARTS % f"{WIDE}, {NARROW}"), NARROW),
        (table(PARTS % f"{NARROW}, {WIDE}"), ""),
        (table(PARTS % f"{WIDE}, {WIDE}"), ""),
        (table(PARTS % f"{WIDE}, 10.1.0.0/16 . 81"), ""),
        (table(rule=f"ip saddr . tcp dport {{ {WIDE}, {NARROW} }} accept"), NARROW),
        (table(rule=f"ip saddr . tcp dport {{ {NARROW}, {WIDE} }} accept"), ""),
        (table(rule=f"ip saddr . tcp dport vmap {{ {WIDE} : drop, {NARROW} : accept }}"), NARROW),
        (table("set s { type verdict; }"), "s"),
        (table("set s { type mark; gc-interval 5s; }"), "s"),
        (table("set s { type mark; flags timeout; gc-interval 5s; }"), ""),
        (table(rule="meta nftrace set 2"), "2"),
    ],
)
def test_keys_of_several_parts_may_overlap_in_one_order_only(text: str, token: str) -> None:
    """The kernel looks for the first and the last value of a new element in those before."""
    assert refused(text) == token
