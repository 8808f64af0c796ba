"""What scripts of unseen hosts were told wrongly: their arguments, lists, names and guests."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.dialects.script.parser import parse
from iptlint.dialects.script.wanted import wanted
from iptlint.findings import Confidence, Finding
from iptlint.linter.run import lint
from iptlint.model.names import is_inside
from iptlint.source import SourceFile


def in_script(text: str, *codes: str, path: str = "firewall.sh") -> list[Finding]:
    return list(lint([SourceFile(path, f"#!/bin/bash\n{text}")], select=codes).findings)


# -- words ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ['"$1"', "$1", "${1}"])
def test_a_variable_that_holds_an_argument_has_the_value_that_a_command_needs(value: str) -> None:
    """Who runs the script gives it two interfaces; without them iptables would refuse all."""
    text = (
        f"ext={value}\nint={value.replace('1', '2')}\n"
        "iptables -t nat -A POSTROUTING -o $ext -j MASQUERADE\n"
        "iptables -A FORWARD -i $ext -o $int -j ACCEPT\n"
        "iptables -A FORWARD -i $int -o $ext -j ACCEPT\n"
    )
    assert not in_script(text, "IPT001", "IPT006", "IPT106")
    assert in_script(text.replace(value, '""', 1), "IPT001")


def test_a_variable_that_is_empty_still_ends_a_script_that_asks() -> None:
    text = 'ext=$1\n[ -z "$ext" ] && exit 1\niptables -A FORWARD -i $ext -j ACCEPT\n'
    assert not in_script(text, "IPT001", "IPT006")


def test_a_comment_in_an_array_is_no_item() -> None:
    text = (
        'hosts=(\n"192.0.2.1"\n# "x:y"\n192.0.2.2 # the office\n)\n'
        'for h in "${hosts[@]}"; do iptables -A INPUT -s "$h" -j ACCEPT; done\n'
    )
    assert not in_script(text, "IPT001")
    assert in_script(text.replace('# "x:y"', '"x:y"'), "IPT001")


def test_a_script_that_is_called_like_the_file_it_loads_does_not_load_itself(
    tmp_path: Path,
) -> None:
    """/etc/network/if-pre-up.d/iptables loads /etc/network/iptables."""
    script = tmp_path / "iptables"
    script.write_text("#!/bin/sh\niptables-restore < /etc/network/iptables\n")
    findings = lint([SourceFile(str(script), script.read_text())]).findings
    assert [finding.code for finding in findings] == ["IPT002"]


# -- who comes in -----------------------------------------------------------------------------

LOCKED = (
    "iptables -P INPUT DROP\n"
    "iptables -A INPUT {first} -j ACCEPT\n"
    "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
    "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
)


@pytest.mark.parametrize("first", ["-i docker0", "-i virbr0", "-p tcp --sport 9100"])
def test_containers_and_one_odd_port_bring_nobody_back(first: str) -> None:
    """A session comes from outside, from a port that its host chose."""
    (cut,) = in_script(LOCKED.format(first=first), "IPT303")
    assert "until line 4, and for new connections until line 5" in cut.message


@pytest.mark.parametrize("first", ["-i tailscale0", "-i eth1", "-p tcp --sport 1024:65535"])
def test_by_a_network_people_come_back(first: str) -> None:
    (cut,) = in_script(LOCKED.format(first=first), "IPT303")
    assert "until line 3" in cut.message


def test_a_port_that_a_ban_of_all_others_leaves_out_may_be_that_of_ssh() -> None:
    others = "-p tcp -m multiport ! --dports {},80,443"
    ban = f"iptables -P INPUT ACCEPT\niptables -t mangle -A INPUT {others} -j DROP\n"
    (locked,) = in_script(ban.format(4242), "IPT301")
    assert locked.confidence is Confidence.POSSIBLE
    assert "unless sshd listens on 4242" in locked.message
    (locked,) = in_script(ban.format(25), "IPT301")
    assert "unless sshd" not in locked.message


def test_what_rejects_some_is_not_named_for_what_comes_back() -> None:
    text = (
        "iptables -A INPUT -p tcp -m connlimit --connlimit-above 80 -j REJECT\n"
        "iptables -A INPUT -s 192.0.2.0/24 -j ACCEPT\niptables -P INPUT DROP\n"
    )
    (few,) = in_script(text, "IPT201")
    assert [label.span.line for label in few.related] == [3]


# -- nft --------------------------------------------------------------------------------------

INPUT = """define {name} = eno2
table inet filter {{
	chain input {{
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		iifname {{ lo, ${name} }} accept
		{more}
	}}
}}
"""


def in_nft(code: str, **given: str) -> list[Finding]:
    text = INPUT.format(**{"name": "uplink", "more": "", **given})
    return list(lint([SourceFile("nftables.conf", text)], select=[code]).findings)


def test_the_name_of_a_definition_says_what_is_behind_an_interface() -> None:
    """Of cards with names only this one is in a rule; the uplink may have none."""
    both = "define WAN_IF = eno1\n"
    assert in_nft("IPT602", name="card")
    named = INPUT.format(name="LAN_IF", more="")
    assert not lint([SourceFile("nftables.conf", both + named)], select=["IPT602"]).findings


def test_what_a_proxy_marked_is_not_meant_for_lo() -> None:
    assert in_nft("IPT606", name="LAN_IF", more="ip saddr 127.0.0.0/8 accept")
    assert not in_nft("IPT606", name="LAN_IF", more="meta mark 1 accept")


# -- names ------------------------------------------------------------------------------------


def test_a_script_that_fills_the_chains_of_a_table_that_is_there_has_no_unused_ones() -> None:
    """Qubes OS hooks its table, and has a chain in it for what people want beside."""
    text = (
        "nft -f - <<EOF\nflush chain ip qubes custom-forward\n"
        "table ip qubes {\n chain custom-forward {\n  counter reject\n }\n}\nEOF\n"
    )
    assert not in_script(text, "IPT104")
    hook = "chain c { type filter hook forward priority 0; }\n"
    assert in_script(
        text.replace("chain custom-forward {", f"{hook}chain custom-forward {{"), "IPT104"
    )


@pytest.mark.parametrize(
    ("chain", "is_software"),
    [("KUBE-SERVICES", True), ("KUBE-SVC-TCOU7JCQXEZGVUNU", True), ("KUBE-PUBLIC", False)],
)
def test_not_every_chain_that_is_called_kube_is_kube_proxys(chain: str, is_software: bool) -> None:
    text = f"*filter\n:{chain} - [0:0]\n-A INPUT -j {chain}\n-A {chain} -j ACCEPT\nCOMMIT\n"
    findings = lint([SourceFile("rules.v4", text)], select=["IPT404"]).findings
    assert bool(findings) is is_software


def test_a_dummy_interface_that_is_called_dum_leads_nowhere() -> None:
    assert is_inside("dum0")
    assert is_inside("dummy0")
    assert not is_inside("dumbo")


def test_the_blanks_of_a_template_are_told_of_once() -> None:
    rule = "iptables -A FORWARD -i WANIF -p tcp --dport 80 -j ACCEPT\n"
    (finding,) = in_script(rule + rule.replace("WANIF", "LANIF"), "IPT103")
    assert "likewise line 3" in finding.message
    assert (
        len(in_script(rule.replace("WANIF", "eth0:1") + rule.replace("WANIF", "eth0:2"), "IPT103"))
        == 2
    )


# -- of the fifth round -----------------------------------------------------------------------

ROUTER = (
    "EXT_IFACE=enp1s0\nLAN_IFACE=enp2s0\niptables -P INPUT DROP\niptables -N bad\n"
    "iptables -A bad -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    "iptables -A bad -p tcp --dport 80 -j ACCEPT\niptables -A bad -j DROP\n"
    "iptables -A INPUT -i $EXT_IFACE -j bad\niptables -A INPUT -i $LAN_IFACE -j ACCEPT\n"
    "iptables -A INPUT -j LOG\n"
)


def test_nobody_fills_the_log_by_an_interface_that_the_text_does_not_know() -> None:
    """The world comes by the one that the variable says, and is dropped before."""
    assert not in_script(ROUTER, "IPT901")
    logs_before = ROUTER.replace("iptables -N bad", "iptables -N bad\niptables -A bad -j LOG")
    (finding,) = in_script(logs_before, "IPT901")
    assert finding.span.line == 6
    assert in_script(
        ROUTER.replace("-j LOG", "-j LOG", 1).replace("EXT_", "").replace("LAN_", "A"), "IPT901"
    )


def test_what_a_log_is_for_is_what_passes_its_tests() -> None:
    line = "iptables -A INPUT {}-j LOG\n"
    (every,) = in_script(line.format(""), "IPT901")
    (some,) = in_script(line.format("-m conntrack --ctstate INVALID "), "IPT901")
    assert "passes its tests" not in every.message
    assert "passes its tests" in some.message


def test_a_trusted_source_port_on_the_one_card_with_a_name_is_told() -> None:
    """SSH is for all, so that the card may be the world's or the LAN's."""
    text = (
        "iptables -P INPUT DROP\niptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
        "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
        "iptables -A INPUT -i eth0 -p udp --sport 53 -j ACCEPT\n"
    )
    (finding,) = in_script(text, "IPT205")
    assert finding.confidence is Confidence.POSSIBLE
    assert not in_script(text.replace("eth0", "br-lan"), "IPT205")


def test_established_connections_are_not_accepted_earlier_by_a_rule_of_another_chain() -> None:
    rules = "".join(
        f"iptables -A INPUT -p tcp --dport {port} -j ACCEPT\n" for port in range(80, 91)
    )
    text = (
        "iptables -P INPUT DROP\niptables -N running\n"
        "iptables -A running -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
        f"{rules}iptables -A INPUT -j running\n"
    )
    (finding,) = in_script(text, "IPT202")
    assert "add above line 5: iptables -A INPUT -m conntrack --ctstate EST" in finding.help
    policy, _, accept, *_ = text.splitlines()
    own = f"{policy}\n{rules}{accept.replace('running', 'INPUT')}\n"
    (moved,) = in_script(own, "IPT202")
    assert "above line 3" in moved.help
    assert "move" in moved.help


def test_a_script_that_another_one_calls_leaves_it_to_that_to_save() -> None:
    rules = "#!/bin/sh\niptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"
    part = SourceFile("fw/part.sh", rules)
    whole = SourceFile("fw/all.sh", f"{rules}$(dirname $0)/part.sh\niptables-save > /srv/rules\n")
    assert not lint([part, whole], select=["IPT403"]).findings
    assert len(lint([part], select=["IPT403"]).findings) == 1
    beside = SourceFile("fw/all.sh", whole.text.replace("$(dirname $0)/part.sh", "bash ./part.sh"))
    assert not lint([part, beside], select=["IPT403"]).findings
    other = SourceFile("fw/all.sh", f"{rules}./another-part.sh\niptables-save > /srv/rules\n")
    assert len(lint([part, other], select=["IPT403"]).findings) == 1


def test_sshd_is_taken_to_listen_far_from_the_ports_of_the_web() -> None:
    text = "*filter\n:INPUT DROP [0:0]\n{}COMMIT\n"
    ports = "".join(f"-A INPUT -p tcp --dport {port} -j ACCEPT\n" for port in (8001, 52314, 8003))
    (finding,) = lint([SourceFile("rules.v4", text.format(ports))], select=["IPT301"]).findings
    assert "52314" in finding.message


def test_a_port_beside_that_of_x11_may_be_anything() -> None:
    rule = "iptables -P INPUT DROP\niptables -A INPUT -p tcp --dport {} -j ACCEPT\n"
    assert not in_script(rule.format(6001), "IPT603")
    assert in_script(rule.format(6000), "IPT603")
    assert in_script(rule.format("6000:6063"), "IPT603")


@pytest.mark.parametrize("line", ["source $(dirname $0)/lib.sh", ". ./lib.sh", '"$D/lib.sh"'])
def test_files_beside_are_found_by_the_folder_of_a_script_that_is_named_from_elsewhere(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`iptlint check fw/all.sh`: what `dirname "$0"` prints is no folder in the script's own."""
    folder = tmp_path / "fw"
    folder.mkdir()
    (folder / "lib.sh").write_text("#!/bin/sh\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n")
    text = f'#!/bin/sh\nD=$(cd "$(dirname "$0")" && pwd -P)\niptables -P INPUT DROP\n{line}\n'
    (folder / "all.sh").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert not lint([SourceFile("fw/all.sh", text)], select=["IPT301", "IPT002"]).findings
    gone = SourceFile("fw/all.sh", text.replace("lib.sh", "other.sh"))
    assert lint([gone], select=["IPT301", "IPT002"]).findings


@pytest.mark.parametrize(("test", "line"), [("-d 22", 5), ("-d 53.0.0.1", 4), ("-s 53", 5)])
def test_ssh_does_not_come_back_to_an_address_that_was_to_be_a_port(test: str, line: int) -> None:
    """inet_aton(3): `-d 22` is 22.0.0.0, which is no host's."""
    text = (
        f"iptables -P INPUT DROP\niptables -A INPUT -p tcp {test} -j ACCEPT\n"
        "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
    )
    (cut,) = in_script(f"iptables -F\n{text}", "IPT303")
    assert [label.span.line for label in cut.related] == [line]


@pytest.mark.parametrize(
    ("test", "line"),
    [
        ('if [ -z "$LAN" ]; then\necho fill in LAN\nexit 1\nfi', 4),
        ('[ -z "$WAN$MORE" ] || echo\n[ "$LAN" = "" ] && { echo fill in; exit 1; }', 5),
        ("[[ -n $LAN ]] || exit", 4),
        ('if [ ! "${LAN}" ]; then exit 2; fi', 4),
    ],
)
def test_a_variable_that_is_to_be_filled_in_first_is_named(test: str, line: int) -> None:
    """sh(1): `exit` ends the script, and what stands behind it changes nothing."""
    text = f'WAN=eth0\nLAN="" # yours\n{test}\niptables -P INPUT DROP\n'
    (nothing,) = in_script(text, "IPT008")
    assert nothing.help == (
        "advice: give LAN its value in line 3: as long as it is empty, the script ends at line "
        f"{line}"
    )
    assert wanted(parse(SourceFile("fw.sh", text.replace('LAN=""', "LAN=eth1")))) is None
    assert wanted(parse(SourceFile("fw.sh", text.replace(" # yours", "; read LAN")))) is None
    assert not in_script(text.replace('LAN=""', "LAN=eth1"), "IPT008")


# -- advice that would do harm, or none -------------------------------------------------------


def test_a_translation_of_answers_is_not_to_be_moved_to_a_filter() -> None:
    """nf_nat_core.c: what comes back of a connection is translated without asking a rule."""
    rule = "iptables -t nat -A POSTROUTING -m state --state ESTABLISHED -j {}\n"
    (told,) = in_script(rule.format("SNAT --to 192.0.2.1"), "IPT103")
    assert told.help.endswith("delete the rule: answers are translated back without one")
    (told,) = in_script(rule.format("ACCEPT"), "IPT103")
    assert told.help.endswith("filter in a filter chain")


def test_what_docker_makes_anew_is_not_to_be_saved() -> None:
    """What IPT404 tells of is not to come of another's advice."""
    (told,) = in_script("iptables -I DOCKER-USER -i eth0 -j DROP\n", "IPT403")
    assert told.help.endswith("have a systemd unit run it at boot, after docker has started")
    (told,) = in_script("iptables -I FORWARD -i eth0 -j DROP\n", "IPT403")
    assert "netfilter-persistent save" in told.help


def test_after_a_function_is_after_its_call() -> None:
    """In the function, a command would be carried out in each call."""
    text = (
        "iptables -P INPUT DROP\n"
        "iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
        'open() {\niptables -A INPUT -p tcp --dport "$1" -j ACCEPT\n}\n'
        "open 22\n"
    )
    (told,) = in_script(text, "IPT303")
    assert "only after line 7, or" in told.help
    (told,) = in_script(f"load() {{\n{text}}}\nload\n", "IPT303")
    assert "only after line 8, or" in told.help
    inside = text.replace("open() {\n", "").replace("}\nopen 22\n", "").replace('"$1"', "22")
    (told,) = in_script(f"load() {{\n{inside}}}\nload\n", "IPT303")
    assert "only after line 5, or" in told.help
