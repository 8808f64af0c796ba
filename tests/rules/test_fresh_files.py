"""What files of rules that were read last were told wrongly, or not told."""

from __future__ import annotations

import json

import pytest

from iptlint.findings import Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile


def told(*texts: str, codes: tuple[str, ...] = (), paths: tuple[str, ...]) -> list[Finding]:
    sources = [SourceFile(path, text) for path, text in zip(paths, texts, strict=True)]
    findings = lint(sources, select=codes).findings
    return [each for each in findings if not codes or each.code in codes]


def in_nft(*rules: str, path: str = "nftables.conf", codes: tuple[str, ...] = ()) -> list[Finding]:
    head = "flush ruleset\ntable inet filter {\nchain input {\n"
    hook = "type filter hook input priority filter; policy drop;\n"
    text = head + hook + "".join(f"{rule}\n" for rule in rules) + "}\n}\n"
    return told(text, paths=(path,), codes=codes)


def saved(*lines: str, policy: str = "DROP") -> str:
    head = f"*filter\n:INPUT {policy} [0:0]\n:FORWARD {policy} [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    return head + "".join(f"{line}\n" for line in lines) + "COMMIT\n"


LO, ANSWERS = "iif lo accept", "ct state established,related accept"


@pytest.mark.parametrize("name", ["{{ lan }}", "{{ host.data.the_wan_device }}"])
def test_an_interface_in_quotes_is_a_placeholder_too(name: str) -> None:
    """nft takes one that is short enough for a name; none of it is what the author wrote."""
    (finding,) = in_nft(LO, f'iifname "{name}" accept', codes=("IPT001", "IPT006", "IPT103"))
    assert finding.code == "IPT001"
    assert finding.message.startswith(f"`{name}` is a placeholder of a template")
    assert not in_nft(LO, f'oifname "lo" log prefix "{name}"', codes=("IPT001",))


def test_the_placeholders_of_a_file_that_is_called_a_template_are_no_mistakes() -> None:
    rules = (LO, "tcp dport {{ port }} accept")
    (finding,) = in_nft(*rules, path="nftables.conf.j2", codes=("IPT001", "IPT002"))
    assert (finding.code, finding.severity) == ("IPT002", Severity.INFO)
    assert "what it becomes is not known here" in finding.message
    (plain,) = in_nft(*rules, codes=("IPT001", "IPT002"))
    assert plain.severity is Severity.ERROR


def test_a_comment_of_a_template_opens_no_block() -> None:
    rules = (LO, "{# the web,\nfor all -#}", "tcp dport {{ port }} accept", "counter drop")
    findings = in_nft(*rules, path="nftables.conf.j2", codes=("IPT001", "IPT601"))
    assert not findings
    unclosed = in_nft(LO, "{# the web #}", codes=("IPT001",))
    assert any("never closed" in each.message for each in unclosed)


@pytest.mark.parametrize("wan", ['"wan"', "{{ wan }}"])
def test_an_accept_for_all_but_one_interface_lets_in_nobody_there(wan: str) -> None:
    """What lets someone in there could not be read: that none is denied there for certain says
    nothing."""
    rules = (LO, f"iifname != {wan} accept", ANSWERS, "{% if ssh %}", "tcp dport 22 accept")
    assert not in_nft(*rules, codes=("IPT601", "IPT602"))
    everyone = (LO, "ct state new accept", "{% if ssh %}", "tcp dport 22 accept")
    assert [each.code for each in in_nft(*everyone, codes=("IPT602",))] == ["IPT602"]


def test_ping_over_ipv6_needs_neighbours() -> None:
    """Who accepts ping over IPv6 and nothing else wants the host to be found by it."""
    ping = "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT"
    answers = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    (finding,) = told(saved(answers, ping), codes=("IPT702",), paths=("rules.v6",))
    assert "neighbour discovery does not work" in finding.message
    assert not told(saved(answers), codes=("IPT702",), paths=("rules.v6",))


def test_ipv4_that_denies_on_one_interface_only_is_said_to() -> None:
    """The packet that is shown comes by that one: by another IPv4 accepts it as well."""
    four = saved("-A INPUT -i tunnel9 -m conntrack --ctstate NEW -j DROP", policy="ACCEPT")
    six = saved("-A INPUT -m rt --rt-type 0 -j DROP", policy="ACCEPT")
    paths = ("rules.v4", "rules.v6")
    (finding,) = told(four, six, codes=("IPT701",), paths=paths)
    assert "while IPv4 denies what comes in by tunnel9" in finding.message
    assert finding.witness is not None
    assert finding.witness.iif == "tunnel9"
    (default,) = told(saved(), six, codes=("IPT701",), paths=paths)
    assert "while IPv4 denies by default" in default.message


def test_a_test_without_a_text_is_told_by_its_number() -> None:
    """`==` compares all bits of the state, and no packet has two; the kernel does so too."""
    state = {"op": "==", "left": {"ct": {"key": "state"}}, "right": ["related", "established"]}
    where = {"family": "ip", "table": "t"}
    chain = {**where, "name": "c", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}
    rule = {**where, "chain": "c", "expr": [{"match": state}, {"accept": None}]}
    made = [{"table": {"family": "ip", "name": "t"}}, {"chain": chain}, {"rule": rule}]
    text = json.dumps({"nftables": [{"add": each} for each in made]})
    (finding,) = told(text, codes=("IPT103",), paths=("rules.json",))
    assert finding.message == "no packet passes test 1 of rule 1 of c"


def test_a_chain_that_docker_leads_to_is_entered_from_there_too() -> None:
    """Docker calls DOCKER-USER from FORWARD, by a rule that the file need not have: what INPUT
    leaves to the shared chain is not all that comes to it."""
    answers = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    text = saved(
        f"-A INPUT {answers}",
        "-A INPUT -j SHARED",
        "-A DOCKER-USER -i eth0 -j SHARED",
        f"-A SHARED {answers}",
        "-A SHARED -j REJECT",
    ).replace("-A", ":DOCKER-USER - [0:0]\n:SHARED - [0:0]\n-A", 1)
    codes = ("IPT101", "IPT102", "IPT106")
    assert not told(text, codes=codes, paths=("rules.v4",))
    alone = text.replace("-A DOCKER-USER -i eth0 -j SHARED\n", "")
    assert [each.code for each in told(alone, codes=codes, paths=("rules.v4",))] == ["IPT102"]


def test_a_template_need_not_have_the_line_ends_of_nft() -> None:
    """Jinja ends each line with a line feed, whatever the template has."""
    text = "flush ruleset\r\ntable inet t {\r\n}\r\n"
    assert told(text, codes=("IPT001",), paths=("nftables.conf",))
    assert not told(text, codes=("IPT001",), paths=("nftables.conf.j2",))


def test_the_options_of_a_protocol_that_a_template_names_are_not_unknown() -> None:
    text = saved("-A INPUT -p {{ proto }} --dport {{ port }} -j ACCEPT")
    (finding,) = told(text, codes=("IPT001",), paths=("rules.v4",))
    assert "is a placeholder of a template" in finding.message
    (in_templates,) = told(text, codes=("IPT001", "IPT002"), paths=("templates/rules.v4",))
    assert in_templates.code == "IPT002"


def test_what_software_wrote_behind_a_ban_of_all_is_not_told() -> None:
    """`ufw deny` for everybody ends the chain of the user; the jumps behind it are of ufw."""
    text = saved(
        "-A INPUT -j ufw-before-input",
        "-A INPUT -j ufw-after-input",
        "-A ufw-before-input -j ufw-user-input",
        "-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT",
        "-A ufw-user-input -j DROP",
        "-A ufw-after-input -p udp -m udp --dport 137 -j ACCEPT",
    )
    chains = "".join(f":ufw-{name}-input - [0:0]\n" for name in ("before", "after", "user"))
    text = text.replace("-A", f"{chains}-A", 1)
    assert not told(text, codes=("IPT101",), paths=("rules.v4",))
    ours = text.replace("-A INPUT -j ufw-after-input", "-A INPUT -s 192.0.2.1/32 -j ACCEPT")
    assert told(ours, codes=("IPT101",), paths=("rules.v4",))


def test_rules_that_a_translation_lost_are_one_finding() -> None:
    text = (
        "# Translated by iptables-restore-translate v1.8.9 on Mon Jan  1 00:00:00 2024\n"
        "add table ip filter\n"
        "add chain ip filter INPUT { type filter hook input priority 0; policy drop; }\n"
        "# -t filter -A INPUT -m set --match-set a src -j ACCEPT\n"
        "# -t filter -A INPUT -m set --match-set b src -j DROP\n"
    )
    (finding,) = told(text, codes=("IPT409",), paths=("rules.nft",))
    assert "likewise line 5" in finding.message


@pytest.mark.parametrize(
    ("written", "limited"),
    [
        ('log prefix "x " limit rate 5/minute', 'limit rate 5/minute log prefix "x "'),
        (
            'log prefix "x " counter',
            'counter limit rate 5/minute burst 10 packets log prefix "x "',
        ),
    ],
)
def test_what_stands_behind_a_log_is_kept(written: str, limited: str) -> None:
    """A limit behind the log limits nothing; a counter there counts all that is logged."""
    (finding,) = in_nft(LO, ANSWERS, written, codes=("IPT901",))
    assert finding.fix is not None
    assert finding.fix.says == f"write: {limited}"


def test_a_jump_for_ssh_to_a_chain_without_rules_says_that_ssh_is_wanted() -> None:
    text = saved("-A INPUT -p tcp -j REJECT", "-A INPUT -p tcp -m tcp --dport 22 -j TCP")
    text = text.replace("-A", ":TCP - [0:0]\n-A", 1)
    (finding,) = told(text, codes=("IPT301",), paths=("rules.v4",))
    assert finding.severity is Severity.ERROR


def test_rules_for_addresses_of_ipv4_alone_say_nothing_of_ipv6() -> None:
    """In a table for both families all of IPv6 leaves past the tunnel: none of it passes the test
    of an address of IPv4. The kernel lets it out so."""
    head = "flush ruleset\ntable inet t {\nchain out {\ntype filter hook output priority filter;\n"
    denial = 'oifname != { "wg0", "lo" } ip daddr != 192.168.0.0/16 drop\n'
    text = f"{head}{denial}}}\n}}\n"
    (finding,) = told(text, codes=("IPT701",), paths=("nftables.conf",))
    assert "over IPv6 everything leaves this host while IPv4 denies by default" in finding.message
    both = text.replace("ip daddr != 192.168.0.0/16 ", "")
    assert not told(both, codes=("IPT701",), paths=("nftables.conf",))


def test_datagrams_that_are_let_in_over_ipv6_need_neighbours() -> None:
    """What is accepted from ::1 is no neighbour's: none of them sends from there."""
    rules = ("-A INPUT -s ::1/128 -j ACCEPT", "-A INPUT -p udp -m udp --dport 10000 -j ACCEPT")
    (finding,) = told(saved(*rules), codes=("IPT702",), paths=("rules.v6",))
    assert "drops all neighbour solicitations" in finding.message
    assert not told(saved(rules[0]), codes=("IPT702",), paths=("rules.v6",))


def test_the_private_network_is_written_for_its_first_address() -> None:
    """Of 192.0.0.0/8, which is what the kernel makes of it, most addresses are strangers'."""
    text = saved("-A INPUT -s 192.168.0.0/8 -j ACCEPT")
    (finding,) = told(text, codes=("IPT904",), paths=("rules.v4",))
    assert finding.fix is None
    assert "write 192.168.0.0/16, which is private" in finding.help
    for written, network in (("192.168.7.1/24", "192.168.7.0/24"), ("10.0.0.1/8", "10.0.0.0/8")):
        text = saved(f"-A INPUT -s {written} -j ACCEPT")
        (finding,) = told(text, codes=("IPT904",), paths=("rules.v4",))
        assert finding.fix is not None
        assert finding.fix.edits[0].text == network


def test_which_interface_a_template_looks_up_by_number_is_not_known() -> None:
    assert not in_nft("iif {{ wan }} accept", 'iif "{{ host.lan }}" accept', codes=("IPT905",))
    assert in_nft("iif ppp0 accept", codes=("IPT905",))


def test_two_placeholders_with_the_same_last_word_are_two_interfaces() -> None:
    names = ("{{ wan.device }}", "{{ lan.device }}")
    rules = (f'iifname "{name}" tcp dport 80 accept' for name in names)
    assert not in_nft(LO, *rules, codes=("IPT106", "IPT102"))


@pytest.mark.parametrize("indent", [None, 1])
def test_what_is_said_of_json_stands_at_its_object(indent: int | None) -> None:
    where = {"family": "inet", "table": "t"}
    chain = {**where, "name": "c", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}
    port = {"payload": {"protocol": "tcp", "field": "dport"}}
    rule = {"expr": [{"match": {"op": "==", "left": port, "right": 22}}, {"accept": None}]}
    made = [{"table": {"family": "inet", "name": "t"}}, {"chain": chain}]
    made += [{"rule": {**where, "chain": "c", **rule}}] * 2
    text = json.dumps({"nftables": made}, indent=indent)
    (finding,) = told(text, codes=("IPT106",), paths=("rules.json",))
    first, second = (at for at in range(len(text)) if text.startswith('"rule"', at))
    assert first < finding.span.start < second
    assert text[finding.span.start :].startswith("{")
    assert '"rule"' in text[finding.span.start : second + 6]
    assert finding.related[0].span.start < first


@pytest.mark.parametrize("card", ["usb0", "wlan0", "wlp3s0"])
def test_a_card_by_which_packets_leave_translated_leads_to_the_world(card: str) -> None:
    """Unless another leads there, beside which it is the network of the host."""
    forwarding = (
        f"-A FORWARD -i {card} -o eth0 -j ACCEPT",
        f"-A FORWARD -i eth0 -o {card} -j ACCEPT",
    )
    ssh = "-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT"
    filters = saved("-A INPUT -i lo -j ACCEPT", ssh, *forwarding)

    def lent(*names: str) -> list[str]:
        lines = "".join(f"-A POSTROUTING -o {name} -j MASQUERADE\n" for name in names)
        text = f"*nat\n:POSTROUTING ACCEPT [0:0]\n{lines}COMMIT\n{filters}"
        codes = ("IPT604", "IPT605")
        return [each.code for each in told(text, codes=codes, paths=("rules.v4",))]

    assert lent(card) == ["IPT605"]
    assert lent("eth0") == lent("eth0", card) == ["IPT604", "IPT605"]


def test_the_lines_of_a_table_whose_name_is_missing_are_one_mistake() -> None:
    """iptables-restore stops at the first of them; what is wrong with the others is the same."""
    lines = (
        "-A PREROUTING -p tcp -m tcp --dport 53 -j DNAT --to-destination 192.0.2.1:53",
        "-A POSTROUTING -j MASQUERADE",
    )
    (finding,) = told(saved(*lines), codes=("IPT006",), paths=("rules.v4",))
    assert "has no chain PREROUTING" in finding.message
    assert finding.help.endswith("put the line under *nat")


def test_one_placeholder_in_two_tests_is_one_mistake() -> None:
    name = "YOUR-INTERFACE-HERE"
    lines = (f"-A INPUT -i {name} -j ACCEPT", f"-A OUTPUT -o {name} -j ACCEPT")
    (finding,) = told(saved(*lines), codes=("IPT006",), paths=("rules.v4",))
    assert "likewise line 6" in finding.message
    (of_host,) = told(saved("-A INPUT -s YOUR-IP-HERE"), codes=("IPT306",), paths=("rules.v4",))
    assert "looks like a placeholder" in of_host.message


def test_a_variable_with_a_placeholder_for_a_value_is_no_host() -> None:
    head = "define LAN = {{ lan }}\nflush ruleset\ntable inet t {\nchain c {\n"
    text = head + "type filter hook input priority 0; policy drop;\nip saddr $LAN accept\n}\n}\n"
    assert not told(text, codes=("IPT306",), paths=("nftables.conf.j2",))


def test_definitions_that_another_file_of_the_run_includes_need_no_table() -> None:
    main = 'flush ruleset\ninclude "/etc/nftables/lists.nft"\ntable inet t {\nchain c {\n}\n}\n'
    lists = "define LIST = { 192.0.2.1, 192.0.2.2 }\n"
    for path in ("files/lists.nft", "files/others.nft"):
        both = told(main, lists, codes=("IPT008",), paths=("templates/nftables.conf", path))
        assert len(both) == ("others" in path)


def test_sshd_may_listen_on_the_odd_port_of_a_list() -> None:
    """A person opens the web and a port of their own in one rule."""
    rule = "-A INPUT -p tcp -m multiport --dports 80,443,{} -j ACCEPT"
    (odd,) = told(saved(rule.format(12345)), codes=("IPT301",), paths=("rules.v4",))
    assert odd.severity is Severity.INFO
    assert "unless sshd listens on 12345" in odd.message
    (known,) = told(saved(rule.format(25)), codes=("IPT301",), paths=("rules.v4",))
    assert known.severity is Severity.ERROR


def test_a_template_may_include_any_other_template() -> None:
    main = 'flush ruleset\ntable inet t {\ninclude "{{ path }}"\n}\n'
    part = "chain input {\n{{ rules }}\n}\n"
    paths = ("templates/nftables.conf.j2", "templates/nftables.d/input.nft.j2")
    assert not told(main, part, codes=("IPT001",), paths=paths)


def test_a_chain_that_another_file_of_the_run_includes_in_a_table_needs_none() -> None:
    main = 'flush ruleset\ntable inet t {\ninclude "part.nft"\n}\n'
    part = "chain input {\ntype filter hook input priority 0; policy drop;\n}\n"
    for path in ("part.nft", "other.nft"):
        findings = told(main, part, codes=("IPT001",), paths=("main.nft", path))
        named = [each for each in findings if "is named by two names" in each.message]
        assert len(named) == (path == "other.nft")
