"""What findings say, which fixtures do not ask; and where none is told."""

from __future__ import annotations

import pytest

from iptlint.findings import Finding
from iptlint.linter.run import lint
from iptlint.source import SourceFile
from tests.expectations import ROOT
from tests.firewalls import saved

INPUT6 = """\
table ip6 f {{
 chain input {{
  type filter hook input priority 0; policy drop;
  iif lo accept
  ct state established,related accept
  tcp dport 22 accept
  icmpv6 type {{ packet-too-big, echo-request{} }} accept
 }}
}}
"""


def found(code: str, name: str, text: str, *others: tuple[str, str]) -> list[Finding]:
    sources = [SourceFile(*each) for each in ((name, text), *others)]
    findings = lint(sources, select=[code]).findings
    return [each for each in findings if each.code in (code, "IPT009")]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("bad_state.v4", "to connection tracking such packets are"),
        ("bad_early.v4", "which comes at -200, has not seen them"),
    ],
)
def test_why_no_packet_has_such_a_state(name: str, says: str) -> None:
    text = (ROOT / "fixtures" / "rules" / "IPT103" / name).read_text("utf-8")
    findings = found("IPT103", name, text)
    assert findings
    assert all(says in each.message for each in findings)


@pytest.mark.parametrize(
    ("more", "types"),
    [
        (", nd-neighbor-solicit, nd-neighbor-advert", "nd-router-advert"),
        ("", "{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert }"),
    ],
)
def test_one_type_is_proposed_by_itself_and_several_as_a_list(more: str, types: str) -> None:
    (finding,) = found("IPT702", "rules.nft", INPUT6.format(more))
    assert finding.help == f"add at the top of input: icmpv6 type {types} accept"


def test_a_test_by_the_number_of_an_interface_is_proposed_by_its_name() -> None:
    (finding,) = found("IPT905", "rules.nft", INPUT6.format("").replace("tcp", "iif eth7 tcp"))
    assert finding.help == "compare names: iifname eth7"


def test_a_host_without_a_say_on_what_comes_in_hears_nothing_of_multicast() -> None:
    text = INPUT6.format("").replace("input", "output").replace("icmpv6 type", "ip6 nexthdr")
    assert not found("IPT706", "rules.nft", text)


@pytest.mark.parametrize(
    ("type", "other", "told"), [("net", "", 1), ("net,net", ",192.0.2.0/24", 0)]
)
def test_networks_beside_networks_are_not_joined(type: str, other: str, told: int) -> None:
    """One prefix stands for its halves; of pairs of networks nothing is said."""
    sides = "src,dst" if other else "src"
    rules = saved(f"-A INPUT -m set --match-set s {sides} -j DROP")
    filled = "".join(f"add s 10.0.{part}.0/24{other}\n" for part in range(64))
    kept = ("sets.ipset", f"create s hash:{type} family inet\n{filled}")
    assert len(found("IPT503", "rules.v4", rules, kept)) == told


def test_a_router_whose_interfaces_all_have_names_need_not_accept_answers_by_others() -> None:
    """It translates what leaves by one of them, and names another: there may be no third one."""
    nat = saved("-A POSTROUTING -o eth1 -j MASQUERADE", table="nat")
    answers = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    by_each = [f"-A INPUT -i {name} {answers}" for name in ("eth0", "eth1")]
    closed = ("-A INPUT -i lo -j ACCEPT", *by_each)
    assert not found("IPT201", "rules.v4", nat + saved(*closed, policy="DROP"))


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (("127.128.0.0/9", "248.0.0.0/5"), 0),
        (("127.0.0.0/9", "240.0.0.0/5"), 0),
        (("126.0.0.0/9", "48.0.0.0/5"), 1),
    ],
)
def test_a_part_of_a_block_that_nobody_sends_from_is_one(parts: tuple[str, str], told: int) -> None:
    """RFC 6890: 127.0.0.0/8 and 240.0.0.0/4 are for no packet on a wire. There is a fixed number of
    such blocks: a list of them does not grow."""
    blocks = ("0.0.0.0/8", "169.254.0.0/16", "192.0.2.0/24", "198.51.100.0/24", *parts)
    rules = (f"-A INPUT -s {block} -j DROP" for block in blocks)
    assert len(found("IPT501", "rules.v4", saved(*rules))) == told
