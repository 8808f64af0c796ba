"""What the last hosts that nobody had read were told wrongly, or not at all."""

from __future__ import annotations

import pytest

from iptlint.findings import Finding
from iptlint.linter.run import lint
from iptlint.source import SourceFile


def found(text: str, *codes: str, path: str = "firewall.sh") -> list[Finding]:
    return list(lint([SourceFile(path, text)], select=codes).findings)


def in_script(text: str, *codes: str) -> list[Finding]:
    return found(f"#!/bin/bash\n{text}", *codes)


OPEN = "iptables -P INPUT DROP\niptables -A INPUT -p tcp --dport 80 -j ACCEPT\n"


@pytest.mark.parametrize(
    "asking",
    [
        '[ "$#" -lt 3 ] && exit 1',
        'if [ $# -le 2 ] || [ "$#" -gt 4 ]; then echo "$0 A B C [D]"; exit 1; fi',
        "test $# -ne 3 && exit 1",
        "[ $# -eq 0 ] && exit 1",
        "[ $# -gt 0 ] || exit 1",
        '[ $# != 3 ] && exit\nP="${4:-both}"\ncase "$P" in both) true;; *) exit 1;; esac',
    ],
)
def test_as_many_words_as_a_script_counts_are_given(asking: str) -> None:
    assert not in_script(f'{asking}\n{OPEN}echo "$1"\n', "IPT008")
    assert in_script(f"[ $# -gt 2 ] && exit\nexit\n{OPEN}", "IPT008")


@pytest.mark.parametrize(
    ("command", "by"),
    [
        ("ssh root@router 'nft -f -' < table.nft", "ssh"),
        ('ssh "$HOST" iptables -A INPUT -j DROP', "ssh"),
        ("docker exec vpn iptables -A OUTPUT -j DROP", "docker"),
        ("cat t.nft | podman machine ssh \"$M\" 'sudo nft -f -'", "podman"),
    ],
)
def test_the_firewall_of_another_machine(command: str, by: str) -> None:
    (finding,) = in_script(f"{command}\n", "IPT008")
    assert f"of another machine (`{by}`)" in finding.message
    assert not in_script(f"{command}\n{OPEN}", "IPT008")


def test_rules_of_a_file_that_is_sourced_and_not_here() -> None:
    finding, *others = in_script(". /static/apply_nft.sh\nnft() { true; }\n", "IPT008", "IPT002")
    assert finding.message.startswith(
        "iptlint did not find `apply_nft.sh`, which this script sources"
    )
    assert not others
    (finding,) = in_script(". /etc/os-release\necho nft > /tmp/x\n", "IPT008")
    assert "os-release" not in finding.message


def test_a_number_for_a_file_ends_no_script() -> None:
    assert not in_script(f"exec {{LOCK}}>/run/lock || exit 1\n{OPEN}", "IPT008")
    assert in_script(f"exec sleep 1 || exit 1\n{OPEN}", "IPT008")


NFT = """table inet f {{
    chain input {{
        type filter hook input priority 0; policy drop;
        ct state established accept
        tcp dport 5900 accept
    }}
    chain output {{
        type filter hook output priority 0; policy {};
        tcp sport 80 accept
    }}
}}
"""


def test_who_gets_no_answer_tries_no_password() -> None:
    assert found(NFT.format("accept"), "IPT603", path="a.nft")
    assert not found(NFT.format("drop"), "IPT603", path="a.nft")


def test_a_table_of_another_family_is_not_the_one_that_is_emptied() -> None:
    text = NFT.format("accept")
    for verb in ("destroy", "flush", "delete"):
        (finding,) = found(f"{verb} table f\n{text}", "IPT405", path="part.nft")
        assert "inet f is not emptied" in finding.message
        assert not found(f"{verb} table inet f\n{text}", "IPT405", path="part.nft")
    assert not found(text, "IPT405", path="part.nft")
