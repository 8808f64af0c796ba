"""What lint rules said of strangers' scripts that was not so, or that nobody could use."""

from __future__ import annotations

import pytest

from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile


def found(text: str, code: str) -> list[Finding]:
    report = lint((SourceFile("firewall.sh", f"#!/bin/sh\n{text}"),), select=(code,))
    return list(report.findings)


DENIES = "iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"

# -- who sends what sshd sends -----------------------------------------------------------------


@pytest.mark.parametrize(
    "others",
    ["--uid-owner 1000", "--uid-owner www-data", "--gid-owner 33", "--uid-owner 1-65535"],
)
def test_sshd_sends_as_root(others: str) -> None:
    text = (
        "iptables -P OUTPUT DROP\n"
        f"iptables -A OUTPUT -m owner {others} -j ACCEPT\n"
        "iptables -A OUTPUT -p tcp --sport 22 -j ACCEPT\n"
    )
    (cut,) = found(text, "IPT303")
    assert [label.span.line for label in cut.related] == [4]


@pytest.mark.parametrize(
    "root",
    [
        "--uid-owner root",
        "--uid-owner 0-99",
        "--socket-exists",
        "--gid-owner root --suppl-groups",
    ],
)
def test_what_root_may_send_lets_sshd_answer(root: str) -> None:
    opens = f"{DENIES}iptables -A INPUT -p tcp --dport 22 -j ACCEPT\niptables -P OUTPUT DROP\n"
    text = f"{opens}iptables -A OUTPUT -m owner {root} -j ACCEPT\n"
    assert not found(text, "IPT301")
    assert found(text.replace(root, "--uid-owner 1000"), "IPT301")


@pytest.mark.parametrize(
    ("sender", "gets_in"),
    [
        ("skuid root", True),
        ("skuid { 0, 33 }", True),
        ("skgid 0-99", True),
        ("skuid www-data", False),
        ("skuid != root", False),
        ("skuid 33", False),
    ],
)
def test_nft_asks_the_same_of_who_sends(sender: str, gets_in: bool) -> None:
    text = (
        "nft -f - <<EOF\ntable inet host {\n"
        " chain in { type filter hook input priority 0; policy drop;\n"
        "  iifname lo accept\n  tcp dport 22 accept\n }\n"
        " chain out { type filter hook output priority 0; policy drop;\n"
        f"  oifname lo accept\n  meta {sender} accept\n }}\n}}\nEOF\n"
    )
    assert (not found(text, "IPT301")) is gets_in


# -- loops -------------------------------------------------------------------------------------


def test_what_is_lost_in_each_round_is_told_of_no_round() -> None:
    again = "iptables -A INPUT -p tcp --dport $p -i eth0 -j ACCEPT"
    text = f"iptables -A INPUT -i eth0 -j ACCEPT\nfor p in 80 443; do\n {again}\ndone\n"
    (lost,) = found(text, "IPT102")
    assert lost.message.startswith("each time, this ACCEPT changes nothing: line 2 accepts")
    assert lost.help == "advice: delete it"


# -- help that would do harm -------------------------------------------------------------------


def test_no_edit_moves_a_ban_where_nobody_could_connect_any_more() -> None:
    accepts = "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
    bans = "iptables -A INPUT -p tcp --dport 22 --syn -j DROP\n"
    (lost,) = found(f"{DENIES}{accepts}{bans}", "IPT101")
    assert lost.fix is None
    (some,) = found(f"{DENIES}{accepts}{bans.replace('INPUT', 'INPUT -s 203.0.113.9')}", "IPT101")
    assert some.fix is not None


# -- who is a stranger -------------------------------------------------------------------------

TRUSTS = "iptables -A INPUT -p tcp --sport 25 -j ACCEPT\n"


def test_who_comes_by_no_named_card_may_be_no_stranger() -> None:
    limits = (
        "iptables -A INPUT -i eth0 -p tcp --syn -m limit --limit 2/s -j ACCEPT\n"
        "iptables -A INPUT -i eth0 -p tcp --syn -j DROP\n"
    )
    (trust,) = found(f"{DENIES}{limits}{TRUSTS}", "IPT205")
    assert trust.confidence is Confidence.POSSIBLE
    (trust,) = found(f"{DENIES}{TRUSTS}", "IPT205")
    assert trust.confidence is Confidence.CERTAIN


# -- what a router and its SSH are ----------------------------------------------------------------


def test_between_the_cards_that_rules_name_answers_may_return() -> None:
    cards = [f"iptables -A FORWARD -i {card} -j ACCEPT\n" for card in ("eth0", "wlan0")]
    assert not found(f"iptables -P FORWARD DROP\n{''.join(cards)}", "IPT201")
    to_cards = "".join(cards).replace("-i", "-o")
    assert not found(f"iptables -P FORWARD DROP\n{to_cards}", "IPT201")
    (one,) = found(f"iptables -P FORWARD DROP\n{cards[0]}", "IPT201")
    assert one.confidence is Confidence.CERTAIN


def test_a_rule_that_is_said_to_be_for_ssh_is() -> None:
    """Though others let packets to 22 in as well."""
    answers = "iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT\n"
    ssh = "# let SSH in\niptables -A INPUT -p tcp --dport 5314 -j ACCEPT\n"
    all_ = "iptables -A INPUT -p tcp -m limit --limit 60/s -j ACCEPT\n"
    (cut,) = found(f"{DENIES}{answers}{ssh}{all_}", "IPT303")
    assert cut.related[-1].span.line == 6
    (cut,) = found(f"{DENIES}{answers}{ssh.replace('SSH', 'it')}{all_}", "IPT303")
    assert cut.related[-1].span.line == 7


def test_the_syn_that_is_shown_is_not_sent_to_another_host() -> None:
    to_lan = "iptables -t nat -A PREROUTING -i eth0 -d 203.0.113.5 -p tcp --dport 22"
    text = f"{DENIES}{to_lan} -j DNAT --to 10.0.0.2:22\niptables -A INPUT -i eth0 -j LOG\n"
    (shut,) = found(text, "IPT301")
    assert shut.witness is not None
    assert (shut.witness.iif, shut.witness.daddr) != ("eth0", "203.0.113.5")


def test_a_file_that_is_not_here_may_end_a_lockout() -> None:
    ssh = "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
    (cut,) = found(f"{DENIES}. /etc/fw/more\n{ssh}", "IPT303")
    assert cut.confidence is Confidence.POSSIBLE
    (cut,) = found(f"{DENIES}{ssh}. /etc/fw/more\n", "IPT303")
    assert cut.confidence is Confidence.CERTAIN


# -- variables ---------------------------------------------------------------------------------

NFT = (
    "nft add table inet f\n"
    "nft add chain inet f in '{ type filter hook input priority 0; policy accept; }'\n"
)


@pytest.mark.parametrize(
    "commands",
    [
        "nft add rule inet f in iifname $LAN drop\nnft add rule inet f in ip saddr ${NET} drop\n",
        'nft add rule inet f in "iifname $LAN drop"\nnft "add rule inet f in ip saddr $NET drop"\n',
        "nft -f - <<EOF\nadd rule inet f in iifname $LAN drop\nEOF\n"
        "nft -f - <<EOF\nadd rule inet f in ip saddr $NET tcp dport 22 drop\nEOF\n",
        "iptables -A INPUT -s $NET -j DROP\niptables -A INPUT -d $LAN -p udp -j DROP\n",
    ],
)
def test_variables_without_a_value_are_one_cause(commands: str) -> None:
    """Where a word is left out, the tool reads the next one in its place, and refuses that."""
    text = f"LAN=\nNET=''\n{NFT}{commands}"
    (refused,) = found(text, "IPT001")
    assert "no value here" in refused.message
    assert "likewise line " in refused.message
    assert "give " in str(refused.help)


@pytest.mark.parametrize(
    "command",
    [
        "$SUDO nft add rule inet f in iifname eth1 dorp",
        "nft add rule inet f in $MORE iifname eth1 dorp",
        "nft -f - <<EOF\nadd rule inet f in $MORE iifname eth1 dorp\nEOF",
        "$SUDO iptables -A INPUT -i eth1 -j DROP stray",
        "iptables -A INPUT $MORE -i eth1 -j DROP stray",
    ],
)
def test_what_is_wrong_with_any_value_is_told_as_it_is(command: str) -> None:
    (refused,) = found(f"SUDO=\nMORE=\n{NFT}{command}\n", "IPT001")
    assert "empty" not in refused.message


def test_all_variables_that_may_be_the_cause_are_named() -> None:
    rule = "nft add rule inet f in iifname $LAN ip saddr $NET drop"
    (refused,) = found(f"LAN=\nNET=\n{NFT}{rule}\n", "IPT001")
    assert refused.message.startswith("$LAN and $NET have no value here")
    one = "nft add rule inet f in iifname $LAN drop"
    (refused,) = found(f"LAN=\nNET=\n{NFT}{rule}\n{one}\n", "IPT001")
    assert refused.message.endswith("; likewise line 7")


def test_variables_that_nothing_gives_a_value_are_one_cause() -> None:
    rules = (
        "iptables -A INPUT -s $ADMIN -p tcp -j ACCEPT\niptables -A INPUT -s $WEB -p udp -j DROP\n"
    )
    (missing,) = found(f"{DENIES}{rules}", "IPT006")
    assert missing.message.endswith("; likewise line 5")


# -- addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["x.x.x.x", "192.168.1.xxx", "XX.XX.XX.XX", "a.b.c.d"])
def test_what_is_to_be_filled_in_is_no_name(written: str) -> None:
    (use,) = found(f"iptables -A INPUT -s {written} -j ACCEPT\n", "IPT306")
    assert use.help == "advice: write the address that it stands for"
    assert "the command fails" in use.message


@pytest.mark.parametrize("written", ["YOUR_IP", "OFFICE_NET_2"])
def test_a_word_in_capitals_with_underscores_is_a_placeholder(written: str) -> None:
    (use,) = found(f"iptables -A INPUT -s {written} -j ACCEPT\n", "IPT306")
    assert use.message.startswith(f"{written} looks like a placeholder: if no host has that name")
    assert use.help == "advice: write the address that it stands for"


def test_names_and_placeholders_are_two_findings() -> None:
    rule = "iptables -A INPUT -s {} -j ACCEPT\n"
    uses = found(
        rule.format("YOUR_IP") + rule.format("THEIR_IP") + rule.format("h.example"), "IPT306"
    )
    assert len(uses) == 2


@pytest.mark.parametrize("name", ["your_ip", "OFFICE", "x.example.org", "a.b.c.de", "x.x.x"])
def test_a_name_is_looked_up(name: str) -> None:
    (use,) = found(f"iptables -A INPUT -s {name} -j ACCEPT\n", "IPT306")
    assert "looked up once" in use.message


def test_before_a_null_mask_no_address_is_looked_at() -> None:
    """ip6tables takes an address of IPv4 there (xtables_ip6parse_multiple)."""
    text = "ip6tables -P OUTPUT DROP\nip6tables -A OUTPUT -s ::1 -d 0/0 -j ACCEPT\n"
    assert not found(text, "IPT001")
    assert not found(text, "IPT305")


# -- what is loaded, and by whom ---------------------------------------------------------------


@pytest.mark.parametrize(
    "reload",
    [
        "systemctl restart iptables",
        "systemctl restart iptables.service",
        "service iptables restart",
        "/etc/init.d/iptables restart",
        "netfilter-persistent reload",
    ],
)
def test_what_is_loaded_before_it_is_saved_takes_the_rules_away(reload: str) -> None:
    saved = "iptables-save > /etc/sysconfig/iptables\n"
    (lost,) = found(f"{DENIES}{reload}\n{saved}", "IPT403")
    assert lost.span.text == reload
    assert not found(f"{DENIES}{saved}{reload}\n", "IPT403")
    assert not found(f"{reload}\n{DENIES}{saved}", "IPT403")


@pytest.mark.parametrize("called", ["sh /etc/fw/nat.sh", "./firewall-nat.sh", "/etc/fw/nat"])
def test_another_script_of_the_firewall_may_call_a_chain(called: str) -> None:
    chain = "iptables -N web\niptables -A web -j ACCEPT\n"
    assert found(f"{DENIES}{chain}", "IPT104")
    assert not found(f"{DENIES}{chain}{called}\n", "IPT104")


@pytest.mark.parametrize(
    "writes",
    [
        "cat > /etc/fw.sh <<EOF\niptables -A INPUT -j DROP\nEOF\n",
        "if [ -f x ]; then\n echo 'iptables -A INPUT -j DROP' >> /etc/fw.sh\nfi\n",
        "cat <<EOF | sudo tee /etc/fw.sh\ntable inet filter {\n}\nEOF\n",
    ],
)
def test_a_script_that_only_writes_rules_says_where(writes: str) -> None:
    (nothing,) = found(writes, "IPT008")
    assert "write rules into /etc/fw.sh" in nothing.message
    assert nothing.help == "advice: where it has been run, lint that file"


def test_a_policy_that_nobody_knows_to_be_set_is_not_told_to_accept() -> None:
    chain = "nft 'add chain ip f i { type filter hook input priority 0; policy drop; }'"
    rules = f"nft add table ip f\n{chain}\nnft add rule ip f i ct state established accept\n"
    (told,) = found(f"if [ -e /x ]; then\n:\nelse\n{rules}", "IPT601")
    assert told.code == "IPT001"
    (told,) = found(rules.replace("drop", "accept"), "IPT601")
    assert told.code == "IPT601"


def test_a_limit_is_not_proposed_for_all_targets_of_a_loop() -> None:
    text = "for to in LOG DROP; do\niptables -A INPUT -j $to\ndone\n"
    (told,) = found(f"iptables -A INPUT -i lo -j ACCEPT\n{text}", "IPT901")
    assert told.fix is None
    assert told.help.startswith("advice: give the LOG a line of its own")


def test_a_script_that_ends_before_its_first_rule_says_where() -> None:
    (nothing,) = found("echo edit me first\nexit\niptables -A INPUT -j DROP\n", "IPT008")
    assert "ends at line 3, before its first command for a firewall" in nothing.message
    assert (
        nothing.help == "advice: lint it without line 3, if that is to go once the script is used"
    )
    (nothing,) = found("[ $1 ] || exit\nrules() {\niptables -F\n}\n", "IPT008")
    assert "ends at" not in nothing.message


def test_what_was_written_with_values_that_are_not_known_is_told_of_once() -> None:
    text = (
        "if ask; then\ncat > /etc/nftables.conf <<EOF\ntable inet host {\n}\nEOF\nfi\n"
        "nft -f /etc/nftables.conf\n"
    )
    assert not found(text, "IPT002")
    assert found(text, "IPT008")


def test_a_tool_that_is_an_argument_is_the_one_it_is_called_for() -> None:
    """Without an argument the script ends; who runs it gives one."""
    text = "IPT=${1:?}; IPTABLES=$IPT\n$IPTABLES -P INPUT DROP\n"
    assert not found(text, "IPT008")
    assert found(text, "IPT201")


@pytest.mark.parametrize("service", ["/etc/init./iptables restart", "/opt/fw/iptables start"])
def test_a_service_that_lies_anywhere_is_no_tool(service: str) -> None:
    assert not found(f"{DENIES}{service}\n", "IPT001")
    assert found(f"{DENIES}{service.partition(' ')[0]} -j\n", "IPT001")


# -- chains, cards and networks ----------------------------------------------------------------


def test_a_chain_of_nft_that_is_named_like_a_hook_wants_one() -> None:
    chain = "nft add table filter\nnft add chain filter input\n"
    rules = "nft add rule filter input iif lo log tcp dport 80 accept\n" * 2
    (unhooked,) = found(f"{chain}{rules}", "IPT111")
    assert "its 2 rules" in unhooked.message
    (uncalled,) = found(f"{chain}{rules}".replace("input", "web"), "IPT104")
    assert "the 2 rules in it" in uncalled.message


def test_a_card_that_everything_is_accepted_from_does_not_face_the_world() -> None:
    cards = "iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE\niptables -P FORWARD DROP\n"
    forward = "iptables -A FORWARD -i ppp+ -o tun+ -j ACCEPT\n"
    trusted = "iptables -A INPUT -i ppp+ -j ACCEPT\n"
    assert not found(f"{DENIES}{cards}{trusted}{forward}", "IPT605")
    (open_,) = found(f"{DENIES}{cards}{trusted}{forward.replace('ppp+', 'eth0')}", "IPT605")
    assert "eth0, which faces the world" in open_.message


def test_nothing_is_forwarded_to_lo() -> None:
    cards = "iptables -P FORWARD DROP\niptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE\n"
    assert not found(f"{DENIES}{cards}iptables -A FORWARD -o lo -j ACCEPT\n", "IPT605")


def test_who_lists_wide_networks_means_them() -> None:
    rule = "iptables -A INPUT -s {} -p tcp --dport 22 -j ACCEPT\n"
    assert found(f"{DENIES}{rule.format('192.0.0.0/8')}", "IPT603")
    listed = rule.format("177.0.0.0/8,186.0.0.0/8,192.0.0.0/8,201.0.0.0/8")
    assert not found(f"{DENIES}{listed}", "IPT603")


def test_a_remark_may_stand_above_a_line_of_blanks() -> None:
    answers = "iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT\n"
    ssh = "# SSH\n  \niptables -A INPUT -p tcp --dport 5314 -j ACCEPT\n"
    (cut,) = found(f"{DENIES}{answers}{ssh}", "IPT303")
    assert cut.related[-1].span.line == 7


def test_nobody_is_sent_back_to_where_he_came_from() -> None:
    logs = "iptables -A FORWARD {} -j LOG\n"
    routes = "iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE\n"
    assert not found(f"{routes}{logs.format('-o eth0')}", "IPT901")
    assert found(f"{routes}{logs.format('-i eth0')}", "IPT901")
    assert found(f"{routes}{logs.format('')}", "IPT901")
    assert found(logs.format(""), "IPT901")
    assert found(logs.format("-i eth+ -o eth+"), "IPT901")


# -- scripts that leave this host's firewall as it was -----------------------------------------

TRIAL = """\
open_all() {
  iptables -F
  iptables -P INPUT ACCEPT
}
open_all
iptables -P INPUT DROP
iptables -A INPUT -i lo -j ACCEPT
%s
open_all
"""


def test_what_is_taken_back_after_a_while_is_not_meant_to_be_open() -> None:
    assert not found(TRIAL % "sleep 30", "IPT601")
    assert found(TRIAL % "echo done", "IPT601")


def test_what_is_on_trial_is_what_is_to_stay() -> None:
    """Who still gets in stops the script, and keeps the rules that there are then."""
    assert [each.severity for each in found(TRIAL % "sleep 30", "IPT201")] == [Severity.ERROR]
    assert not found(TRIAL % "echo done", "IPT201")


def test_firewalls_of_network_namespaces_are_not_this_hosts() -> None:
    (nothing,) = found("ip netns exec inner iptables -P INPUT DROP\n", "IPT008")
    assert "network namespaces" in nothing.message
    (uncalled,) = found("up() { iptables -P INPUT DROP; }\n", "IPT008")
    assert "network namespaces" not in uncalled.message


def test_a_script_may_run_what_it_has_written() -> None:
    rules = "echo 'iptables -A INPUT -s 192.0.2.1 -j DROP' > rules.sh\nsh ./rules.sh\n"
    (nothing,) = found(rules, "IPT008")
    assert "write rules into rules.sh" in nothing.message


def test_quotes_that_do_not_end_name_no_file() -> None:
    text = 'a="1\nb="2"\nif grep -q "^1$" /etc/t; then\n  echo "1" >> /etc/t\nfi\niptables -F\n'
    assert not any("may set" in each.message for each in found(text, "IPT002"))


# -- parts of scripts --------------------------------------------------------------------------


def test_who_names_the_tool_elsewhere_gives_values_there() -> None:
    rule = "-A FORWARD -s $LAN -j lan\n"
    assert not found(f"$IPT -N lan\n$IPT {rule}", "IPT006")
    assert not found(f"$IPT -A lan -s $LAN -j ACCEPT\n$IPT -N wan\n$IPT {rule}", "IPT006")
    assert not found("$IPT -N lan\n$IPT -A FORWARD -i eth0 -j lan\n", "IPT107")
    assert found(f"IPT=iptables\n$IPT -N lan\n$IPT {rule}", "IPT006")
    (said,) = found(f"$IPT -N lan\n$IPT {rule}", "IPT002")
    assert "what the script that sets `$IPT` may set is not known" in said.message


def test_a_part_of_a_script_does_not_tell_what_its_variables_lack() -> None:
    text = "{}$IPT -P FORWARD DROP\n$IPT -A FORWARD -p $ICMP $TYPE 8 -j ACCEPT\n"
    lacks_errors = "$IPT -A FORWARD -m state --state ESTABLISHED -j ACCEPT\n"
    assert not found(text.format("") + lacks_errors, "IPT201")


def test_rounds_of_a_loop_are_not_counted_as_rules() -> None:
    rules = "iptables -I FORWARD -d 192.0.2.1 -p tcp --dport {} -j ACCEPT\n"
    both = rules.format(22) + rules.format(80)
    loop = f'while [ "$up" = y ]; do\n  up=$(cat /tmp/up)\n  {both}done\n'
    (open_,) = found(f"iptables -F\n{both}", "IPT601")
    assert "its 2 accept rules" in open_.message
    (open_,) = found(f"iptables -F\n{both}{loop}", "IPT601")
    assert "accept rules" in open_.message
    assert "6" not in open_.message


def test_what_opens_the_firewall_again_comes_first() -> None:
    (back, _) = found(TRIAL % "iptables -A INPUT -p tcp --dport 22 -j ACCEPT", "IPT303")
    assert "do what line 4 does before it" in str(back.help)


def test_a_trial_that_fails_is_over_by_itself() -> None:
    """It opens the firewall again, so that nobody is locked out for good while it is applied."""
    assert not found(TRIAL % "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\nsleep 30", "IPT303")


def test_errors_over_ipv6_are_lost_where_ipv6_is_forwarded() -> None:
    text = (
        "nft add table inet f\n"
        "nft 'add chain inet f fwd { type filter hook forward priority 0; policy drop; }'\n"
        "nft add rule inet f fwd ip protocol icmp accept\n"
        "nft add rule inet f fwd ct state established accept\n"
        "nft add rule inet f fwd iif eth1 accept\n"
    )
    confidences = {each.confidence for each in found(text, "IPT201") if "IPv6" in each.message}
    assert confidences <= {Confidence.POSSIBLE}


def test_what_is_translated_may_come_to_this_host() -> None:
    text = (
        f"{DENIES}iptables -P FORWARD DROP\n"
        "iptables -A FORWARD -i eth2 -o eth0 -p tcp --dport 80 -j ACCEPT\n"
        "iptables -t nat -A PREROUTING -i eth2 -p tcp --dport 80 -j DNAT --to 10.0.0.29:8080\n"
    )
    (dropped,) = found(text, "IPT803")
    assert dropped.confidence is Confidence.CERTAIN
    (perhaps,) = found(f"{text}iptables -A INPUT -p tcp --dport 8080 -j ACCEPT\n", "IPT803")
    assert perhaps.confidence is Confidence.POSSIBLE


@pytest.mark.parametrize(
    "rule",
    [
        "iptables -A INPUT $MORE -p tcp --dport $PORT -j ACCEPT",
        "iptables -A INPUT -p tcp --dport $PORT -j ACCEPT $MORE",
    ],
)
def test_a_variable_that_may_be_empty_is_not_named(rule: str) -> None:
    (refused,) = found(f"MORE=\nPORT=\n{DENIES}{rule}\n", "IPT001")
    assert refused.message.startswith("$PORT has no value here")
