"""What hosts that were read last were told wrongly, or not told."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile


def told(text: str, *codes: str, path: str = "rules.v4") -> list[Finding]:
    return list(lint([SourceFile(path, text)], select=codes).findings)


def in_script(text: str, *codes: str) -> list[Finding]:
    return told(f"#!/bin/sh\n{text}", *codes, path="firewall.sh")


def saved(*lines: str, policy: str = "DROP", forward: str = "DROP") -> str:
    policies = f":INPUT {policy} [0:0]\n:FORWARD {forward} [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    return f"*filter\n{policies}" + "".join(f"{line}\n" for line in lines) + "COMMIT\n"


MANGLED = (
    "*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n"
    ":OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"
)


def test_the_policy_of_an_earlier_table_is_named_where_it_takes_the_packets() -> None:
    """mangle comes before filter at INPUT: what its policy drops no line of filter accepts."""
    lo, web = "-A INPUT -i lo -j ACCEPT", "-A INPUT -p tcp --dport 80 -j ACCEPT"
    (alone,) = told(MANGLED + saved(lo, web), "IPT101", "IPT102")
    assert alone.code == "IPT101"
    assert "policy of INPUT of the mangle table denies some, and line 13" in alone.message
    assert "let INPUT of the mangle table accept" in alone.advice
    (several,) = told(MANGLED + saved(lo, web, "-A INPUT -j DROP"), "IPT101", "IPT102")
    assert "nothing that the policy of INPUT of the mangle table lets through" in several.message
    (log,) = told(MANGLED + saved(lo, "-A INPUT -j LOG"), "IPT902")
    assert "the policy of INPUT of the mangle table denies some" in log.message
    assert "move it" not in log.advice
    (plain,) = told(saved(lo, "-A INPUT -i lo -p tcp -j ACCEPT"), "IPT101", "IPT102")
    assert "policy" not in plain.message


def test_lo_is_to_be_accepted_in_every_table_that_denies_it() -> None:
    """By one rule alone nothing would come through: the other tables drop it still."""
    ssh = "-A INPUT -p tcp --dport 22 -j ACCEPT"
    (blocked,) = told(MANGLED.replace("-A INPUT -i lo -j ACCEPT", ssh) + saved(ssh), "IPT305")
    assert blocked.advice.endswith("accept lo in INPUT of the filter table too")
    (one,) = told(saved(ssh), "IPT305")
    assert " too" not in one.advice


def test_networks_without_interfaces_are_answered_as_others_are() -> None:
    """Kernel: a router with these rules forwards the SYN, and drops the answer."""
    there = "-A FORWARD -s 172.30.0.0/24 -d 172.31.0.10/32 -p tcp --dport 80 -j ACCEPT"
    back = "-A FORWARD -s 172.31.0.10/32 -d 172.30.0.0/24 -j ACCEPT"
    (lost,) = told(saved(there, policy="ACCEPT"), "IPT201")
    assert lost.severity is Severity.ERROR
    assert "connections that are let through never return" in lost.message
    assert not told(saved(there, back, policy="ACCEPT"), "IPT201")


CLOSING = "iptables -P INPUT DROP\niptables -A INPUT -m state --state ESTABLISHED -j ACCEPT\n"


@pytest.mark.parametrize(
    ("accept", "sure"),
    [
        ("iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n", True),
        ("iptables -A INPUT -s $(cat /root/admin) -j ACCEPT\n", False),
        ("[ -f /root/open ] && iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n", False),
    ],
)
def test_whom_a_script_lets_in_again_may_be_known_only_when_it_runs(
    accept: str, sure: bool
) -> None:
    text = CLOSING.replace("iptables -A", f"sleep 3\n{accept}iptables -A")
    (lockout,) = in_script(text, "IPT303")
    assert (lockout.severity is Severity.ERROR) is sure
    assert (lockout.confidence is Confidence.CERTAIN) is sure
    labels = " ".join(label.message for label in lockout.related)
    assert ("may work" in labels) is not sure or "can be opened" in labels


def test_nobody_is_logged_in_to_a_container_that_a_script_closes(tmp_path: Path) -> None:
    script = tmp_path / "init-firewall.sh"
    script.write_text(f"#!/bin/sh\n{CLOSING}iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n")
    assert list(lint([SourceFile(str(script), script.read_text())], select=("IPT303",)).findings)
    (tmp_path / "Dockerfile").write_text("COPY init-firewall.sh /usr/local/bin/\n")
    assert not list(
        lint([SourceFile(str(script), script.read_text())], select=("IPT303",)).findings
    )


def test_hosts_with_a_mask_are_one_mistake() -> None:
    """iptables cuts off what is behind the mask: both are 192.0.2.0/25, and to delete one would
    lose a host where hosts are meant."""
    hosts = [f"-A INPUT -s 192.0.2.{last}/25 -j ACCEPT" for last in (6, 1)]
    assert [each.code for each in told(saved(*hosts), "IPT106", "IPT904")] == ["IPT904"]
    same = [each.code for each in told(saved(hosts[0], hosts[0]), "IPT106", "IPT904")]
    assert sorted(same) == ["IPT106", "IPT904"]


@pytest.mark.parametrize(
    ("side", "words"), [("-s", "says that it comes from"), ("-d", "is sent to")]
)
def test_which_end_a_rule_for_loopback_asks_for(side: str, words: str) -> None:
    (trusting,) = told(saved(f"-A INPUT {side} 127.0.0.0/8 -j ACCEPT"), "IPT606")
    assert words in trusting.message


def test_a_file_that_is_not_here_may_fill_in_what_is_empty() -> None:
    """`PORTS=` before `. /etc/firewall.conf` is there for that file."""
    loop = 'for port in $PORTS; do\n  iptables -A INPUT -p tcp --dport "$port" -j ACCEPT\ndone\n'
    shut = "iptables -P INPUT DROP\n"
    assert in_script(f"PORTS=\n{shut}{loop}", "IPT301")
    assert not in_script(f"PORTS=\n. /etc/firewall.conf\n{shut}{loop}", "IPT301")


INSERTED = (
    "iptables -N web\niptables -A web -p tcp --dport 80 -j ACCEPT\n"
    "iptables -A web -p tcp --dport 22 -j ACCEPT\niptables -A web -j REJECT\n"
    "iptables -I INPUT -j web\n"
)


def test_what_is_to_come_before_a_rule_that_puts_itself_first_is_put_there_later() -> None:
    """`-A` before `-I` on the same chain: the second rule stands above the first."""
    (world,) = in_script(INSERTED, "IPT604")
    assert "add behind line 6, which puts its rule at the top: iptables -I INPUT" in world.advice
    (missing,) = in_script(INSERTED, "IPT201")
    assert "behind line 6" in missing.advice
    (added,) = in_script(INSERTED.replace("-I INPUT", "-A INPUT"), "IPT604")
    assert "add before the first rule of INPUT: iptables -A INPUT" in added.advice


def test_who_comes_back_from_behind_a_masquerade_was_never_called() -> None:
    """An access point that lets its clients get to a few hosts: nobody calls them from outside, so
    that no answer of theirs is lost. A router whose uplink drops all loses every answer."""
    nat = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"
    lines = ["-A FORWARD -d 198.51.100.9/32 -p tcp --dport 443 -j ACCEPT"]
    clients = saved(
        *lines, "-A FORWARD -i wlan0 -p tcp -j REJECT", policy="ACCEPT", forward="ACCEPT"
    )
    assert not told(clients + nat, "IPT201")
    router = saved("-A FORWARD -i eth0 -j DROP", policy="ACCEPT", forward="ACCEPT")
    (lost,) = told(router + nat, "IPT201")
    assert lost.severity is Severity.ERROR


def test_to_a_container_comes_what_its_host_lets_through(tmp_path: Path) -> None:
    script = tmp_path / "init-firewall.sh"
    script.write_text("#!/bin/sh\niptables -F\niptables -P OUTPUT DROP\niptables -P INPUT ACCEPT\n")
    source = SourceFile(str(script), script.read_text())
    assert list(lint([source], select=("IPT601",)).findings)
    (tmp_path / "Dockerfile").write_text("COPY init-firewall.sh /usr/local/bin/\n")
    assert not list(lint([source], select=("IPT601",)).findings)


def test_what_is_denied_on_lo_below_its_accept_is_one_mistake() -> None:
    chain = 'type filter hook {0} priority 0; policy drop\n  {1} "lo" accept\n  {1} "lo" {2} drop'
    chains = [
        chain.format("input", "iifname", "ip saddr != 127.0.0.0/8"),
        chain.format("output", "oifname", "ip daddr != 127.0.0.0/8"),
    ]
    text = "\n".join(f"chain c{n} {{\n  {each}\n}}" for n, each in enumerate(chains))
    (one,) = told(f"table inet f {{\n{text}\n}}\n", "IPT101", path="rules.nft")
    assert "likewise line" in one.message


def test_a_script_that_asks_for_start_and_stop_is_a_service() -> None:
    """Whoever calls it with a word runs it at boot; `case` is not the only way to ask."""
    asks = 'if [ $1 = "start" ]; then\n{}elif [ "$1" == stop ]; then\n  iptables -F\nfi\n'
    assert not in_script(asks.format(CLOSING), "IPT403")
    assert in_script(CLOSING, "IPT403")


def test_a_command_that_puts_its_rule_first_again_and_again_is_not_late() -> None:
    opens = "".join(
        f"  iptables -C FORWARD {test} -j ACCEPT || iptables -I FORWARD {test} -j ACCEPT\n"
        for test in ("-p tcp --dport $1", "-p udp --dport $1", "-m state --state ESTABLISHED")
    )
    asks = "while true; do\n  read choice\n  case $choice in\n"
    asks += "    1) ask ;;\n    2) ask ;;\n    3) ask ;;\n  esac\ndone\n"
    text = f"open() {{\n{opens}}}\n. /etc/ports\nask() {{\n  read port\n  open $port\n}}\n{asks}"
    assert not in_script(text, "IPT202")


def test_a_policy_that_is_refused_is_one_mistake() -> None:
    """iptables knows DROP, not drop; that the chain is open then is why it matters."""
    text = "iptables -P INPUT drop\niptables -A INPUT -m state --state ESTABLISHED -j ACCEPT\n"
    (refused,) = in_script(text, "IPT001", "IPT601")
    assert (refused.code, refused.advice) == ("IPT001", "write DROP")
    assert in_script(text.replace("iptables -P INPUT drop\n", ""), "IPT601")


def test_a_variable_between_quotes_is_a_name() -> None:
    """nft: `nft list ruleset` prints `iifname "$LAN"`, and nothing comes in by that."""
    head = 'define LAN = "eth1"\ntable inet filter {\n\tchain input {\n'
    hook = "\t\ttype filter hook input priority 0; policy drop;\n"
    quoted, plain = head + hook, head + hook
    quoted += '\t\tiifname "$LAN" tcp dport 22 accept\n\t}\n}\n'
    plain += "\t\tiifname $LAN tcp dport 22 accept\n\t}\n}\n"
    (named,) = told(quoted, "IPT103", "IPT105", path="f.nft")
    assert named.code == "IPT103"
    assert named.advice.startswith("write $LAN without the quotes")
    assert not told(plain, "IPT103", "IPT105", path="f.nft")


def test_what_a_template_is_to_have_for_an_address_is_no_host() -> None:
    (blank,) = told(saved("-A INPUT -s __MGMT_CIDR__ -p tcp --dport 22 -j ACCEPT"), "IPT306")
    assert "looks like a placeholder" in blank.message
    assert "getent" not in blank.advice


def test_a_jump_of_a_loop_does_what_its_first_round_does() -> None:
    """What `wg+` sends is gone when the round of `wghub+` comes."""
    text = (
        "iptables -N in_vpn\niptables -A in_vpn -p tcp --dport 80 -j ACCEPT\n"
        "iptables -A in_vpn -j DROP\n{}\n"
    )
    loop = "for i in wg+ wghub+; do iptables -A INPUT -i $i -j in_vpn; done"
    assert not in_script(text.format(loop), "IPT107")
    nothing = "for i in wg0 wg1; do iptables -A INPUT -i $i -p udp -j in_tcp; done"
    tcp = "iptables -N in_tcp\niptables -A in_tcp -p tcp -j ACCEPT\n"
    assert in_script(tcp + nothing, "IPT107")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("-A INPUT -p tcp --port 80 -j ACCEPT", "Did you mean `--dport`?"),
        ("-A INPUT -d ::1/128 -j ACCEPT", "`::1` is of IPv6"),
    ],
)
def test_a_rule_that_is_refused_says_what_was_meant(line: str, says: str) -> None:
    (refused,) = told(saved(line), "IPT001")
    assert says in f"{refused.message} {refused.advice}"


def test_what_lies_between_an_uplink_and_a_tunnel_is_closed_in_all_its_rules() -> None:
    """By the first alone nothing would be closed: the next accepts the same."""
    nat = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o ens3 -j MASQUERADE\nCOMMIT\n"
    first, more = "-A FORWARD -i ens3 -o wg0 -j ACCEPT", "-A FORWARD -o wg0 -j ACCEPT"
    back = "-A FORWARD -i wg0 -j ACCEPT"
    (all_,) = told(nat + saved(back, first, more, more), "IPT605")
    assert "in its place and in that of lines 11 and 12" in all_.advice
    assert [label.message for label in all_.related] == ["accepts them too"] * 2
    (alone,) = told(nat + saved(back, first), "IPT605")
    assert "accept answers only, in its place: " in alone.advice


def test_docker_writes_no_rule_between_two_interfaces() -> None:
    """Whoever copied this one is told of a copy, and not that docker made it."""
    docker = ":DOCKER - [0:0]\n-A DOCKER ! -i docker-iot -o docker-iot -j DROP\n"
    line = "-A FORWARD -i ens3 -o docker-iot -j ACCEPT\n"
    text = "*filter\n:FORWARD DROP [0:0]\n" + docker + line * 2 + "COMMIT\n"
    (copy,) = told(text, "IPT106", "IPT855")
    assert copy.code == "IPT106"


def test_one_log_in_each_chain_of_software_is_one_mistake() -> None:
    chains = "".join(f"iptables -N LIBVIRT_{each}\n" for each in ("INP", "OUT", "FWO"))
    logs = "".join(f"iptables -A LIBVIRT_{each} -j LOG\n" for each in ("INP", "OUT", "FWO"))
    assert len(in_script(chains + logs, "IPT852")) == 1


def test_a_negation_without_a_blank_is_part_of_the_name() -> None:
    """iptables-restore takes it, and iptables-save prints `-i !lo` again."""
    (named,) = told(saved("-A INPUT -i !lo -s 127.0.0.0/8 -j DROP"), "IPT103")
    assert "no packet passes `-i !lo`" in named.message
    assert "before the option" in named.advice
    assert not told(saved("-A INPUT ! -i lo -s 127.0.0.0/8 -j DROP"), "IPT103")


def test_a_remark_on_several_services_names_no_port_of_ssh() -> None:
    """`# SSH and HTTP` above the port of the web: sshd does not listen there."""
    head = "iptables -F\niptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"
    head += "iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    rule = "iptables -A INPUT -p tcp --dport {} -j ACCEPT\n"
    web = "# SSH Connection & HTTP/HTTPS\n" + rule.format(80) + rule.format(443)
    assert in_script(head + web, "IPT301")
    assert not in_script(head + "# SSH and HTTP\n" + rule.format(4022), "IPT301")


def test_the_one_rule_that_jumps_to_software_is_said_in_the_singular() -> None:
    (copied,) = told("*filter\n-A FORWARD -j DOCKER-FORWARD\nCOMMIT\n", "IPT404")
    assert "the rule that jumps to its chains" in copied.message


def test_the_name_that_docker_gave_its_chain_is_no_slip() -> None:
    """DOCKER-FORWARD is nearly FORWARD, but nobody meant that."""
    (undeclared,) = told(saved("-A FORWARD -j DOCKER-FORWARD"), "IPT003")
    assert undeclared.advice == "declare the chain (:DOCKER-FORWARD - [0:0]) or delete the rule"


def test_a_file_of_variables_is_for_one_that_includes_it() -> None:
    (nothing,) = told("define WAN = eth0\n", "IPT008", path="defines.nft")
    assert "only gives variables their values" in nothing.message
    assert nothing.advice == "lint the file that includes it"
    (empty,) = told("#!/usr/sbin/nft -f\nflush ruleset\n", "IPT008", path="empty.nft")
    assert "there is no table" in empty.message
