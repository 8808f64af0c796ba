"""The items of the benchmarks: a host that passes them all, and an edit that fails each."""

from __future__ import annotations

import pytest

from iptlint.benchmark.answers import Verdict
from iptlint.benchmark.table import BENCHMARKS, ITEMS, RHEL_10, Judged, references
from iptlint.dialects import Reader
from iptlint.linter.run import lint
from iptlint.model import Family
from iptlint.rules.registry import Profile, names, rules
from iptlint.source import SourceFile
from tests.expectations import FIXTURES

NFT = """\
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        ip saddr 127.0.0.0/8 counter drop
        ip6 saddr ::1 counter drop
        ct state established,related accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
        ip saddr 192.0.2.0/24 tcp dport 22 ct state new accept
        tcp dport { 80, 443 } accept
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
    }
    chain output {
        type filter hook output priority filter; policy drop;
        oif "lo" accept
        ct state new,established,related accept
    }
}
"""
V4 = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -s 127.0.0.0/8 -j DROP
-A INPUT -p tcp -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p udp -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -p tcp -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
-A OUTPUT -p udp -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
-A OUTPUT -p icmp -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
COMMIT
"""
V6 = V4.replace("127.0.0.0/8", "::1/128").replace("-p icmp ", "-p ipv6-icmp ")
UFW = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
:ufw-before-input - [0:0]
:ufw-before-output - [0:0]
:ufw-user-input - [0:0]
:ufw-user-output - [0:0]
-A INPUT -j ufw-before-input
-A OUTPUT -j ufw-before-output
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-before-output -o lo -j ACCEPT
-A ufw-before-output -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-output -j ufw-user-output
-A ufw-user-input -s 127.0.0.0/8 -j DROP
-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
-A ufw-user-output -j ACCEPT
COMMIT
"""
UFW6 = UFW.replace("127.0.0.0/8", "::1/128")
FIREWALLD = (FIXTURES / "hosts" / "nft-firewalld" / "ruleset.nft").read_text("utf-8")
ANTI_SPOOFING = """\
	chain filter_IN_public_deny {
		ip saddr 127.0.0.0/8 drop
		ip6 saddr ::1 drop
"""
RICH = FIREWALLD.replace("\tchain filter_IN_public_deny {\n", ANTI_SPOOFING)
RICH = RICH.replace("reject with icmpx admin-prohibited", "drop")


def items_of(*texts: str) -> tuple[Judged, ...]:
    named = zip(("rules.v4", "rules.v6"), texts, strict=False)
    items = lint([SourceFile(*each) for each in named], profile=Profile.CIS).items
    assert items is not None
    return items


def judged(*texts: str) -> dict[str, Judged]:
    """By the first id; those of RHEL 10 with its name, since others have the same numbers."""
    return {_key(each): each for each in items_of(*texts)}


def _key(each: Judged) -> str:
    asked = each.ids[0]
    return f"RHEL 10 {asked.number}" if asked.benchmark is RHEL_10 else asked.number


def verdicts(*texts: str) -> dict[str, str]:
    return {number: each.answer.verdict.value for number, each in judged(*texts).items()}


DECIDED = {
    "nft": ((NFT,), "4.3.4 4.3.5 4.3.6 4.3.7 4.3.8"),
    "iptables": ((V4, V6), "4.4.2.1 4.4.2.2 4.4.2.3 4.4.3.1 4.4.3.2 4.4.3.3"),
    "ufw": ((UFW, UFW6), "4.2.4 4.2.5 4.2.7"),
    "firewalld": ((RICH,), "4.2.2 RHEL-09-251020"),
}


@pytest.mark.parametrize("tool", DECIDED)
def test_a_good_host_passes_all_that_a_ruleset_can_tell(tool: str) -> None:
    texts, numbers = DECIDED[tool]
    found = judged(*texts)
    assert {number: found[number].answer.verdict for number in numbers.split()} == dict.fromkeys(
        numbers.split(), Verdict.PASS
    ), [each.answer.reason for each in found.values()]
    assert "fail" not in verdicts(*texts).values()


@pytest.mark.parametrize(
    ("old", "new", "number"),
    [
        ("chain forward {", "chain aside { }\n chain forward2 {", None),
        ("forward priority filter; policy drop", "prerouting priority filter", "4.3.5"),
        ('iif "lo" accept', "", "4.3.6"),
        ('oif "lo" accept\n        ct state new', "ct mark 7 accept\n ct state new", None),
        ("ip saddr 127.0.0.0/8 counter drop", "", "4.3.6"),
        ("ip saddr 127.0.0.0/8", "ip saddr 127.0.0.0/9", "4.3.6"),
        ("ip6 saddr ::1 counter drop", "", "4.3.6"),
        ("ct state established,related accept", "ct state related accept", "4.3.7"),
        ("state established,related accept", "state established tcp sport > 0 accept", "4.3.7"),
        ("ct state new,established,related accept", "ct state established accept", "4.3.7"),
        ("hook input priority filter; policy drop", "hook input priority filter", "4.3.8"),
        ("hook output priority filter; policy drop", "hook output priority filter", "4.3.8"),
        ("hook forward priority filter; policy drop", "hook forward priority filter", "4.3.8"),
        ("tcp dport { 80, 443 } accept", "accept", "4.3.8"),
    ],
)
def test_an_edit_fails_the_item(old: str, new: str, number: str | None) -> None:
    assert old in NFT
    failing = {n for n, verdict in verdicts(NFT.replace(old, new)).items() if verdict == "fail"}
    if number is None:
        assert not failing
    elif number == "4.3.5":  # where no chain is, none denies
        assert failing == {"4.3.5", "4.3.8"}
    else:
        assert failing == {number}


@pytest.mark.parametrize(
    ("old", "new", "number"),
    [
        (":OUTPUT DROP", ":OUTPUT ACCEPT", "4.4.2.1"),
        ("-A INPUT -i lo -j ACCEPT\n", "", "4.4.2.2"),
        ("-A INPUT -s 127.0.0.0/8 -j DROP\n", "", "4.4.2.2"),
        ("-A OUTPUT -o lo -j ACCEPT\n", "-A OUTPUT -o lo -j DROP\n", "4.4.2.2"),
        ("-A INPUT -p udp -m conntrack --ctstate ESTABLISHED -j ACCEPT\n", "", "4.4.2.3"),
    ],
)
def test_ipv4_and_ipv6_have_items_of_their_own(old: str, new: str, number: str) -> None:
    found = verdicts(V4.replace(old, new), V6)
    assert [each for each, verdict in found.items() if verdict == "fail"] == [number]


def test_what_is_not_given_cannot_be_told() -> None:
    found = judged(V4)
    assert found["4.4.2.1"].answer.verdict is Verdict.PASS
    assert found["4.4.3.1"].answer.verdict is Verdict.CANNOT_TELL
    assert "IPv6" in found["4.4.3.1"].answer.reason
    assert verdicts(UFW)["4.2.7"] == "cannot tell"
    lines = NFT.replace("table inet", "table ip").splitlines(keepends=True)
    ipv4 = "".join(line for line in lines if "ip6" not in line and "icmpv6" not in line)
    assert verdicts(ipv4)["4.3.7"] == "pass"
    assert verdicts(ipv4)["4.3.8"] == "cannot tell"


def test_a_closing_rule_is_as_good_as_a_policy() -> None:
    text = V4.replace(":INPUT DROP", ":INPUT ACCEPT").replace(
        "COMMIT", "-A INPUT -j REJECT\nCOMMIT"
    )
    answer = judged(text, V6)["4.4.2.1"].answer
    assert (answer.verdict, answer.reason) == (
        Verdict.PASS,
        "INPUT is closed by a rule, not by its policy",
    )
    assert answer.span is not None
    assert answer.span.line == 15


def test_a_drop_before_the_filter_table_counts() -> None:
    """Spoofed packets never get to INPUT."""
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m rpfilter --invert -j DROP\nCOMMIT\n"
    text = V4.replace("-A INPUT -s 127.0.0.0/8 -j DROP\n", "")
    assert verdicts(text, V6)["4.4.2.2"] == "fail"
    assert verdicts(raw + text, V6)["4.4.2.2"] == "pass"


def test_what_depends_on_a_set_cannot_be_told() -> None:
    rule = "-A INPUT -m set --match-set friends src -j ACCEPT\n-A INPUT -s 127.0.0.0/8 -j DROP\n"
    text = V4.replace("-A INPUT -s 127.0.0.0/8 -j DROP\n", rule)
    assert verdicts(text, V6)["4.4.2.2"] == "cannot tell"


def test_what_a_host_may_send_is_its_sites_policy() -> None:
    some = NFT.replace(
        "ct state new,established,related accept",
        """ct state established accept
        tcp dport { 80, 443 } accept
        udp dport 53 accept""",
    )
    answer = judged(some)["4.3.7"].answer
    assert answer.verdict is Verdict.CANNOT_TELL
    assert "tcp" in answer.reason


def test_files_that_cannot_be_read_or_are_not_there_leave_all_open() -> None:
    for text in (
        NFT.replace("tcp dport { 80, 443 } accept", "tcp dprot 80 accept"),
        NFT.replace("table inet", 'include "/etc/nft.d/elsewhere"\ntable inet'),
    ):
        found = verdicts(text)
        assert {found[n] for n in ("4.3.6", "4.3.7", "4.3.8")} == {"cannot tell"}
    fragment = "table inet filter {\n chain web {\n tcp dport 80 accept\n }\n}\n"
    found = verdicts(fragment)
    assert "fail" not in found.values()
    assert found["4.3.4"] == "pass"


def test_tables_that_filter_no_input_may_be_a_part() -> None:
    nat = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"
    assert {*verdicts(nat).values()} == {"cannot tell"}
    bridge = NFT.replace("table inet", "table bridge").replace("flush ruleset", "")
    assert "fail" not in verdicts(bridge.partition("\n")[2]).values()
    # After a flush, what is not there is nowhere.
    text = "flush ruleset\ntable ip nat {\n chain x {\n masquerade\n }\n}\n"
    assert verdicts(text)["4.3.5"] == "fail"


def test_a_queue_decides_elsewhere() -> None:
    text = V4.replace("-s 127.0.0.0/8 -j DROP", "-s 127.0.0.0/8 -j NFQUEUE --queue-num 0")
    assert verdicts(text, V6)["4.4.2.2"] == "cannot tell"


def test_a_zone_that_leaves_high_ports_open_is_not_open() -> None:
    text = RICH.replace("tcp dport 22 accept", "tcp dport 1025-65535 accept")
    assert verdicts(text)["RHEL 10 4.1.4"] == "pass"


def test_one_tool_is_in_use() -> None:
    assert verdicts(NFT)["4.1.1"] == "cannot tell"
    both = verdicts(V4, NFT)
    assert (both["4.1.1"], both["4.3.3"], both["4.4.1.2"]) == ("fail", "fail", "fail")
    # ufw that is told to leave IPv6 alone closes it with a few plain rules.
    assert verdicts(UFW, V6)["4.1.1"] == "cannot tell"
    first, *_ = items_of(UFW, FIREWALLD)
    assert first.answer.reason == "ufw and firewalld both filter what comes in"


def test_what_software_adds_is_no_second_tool() -> None:
    docker = """\
# Warning: table ip filter is managed by iptables-nft, do not touch!
table ip filter {
    chain DOCKER { }
    chain FORWARD {
        type filter hook forward priority filter; policy accept;
        jump DOCKER
    }
    chain INPUT {
        type filter hook input priority filter; policy accept;
        iifname "virbr0" udp dport 53 accept
    }
}
"""
    assert verdicts(docker + NFT.partition("flush ruleset\n")[2])["4.1.1"] == "cannot tell"


def test_only_items_for_the_tools_in_use_are_told() -> None:
    assert {each.tool.value for each in judged(NFT).values()} == {"nftables"}
    assert {each.tool.value for each in judged(UFW, UFW6).values()} == {"ufw"}
    assert {b.short for each in judged(UFW).values() for b, _ in each.ids} == {
        "Debian 12",
        "Ubuntu 24.04",
    }
    assert judged("# nothing\n") == {}


def test_zones_of_firewalld() -> None:
    passing = {number for number, verdict in verdicts(RICH).items() if verdict == "pass"}
    assert {f"RHEL 10 4.1.{n}" for n in (2, 4, 5, 6)} <= passing
    found = judged(FIREWALLD)
    assert found["RHEL 10 4.1.6"].answer.verdict is Verdict.FAIL
    assert "rejected" in found["RHEL-09-251020"].answer.reason
    assert "tcp 22, tcp 9090" in found["4.2.1"].answer.reason
    trusted = FIREWALLD.replace("tcp dport 22 accept", "accept")
    assert verdicts(trusted)["RHEL 10 4.1.4"] == "fail"


def test_ids_are_told_once_and_rules_are_there() -> None:
    every = [asked for item in ITEMS for asked in item.ids]
    assert len(every) == len(set(every))
    assert {asked.benchmark for asked in every} == {*BENCHMARKS}
    assert {code for item in ITEMS for code in item.rules} <= names().keys()


def test_the_profile_holds_the_rules_that_an_item_asks_for() -> None:
    held = {rule.meta.code for rule in rules() if Profile.CIS.holds(rule)}
    assert held == {code for item in ITEMS for code in item.rules}
    assert "CIS Debian 12 1.1.0 4.3.8" in references("IPT601")
    assert references("IPT001") == ()


def test_a_pair_of_families_is_read_as_told() -> None:
    source = SourceFile("-", V6)
    items = lint([source], reader=Reader(Family.IP6), profile=Profile.CIS).items
    assert items is not None
    found = {each.ids[0].number: each.answer.verdict.value for each in items}
    assert (found["4.4.2.1"], found["4.4.3.1"]) == ("cannot tell", "pass")
