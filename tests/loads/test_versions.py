"""What older versions do not have yet, and how a target is named."""

from __future__ import annotations

import pytest

from iptlint.dialects import read
from iptlint.loads.judges import load
from iptlint.loads.nft.versions import FEATURES
from iptlint.loads.target import DISTRIBUTIONS, UnknownTargetError, target_of
from iptlint.source import SourceFile

DSTNAT_AT_OUTPUT = """\
table inet t {
 chain c {
  type nat hook output priority dstnat;
 }
}
"""


def causes(text: str, target: str | None) -> list[str]:
    answer = load(read(SourceFile("x.nft", text)), target=target_of(target) if target else None)
    assert answer is not None
    return [refusal.cause for refusal in answer.refusals]


def test_a_verb_that_is_too_new() -> None:
    (cause,) = causes("destroy table inet t\n", "debian-12")
    assert cause == (
        "destroy needs nft 1.0.7: debian-12 has 1.0.6, and Linux 6.3: debian-12 has 6.1"
    )


@pytest.mark.parametrize("target", [None, "debian-13", "nft=1.0.7,kernel=6.3"])
def test_without_a_target_or_with_a_new_one_nothing_is_said(target: str | None) -> None:
    assert causes("destroy table inet t\n", target) == []


def test_names_of_priorities_by_hook() -> None:
    assert causes(DSTNAT_AT_OUTPUT, None) == []
    assert causes(DSTNAT_AT_OUTPUT, "ubuntu-24.04") == []
    assert "needs nft 1.0.9" in causes(DSTNAT_AT_OUTPUT, "nft=1.0.6")[0]


CONCATENATED = """\
table inet t {
 set s {
  type ipv4_addr . inet_service
  flags interval
 }
}
"""
AT_INGRESS = "add chain inet t c { type filter hook ingress device lo priority 0; }\n"


def test_sets_of_intervals_with_several_parts() -> None:
    (cause,) = causes(CONCATENATED, "ubuntu-20.04")
    assert cause.startswith("a set of intervals with several parts needs nft 0.9.4")
    assert causes(CONCATENATED.replace(" . inet_service", ""), "ubuntu-20.04") == []
    assert causes(CONCATENATED, "debian-11") == []


def test_a_block_of_a_chain_that_is_deleted() -> None:
    text = "add chain ip t c\nadd table ip t\ndelete chain ip t c { devices = { eth0 }; }\n"
    assert causes(text, "debian-12")[0].startswith("a block of a chain that is deleted needs")


def test_what_is_read_wrongly_does_not_hide_what_is_too_new() -> None:
    """nft reads one line after the other, and stops at neither."""
    text = "destroy table ip t\nadd rule ip t c tcp dprot 22\nadd rule ip t c last\n"
    first, second, third = causes(text, "ubuntu-20.04")
    assert first.startswith("destroy needs")
    assert second.startswith("`dprot` is no field")
    assert third.startswith("last needs")


def test_ingress_of_inet() -> None:
    table = "add table inet t\n"
    assert "needs nft 0.9.7" in causes(table + AT_INGRESS, "ubuntu-20.04")[0]
    assert causes(table + AT_INGRESS, "debian-11") == []


def test_what_is_refused_first_is_told_first() -> None:
    """nft evaluates one command after the other, whatever it has not got yet."""
    text = f"add rule inet x c accept\n{DSTNAT_AT_OUTPUT}"
    first, second = causes(text, "nft=1.0.6")
    assert "no table inet x" in first
    assert "needs nft 1.0.9" in second


@pytest.mark.parametrize("text", ["debian", "nft", "nft=new", "pf=1.0", ""])
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(UnknownTargetError):
        target_of(text)


def test_the_rows_say_where_they_are_from() -> None:
    assert all(feature.decided and (feature.nft or feature.kernel) for feature in FEATURES)
    assert all(target.nft and target.iptables for target in DISTRIBUTIONS.values())


def _restored(rule: str, target: str) -> tuple[list[str], list[str]]:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {rule}\nCOMMIT\n"
    answer = load(read(SourceFile("rules.v4", text)), target=target_of(target))
    assert answer is not None
    return [r.span.text for r in answer.refusals], [r.span.text for r in answer.changes]


@pytest.mark.parametrize(
    ("rule", "refused", "changed"),
    [
        ("-ptcp", ["-ptcp"], []),
        ("--source=10.0.0.1", ["--source=10.0.0.1"], []),
        ("-p tcp -jDROP", ["-jDROP"], []),
        ("--jump=LOG", ["--jump=LOG"], []),
        ("-ieth0", [], ["-ieth0"]),
        ("--in-interface=eth0", ["--in-interface=eth0"], []),
        ("-p tcp -mtcp --dport=22 -j DROP", [], []),
    ],
)
def test_arguments_in_the_words_of_their_options_are_not_found_by_two_versions(
    rule: str, refused: list[str], changed: list[str]
) -> None:
    """1.8.9 takes `-ieth0` for an interface of that name, which it prints as `-i -ieth0`; a longer
    word is no name. `-mtcp`, `-gchain` and the options of extensions it reads as ever."""
    assert _restored(rule, "debian-12") == (refused, changed)
    assert _restored(rule, "ubuntu-24.04") == ([], [])


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("-p udp ! --sport 53 ! --dport 53 -j DROP", ["! --sport 53 ! --dport 53"]),
        ("-p tcp ! --dport 22:22 ! --sport ssh", ["! --dport 22:22 ! --sport ssh"]),
        ("-p tcp ! --dport 22:23 ! --sport 22", []),
        ("-p tcp ! --dport 22 ! --sport 0", []),
        ("-p tcp ! --dport 22 --sport 22", []),
        ("-p tcp --dport 22 --sport 22", []),
        ("-p tcp ! --dport 22", []),
        ("-p sctp ! --dport 22 ! --sport 22", []),
        ("-p tcp ! --dport 22 -m multiport ! --sports 22", []),
    ],
)
def test_two_ports_that_are_not_to_be_met_are_one_number_to_three_versions(
    rule: str, changed: list[str]
) -> None:
    """iptables-nft 1.8.9 makes one test of four bytes of the first two, which holds where either
    port is another: `nft --debug=netlink list ruleset` shows it, and its counter the packets."""
    assert _restored(rule, "debian-12") == ([], changed)
    for other in ("debian-11", "debian-13"):
        assert _restored(rule, other) == ([], [])
