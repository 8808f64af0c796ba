"""What hosts that nobody had read were told wrongly, or more than once."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.findings import Finding
from iptlint.linter.run import lint
from iptlint.source import SourceFile

SHUT = "iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"


def found(*texts: tuple[str, str], codes: list[str] | None = None) -> list[Finding]:
    sources = [SourceFile(path, text) for path, text in texts]
    return list(lint(sources, select=codes or ()).findings)


def in_script(text: str, *codes: str) -> list[Finding]:
    return found(("firewall.sh", f"#!/bin/sh\n{text}"), codes=list(codes))


@pytest.mark.parametrize(
    "line",
    [
        "cat > /etc/iptables/rules.v4 <<EOF\n*filter\nCOMMIT\nEOF\n",
        '"$IPTABLES"-save | tee /srv/rules\n',
        "${IPT}-save > /srv/rules\n",
        "nft -f /etc/nftables.conf\n",
        "cp rules /etc/sysconfig/iptables\n",
    ],
)
def test_who_writes_the_file_of_the_service_or_loads_it_has_kept_the_rules(line: str) -> None:
    assert in_script(SHUT, "IPT403")
    assert not in_script(f"{SHUT}{line}", "IPT403")
    assert in_script(f"{SHUT}# see /etc/nftables.conf\n", "IPT403")


OPEN = """table inet filter {
	chain input {
		type filter hook input priority 0; policy accept;
		ct state established,related accept
		tcp dport 22 accept
		tcp dport 27017 accept
	}
}
"""


def test_the_faults_of_a_file_that_a_script_loads_are_told_once(tmp_path: Path) -> None:
    loaded = tmp_path / "nftables.conf"
    loaded.write_text(OPEN)
    loading = tmp_path / "start.sh"
    loading.write_text("#!/bin/sh\nnft -f nftables.conf\n")
    script = (str(loading), loading.read_text())
    codes = ["IPT601", "IPT603", "IPT604"]
    assert len(found(script, codes=codes)) == 3
    both = found(script, (str(loaded), OPEN), codes=codes)
    assert [(f.code, f.span.line) for f in both] == [("IPT601", 2), ("IPT604", 5), ("IPT603", 6)]
    assert not any("likewise" in f.message for f in both)


@pytest.mark.parametrize("code", ["IPT603", "IPT604"])
def test_where_the_rest_is_accepted_it_is_not_enough_to_accept_some(code: str) -> None:
    """The packets of the others come to the policy, which accepts them."""
    (open_end,) = found(("nftables.conf", OPEN), codes=[code])
    (closed,) = found(("nftables.conf", OPEN.replace("policy accept", "policy drop")), codes=[code])
    assert "deny the others" in open_end.help
    assert "deny the others" not in closed.help


def test_where_nothing_was_checked_one_finding_says_how_to_ask() -> None:
    case = 'case "$1" in\nallow) iptables -I INPUT -j ACCEPT ;;\ndeny) iptables -F ;;\nesac\n'
    (nothing,) = in_script(case)
    assert nothing.code == "IPT008"
    assert "--script-args allow" in nothing.help


def test_who_switches_ipv6_off_by_output_alone_is_told_of_lo_only() -> None:
    """Without it programs that try ::1 first wait; neighbours are not wanted."""
    codes = ["IPT201", "IPT305", "IPT702"]
    assert [f.code for f in in_script("ip6tables -P OUTPUT DROP\n", *codes)] == ["IPT305"]
    served = "ip6tables -A INPUT -p tcp --dport 80 -j ACCEPT\nip6tables -P OUTPUT DROP\n"
    assert {f.code for f in in_script(served, *codes)} == set(codes)


def test_what_denies_by_default_is_the_policy_and_no_chain_against_floods() -> None:
    flood = (
        "iptables -P INPUT DROP\n"
        "iptables -N syn_flood\n"
        "iptables -A syn_flood -m limit --limit 10/s -j RETURN\n"
        "iptables -A syn_flood -j DROP\n"
        "iptables -A INPUT -p tcp --syn -j syn_flood\n"
        "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
    )
    (untouched,) = in_script(flood, "IPT705")
    assert untouched.span.text == "iptables -P INPUT DROP"


# -- scripts ----------------------------------------------------------------------------------


def test_what_a_program_prints_for_eval_may_set_any_variable() -> None:
    rule = "iptables -t nat -A POSTROUTING -o $uplink -j MASQUERADE\n"
    assert in_script(rule, "IPT006")
    assert not in_script(f'eval "$(./settings.py)"\n{rule}', "IPT006")


def test_a_script_ends_before_its_commands_only_if_some_stand_behind() -> None:
    (ended,) = in_script("exit 0\niptables -F\n", "IPT008")
    assert "ends at line 2, before its first command" in ended.message
    (other,) = in_script("start() { ip netns add web; }\nstart\nexit $?\n# the end\n", "IPT008")
    assert "ends at" not in other.message


def test_a_script_that_empties_the_firewall_changes_it() -> None:
    (emptied,) = in_script("nft flush ruleset\n", "IPT008")
    assert "delete rules and make none" in emptied.message


def test_a_word_behind_an_option_is_no_first_argument() -> None:
    """It is called with ``--fw=drop``, not with ``drop``."""
    text = 'kind=${1#*=}\ncase "$kind" in\ndrop) iptables -P INPUT DROP ;;\nesac\n'
    (nothing,) = in_script(text, "IPT008")
    assert "--script-args drop" not in nothing.help
    (asking,) = in_script(text.replace("${1#*=}", "$1"), "IPT008")
    assert "--script-args drop" in asking.help


def test_a_rule_for_an_interface_that_nobody_knows_is_not_for_all() -> None:
    rules = (
        'eval "$(./settings.py)"\n'
        "iptables -I FORWARD -i $lan -j ACCEPT\n"
        "iptables -I FORWARD -o $lan -m state --state RELATED,ESTABLISHED -j ACCEPT\n"
    )
    assert not in_script(rules, "IPT601")


def test_nobody_from_a_private_network_comes_by_the_uplink() -> None:
    """The REDIRECT is for the VPN's clients, and the DROP for the world."""
    text = (
        "WAN_4=ens3\niptables -A INPUT -i $WAN_4 -p udp --dport 53 -j DROP\n"
        "iptables -t nat -A PREROUTING -s {} -p udp --dport 53 -j REDIRECT --to-ports 5353\n"
    )
    assert not in_script(text.format("192.168.224.0/22"), "IPT803")
    assert in_script(text.format("198.51.100.0/24"), "IPT803")


def test_the_chain_of_open_ports_may_be_empty() -> None:
    text = "iptables -N {0}\niptables -A INPUT -p udp -j {0}\niptables -P INPUT DROP\n"
    assert not in_script(text.format("UDP"), "IPT107")
    assert in_script(text.format("GAMES"), "IPT107")


def test_a_jump_of_a_loop_is_shown_once() -> None:
    text = (
        "iptables -N GAMES\nfor net in 10.0.0.0/8 192.168.0.0/16 172.16.0.0/12; do\n"
        "iptables -A INPUT -s $net -j GAMES\ndone\n"
    )
    (empty,) = in_script(text, "IPT107")
    assert [label.message for label in empty.related] == ["declared here, without rules"]


# -- what accepts all, and what lets nothing on -------------------------------------------------


def test_a_rule_that_accepts_all_has_to_go_before_a_policy_denies() -> None:
    text = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j ACCEPT\nCOMMIT\n"
    (opened,) = found(("rules.v4", text), codes=["IPT601"])
    assert opened.advice.startswith("in the place of line 4, ")


def test_what_prerouting_drops_is_not_open_and_finds_no_neighbours() -> None:
    """The policy of a base chain at PREROUTING takes all that comes, whatever INPUT accepts."""
    raw = "*raw\n:PREROUTING {} [0:0]\nCOMMIT\n"
    rest = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"
    codes = ["IPT201", "IPT601", "IPT702"]
    assert not found(("rules.v6", raw.format("DROP") + rest), codes=codes)
    assert [f.code for f in found(("rules.v6", raw.format("ACCEPT") + rest), codes=codes)] == [
        "IPT601"
    ]


def test_ipv6_that_prerouting_drops_is_not_open_beside_ipv4() -> None:
    closed = (
        "table ip filter {\n chain input {\n"
        "  type filter hook input priority 0; policy drop;\n  iif lo accept\n"
        "  ct state established,related accept\n }\n}\n"
        "table ip6 off {\n chain pre {\n"
        "  type filter hook prerouting priority -300; policy POLICY;\n }\n}\n"
    )
    assert not found(("nftables.conf", closed.replace("POLICY", "drop")), codes=["IPT701"])
    assert found(("nftables.conf", closed.replace("POLICY", "accept")), codes=["IPT701"])


# -- several files ----------------------------------------------------------------------------


def test_the_help_for_a_file_is_in_its_own_language(tmp_path: Path) -> None:
    """A script loads it, and would write ``iptables -A``."""
    rules, script = tmp_path / "iptables.rules", tmp_path / "fw.sh"
    rules.write_text(
        "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n"
        "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n"
    )
    script.write_text("#!/bin/sh\niptables-restore < iptables.rules\n")
    texts = [(str(path), path.read_text()) for path in (script, rules)]
    (world,) = found(*texts, codes=["IPT604"])
    assert "add before it: -A INPUT " in world.help


@pytest.mark.parametrize("place", ["ports.nft", "nftables.d/ports.nft"])
def test_what_is_included_lies_beside_as_in_a_repository(tmp_path: Path, place: str) -> None:
    """The host has it as /etc/nftables.d/ports.nft."""
    main, ports = tmp_path / "main.nft", tmp_path / place
    ports.parent.mkdir(exist_ok=True)
    ports.write_text("define open = { 80 }\n")
    text = 'include "/etc/nftables.d/ports.nft"\n' + OPEN.replace("22", "$open")
    main.write_text(text)
    assert not found((str(main), text), codes=["IPT001", "IPT002"])
    ports.unlink()
    assert found((str(main), text), codes=["IPT002"])


# -- help that does not help ------------------------------------------------------------------


def test_ssh_is_let_in_behind_bans() -> None:
    """At the top of the chain it would let in those whom the ban is for."""
    text = (
        "table inet f {\n chain input {\n  type filter hook input priority 0; policy drop;\n"
        "  ip saddr { 198.51.100.7, 203.0.113.9 } drop\n  ct state established,related accept\n"
        "  tcp dport { 80, 443 } accept\n  reject\n }\n}\n"
    )
    (lockout,) = found(("nftables.conf", text), codes=["IPT301"])
    assert "add before it: tcp dport 22 ct state new accept" in lockout.help


def test_a_queue_is_no_mark() -> None:
    """nfqnl_recv_verdict in nfnetlink_queue.c: a program may set one, and few do."""
    queued = "iptables -I OUTPUT -j NFQUEUE --queue-num 0\n"
    assert not in_script(queued, "IPT808")
    assert in_script("iptables -A OUTPUT -j MARK --set-mark 1\n", "IPT808")


def test_ssh_from_an_address_that_is_to_be_filled_in_is_told_with_that() -> None:
    """What is wrong with the command is said of it; were it filled in, nobody would be shut out."""
    text = f"{SHUT}iptables -A INPUT -s xxx.xxx.xxx.xxx/xx -p tcp --dport 22 -j ACCEPT\n"
    text += "iptables -A INPUT -p tcp --dport 80 -j ACCEPT\n"
    assert [each.code for each in in_script(text, "IPT301")] == ["IPT001"]
    mistaken = in_script(text.replace("--dport 22", "--dport 2222"), "IPT301")
    assert {each.code for each in mistaken} == {"IPT001", "IPT301"}


def test_nobody_comes_by_what_a_template_has_for_an_interface() -> None:
    text = (
        "iptables -P INPUT DROP\niptables -P OUTPUT ACCEPT\n"
        "iptables -A INPUT -i LAN_INTERFACE -j ACCEPT\n"
        "iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT\n"
        "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
    )
    (cut,) = in_script(text, "IPT303")
    assert "until line 5, and for new connections until line 6" in cut.message
    shut = (
        "table inet f {\n chain input {\n  type filter hook input priority 0; policy drop;\n"
        '  iif "__WG_IFACE__" accept\n  ct state established,related accept\n }\n}\n'
    )
    assert not found(("nftables.conf", shut), codes=["IPT602"])
    assert found(("nftables.conf", shut), codes=["IPT103"])
    assert found(("nftables.conf", shut.replace("__WG_IFACE__", "net7")), codes=["IPT602"])


def test_what_is_read_in_a_loop_is_nobodys_answer() -> None:
    """A script that asks waits for somebody; one that reads a file does not."""
    reads = "while read -r net; do\niptables -A INPUT -s $net -j ACCEPT\ndone < nets\n"
    assert in_script(f"{SHUT}{reads}", "IPT403")
    assert not in_script(f"{SHUT}read -r answer\n", "IPT403")


def test_who_makes_rules_that_nobody_knows_deletes_none() -> None:
    text = "source ./settings.sh\niptables -I $CHAIN -p $PROTO --dport $PORT -j $WHAT\n"
    (nothing,) = in_script(text, "IPT008", "IPT002")
    assert (
        "cannot tell which rules this script makes (the first command that may is in line 3)"
        in nothing.message
    )
    (deletes,) = in_script("iptables -D INPUT -p tcp -j ACCEPT\n", "IPT008")
    assert "delete rules and make none" in deletes.message


def test_options_are_given_with_their_values() -> None:
    """getopts(1p): a letter with a colon behind it wants an argument."""
    text = (
        'while getopts ":i:v" o; do case $o in i) p=$OPTARG ;; esac; done\n'
        "[ $OPTIND -eq 1 ] && exit 1\niptables -A INPUT -p tcp --dport $p -j ACCEPT\n"
    )
    (nothing,) = in_script(text, "IPT008")
    assert '--script-args="-i VALUE", --script-args=-v' in nothing.help


def test_two_chains_that_rules_open_are_one_finding() -> None:
    text = (
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n-A INPUT -j ACCEPT\n"
        "-A FORWARD -j ACCEPT\nCOMMIT\n"
    )
    (opened,) = found(("rules.v4", text), codes=["IPT601"])
    assert "INPUT and FORWARD are open: lines 4 and 5 accept every new" in opened.message
    assert "in the place of lines 4 and 5, accept" in opened.help


@pytest.mark.parametrize(
    ("said", "told"), [("echo $LAN", True), ("ip addr add $LAN dev e0", False)]
)
def test_a_network_that_is_only_said_besides_is_a_network(said: str, told: bool) -> None:
    text = f"LAN=10.10.1.0/23\n{said}\niptables -A INPUT -s $LAN -j ACCEPT\n"
    assert bool(in_script(text, "IPT904")) is told


RAW = """*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING {}-m conntrack --ctstate INVALID -j DROP
COMMIT
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
-A INPUT -j LOG
COMMIT
"""


def test_what_raw_drops_as_invalid_is_all_that_comes() -> None:
    """As the kernel has it: a packet has no connection there yet."""
    state, lockout = found(("raw.rules", RAW.format("")), codes=["IPT209", "IPT301", "IPT901"])
    assert (lockout.code, state.code) == ("IPT301", "IPT209")
    assert lockout.advice is not None
    assert lockout.advice.startswith("move that test of the state behind")
    part = found(("raw.rules", RAW.format("-p udp ")), codes=["IPT301", "IPT901"])
    assert [finding.code for finding in part] == ["IPT901"]


def test_one_help_is_given_once() -> None:
    text = (
        "*mangle\n:PREROUTING DROP [0:0]\n-A PREROUTING -i lo -j ACCEPT\nCOMMIT\n"
        "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n"
        "-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT\n"
        "-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"
    )
    (finding,) = found(("all.rules", text), codes=["IPT201"])
    assert finding.fix is not None
    assert finding.fix.says.count("ESTABLISHED,RELATED") == 1
    assert len(finding.fix.edits) == 1


def test_an_option_behind_an_empty_variable_is_no_chain() -> None:
    text = "iptables -A $CHAIN -i lo -j ACCEPT\n"
    asking = f'{text}[ -n "$FROM" ] && iptables -A $CHAIN -s $FROM -j RETURN\n'
    findings = in_script(f"{asking}iptables -A INPUT -j $CHAIN\n", "IPT006")
    assert [finding.message[:40] for finding in findings] == [
        "nothing in this script gives $CHAIN a va"
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pve-firewall restart", "the rules that pve-firewall makes"),
        ("shorewall restart", "the rules that shorewall makes"),
        ("true", "iptlint saw no command in this script"),
        ("fw() { iptables -A INPUT -j DROP; }", "this script names iptables, nft or ipset"),
    ],
)
def test_tools_that_are_only_printed_are_not_named(line: str, said: str) -> None:
    (finding,) = in_script(f'{line}\necho "see: iptables -L -n"\n', "IPT008")
    assert finding.message.startswith(said)
