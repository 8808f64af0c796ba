"""Whole rulesets as one file of nft."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iptlint.convert.conversion import Conversion, compare_wholes, converted
from iptlint.convert.meanings import said_new
from iptlint.convert.notes import notes
from iptlint.convert.proof import RuleProof
from iptlint.convert.rendering import State
from iptlint.convert.text import Style
from iptlint.dialects import Reader, read
from iptlint.dialects.sets import read_sets, together
from iptlint.model import Family
from iptlint.source import SourceFile

HEAD = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"


def files(*texts: str, ipset: str = "", counters: bool = False) -> Conversion:
    families = (Family.IP, Family.IP6)
    readings = [
        read(SourceFile(f"rules.v{6 if number else 4}", text), Reader(family))
        for number, (text, family) in enumerate(zip(texts, families, strict=False))
    ]
    sets = [read_sets(SourceFile("ipsets", ipset))] if ipset else []
    together_read, saved = together([*readings, *sets])
    olds = [reading.ruleset for reading in together_read[: len(readings)]]
    made = converted(olds, saved, Style(counters), ["a test"])
    compare_wholes(made)
    return made


def rules(text: str) -> str:
    return f"{HEAD}{text}COMMIT\n"


def test_what_both_families_say_is_said_once() -> None:
    both = "-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
    made = files(rules(both + "-A INPUT -p udp -j DROP\n"), rules(both))
    assert "table inet filter {" in made.source.text
    assert made.source.text.count("tcp dport 22 accept") == 1
    assert "meta nfproto ipv4 meta l4proto udp drop" in made.source.text
    assert made.holds
    assert made.whole == "every packet fares alike in both"


@pytest.mark.parametrize(
    "rule",
    [
        "-A POSTROUTING -m mark --mark 0x40000/0xff0000 -j MASQUERADE",
        "-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128",
    ],
)
def test_what_is_translated_in_both_families_is_said_once(rule: str) -> None:
    """As tailscale has it. A packet of IPv4 has no address of IPv6 that could be written."""
    chains = ":PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]"
    nat = f"*nat\n{chains}\n{rule}\nCOMMIT\n"
    made = files(nat, nat)
    assert "table inet nat {" in made.source.text
    assert made.holds
    assert made.whole == "every packet fares alike in both"


@pytest.mark.parametrize("option", ["--validmark ", ""])
def test_a_route_back_is_looked_up_by_a_mark_that_rules_write(option: str) -> None:
    """As calico has it: both languages leave the answer open, or neither (rpfilter_mt)."""
    marks = "-A PREROUTING -i cali+ -j MARK --set-xmark 0x40000/0x40000\n"
    asks = f"-A PREROUTING -m mark --mark 0x40000/0x40000 -m rpfilter {option}--invert -j DROP\n"
    made = files(f"*raw\n:PREROUTING ACCEPT [0:0]\n{marks}{asks}COMMIT\n")
    assert made.holds
    assert made.whole == "every packet fares alike in both"


def test_each_family_keeps_counts_of_its_own() -> None:
    limited = rules("-A INPUT -m limit --limit 5/min -j ACCEPT\n")
    made = files(limited, limited)
    assert made.source.text.count("limit rate 5/minute") == 2
    assert made.holds


def test_policies_that_differ_keep_the_families_apart() -> None:
    made = files(rules(""), rules("-A INPUT -j ACCEPT\n").replace("INPUT DROP", "INPUT ACCEPT"))
    assert "table ip filter {" in made.source.text
    assert "table ip6 filter {" in made.source.text
    assert made.holds


def test_an_ipset_becomes_a_named_set() -> None:
    made = files(
        rules("-A INPUT -m set --match-set bad src -j DROP\n"),
        ipset="create bad hash:net family inet\nadd bad 203.0.113.0/24\nadd bad 198.51.100.7\n",
    )
    assert "elements = { 198.51.100.7, 203.0.113.0/24 }" in made.source.text
    assert "ip saddr @bad drop" in made.source.text
    assert made.holds


OF_SEVERAL = [
    ("hash:ip,port", ("192.0.2.1,tcp:22", "192.0.2.2,udp:53"), "ip saddr . meta l4proto . th"),
    ("hash:net,port", ("10.0.0.0/8,tcp:22", "192.0.2.2,tcp:80-90"), "th dport @of_several"),
    ("hash:net,net", ("10.0.0.0/8,192.168.0.0/16",), "ip saddr . ip daddr @of_several"),
    ("hash:net,iface", ("10.0.0.0/8,eth0", "11.0.0.0/8,eth1"), "ip saddr . iifname @of_several"),
]


@pytest.mark.parametrize("negated", ["", "! "])
@pytest.mark.parametrize(("kind", "entries", "wanted"), OF_SEVERAL)
def test_an_ipset_of_several_things_is_a_set_of_them(
    kind: str, entries: tuple[str, ...], wanted: str, negated: str
) -> None:
    ipset = f"create of_several {kind} family inet\n"
    ipset += "".join(f"add of_several {entry}\n" for entry in entries)
    sides = "src,src" if kind.endswith("iface") else "src,dst"
    text = rules(f"-A INPUT -m set {negated}--match-set of_several {sides} -j DROP\n")
    made = files(text, ipset=ipset)
    assert wanted in made.source.text
    assert made.source.text.count("@of_several") == 1
    assert made.holds


def test_a_chain_whose_name_is_none_to_nft_is_renamed_and_told() -> None:
    text = rules("-A INPUT -j tcp\n-A INPUT -j 1st\n-A INPUT -j input\n")
    made = files(text.replace(":OUTPUT", ":tcp - [0:0]\n:1st - [0:0]\n:input - [0:0]\n:OUTPUT"))
    assert made.holds
    for name in ("tcp_chain", "chain_1st", "input_2"):
        assert f"jump {name}" in made.source.text
    assert "the chain tcp is called tcp_chain: its name is none to nft" in [*notes(made.tables)]


def test_what_somebody_wrote_speaks_to_nobody() -> None:
    comment = '-A INPUT -m comment --comment "a \\" } flush ruleset" -j ACCEPT\n'
    made = files(rules(comment))
    assert made.holds
    assert not any(line.strip().startswith("flush") for line in made.source.text.splitlines())


def test_counters_are_kept_and_added() -> None:
    counted = rules("[5:300] -A INPUT -i lo -j ACCEPT\n")
    assert "counter packets 5 bytes 300 accept" in files(counted).source.text
    assert (
        'iifname "lo" counter accept'
        in files(rules("-A INPUT -i lo -j ACCEPT\n"), counters=True).source.text
    )


def test_what_comes_behind_a_rule_for_all_but_some_is_a_chain_of_its_own() -> None:
    made = files(rules("-A OUTPUT -m owner ! --uid-owner 0 -j DROP\n-A OUTPUT -j ACCEPT\n"))
    assert "meta skuid 0 goto output_rest" in made.source.text
    assert made.holds


SSH = (
    "-A INPUT -p tcp -m tcp --dport 22 -m recent --set --name ssh\n"
    "-A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 --hitcount 3 --name ssh "
    "-j DROP\n"
)


def test_recent_is_as_many_sets_as_it_counts() -> None:
    made = files(rules(SSH))
    assert made.holds
    text = made.source.text
    assert "tcp dport 22 jump recent_ssh_noted" in text
    assert "ip saddr @recent_ssh_1 ip saddr @recent_ssh_2 ip saddr @recent_ssh_3 drop" in text
    assert text.count("timeout 60s") == 5


def test_what_is_noted_before_a_test_fails_is_noted() -> None:
    """xt_recent notes the address where it stands in the rule, whatever is asked behind it."""
    made = files(rules("-A INPUT -p tcp -m recent --set --name x -m tcp --dport 22 -j ACCEPT\n"))
    assert "meta l4proto tcp update @recent_x { ip saddr }" in made.source.text
    assert "tcp dport 22 accept" in made.source.text
    assert made.holds


WRONG = [
    ("tcp dport 22 accept", "tcp dport 23 accept", "takes fewer packets"),
    ("tcp dport 22 accept", "tcp dport 22-23 accept", "takes more packets"),
    ("tcp dport 22 accept", "tcp dport 22 drop", "does something else"),
    ("jump user", "jump other", "does something else"),
    ("limit rate 5/minute", "limit rate 6/minute", "takes fewer packets"),
    ('log prefix "x"', 'log prefix "y"', "does something else"),
    ("meta mark set 0x1", "meta mark set 0x2", "does something else"),
    ("reject with icmp type host-prohibited", "reject", "does something else"),
]
"""Mistakes that a row could make."""

MANY = rules(
    "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -j user\n"
    "-A INPUT -m limit --limit 5/min -j ACCEPT\n-A INPUT -j LOG --log-prefix x\n"
    "-A INPUT -j MARK --set-mark 1\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\n"
).replace(":OUTPUT", ":user - [0:0]\n:other - [0:0]\n:OUTPUT")


@pytest.mark.parametrize(("right", "wrong", "why"), WRONG)
def test_the_proof_sees_what_is_wrong(right: str, wrong: str, why: str) -> None:
    made = files(MANY)
    assert made.holds
    assert right in made.source.text
    source = SourceFile("<converted>", made.source.text.replace(right, wrong))
    new = said_new(read(source).ruleset, made.tables)
    proof = RuleProof(made.olds, new)
    (table,) = made.tables
    proof.enter(table)
    chain = new.tables[0].chains["input"]
    entries = table.chains[0].entries
    said = [
        proof.objection(entry, statement)
        for entry, statement in zip(entries, chain.statements(), strict=True)
    ]
    (objection,) = filter(None, said)
    assert why in objection


def test_what_nft_would_refuse_is_taken_out() -> None:
    """A packet may be 16 jumps deep in nft (NFT_JUMP_STACK_SIZE), and deeper in iptables."""
    chains = "".join(f":c{number} - [0:0]\n" for number in range(20))
    jumps = "".join(f"-A c{number} -j c{number + 1}\n" for number in range(19))
    made = files(rules(f"-A INPUT -j c0\n{jumps}").replace(":OUTPUT", f"{chains}:OUTPUT"))
    states = [entry.state for _, _, entry in made.entries()]
    assert states == [State.NOT_CONVERTED, *[State.PROVED] * 19]
    assert "nft would not load it" in made.source.text


def test_a_connection_that_no_kernel_keeps_so_long_is_of_no_rule() -> None:
    """nf_ct_expires has 31 bits for jiffies; nft refuses a time beyond 32 bits of milliseconds."""
    made = files(rules("-A INPUT -m conntrack --ctexpire 4294967295 -j DROP\n"))
    assert made.holds
    assert "# never matches: -A INPUT -m conntrack" in made.source.text


def test_the_new_file_may_be_loaded_twice() -> None:
    made = files(rules("-A INPUT -i lo -j ACCEPT\n"))
    assert "table ip filter\ndelete table ip filter\ntable ip filter {" in made.source.text


def test_what_is_unread_is_not_proved() -> None:
    made = files(rules("-A INPUT -p tcp --dprot 22 -j ACCEPT\n"))
    (entry,) = (entry for _, _, entry in made.entries())
    assert entry.state is State.NOT_CONVERTED
    assert replace(entry).reason == "this rule could not be read"
