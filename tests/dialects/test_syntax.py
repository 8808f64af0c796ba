"""What each language answers when it is asked how a ruleset is written: model/syntax.py."""

from __future__ import annotations

import pytest

from iptlint.dialects import read
from iptlint.model import Field, Rule, Ruleset, Table, Within
from iptlint.model.syntax import Suggestion, WrittenList
from iptlint.source import SourceFile
from tests.firewalls import hooked, saved


def read_text(text: str, path: str = "x") -> Ruleset:
    return read(SourceFile(path, text)).ruleset


def iptables(test: str, chain: str = "INPUT") -> tuple[Ruleset, Rule]:
    return last_rule(read_text(saved(f"-A {chain} {test} -j ACCEPT")))


def nft(test: str) -> tuple[Ruleset, Rule]:
    return last_rule(read_text(hooked(f"{test} accept")))


def last_rule(ruleset: Ruleset) -> tuple[Ruleset, Rule]:
    *_, (_, _, rule) = ruleset.rules()
    return ruleset, rule


def only_table(ruleset: Ruleset) -> Table:
    (table,) = (table for table in ruleset.tables if any(table.rules()))
    return table


# -- states ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "more", "less"),
    [
        (
            iptables("-m conntrack --ctstate ESTABLISHED,RELATED"),
            "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED,NEW -j ACCEPT",
            "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT",
        ),
        (
            iptables("-m state --state ESTABLISHED"),
            "-A INPUT -m state --state ESTABLISHED,NEW -j ACCEPT",
            None,  # none would be left
        ),
        (
            nft("ct state established, related"),
            "ct state established, related, new accept",
            "ct state related accept",
        ),
        (
            nft("ct state { established, related }"),
            "ct state { established, related, new } accept",
            "ct state { related } accept",
        ),
        # A negated list means the others.
        (iptables("-m conntrack ! --ctstate ESTABLISHED"), None, None),
        (nft("ct state != established"), None, None),
        (iptables("-p tcp"), None, None),
    ],
)
def test_a_list_of_states(
    written: tuple[Ruleset, Rule], more: str | None, less: str | None
) -> None:
    ruleset, rule = written
    assert ruleset.syntax.with_state(rule, "new") == more
    assert ruleset.syntax.without_state(rule, "established") == less


@pytest.mark.parametrize(
    ("written", "answers"),
    [
        (
            iptables("-m conntrack ! --ctstate NEW"),
            "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        ),
        (nft("ct state != { new, untracked }"), "ct state established,related accept"),
        (nft("ct state new"), None),
    ],
)
def test_all_states_but_some(written: tuple[Ruleset, Rule], answers: str | None) -> None:
    ruleset, rule = written
    assert ruleset.syntax.answers_only(rule) == answers


@pytest.mark.parametrize(
    ("test", "chain", "forwarded", "back"),
    [
        (
            "-o eth0 -d 10.0.0.1 -p tcp --dport 22",
            "OUTPUT",
            False,
            "-A PREROUTING -i eth0 -s 10.0.0.1 -p tcp --sport 22 -j ACCEPT",
        ),
        (
            "-i eth1 -o eth0 -s 10.0.0.0/8",
            "FORWARD",
            True,
            "-A FORWARD -o eth1 -i eth0 -d 10.0.0.0/8 -j ACCEPT",
        ),
    ],
)
def test_the_rule_for_the_answers(test: str, chain: str, forwarded: bool, back: str) -> None:
    ruleset, rule = iptables(test, chain)
    assert ruleset.syntax.reply_of(rule, forwarded=forwarded) == back


def test_the_old_name_of_a_state_test() -> None:
    ruleset, rule = iptables('-m state --state NEW -m comment --comment "-m state"')
    assert ruleset.syntax.with_present_state_test(rule, 0) == (
        '-A INPUT -m conntrack --ctstate NEW -m comment --comment "-m state" -j ACCEPT'
    )
    ruleset, rule = iptables("-m conntrack --ctstate NEW")
    assert ruleset.syntax.with_present_state_test(rule, 0) is None


# -- ports and addresses --------------------------------------------------------------------------


def part_of(rule: Rule, field: Field) -> int:
    """The index of the rule's test of the field."""
    return next(
        number
        for number, match in enumerate(rule.matches)
        if isinstance(match, Within) and match.field is field
    )


def test_a_list_of_ports() -> None:
    ports = ((22, 22), (80, 88))
    ruleset, rule = iptables("-p tcp -m tcp --dport 22")
    assert ruleset.syntax.with_ports(rule, part_of(rule, Field.DPORT), ports) == (
        "-A INPUT -p tcp -m multiport --dports 22,80:88 -j ACCEPT"
    )
    ruleset, rule = iptables("-p tcp -m tcp --dport 22 --tcp-flags SYN SYN")
    assert "-m tcp -m multiport --dports 22,80:88 --tcp-flags" in (
        ruleset.syntax.with_ports(rule, part_of(rule, Field.DPORT), ports) or ""
    )
    ruleset, rule = nft("tcp dport 22 counter packets 7 bytes 420")
    assert ruleset.syntax.with_ports(rule, part_of(rule, Field.DPORT), ports) == (
        "tcp dport { 22, 80-88 } counter accept"
    )


def test_a_port_before_and_after_translation() -> None:
    ruleset, rule = iptables("-p tcp -m tcp --dport 80")
    part = part_of(rule, Field.DPORT)
    assert ruleset.syntax.with_port(rule, part, 80, "8080") == (
        "-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT"
    )
    ruleset, rule = nft("tcp dport 80")
    assert ruleset.syntax.with_original_port(rule, part_of(rule, Field.DPORT), 80) == (
        "meta l4proto tcp ct original proto-dst 80 accept"
    )


def test_a_negated_list() -> None:
    values = ["192.0.2.1", "192.0.2.2"]
    ruleset, rule = iptables("! -s 192.0.2.1")
    assert ruleset.syntax.value(rule, 0) == "192.0.2.1"
    assert ruleset.syntax.with_negated(rule, 0, values) is None
    ruleset, rule = nft("ip saddr != 192.0.2.1")
    part = part_of(rule, Field.SADDR)
    assert ruleset.syntax.value(rule, part) == "192.0.2.1"
    assert ruleset.syntax.with_negated(rule, part, values) == (
        "ip saddr != { 192.0.2.1, 192.0.2.2 } accept"
    )


def test_an_iprange_match_goes_with_its_last_range() -> None:
    ruleset, rule = iptables("-m iprange --src-range 192.0.2.0-192.0.2.7")
    assert ruleset.syntax.with_addresses(rule, 0, "-s 192.0.2.0/29") == (
        "-A INPUT -s 192.0.2.0/29 -j ACCEPT"
    )


# -- what is written ------------------------------------------------------------------------------


def shown(ruleset: Ruleset, place: WrittenList) -> list[str]:
    return [element.span.text for element in ruleset.syntax.elements(place)]


def test_lists() -> None:
    ruleset, _ = iptables("-s 192.0.2.1,192.0.2.8/29 -p tcp -m multiport --dports 22,80:88")
    addresses, ports = ruleset.syntax.lists(ruleset)
    assert shown(ruleset, addresses) == ["192.0.2.1", "192.0.2.8/29"]
    assert shown(ruleset, ports) == ["22", "80:88"]
    assert addresses.with_elements(ruleset.syntax.elements(addresses)[:1]) == "192.0.2.1"
    ruleset = read_text(
        "define net = { 10.0.0.0/8 }\n"
        "table ip t {\n"
        "  set s { type ipv4_addr; flags interval; elements = { 192.0.2.0/24, 192.0.2.7 } }\n"
        "  chain c { tcp dport { 22, 80 } accept }\n"
        "}\n"
    )
    in_rule, in_set, in_define = ruleset.syntax.lists(ruleset)
    assert shown(ruleset, in_rule) == ["22", "80"]
    assert in_rule.with_elements(ruleset.syntax.elements(in_rule)[1:]) == "{ 80 }"
    assert shown(ruleset, in_set) == ["192.0.2.0/24", "192.0.2.7"]
    assert in_set.refuses_overlap
    assert not in_set.changing
    assert shown(ruleset, in_define) == ["10.0.0.0/8"]


def test_json_has_no_text_to_be_read_again() -> None:
    ruleset = read_text(
        '{"nftables": [{"table": {"family": "ip", "name": "t"}},'
        ' {"set": {"family": "ip", "table": "t", "name": "s", "type": "ipv4_addr",'
        ' "elem": ["192.0.2.1"]}}]}'
    )
    assert [*ruleset.syntax.lists(ruleset)] == []
    assert ruleset.syntax.is_listing


def test_masks() -> None:
    ruleset, _ = iptables('-s 192.0.2.7/24 -m comment --comment "-s 192.0.2.9/24"')
    assert [each.span.text for each in ruleset.syntax.masked(ruleset)] == ["192.0.2.7/24"]
    ruleset, _ = nft("ip saddr 192.0.2.7/24")
    assert [each.span.text for each in ruleset.syntax.masked(ruleset)] == ["192.0.2.7/24"]


def test_remarks() -> None:
    ruleset = read_text(
        "*filter\n# web\n-A INPUT -p tcp --dport 80 -j ACCEPT\n"
        "-A INPUT -p tcp --dport 443 -j ACCEPT\n\n-A INPUT -j DROP\nCOMMIT\n"
    )
    rules = [rule for _, _, rule in ruleset.rules()]
    assert [*map(ruleset.syntax.said_of, rules)] == ["# web", "", ""]
    assert [*map(ruleset.syntax.is_in_remarked_block, rules)] == [True, True, False]
    web, more, closing = map(ruleset.syntax.paragraph, rules)
    assert web == more
    assert closing != web


def test_the_name_of_a_variable_says_something_of_the_rule() -> None:
    text = "define ssh_port = 22\n" + hooked("tcp dport $ssh_port accept # here")
    ruleset, rule = last_rule(read_text(text))
    assert ruleset.syntax.said_of(rule) == "# here $ssh_port"


def test_a_comparison() -> None:
    ruleset, rule = nft("iifname eth0 tcp dport 22")
    assert ruleset.syntax.comparison(rule) == ("iifname eth0", "tcp dport", "22")
    ruleset, rule = nft("tcp dport { 22, 80 }")
    assert ruleset.syntax.comparison(rule) is None


# -- a whole text ---------------------------------------------------------------------------------


def test_what_a_file_of_nft_says_of_itself() -> None:
    ruleset = read_text(
        '#!/usr/sbin/nft -f\nflush ruleset inet\ninclude "/etc/nft/*.nft"\n'
        "flush chain inet t c\ntable inet t { chain c { } }\n"
        "# -t filter -A INPUT -m foo -j DROP \n"
    )
    syntax, source = ruleset.syntax, ruleset.source
    assert syntax.is_entry_point(source)
    assert [*syntax.included(source)] == ["/etc/nft/*.nft"]
    assert syntax.emptied_chains(source) == {("inet", "t", "c")}
    assert ruleset.flush is not None
    assert syntax.flushed_family(ruleset.flush) == "inet"
    assert not syntax.adds_once(source)
    assert syntax.adds_once(SourceFile("x", "create table inet t"))
    (lost,) = syntax.lost_rules(source)
    assert (lost.table, lost.chain, lost.target, lost.certain) == ("filter", "INPUT", "DROP", False)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("# Generated by iptables-save v1.8.9 (nf_tables) on x\n" + saved(), True),
        ("# Generated by iptables-save v1.8.9 on x\n" + saved(), False),
        (saved(), None),
        (hooked(), True),
    ],
)
def test_whose_tables_the_kernel_has(text: str, answer: bool | None) -> None:
    ruleset = read_text(text)
    assert ruleset.syntax.is_of_nf_tables(ruleset.source) is answer


# -- what a ruleset lacks -------------------------------------------------------------------------

WEB = Suggestion("-p tcp --dport 80 -j ACCEPT", "tcp dport 80 accept")
SCRIPT = "#!/bin/sh\niptables -P INPUT DROP\niptables -A INPUT -p icmp -j ACCEPT\n"
NFT_SCRIPT = (
    "#!/bin/sh\nnft add table inet t\n"
    "nft 'add chain inet t INPUT { type filter hook input priority 0; policy drop; }'\n"
    "nft add rule inet t INPUT tcp dport 22 accept\n"
)


@pytest.mark.parametrize(
    ("text", "added", "policy"),
    [
        (saved("-A INPUT -j DROP"), "-A INPUT -p tcp --dport 80 -j ACCEPT", ":INPUT DROP [0:0]"),
        (SCRIPT, "iptables -A INPUT -p tcp --dport 80 -j ACCEPT", "iptables -P INPUT DROP"),
        (
            NFT_SCRIPT,
            "nft add rule inet t INPUT tcp dport 80 accept",
            "nft 'add chain inet t INPUT { policy drop; }'",
        ),
    ],
)
def test_a_rule_and_a_policy_that_are_missing(text: str, added: str, policy: str) -> None:
    ruleset = read_text(text)
    table = only_table(ruleset)
    assert WEB.into("INPUT", ruleset) == added
    assert ruleset.syntax.policy(table.chains["INPUT"], ruleset, "drop") == policy


def test_commands_about_a_rule() -> None:
    ruleset, rule = iptables("-p icmp", chain="DOCKER-USER")
    table = only_table(ruleset)
    assert ruleset.syntax.insertion(rule, table, "DOCKER-USER") == (
        "iptables -I DOCKER-USER -p icmp -j ACCEPT"
    )
    assert ruleset.syntax.deletion(rule, table, "DOCKER-USER") == (
        "iptables -t filter -D DOCKER-USER -p icmp -j ACCEPT"
    )
    assert ruleset.syntax.by_interface(rule, "eth0") == ("-A DOCKER-USER -o eth0 -p icmp -j ACCEPT")
    ruleset, rule = nft("tcp dport 22")
    table = only_table(ruleset)
    assert ruleset.syntax.deletion(rule, table, "c") is None
    assert ruleset.syntax.for_other_table(rule) == "tcp dport 22 accept"
    assert ruleset.syntax.by_interface(rule, "eth0") == 'oifname "eth0" tcp dport 22 accept'


def test_words() -> None:
    ruleset, _ = iptables("-p icmp")
    assert ruleset.syntax.table_name(only_table(ruleset)) == "the filter table"
    assert ruleset.syntax.pick(iptables="RETURN", nft="return") == "RETURN"
    ruleset, _ = nft("tcp dport 22")
    assert ruleset.syntax.table_name(only_table(ruleset)).startswith("the table ")
    assert ruleset.syntax.pick(iptables="RETURN", nft="return") == "return"


def test_a_script_writes_each_table_in_its_own_language() -> None:
    """``log`` of nft has no ``-m limit``, whatever else the script calls."""
    text = (
        "iptables -P INPUT ACCEPT\nnft -f - <<'EOF'\ntable inet t {\nchain c {\n"
        'type filter hook input priority 0;\nlog prefix "x" drop\n}\n}\nEOF\n'
    )
    ruleset, rule = last_rule(read_text(text, "firewall.sh"))
    table = next(table for table in ruleset.tables if table.name == "t")
    log, _ = ruleset.syntax.of(table).with_limit(rule)
    assert log == 'limit rate 5/minute burst 10 packets log prefix "x"'
