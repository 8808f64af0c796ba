"""IPT108, IPT502 to IPT504, and IPT901 to IPT907, beyond their fixtures."""

from __future__ import annotations

import random
import re
from ipaddress import ip_network

import pytest

import iptlint
from iptlint.analysis.session import Context, Settings
from iptlint.dialects import Reader, read
from iptlint.dialects.sets import read_sets, together
from iptlint.findings import Finding, Severity
from iptlint.linter.run import lint
from iptlint.model import Family, Ruleset
from iptlint.rules.hygiene import (
    ipt901_log_unlimited,
    ipt902_log_after_verdict,
    ipt903_drop_unlogged,
    ipt904_host_bits_set,
    ipt906_uncommented_rule,
    ipt907_negated_list_confusion,
)
from iptlint.rules.reachability import (
    ipt101_shadowed_rule,
    ipt102_redundant_rule,
    ipt108_overlap_with_other_verdict,
)
from iptlint.rules.scale import (
    ipt501_list_should_be_set,
    ipt502_mergeable_ports,
    ipt503_overlapping_elements,
    ipt504_long_path,
)
from iptlint.source import SourceFile
from tests.firewalls import saved

RULES = {
    module.META.code: module
    for module in (
        ipt101_shadowed_rule,
        ipt102_redundant_rule,
        ipt108_overlap_with_other_verdict,
        ipt501_list_should_be_set,
        ipt502_mergeable_ports,
        ipt503_overlapping_elements,
        ipt504_long_path,
        ipt901_log_unlimited,
        ipt902_log_after_verdict,
        ipt903_drop_unlogged,
        ipt904_host_bits_set,
        ipt906_uncommented_rule,
        ipt907_negated_list_confusion,
    )
}
SOME_PORTS = (22, 25, 53, 80, 110, 143, 443, 8080)


def save(*rules: str, policy: str = "DROP", chains: str = "") -> str:
    declared = "".join(f":{name} - [0:0]\n" for name in chains.split())
    body = "".join(f"-A {rule}\n" for rule in rules)
    return f"*filter\n:INPUT {policy} [0:0]\n:FORWARD DROP [0:0]\n{declared}{body}COMMIT\n"


def nft(*rules: str, before: str = "", policy: str = "drop") -> str:
    body = "\n".join(rules)
    hook = f"type filter hook input priority filter; policy {policy};"
    return f"table inet filter {{\n{before}\nchain input {{\n{hook}\n{body}\n}}\n}}\n"


def ruleset_of(text: str) -> Ruleset:
    name = "rules.nft" if text.startswith(("table", "define")) else "rules.v4"
    return read(SourceFile(name, text), Reader()).ruleset


def check(text: str, *codes: str) -> list[Finding]:
    context = Context((ruleset_of(text),), Settings())
    found = [finding for code in codes for finding in RULES[code].check(context)]
    return list({(f.code, f.span.start, f.message): f for f in found}.values())


def check_sets(text: str, code: str) -> list[Finding]:
    readings, sets = together([read_sets(SourceFile("ipsets", text))])
    context = Context(tuple(reading.ruleset for reading in readings), Settings(), sets)
    return list(RULES[code].check(context))


# -- IPT502: the rule that is printed does the same ---------------------------------------------


def applied(text: str, finding: Finding) -> str:
    """The text with the rules it is about replaced by what is printed. All of them are on lines
    that are alike but for the port."""
    shape = _shape(finding.span.text)
    (new,) = re.findall(r"taken out: (.*)$", finding.help)
    merged = re.findall(r"`([^`]*)`", new)
    lines: list[str] = []
    for line in text.splitlines():
        if _shape(line) != shape:
            lines.append(line)
        elif merged:
            lines += merged
            merged = []
    return "\n".join(lines) + "\n"


def _shape(line: str) -> str:
    port = r"(?:-m tcp |-m multiport )?--(?:dport|dports) \S+|dport (?:\d\S*|\{[^}]*\})"
    return re.sub(port, "PORTS", line.strip())


def test_a_merge_is_equivalent() -> None:
    chance = random.Random(502)
    merges = 0
    for _ in range(60):
        rules = [_rule(chance) for _ in range(24)]
        text = save(*rules)
        for finding in check(text, "IPT502"):
            count = int(finding.message.split()[0])
            after = applied(text, finding)
            left = finding.help.count("`") // 2
            if len(text.splitlines()) - len(after.splitlines()) != count - left:
                continue  # more rules look alike than may be moved
            merges += 1
            assert iptlint.diff(ruleset_of(text), ruleset_of(after)).equivalent, (text, after)
    assert merges > 10


def _rule(chance: random.Random) -> str:
    source = chance.choice(("", "", "-s 192.0.2.0/24 "))
    low = chance.choice((*SOME_PORTS, *range(2000, 9000, 20)))
    port = chance.choice((f"--dport {low}", f"--dport {low}:{low + 30}"))
    return f"INPUT {source}-p tcp -m tcp {port} -j {chance.choice(('ACCEPT', 'ACCEPT', 'DROP'))}"


def test_a_merge_of_nft_is_equivalent() -> None:
    text = nft(
        "tcp dport 7001 accept",
        "ip saddr 192.0.2.1 tcp dport 25 drop",
        "tcp dport { 80, 443 } accept",
        "tcp dport 8000-8010 accept",
        "tcp dport 7003 accept",
        "tcp dport 7005 accept",
    )
    (finding,) = check(text, "IPT502")
    after = applied(text, finding)
    assert "tcp dport { 80, 443, 7001, 7003, 7005, 8000-8010 } accept" in after
    assert iptlint.diff(ruleset_of(text), ruleset_of(after)).equivalent


@pytest.mark.parametrize(
    "between",
    [
        "INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DROP",
        "INPUT -p tcp -m tcp --dport 443 -m limit --limit 1/s -j LOG",
        "INPUT -p tcp -m tcp --dport 440:450 -j out",
    ],
)
def test_a_rule_is_not_moved_past_what_treats_its_packets_otherwise(between: str) -> None:
    ports = (7001, 7003, 7005, 7007, 443)
    accepts = [f"INPUT -p tcp -m tcp --dport {port} -j ACCEPT" for port in ports]
    found = check(save(*accepts[:4], between, accepts[4], chains="out"), "IPT502")
    assert found == []
    assert len(check(save(*accepts), "IPT502")) == 1


@pytest.mark.parametrize(
    ("ports", "told"),
    [
        ((25, 110, 143, 465, 587), 1),  # all of them mail
        ((22, 25, 53, 80, 443), 0),
        ((7001, 7003, 7005, 7007, 443), 1),
    ],
)
def test_people_keep_a_line_for_each_service(ports: tuple[int, ...], told: int) -> None:
    accepts = [f"INPUT -p tcp -m tcp --dport {port} -j ACCEPT" for port in ports]
    assert len(check(save(*accepts), "IPT502")) == told
    for_some = [rule.replace("-p tcp", "-s 10.0.0.0/8 -p tcp", 1) for rule in accepts]
    assert len(check(save(*for_some), "IPT502")) == 1
    assert len(check(save(*(rule.replace("ACCEPT", "DROP") for rule in accepts)), "IPT502")) == 1


@pytest.mark.parametrize("between", ["", "# the others", "  # the others"])
def test_people_keep_paragraphs_apart(between: str) -> None:
    accepts = [f"INPUT -p tcp -m tcp --dport {port} -j ACCEPT" for port in range(7001, 7011, 2)]
    lines = save(*accepts).splitlines()
    at = lines.index(f"-A {accepts[2]}")
    assert check("\n".join([*lines[:at], between, *lines[at:], ""]), "IPT502") == []


def test_multiport_holds_fifteen() -> None:
    lines = [f"INPUT -p udp -m udp --dport {port} -j ACCEPT" for port in range(1000, 1040, 2)]
    (finding,) = check(save(*lines), "IPT502")
    pieces = re.findall(r"--dports (\S+)", finding.help)
    assert [len(piece.split(",")) for piece in pieces] == [15, 5]
    assert "2 rules do the same" in finding.message


# -- IPT503 --------------------------------------------------------------------------------


def test_what_lists_say() -> None:
    text = nft(
        'ip saddr { 192.0.2.1, 192.0.2.8/29 } tcp dport { 22, 80-90 } log prefix "{ 1, 2 }" drop',
        "ip6 saddr != { 2001:db8::1 - 2001:db8::9 } drop # { 192.0.2.1 }",
        "iifname { eth0, eth1 } tcp dport vmap { 1 : drop, 2 : drop }",
        before="set a { type ipv4_addr; elements = { 192.0.2.7, # { the printer }\n192.0.2.9 }\n}",
    )
    ruleset = ruleset_of(text)
    lists = map(ruleset.syntax.elements, ruleset.syntax.lists(ruleset))
    found = [[element.span.text for element in elements] for elements in lists]
    assert [listed for listed in found if listed] == [
        ["192.0.2.1", "192.0.2.8/29"],
        ["22", "80-90"],
        ["2001:db8::1 - 2001:db8::9"],
        ["192.0.2.7", "192.0.2.9"],
    ]


@pytest.mark.parametrize(
    ("listed", "numbers"),
    [
        ("192.0.2.9, 192.0.2.7", [0xC0000209, 0xC0000207]),
        ("192.0.2.7,\n\t192.0.2.9,\n", [0xC0000207, 0xC0000209]),
        ("192.0.2.7, 192.0.2.8/30", None),
        ("192.0.2.7-192.0.2.9", None),
        ("192.0.2.7, # the printer\n192.0.2.9", None),
        ("192.0.2.7 timeout 1h", None),
        ("2001:db8::1", None),
    ],
)
def test_a_list_of_hosts_is_known_at_once(listed: str, numbers: list[int] | None) -> None:
    ruleset = ruleset_of(nft(f"ip saddr {{ {listed} }} drop"))
    (place,) = ruleset.syntax.lists(ruleset)
    hosts = ruleset.syntax.hosts(place)
    assert (hosts if hosts is None else [*hosts]) == numbers
    if hosts is not None:
        each = ruleset.syntax.elements(place)
        assert [(e.low, e.high) for e in each] == [(host, host) for host in hosts]


def test_hosts_are_told_where_one_stands_twice_or_many_are_neighbours() -> None:
    apart = [f"192.0.2.{number}" for number in range(0, 80, 2)]
    side_by_side = [f"192.0.2.{number}" for number in range(40)]
    for hosts, says in (
        (apart, None),
        ([*apart, "192.0.2.8"], "192.0.2.8 stands there twice in this list"),
        (side_by_side, "this list has 40 entries, and 2 prefixes hold the same addresses"),
    ):
        findings = check(nft(f"ip saddr {{ {', '.join(hosts)} }} drop"), "IPT503")
        assert [each.message for each in findings] == ([says] if says else [])


def test_a_set_that_nft_refuses_is_graver() -> None:
    elements = "elements = { 10.0.0.0/8, 10.1.0.0/16 }"
    for words, grave in (("flags interval", True), ("flags interval; auto-merge", False)):
        text = nft("ip saddr @a drop", before=f"set a {{ type ipv4_addr; {words}; {elements}\n}}")
        (finding,) = check(text, "IPT503")
        assert (finding.severity is Severity.ERROR) is grave
        assert ("nft refuses" in finding.message) is grave


def test_the_same_element_twice_is_not_refused() -> None:
    words = "type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 10.0.0.0/8 }"
    (finding,) = check(nft("ip saddr @a drop", before=f"set a {{ {words}\n}}"), "IPT503")
    assert finding.severity is Severity.INFO
    assert finding.message.startswith("10.0.0.0/8 stands there twice in the set a")


IPSET = "create banned hash:net family inet hashsize 1024 maxelem 65536"


def test_entries_of_an_ipset_that_lie_in_others() -> None:
    text = f"{IPSET}\nadd banned 10.0.0.0/8\nadd banned 10.1.0.0/16\nadd banned 192.0.2.0/24\n"
    (finding,) = check_sets(text, "IPT503")
    assert finding.message == (
        "in the set banned 1 entry lies in others (10.1.0.0/16 in 10.0.0.0/8): 2 of its 3 entries"
        " would do"
    )
    assert finding.advice == "ipset del banned 10.1.0.0/16"


@pytest.mark.parametrize(
    ("options", "extra"),
    [
        ("", " nomatch"),
        (" timeout 600", ""),
        (" timeout 0", " timeout 60"),
        (" counters", " packets 1 bytes 60"),
        (" comment", ' comment "the office"'),
    ],
)
def test_entries_with_a_life_of_their_own_are_left_alone(options: str, extra: str) -> None:
    text = f"{IPSET}{options}\nadd banned 10.0.0.0/8\nadd banned 10.1.0.0/16{extra}\n"
    assert check_sets(text, "IPT503") == []


def test_entries_with_ports_are_compared_where_the_ports_are_the_same() -> None:
    head = "create services hash:net,port family inet hashsize 1024 maxelem 65536\n"
    apart = "add services 10.0.0.0/8,tcp:22\nadd services 10.1.0.0/16,tcp:80\n"
    assert check_sets(head + apart, "IPT503") == []
    (finding,) = check_sets(f"{head}{apart}add services 10.2.0.0/16,tcp:22\n", "IPT503")
    assert "10.2.0.0/16 in 10.0.0.0/8" in finding.message


def test_a_packet_shows_what_comes_too_late_to_be_logged() -> None:
    lines = ("-A INPUT -s 203.0.113.0/24 -j DROP", "-A INPUT -s 203.0.113.0/25 -j LOG")
    text = "\n".join(("*filter", ":INPUT DROP [0:0]", *lines, "COMMIT", ""))
    (finding,) = (f for f in lint([SourceFile("rules.v4", text)]).findings if f.code == "IPT902")
    assert finding.witness is not None
    assert str(finding.witness.saddr).startswith("203.0.113.")


def test_a_few_networks_stand_where_they_are_asked_for() -> None:
    rules = [f"ip saddr 192.0.2.{n} tcp dport 22 drop" for n in range(32) if n not in (3, 12)]
    (finding,) = check(nft(*rules), "IPT501")
    assert "`ip saddr { 192.0.2." in finding.help


def test_eight_elements_are_named_and_more_come_from_a_file() -> None:
    for count, begins in ((8, "`ipset create"), (9, "give `ipset restore` the line `create")):
        bans = [f"INPUT -s 192.0.2.{2 * number + 1} -j DROP" for number in range(count)]
        (finding,) = check(save(*bans), "IPT501")
        assert finding.help.startswith(begins), finding.help


def test_eight_networks_stand_where_they_are_asked_for_and_more_are_a_set() -> None:
    for count, begins in ((8, "the others taken out: `ip saddr { "), (9, "in the table, `set ")):
        pairs = (f"ip saddr 192.0.2.{2 * number + 1} drop" for number in range(count))
        (finding,) = check(nft("; ".join(pairs)), "IPT501")
        assert begins in finding.help, finding.help


def test_neighbours_that_make_one_network_need_no_set() -> None:
    (finding,) = check(
        nft(*(f"ip saddr 192.0.2.{n} tcp dport 22 drop" for n in range(16))), "IPT501"
    )
    assert finding.help.endswith(": `ip saddr 192.0.2.0/28 tcp dport 22 drop`")


def test_neighbours_count_where_many_would_go() -> None:
    quarters = [str(each) for each in ip_network("192.0.2.0/24").subnets(new_prefix=27)]
    adds = "".join(f"add banned {prefix}\n" for prefix in quarters)
    (finding,) = check_sets(f"{IPSET}\n{adds}", "IPT503")
    assert "8 entries, and one prefix holds" in finding.message
    few = "".join(f"add banned {prefix}\n" for prefix in quarters[:2])
    assert check_sets(f"{IPSET}\n{few}", "IPT503") == []


# -- IPT504 --------------------------------------------------------------------------------


def test_one_list_is_one_finding() -> None:
    bans = [f"INPUT -s 192.0.2.{number} -j DROP" for number in range(1, 250)]
    assert [f.code for f in check(save(*bans), "IPT501", "IPT504")] == ["IPT501"]


def test_a_rule_counts_as_often_as_the_kernel_has_it() -> None:
    both = "-s 192.0.2.1,192.0.2.9 -p tcp -m tcp"
    rules = [f"INPUT {both} --dport {port} -j ACCEPT" for port in range(1000, 1105)]
    (finding,) = check(save(*rules), "IPT504")
    assert "compared with 210 rules on its way through input, all of them in INPUT" in (
        finding.message
    )
    assert check(save(*rules[:100]), "IPT504") == []


# -- IPT901 --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (("INPUT -j LOG",), 1),
        (("INPUT -m limit --limit 5/min -j LOG",), 0),
        (("INPUT -m limit --limit 5/min -j logged", "logged -j LOG"), 0),
        (("INPUT -m limit --limit 5/min -j logged", "INPUT -j logged", "logged -j LOG"), 1),
        (("INPUT -m limit --limit 5/min -j ACCEPT", "INPUT -j LOG"), 1),
        (("INPUT -m connlimit --connlimit-above 3 -j DROP", "INPUT -j LOG"), 0),
        (("INPUT -i lo -j LOG",), 0),
        (("INPUT -s 192.0.2.0/24 -j LOG",), 0),
        (("INPUT -m conntrack --ctstate ESTABLISHED -j LOG",), 0),
        (("INPUT -m conntrack --ctstate INVALID -j LOG",), 1),
        (("INPUT -j DROP", "INPUT -j LOG"), 0),
        (("INPUT -m set --match-set banned src -j LOG",), 0),
        (("INPUT -j MARK --set-mark 1", "INPUT -m mark --mark 1 -j LOG"), 0),
    ],
)
def test_whose_packets_are_logged_without_a_limit(rules: tuple[str, ...], found: int) -> None:
    assert len(check(save(*rules, chains="logged"), "IPT901")) == found


def test_a_log_for_a_program_is_an_information() -> None:
    severities = {
        target: check(save(f"INPUT -j {target}"), "IPT901")[0].severity
        for target in ("LOG", "NFLOG --nflog-group 3")
    }
    assert list(severities.values()) == [Severity.WARNING, Severity.INFO]


def test_the_limit_is_printed_where_it_belongs() -> None:
    (finding,) = check(save('INPUT -p tcp -j LOG --log-prefix "tcp: "'), "IPT901")
    limited = "-A INPUT -p tcp -m limit --limit 5/min --limit-burst 10 -j LOG"
    assert finding.help.startswith(f"write: {limited}")
    (finding,) = check(nft('tcp dport 22 counter log prefix "a: " level info drop'), "IPT901")
    assert finding.help == (
        "write: tcp dport 22 counter limit rate 5/minute burst 10 packets log"
        ' prefix "a: " level info; tcp dport 22 counter drop'
    )


# -- IPT902, and whose it was ----------------------------------------------------------------


def test_a_dead_log_is_one_finding() -> None:
    text = save("INPUT -p tcp -j DROP", "INPUT -p tcp -m tcp --dport 22 -j LOG")
    (finding,) = check(text, "IPT101", "IPT102", "IPT902")
    assert finding.code == "IPT902"
    assert finding.advice == "move it above line 4; else delete it"


def test_a_dead_drop_that_logs_is_a_dead_drop() -> None:
    text = nft("tcp dport 22 accept", "tcp dport 22 log drop")
    assert [f.code for f in check(text, "IPT101", "IPT102", "IPT902")] == ["IPT101"]


# -- IPT903 --------------------------------------------------------------------------------


def test_a_log_before_routing_is_a_log() -> None:
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j LOG\nCOMMIT\n"
    text = save("INPUT -i lo -j ACCEPT")
    assert len(check(text, "IPT903")) == 1
    assert check(raw + text, "IPT903") == []


# -- IPT904 --------------------------------------------------------------------------------


def test_host_bits_of_what_is_added_to_an_ipset() -> None:
    hosts = "create hosts hash:ip family inet hashsize 1024 maxelem 65536\n"
    text = (
        f"{IPSET}\nadd banned 10.0.0.1/8\nadd banned 192.0.2.0/24\n{hosts}add hosts 10.1.1.1/30\n"
    )
    (finding,) = check_sets(text, "IPT904")
    assert finding.span.text == "10.0.0.1/8"
    assert finding.to_do == (
        "help: write 10.0.0.0/8, for the network",
        "advice: write 10.0.0.1, if the one host is meant",
    )


# -- IPT906 --------------------------------------------------------------------------------


def test_rules_without_a_word_are_counted() -> None:
    one = "INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
    two = "INPUT -p tcp -m tcp --dport 80 -m comment --comment web -j ACCEPT"
    assert check(save(one), "IPT906")[0].message == "nothing says what this rule of INPUT is for"
    (finding,) = check(save(one, two), "IPT906")
    assert finding.message == "nothing says what 1 of the 2 rules of INPUT is for"


# -- IPT907 --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("! -s 192.0.2.0/24", "! -s 198.51.100.0/24", True),
        ("! -s 192.0.2.0/24", "! -s 192.0.2.0/25", False),
        ("! -s 192.0.2.0/24", "! -s 192.0.2.0/24", False),
        ("! -s 192.0.2.0/24", "-s 192.0.2.0/24", False),
        ("! -i eth0", "! -i eth1", True),
        ("! -i eth+", "! -i eth1", False),
        ("! -p tcp", "! -p udp", True),
        ("-p tcp -m tcp ! --dport 22", "-p tcp -m tcp ! --dport 80", True),
        ("-p tcp -m tcp ! --dport 22", "-p udp -m udp ! --dport 80", False),
        ("-m conntrack ! --ctstate NEW", "-m conntrack ! --ctstate INVALID", True),
        ("-m set ! --match-set a src", "-m set ! --match-set b src", False),
        ("! -s 192.0.2.0/24 -m limit --limit 1/s", "! -s 198.51.100.0/24", False),
    ],
)
def test_what_together_leaves_nothing(first: str, second: str, told: bool) -> None:
    text = save(f"INPUT {first} -j DROP", f"INPUT {second} -j DROP", policy="ACCEPT")
    assert bool(check(text, "IPT907")) is told


def test_both_families_of_an_inet_table() -> None:
    rules = ("ip saddr != 192.0.2.0/24 drop", "ip saddr != 198.51.100.0/24 drop")
    (finding,) = check(nft(*rules, policy="accept"), "IPT907")
    assert (
        finding.advice == "if both were meant: ip saddr != { 192.0.2.0/24, 198.51.100.0/24 } drop"
    )
    assert Family.INET in ruleset_of(nft(*rules)).families


@pytest.mark.parametrize(("count", "told"), [(46, " and 2 more"), (30, "")])
def test_how_many_rules_are_left_is_told_where_two_are_shown(count: int, told: str) -> None:
    """multiport takes fifteen ports (XT_MULTI_PORTS)."""
    rules = (f"-A INPUT -p tcp -m tcp --dport {1000 + 2 * n} -j ACCEPT" for n in range(count))
    (found,) = (each for each in iptlint.lint(saved(*rules)) if each.code == "IPT502")
    assert f"{-(-count // 15)} rules do the same" in found.message
    assert found.help.rpartition("`")[2] == told
