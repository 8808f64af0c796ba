"""What iptables-restore and the kernel refuse or change, each put to both variants of the tool
once (iptables 1.8.9, Linux 6.18)."""

from __future__ import annotations

import pytest

from iptlint.dialects import Reader, read
from iptlint.loads.judges import load
from iptlint.loads.refusal import Load, Stage
from iptlint.loads.target import target_of
from iptlint.model import Family
from iptlint.source import SourceFile

SETS = "create blocked hash:ip\nadd blocked 192.0.2.1\n"


def loaded(text: str, family: Family = Family.IP, *before: str) -> Load:
    readings = [read(SourceFile("before", each), Reader(family)) for each in before]
    answer = load(read(SourceFile("rules", text), Reader(family)), readings)
    assert answer is not None
    return answer


def in_table(rules: str, table: str = "filter") -> str:
    return f"*{table}\n{rules}{chr(10) if rules else ''}COMMIT\n"


def variants(text: str, family: Family = Family.IP) -> set[str]:
    """Which variants refuse it."""
    refusals = loaded(text, family).refusals
    named = {refusal.variant for refusal in refusals}
    return {"legacy", "nft"} if "" in named else named


BY_BOTH = [
    ("filter", "-A INPUT -m -m ttl --ttl-eq 1"),
    ("filter", "-A INPUT -m pttype --pkt-type unicast"),
    ("filter", "-A INPUT -m aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ("filter", "-A POSTROUTING -j ACCEPT"),
    ("security", "-A PREROUTING -m pkttype --pkt-type broadcast"),
    ("filter", "-A INPUT -j NOSUCH"),
    ("filter", "-A INPUT -j LATER\n:LATER - [0:0]"),
    ("filter", "-A INPUT -g ACCEPT"),
    ("filter", "-A INPUT -j FORWARD"),
    ("filter", ":a - [0:0]\n-A a -j a\n-A INPUT -j a"),
    ("filter", "-A OUTPUT -i lo -j ACCEPT"),
    ("filter", "-A INPUT -o eth0 -j ACCEPT"),
    ("filter", '-A INPUT -i "" -j ACCEPT'),
    ("filter", "-C INPUT -j ACCEPT"),
    ("filter", "-D INPUT -j ACCEPT"),
    ("nat", "-A PREROUTING -p tcp -j DNAT --to-destination 192.0.2.1:80/3"),
    ("nat", "-A PREROUTING -p tcp -j REDIRECT --to-ports 1-5/3"),
    ("nat", "-A POSTROUTING -p tcp -j MASQUERADE --to-ports 80/3"),
    ("nat", "-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1-08"),
    ("filter", '-A INPUT -m string --algo bm --hex-string "|"'),
    ("filter", '-A INPUT -m string --algo bm --hex-string "|0a"'),
    ("filter", "-A INPUT -j ACCEPT\n-D INPUT 010"),
    ("filter", "-Z PREROUTING"),
    ("filter", "-Z a"),
    ("filter", "-Z OUTPUT 1"),
    ("filter", "-R INPUT 1 -j ACCEPT"),
    ("filter", "-I INPUT 2 -j ACCEPT"),
    ("filter", "-A INPUT -j ACCEPT\n-R INPUT 1 -s 192.0.2.1,192.0.2.2 -j ACCEPT"),
    ("filter", "-X INPUT"),
    ("filter", ":a - [0:0]\n-A INPUT -j a\n-X a"),
    ("filter", "-N LOG"),
    ("filter", ":LOG - [0:0]\n-A INPUT -j LOG --log-prefix x"),
    ("filter", " "),
    ("filter", "-A OUTPUT -m owner"),
    ("filter", '-A INPUT -j DROP"'),
    ("filter", "-A INPUT -p udp --dport +"),
    ("filter", "-A INPUT -s 192.0.2.0/08"),
    ("filter", "-A INPUT -m time --weekdays Mon,,Tue"),
    ("filter", "-A INPUT -s 192.0.2.0/0x21"),
    ("filter", f"-A INPUT -s {'a' * 256}"),
    ("filter", "-A INPUT -m policy --dir in --pol ipsec --proto tcp"),
    ("filter", '-A INPUT -m recent --set --name ""'),
    ("filter", "-A INPUT -j TEE --gateway 0.0.0.0"),
    ("filter", "-A INPUT -p dccp -m dccp --dport 4294967295"),
    ("filter", "-A INPUT -j IDLETIMER --timeout 2147483 --label a"),
    ("filter", "-A INPUT -j RATEEST --rateest-name a --rateest-interval 9s --rateest-ewmalog 20s"),
    (
        "filter",
        "-A INPUT -j RATEEST --rateest-name a --rateest-interval 250ms --rateest-ewmalog 9ms",
    ),
    (
        "filter",
        "-A INPUT -j RATEEST --rateest-name a --rateest-interval 1us --rateest-ewmalog 1074s",
    ),
    (
        "mangle",
        "-A INPUT -m cluster --cluster-total-nodes 2 --cluster-local-node 3 --cluster-hash-seed 1",
    ),
    ("raw", "-A PREROUTING -j CT --ctevents NEW"),
    ("nat", '-A PREROUTING -j DNAT --to-destination ""'),
    ("filter", "-A OUTPUT -m owner --uid-owner 37:1"),
    ("filter", "-A OUTPUT -m owner --gid-owner 1:"),
    ("filter", "-A OUTPUT -m owner --uid-owner 1:2-3"),
    ("filter", "-A OUTPUT -m owner --cmd-owner sshd"),
    ("filter", "-A INPUT -m set --match-set blocked src"),
    ("filter", "-A INPUT -s 192.0.2.1,192.0.2.2 ! -d 192.0.2.3 -j ACCEPT"),
    ("filter", "-A INPUT -s 10.0.0.0/255.255.255 -j ACCEPT"),
    ("filter", "-A INPUT -p tcp -m tcp --dport 080"),
    ("filter", "-A INPUT -m multiport --dports 80 -p tcp"),
    ("nat", "-A PREROUTING -j DNAT --to-destination 192.0.2.1:22 -p tcp"),
    ("nat", "-A POSTROUTING -j SNAT --to-source 10.1"),
    ("nat", "-A PREROUTING -j REDIRECT --random-fully"),
    ("nat", "-A POSTROUTING -j MASQUERADE --persistent"),
    ("filter", "-A INPUT -m limit --limit 10001/sec"),
    ("filter", "-A INPUT -m hashlimit --hashlimit 5/s --hashlimit-name a/b"),
    ("filter", "-A INPUT -m hashlimit --hashlimit 5mb/s --hashlimit-burst 1 --hashlimit-name a"),
    ("filter", "-A INPUT -m recent --set --seconds 5"),
    ("filter", "-A INPUT -m string --algo bm --from 100 --to 50 --string x"),
    ("filter", "-A INPUT -m u32 --u32 0>>33=1"),
    ("filter", '-A INPUT -m bpf --bytecode "1,0 0 0 1"'),
    ("filter", "-A INPUT -m time --contiguous"),
    ("filter", "-A INPUT -m time --datestart 2039-01-01"),
    ("filter", "-A OUTPUT -m addrtype --src-type LOCAL --limit-iface-in"),
    ("filter", "-A INPUT -m devgroup --dst-group 1"),
    ("filter", "-A INPUT -m policy --dir out --pol ipsec"),
    ("filter", "-A OUTPUT -m physdev --physdev-out eth0"),
    ("mangle", "-A PREROUTING -m realm --realm 1"),
    ("filter", "-A INPUT -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu"),
    ("mangle", "-A FORWARD ! -p tcp -j TCPOPTSTRIP --strip-options 2"),
    ("mangle", "-A INPUT -j HMARK --hmark-mod 42 --hmark-rnd 1"),
]


@pytest.mark.parametrize(("table", "rules"), BY_BOTH)
def test_both_variants_refuse_it(table: str, rules: str) -> None:
    assert variants(in_table(rules, table)) == {"legacy", "nft"}


BY_ONE = [
    ("legacy", in_table(":a ACCEPT [0:0]")),
    ("legacy", in_table(":a - [0:0]\n:a - [0:0]")),
    ("legacy", "*filter\n-A INPUT -j ACCEPT\nCOMMIT"),
    ("legacy", in_table("-A INPUT ! -p tcp -m tcp --dport 80 -j DROP")),
    ("legacy", in_table("-A INPUT -m limit --limit 1/day")),
    ("legacy", in_table("-A INPUT -m limit --limit 5/sec --limit-burst 0")),
    ("legacy", in_table("-A INPUT -j TRACE")),
    ("legacy", in_table(":FORWARD DROP [0:0]\n-X FORWARD")),
    ("legacy", in_table("-A FORWARD -p tcp -j TCPMSS --clamp-mss-to-pmtu")),
    ("legacy", in_table(":a - [0:0]\n-A a -m devgroup --dst-group 1\n-A INPUT -j a")),
    ("nft", in_table("-A OUTPUT -j ACCEPT\n-Z INPUT")),
    ("nft", in_table(":-x - [0:0]")),
    ("nft", in_table(":ACCEPT - [0:0]")),
    ("nft", in_table(":a - [0:0]\n-E a b")),
]


@pytest.mark.parametrize(("variant", "text"), BY_ONE)
def test_one_variant_refuses_it(variant: str, text: str) -> None:
    assert variants(text) == {variant}


TAKEN_OF_IP6 = [
    "-A INPUT -s 0/0",
    "-A INPUT -s 0.0.0.0/0 -d 192.0.2.300/0",
    "-A INPUT -p mh --mh-type 3",
    "-A INPUT -p mobility-header -m mh --mh-type 3",
    "-A INPUT -p 58 --icmpv6-type 3",
    "-A INPUT -j IDLETIMER --timeout 42 --label a.b",
]


@pytest.mark.parametrize("rule", TAKEN_OF_IP6)
def test_ip6tables_takes_it(rule: str) -> None:
    assert loaded(in_table(rule), Family.IP6).taken


OF_IP6 = [
    ("filter", "-C INPUT -j ACCEPT"),
    ("filter", "-A INPUT -f"),
    ("filter", "-A INPUT -m addrtype --src-type BROADCAST"),
    ("filter", "-A INPUT -m rt --rt-type 10 --rt-0-res"),
    ("filter", "-A INPUT -m rt --rt-type 0 --rt-0-not-strict"),
    ("filter", "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type any"),
    ("filter", "-A INPUT -p mobility-header --mh-type 3"),
    ("filter", "-A INPUT -p 135 --mh-type 3"),
    ("filter", "-A INPUT -j IDLETIMER --timeout 42 --label a/b"),
    ("filter", "-A INPUT -j IDLETIMER --timeout 42 --label power"),
    ("filter", "-A INPUT -j REJECT --reject-with icmp-port-unreachable"),
    ("mangle", "-A PREROUTING -j DNPT --src-pfx fd00::1/64 --dst-pfx fd01::/64"),
]


@pytest.mark.parametrize(("table", "rules"), OF_IP6)
def test_ip6tables_refuses_it(table: str, rules: str) -> None:
    text = in_table(rules, table)
    assert variants(text, Family.IP6) == {"legacy", "nft"}
    assert loaded(text, Family.IP6).tool == "ip6tables-restore"


TAKEN = [
    ("nat", "-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1024-0xffff"),
    ("nat", "-A PREROUTING -p tcp -j DNAT --to-destination 192.0.2.1:1-+5/+3"),
    ("filter", '-A INPUT -m string --algo bm --hex-string "ab|"'),
    ("filter", '-A INPUT -m time --timestart " +01:02" --datestart +2030-+1'),
    ("filter", "-A INPUT -m u32 --u32 +0=1"),
    ("filter", '-A INPUT -s " 192.0.2.1"'),
    ("filter", '-A INPUT -m bpf --bytecode " +01,6 0 0 0"'),
    (
        "filter",
        "-A INPUT -m hashlimit --hashlimit-above 1/sec --hashlimit-burst +5 --hashlimit-name a",
    ),
    (
        "filter",
        '-A INPUT -j RATEEST --rateest-name a --rateest-interval " 1s" --rateest-ewmalog 2s',
    ),
    ("filter", "-A INPUT -j ACCEPT\n-D INPUT +0x1"),
    ("filter", "-A INPUT -c +2,-3 -j ACCEPT"),
    ("filter", "-A INPUT -m iprange --src-range +192.0.2.1-192.0.2.9"),
    ("mangle", "-A OUTPUT -j CLASSIFY --set-class +1:-2"),
    ("filter", "-N a\n-Z a"),
    ("filter", "-P INPUT DROP\n-Z INPUT"),
    ("filter", "-A INPUT -j ACCEPT\n-Z INPUT"),
    ("filter", "-Z"),
    ("filter", "-A INPUT -s 10.300 -j ACCEPT"),
    ("filter", "-A INPUT -s 10.0.0.0/255.0.0.255 -j ACCEPT"),
    ("filter", "-A INPUT -s ::ffff:10.0.0.1/24,::FFFF:a00:1 -j ACCEPT"),
    ("filter", "-A INPUT -p udp --dport 080"),
    ("filter", "-A INPUT -m addrtype --dst-type any"),
    ("filter", "-A INPUT -m policy --dir in --strict --reqid 1"),
    (
        "filter",
        "-A INPUT -m hashlimit --hashlimit 5/s --hashlimit-name a --hashlimit-mode srcip|dstip",
    ),
    ("filter", "-A INPUT -m time --timestart 023:059 --monthdays 1,,2"),
    ("filter", "-A INPUT -m limit --limit 3/hour"),
    ("filter", '-A INPUT -m cgroup --path ""'),
    ("filter", "-A OUTPUT -m owner ! --uid-owner 1:37 --gid-owner 1-37"),
    ("filter", "-A INPUT -m connlimit --connlimit-above 32 --connlimit-mask 4294967295"),
    ("filter", "-N a\n-A INPUT -j a"),
    ("filter", "-N a\n-A INPUT -j a -m comment --comme x"),
    ("filter", "-L INPUT -m policy --dir in --strict --proto esp"),
    ("filter", ":a - [0:0]\n:b - [0:0]\n-A a -j b\n-A b -j a"),
    ("mangle", "-A OUTPUT -j CLASSIFY --set-class 0000:fffff"),
    ("mangle", "-A PREROUTING -j DSCP --set-dscp-class af11x"),
    ("nat", "-A PREROUTING -j REDIRECT --rand"),
    ("filter", "-A INPUT -p tcp -j SYNPROXY --mss 65535 --wscale 255"),
    ("nat", "-A PREROUTING -j NETMAP --to 192.0.2.0/33"),
    ("filter", "-A INPUT -s 192.0.2.300/0"),
    ("filter", '-A INPUT -m time --weekdays ""'),
    ("filter", "-A INPUT -m time --weekdays 0x10,-1,8,"),
    ("filter", "-A INPUT -m conntrack --ctorigsrc 192.0.2.1/255.255"),
    ("filter", '-A INPUT -j REJECT --reject-with ""'),
    ("filter", '-A INPUT -p tcp -m osf --genre ""'),
    ("filter", '-A INPUT -p dccp -m dccp --dport ""'),
    ("filter", "-A INPUT -p udp --dport +4"),
    ("filter", '-A INPUT -j RATEEST --rateest-name "" --rateest-interval 8s --rateest-ewmalog 12s'),
    (
        "filter",
        "-A INPUT -j RATEEST --rateest-name a --rateest-interval 1us --rateest-ewmalog 1073s",
    ),
    ("filter", "-A INPUT -j IDLETIMER --timeout 2147482 --label a"),
    ("filter", "-A INPUT -m policy --dir in --pol ipsec --proto 108"),
    ("nat", "-A PREROUTING ! -p tcp -j REDIRECT --to-ports 80"),
]


@pytest.mark.parametrize(("table", "rules"), TAKEN)
def test_both_variants_take_it(table: str, rules: str) -> None:
    assert loaded(in_table(rules, table)).refusals == ()


CHANGED = [
    ('-A INPUT -m string --algo bm --string test"', "never closed"),
    ('-A INPUT -j LOG --log-prefix "a prefix longer than 29 letters"', "29 lette`"),
    ("-A INPUT -m limit --limit 3min", "becomes `3/second`"),
    ("-A INPUT -p udp --dport 70000", "becomes `4464`"),
    ("-A INPUT -p udp --dport 70000:70001", "becomes `4464:4465`"),
    ("-A INPUT -p tcp -j SYNPROXY --mss 70000", "becomes `4464`"),
    ("-A INPUT -m connlabel --label 65541", "becomes `5`"),
    ("-A INPUT -p tcp -j SYNPROXY --wscale 256", "becomes `0`"),
    ('-A INPUT -m comment --comment "never closed -j DROP', "never closed"),
    (":LOG - [0:0]\n-A INPUT -j LOG", "hides the target"),
    ("-A INPUT -p tcp ! --dport 0:65535", "is changed"),
]


@pytest.mark.parametrize(("rules", "said"), CHANGED)
def test_what_is_changed_is_taken(rules: str, said: str) -> None:
    answer = loaded(in_table(rules))
    assert answer.refusals == ()
    assert said in answer.changes[0].cause


def test_ip6_option_numbers_have_8_bits() -> None:
    changed = in_table("-A INPUT -m dst --dst-opts 258:-1,0x10:300,5")
    answer = loaded(changed, Family.IP6)
    assert answer.refusals == ()
    assert "becomes `2,16:44,5`" in answer.changes[0].cause
    for text in ("0:1", "1:", "1,,2", "18446744073709551616", ",".join(["1"] * 17)):
        assert loaded(in_table(f"-A INPUT -m hbh --hbh-opts {text}"), Family.IP6).refusals


def test_the_base_of_ports_that_masquerade_forgets_is_told() -> None:
    answer = loaded(in_table("-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1-5/3", "nat"))
    assert answer.taken
    assert "becomes `1-5`" in answer.changes[0].cause


def test_sets_may_be_there_before() -> None:
    text = in_table("-A INPUT -m set --match-set blocked src -j DROP")
    (refusal,) = loaded(text).refusals
    assert refusal.missing
    assert loaded(text, Family.IP, SETS).refusals == ()


def test_what_the_kernel_refuses_comes_when_the_table_is_read() -> None:
    """iptables-restore names line 3 first."""
    rules = "-A INPUT -m realm --realm 1\n-A PREROUTING -i eth0\n-A INPUT -p tcp --dport x"
    answer = loaded(in_table(rules, "raw") + in_table("-A OUTPUT -i lo"))
    assert [refusal.span.line for refusal in answer.refusals] == [2, 4, 7]
    late = loaded(in_table("-A PREROUTING -m realm --realm 1\n-A OUTPUT -i lo", "mangle"))
    assert [(r.span.line, r.check.stage) for r in late.refusals] == [
        (3, Stage.READING),
        (2, Stage.KERNEL),
    ]


@pytest.mark.parametrize("option", ["--help ftp", "-h", "-V"])
def test_what_prints_and_ends_the_tool_is_no_loading_though_its_status_is_0(option: str) -> None:
    rule = f"-A PREROUTING -m helper {option}"
    answer = loaded(in_table("-A INPUT -j ACCEPT") + in_table(rule, "raw"))
    assert "ends the tool, with status 0" in answer.refusals[0].cause
    assert [each.name for each in answer.carried] == ["table filter"]


def test_tables_are_committed_one_by_one() -> None:
    answer = loaded(in_table("", "raw") + in_table("-A INPUT -j NOSUCH"))
    assert not answer.atomic
    assert [carried.name for carried in answer.carried] == ["table raw"]


def test_rules_without_a_table_are_for_the_command() -> None:
    answer = loaded("-A INPUT -j ACCEPT\n")
    assert [refusal.span.line for refusal in answer.refusals] == [1]


# -- versions (the corpus has what 1.8.9 said of these rules) -------------------


def lacking(rule: str, target: str, family: Family = Family.IP) -> list[str]:
    reading = read(SourceFile("rules", in_table(rule)), Reader(family))
    answer = load(reading, (), target_of(target))
    assert answer is not None
    return [refusal.cause for refusal in answer.refusals]


MLD = "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type mld-listener-query"


def test_a_name_that_a_version_does_not_have() -> None:
    assert lacking(MLD, "iptables=1.8.10", Family.IP6) == []
    (cause,) = lacking(MLD, "debian-12", Family.IP6)
    assert cause == "icmp6 --icmpv6-type needs iptables 1.8.10: debian-12 has 1.8.9"


def test_an_option_that_a_kernel_does_not_have() -> None:
    rule = "-A OUTPUT -m owner --gid-owner 1 --suppl-groups"
    assert lacking(rule, "kernel=5.3") == []
    assert lacking(rule, "iptables=1.8.9,kernel=4.19") == [
        "owner --suppl-groups needs Linux 5.3: the target has 4.19"
    ]


@pytest.mark.parametrize("rule", ["-A INPUT -ptcp", "-A INPUT --source=192.0.2.1"])
def test_two_versions_find_no_argument_in_the_word_of_its_option(rule: str) -> None:
    assert len(lacking(rule, "debian-12")) == 1
    assert lacking(rule, "debian-11") == []
    assert lacking(rule, "debian-13") == []
