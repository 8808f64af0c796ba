"""What nft and the kernel refuse, each put to ``nft -f`` once (nftables 1.0.6, Linux 6.18)."""

from __future__ import annotations

import pytest

from iptlint.dialects import Reader, read
from iptlint.dialects.files import NoFiles
from iptlint.loads.judges import load
from iptlint.loads.refusal import Load, Stage
from iptlint.loads.target import target_of
from iptlint.source import SourceFile


def loaded(text: str, *before: str, target: str | None = None) -> Load:
    reader = Reader(files=NoFiles())
    readings = [read(SourceFile("before.nft", each), reader) for each in before]
    versions = target_of(target) if target is not None else None
    answer = load(read(SourceFile("rules.nft", text), reader), readings, versions)
    assert answer is not None
    return answer


def refused(text: str) -> str:
    """The token that is refused first; empty where the text is taken."""
    refusals = loaded(text).refusals
    return refusals[0].span.text if refusals else ""


def in_chain(rule: str, family: str = "inet", hook: str = "input", kind: str = "filter") -> str:
    return (
        f"table {family} t {{\n chain x {{ }}\n chain c {{\n"
        f"  type {kind} hook {hook} priority 0;\n  {rule}\n }}\n}}\n"
    )


@pytest.mark.parametrize(
    ("family", "hook", "kind", "rule", "token"),
    [
        ("ip6", "input", "filter", "ip saddr 10.0.0.1 drop", "ip saddr"),
        ("inet", "prerouting", "filter", "meta l4proto 6 tproxy to :5-6", "tproxy to :5-6"),
        ("ip", "input", "filter", "ip6 saddr ::1 drop", "ip6 saddr"),
        ("arp", "input", "filter", "tcp dport 22 accept", "tcp dport"),
        ("ip", "input", "filter", "meta nfproto ipv4 accept", "meta nfproto"),
        ("inet", "input", "filter", "ip saddr 10.0.0.1 ip6 saddr ::1 drop", "ip6 saddr"),
        ("inet", "input", "filter", "tcp dport 22 udp dport 53 accept", "udp dport"),
        ("inet", "input", "filter", "accept counter", "counter"),
        ("inet", "postrouting", "nat", "snat to 192.0.2.1", "snat to 192.0.2.1"),
        ("inet", "prerouting", "nat", "dnat ip to 192.0.2.1:80", "80"),
        ("inet", "prerouting", "nat", "udp dport 53 redirect to 53", ""),
        ("inet", "prerouting", "nat", "dnat to ip daddr map { 10.0.0.1 : 10.0.0.2 }", ""),
        ("inet", "prerouting", "nat", *("dnat to tcp dport map { 1 : 10.0.0.2 }",) * 2),
        ("inet", "prerouting", "nat", "dnat ip to ip saddr map { 10.0.0.1 : ::1 }", "::1"),
        ("inet", "prerouting", "nat", "dnat ip to 10.0.0.9-10.0.0.1", "10.0.0.9-10.0.0.1"),
        ("inet", "prerouting", "nat", "tcp dport 1 dnat ip to 10.0.0.1:99999", "99999"),
        ("inet", "input", "filter", "reject with icmpx 4", "4"),
        ("ip6", "prerouting", "nat", "tcp dport 1 dnat to [::1-::2]:80", "["),
        ("ip6", "prerouting", "nat", "tcp dport 1 dnat to [::1:80", "["),
        ("ip6", "prerouting", "nat", "tcp dport 1 dnat to ::1]:80", "]"),
        ("ip6", "prerouting", "nat", "tcp dport 1 dnat to [::1]-[::2]:80", ""),
        ("inet", "input", "filter", "quota 10 bytes used 11 bytes", "quota 10 bytes used 11 bytes"),
        ("inet", "input", "filter", "tcp dport log counter", "log"),
        ("inet", "input", "filter", "ether saddr 10.0.0.1 accept", ""),
        ("inet", "input", "filter", "ether saddr 192.0.2.1 accept", "192.0.2.1"),
        ("inet", "prerouting", "nat", "redirect to 53", "53"),
        ("inet", "postrouting", "nat", "tcp dport 53 masquerade to 53", "masquerade to 53"),
        ("inet", "forward", "filter", "masquerade", "masquerade"),
        ("inet", "input", "filter", "masquerade", "masquerade"),
        ("inet", "prerouting", "nat", "masquerade", "masquerade"),
        ("inet", "postrouting", "filter", "reject", "reject"),
        ("inet", "input", "filter", "tproxy to :1234", "tproxy to :1234"),
        ("inet", "output", "filter", "tcp dport 1 tproxy to :1234", "tproxy to :1234"),
        ("ip", "input", "filter", "reject with icmpv6 no-route", "reject with icmpv6 no-route"),
        ("inet", "input", "filter", "udp dport 1 reject with tcp reset", "reject with tcp reset"),
        ("ip", "input", "filter", "log level debug group 2", "log level debug group 2"),
        ("ip", "input", "filter", "log level loud", "loud"),
        ("ip", "output", "filter", "fib saddr . iif oif missing drop", "fib saddr . iif oif"),
        ("inet", "input", "filter", 'meta iifname set "x"', "meta iifname"),
        ("inet", "input", "filter", "tcp dport > { 1, 2 } drop", "{ 1, 2 }"),
        ("inet", "input", "filter", "tcp dport tcp accept", "tcp"),
        ("inet", "input", "filter", "ip length 10.0.0.1 drop", "10.0.0.1"),
        ("inet", "input", "filter", "meta mark set ip saddr", ""),
        ("inet", "input", "filter", "meta mark set iifname", "iifname"),
        ("inet", "input", "filter", "jump c", "jump c"),
        ("inet", "input", "filter", "jump nowhere", "jump nowhere"),
        ("inet", "input", "filter", "limit rate 3/fortnight accept", "rate 3/fortnight"),
        ("ip", "input", "filter", "dup to 192.0.2.1 accept", ""),
        ("inet", "input", "filter", "dup to 192.0.2.1", "dup to 192.0.2.1"),
        ("netdev", "ingress device lo", "filter", "ct state new accept", "ct state"),
        ("netdev", "ingress device lo", "filter", "vlan id 2 ether saddr 00:01:02:03:04:06", ""),
        ("netdev", "ingress device lo", "filter", "fwd to lo", ""),
        ("inet", "input", "filter", "meta l4proto { tcp, udp } th dport 53 accept", ""),
        ("inet", "input", "filter", "tcp dport { 22, , 80 } accept", ""),
        ("inet", "input", "filter", "ah hdrlength { 11, ah } accept", ""),
        ("inet", "input", "filter", "meta iiftype { ether, dccp } accept", ""),
        ("inet", "input", "filter", "tcp flags & (tcp | syn) == syn accept", ""),
        ("inet", "input", "filter", "ip daddr ::ffff:127.0.0.1 return", ""),
        ("ip6", "input", "filter", "rt ip nexthop fd00::1 accept", ""),
        ("inet", "input", "filter", "tcp dport { 22 : accept }", "22"),
    ],
)
def test_of_a_rule_the_token_is_told(
    family: str, hook: str, kind: str, rule: str, token: str
) -> None:
    assert refused(in_chain(rule, family, hook, kind)) == token


@pytest.mark.parametrize(
    ("rule", "token"),
    [
        ("ip saddr vmap { 10.0.0.0/8 : accept, 10.1.0.0/16 : drop }", "10.1.0.0/16"),
        ("meta mark set tcp dport map { 1-10 : 1, 10-20 : 2 }", "10-20"),
        ("tcp dport vmap { 1-10 : accept, 1-10 : drop }", "1-10"),
        ("tcp dport vmap { 1-10 : accept, 1-10 : accept }", ""),
        ("tcp dport vmap { ssh : accept, 22 : drop }", "22"),
        (
            "ip saddr . tcp dport vmap { 10.0.0.1 . 1 : accept, 10.0.0.1 . 1 : drop }",
            "10.0.0.1 . 1",
        ),
        ("tcp dport { 1-10, 5 } accept", ""),
        ("fib saddr . daddr oif 1", "fib saddr . daddr oif"),
        ("fib mark . iif type local", "fib mark . iif type"),
        ("fib saddr . iif . oif type local", "fib saddr . iif . oif type"),
        ("fib saddr . mark . iif oif missing drop", ""),
        ("meta day 7", "7"),
        ("meta day { Friday, 5-7 }", "7"),
        ("meta day vmap { 7 : accept }", ""),
        ('meta hour "24:00"', "24:00"),
        ('meta hour { "09:00", "9am" }', "9am"),
        ('meta hour "22:00"-"9:5" accept', ""),
        ("meta hour 09", ""),
        ('meta time "noon"', "noon"),
        ('ct helper "a-name-too-long-"', "a-name-too-long-"),
        ("tcp option 256 exists", "tcp option 256"),
        ("meta day 5-1 accept", ""),
        ("queue num 65536", "65536"),
        ("queue flags bypass to 1-70000", "70000"),
        ("queue to 5-3", "5-3"),
        ("limit rate 100 mbytes/day", "limit rate 100 mbytes/day"),
        ("limit rate 100 kbytes/day", ""),
        ("limit rate 1/week burst 30500 packets", ""),
        ("limit rate 1/week burst 31000 packets", "limit rate 1/week burst 31000 packets"),
        ("limit rate 18446744073709551615/second", "limit rate 18446744073709551615/second"),
        ("reject with icmpv6 type host-unreachable", "host-unreachable"),
        ("reject with icmp type no-route", "no-route"),
        ("reject with icmpx type loud", "loud"),
        ("reject with icmpv6 type policy-fail", ""),
        ('meta day "Someday"', "Someday"),
    ],
)
def test_numbers_words_and_keys_that_there_are_not(rule: str, token: str) -> None:
    assert refused(in_chain(rule)).strip('"') == token


@pytest.mark.parametrize("rule", ['ct helper ""', 'iifname ""', 'oifname { "eth0", "" }'])
def test_no_text_is_no_name(rule: str) -> None:
    assert refused(in_chain(rule)) == '""'


@pytest.mark.parametrize(
    ("data", "first", "second", "token"),
    [
        ("mark", "0x1", "1", ""),
        ("mark", "2", "1", "1"),
        ("ipv4_addr", "10.0.0.1", "10.0.0.01", ""),
        ("ipv4_addr", "10.0.0.1", "10.0.0.2", "1"),
        ("inet_service", "22", "ssh", ""),
        ("verdict", "accept", "drop", "1"),
    ],
)
def test_a_key_may_be_there_twice_with_the_same_data(
    data: str, first: str, second: str, token: str
) -> None:
    elements = f"elements = {{ 1 : {first}, 1 : {second} }}"
    assert (
        refused(f"table inet t {{\n map m {{\n type mark : {data}\n {elements}\n }}\n}}\n") == token
    )


def test_a_limit_by_its_name_overflows_as_one_in_a_rule() -> None:
    text = "table inet t {\n limit l {\n  rate 100 mbytes/day\n }\n}\n"
    refusal = loaded(text).refusals[0]
    assert refusal.span.text == "l"
    assert refusal.mend == "count in seconds: 1213 bytes/second is as much"


def test_a_map_to_addresses_with_ports_is_not_asked_for_a_port() -> None:
    text = (
        "table ip t {\n map m {\n type mark : ipv4_addr . inet_service\n }\n chain c {\n "
        "type nat hook prerouting priority 0\n tcp dport 1 dnat to :meta mark map @m\n }\n}\n"
    )
    assert refused(text) == "@m"


@pytest.mark.parametrize(
    ("chain", "token"),
    [
        ("type filter hook somewhere priority 0;", "somewhere"),
        ("type firewall hook input priority 0;", "firewall"),
        ("type nat hook forward priority 0;", "nat"),
        ("type route hook input priority 0;", "route"),
        ("type nat hook prerouting priority -300;", "-300"),
        ("type filter hook input priority srcnot;", "srcnot"),
        ("type nat hook forward priority srcnat;", "srcnat"),
        ("type filter hook ingress priority 0;", ""),
        ("type filter hook input device eth0 priority 0;", "eth0"),
        ("type filter hook input priority 0; policy reject;", "policy reject"),
        ("policy drop;", "policy drop"),
        ("type filter hook input priority 0; policy drop; policy drop;", "policy drop"),
        ("type filter hook input priority 0; type filter hook input priority 0;", ""),
    ],
)
def test_of_a_chain_the_token_is_told(chain: str, token: str) -> None:
    answer = loaded(f"table inet t {{\n chain c {{\n  {chain}\n }}\n}}\n")
    assert [each.span.text for each in answer.refusals[:1]] == ([token] if token else [])


@pytest.mark.parametrize(
    ("body", "token"),
    [
        ("type ipv4_addr; elements = { 10.0.0.0/8 };", "10.0.0.0/8"),
        ("type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 10.1.0.0/16 };", "10.1.0.0/16"),
        ("type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8, 10.1.0.0/16 };", ""),
        ("type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 10.0.0.0/8 };", ""),
        ("type ipv4_addr; auto-merge;", "auto-merge"),
        ("type inet_addr;", "inet_addr"),
        ("type integer;", "s"),
        ("flags interval;", "s"),
        ("type ipv4_addr; flags often;", "often"),
        ("type ipv4_addr . inet_service; elements = { 10.0.0.1 };", "10.0.0.1"),
        ("type ipv4_addr; elements = { ::1 };", "::1"),
        ("type inet_service; elements = { 2000-1000 }; flags interval;", "2000-1000"),
        ("type ipv4_addr; elements = { 10.0.0.1 : accept };", "10.0.0.1 : accept"),
        ("type inet_service; size 1; elements = { 1, 2 };", "2"),
    ],
)
def test_of_a_set_the_token_is_told(body: str, token: str) -> None:
    assert refused(f"table inet t {{\n set s {{\n  {body}\n }}\n}}\n") == token


@pytest.mark.parametrize(
    ("type", "first", "second", "token"),
    [
        ("ipv4_addr", "create { 10.0.0.1 }", "create { 10.0.0.1 }", "10.0.0.1"),
        ("ipv4_addr", "add { 10.0.0.1 }", "create { 10.0.0.2, 10.0.0.1 }", "10.0.0.1"),
        ("ipv4_addr", "create { 10.0.0.1 }", "add { 10.0.0.1 }", ""),
        ("ipv4_addr", "create { 10.0.0.1 }", "delete { 10.0.0.1 }", ""),
        ("ipv4_addr", "create { 10.0.0.1 }", "delete { 10.0.0.2 }", "10.0.0.2"),
        ("ipv4_addr; flags interval", "add { 10.0.0.0/8 }", "create { 10.0.0.0/8 }", "10.0.0.0/8"),
        ("ipv4_addr; flags interval", "add { 10.0.0.0/8 }", "create { 11.0.0.0/8 }", ""),
        ("ipv4_addr . mark", "add { 10.0.0.1 . 1 }", "create { 10.0.0.1 . 1 }", "10.0.0.1 . 1"),
    ],
)
def test_create_takes_no_element_that_is_there(
    type: str, first: str, second: str, token: str
) -> None:
    """The second command is refused at the token."""
    lines = [f"table inet t {{\n set s {{\n type {type};\n }}\n}}"]
    for command in (first, second):
        verb, elements = command.split(maxsplit=1)
        lines.append(f"{verb} element inet t s {elements}")
    refusals = loaded("\n".join((*lines, ""))).refusals
    assert [(r.span.text, r.span.line) for r in refusals] == ([(token, 7)] if token else [])


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("delete table inet f", "f"),
        ("add table inet f\ndelete table inet f", ""),
        ("add rule inet f c accept", "f"),
        ("add table inet f; add rule inet f c accept", "c"),
        ("add table inet f; add element inet f s { 1 }", "s"),
        ("add table inet f; create table inet f", "f"),
        (
            "add table inet f; add chain inet f c; rename chain inet f c d; flush chain inet f c",
            "c",
        ),
        ("table inet t {\n chain chain { }\n}", "chain"),
        ("table inet t {\n chain fullcone { }\n}", ""),
        ("table inet t {\n chain c {\n  log prefix accept\n }\n}", "accept"),
        ("table inet t {\n chain c {\n  log prefix accepted\n }\n}", ""),
        ("add limit y", "add limit y"),
        ("table inet t { flags sleepy; }", "sleepy"),
        ("add table inet t\n# the end", "# the end"),
        ("add table inet t # the end", "# the end"),
        ("add table inet t\n# the end\n", ""),
        ("add table inet t\ndefine x = 1", "define x = 1"),
        ("add rule t c jump $x\nadd rule t c vmap { }\n", "$x"),
        ("add rule t c vmap { }\nadd rule t c jump $x\n", "vmap"),
        ("add table inet t", ""),
        ("table inet t {\n chain c {\n  counter jump {\n   accept\n  }\n }\n}", ""),
        ('table inet t {\n ct helper h {\n  type "ftp" protocol dccp\n }\n}', "dccp"),
        ("table inet t {\n ct helper h {\n }\n}", "h"),
        ("table inet t {\n quota q {\n 10 bytes used 11 bytes\n }\n}", "q"),
        ("table netdev t {\n synproxy s {\n mss 1460\n wscale 5\n }\n}", "s"),
        ("table inet t {\n chain c {\n flags interval\n }\n}", "interval"),
        (
            'table inet t {\n map m {\n type mark : counter\n elements = { 1 : "c" }\n }\n}',
            '"c"',
        ),
        (
            "table inet t {\n counter c { }\n map m {\n type mark : counter\n "
            'elements = { 1 : "c" }\n }\n}',
            "",
        ),
        (
            "table ip t {\n map m {\n type ipv4_addr : inet_service\n }\n chain c {\n "
            "type nat hook prerouting priority 0\n dnat to ip saddr map @m\n }\n}",
            "@m",
        ),
    ],
)
def test_of_a_command_the_token_is_told(text: str, token: str) -> None:
    assert refused(text) == token


def test_what_is_there_before_counts() -> None:
    text = "add rule inet f c accept"
    assert loaded(text).refusals[0].missing
    assert loaded(text, "table inet f {\n chain c { }\n}\n").taken


def test_the_first_stage_hides_the_others() -> None:
    """nft evaluates all of a file before the kernel sees anything of it."""
    text = in_chain("masquerade\n  ip saddr 10.0.0.1 ip6 saddr ::1 drop")
    first, second = loaded(text).refusals
    assert (first.check.stage, first.span.text) == (Stage.EVALUATION, "ip6 saddr")
    assert (second.check.stage, second.span.text) == (Stage.KERNEL, "masquerade")


def test_of_several_lists_in_one_set_the_last_counts() -> None:
    first, last = "elements = { nonsense, 1-0 };", "elements = { 22 };"
    text = "table ip t {{ set s {{ type inet_service; flags interval; {}\n{} }}\n}}\n"
    assert loaded(text.format(first, last)).taken
    assert not loaded(text.format(last, first)).taken


@pytest.mark.parametrize("selector", ["@nh,0,{}", "@th,{},8", "tcp option @3,0,{}"])
def test_a_length_of_any_size_is_no_crash(selector: str) -> None:
    loaded(f"table ip t {{ chain c {{ {selector.format('9' * 40)} 5 ; }}\n}}\n")


SYNPROXY_BLOCKS = [
    ("mss 1460 wscale 7 timestamp sack-perm", ""),
    ("mss 1460; wscale 7; timestamp sack-perm", ""),
    ('comment "x"\nmss 1460 # a\nwscale 7\nsack-perm\nmss 5\nwscale 1', ""),
    ("mss 1460 wscale 7\ntimestamp", "timestamp"),
    ("mss 1460; wscale 7; timestamp; sack-perm", "sack-perm"),
    ("mss 1460\nwscale 7 timestamp", "mss"),
    ("wscale 7 mss 1460", "wscale"),
    ("mss 1460", "mss"),
]


@pytest.mark.parametrize(("block", "token"), SYNPROXY_BLOCKS)
def test_a_synproxy_is_written_in_one_order(block: str, token: str) -> None:
    """Each was put to nft 1.0.6."""
    text = f"table ip t {{\nsynproxy s {{ {block}\n}}\n}}\n"
    assert [refusal.span.text for refusal in loaded(text).refusals] == [token][: bool(token)]


def test_a_time_is_a_name_too() -> None:
    body = "set 1h { type mark; }\nchain 3s { }\nchain c { meta mark @1h jump 3s\n}"
    assert loaded(f"table ip 5m {{\n{body}\n}}\n").taken
    assert loaded("table ip t { chain c { meter 30s { ip saddr counter }\n}\n}\n").taken


def test_a_rule_without_a_verb_is_added_and_may_have_an_index() -> None:
    head = "add table ip t\nadd chain ip t c\nadd rule ip t c accept\n"
    assert loaded(head + "rule ip t c index 0 drop\n").taken
    assert [r.span.text for r in loaded(head + "rule ip t c index 5 drop\n").refusals] == [
        "index 5"
    ]
