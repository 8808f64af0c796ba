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
