"""What has to be there for a test to hold at all, negated or not, and what changes on the way."""

from __future__ import annotations

import pytest

from iptlint.dialects.iptables.lowering.lower import lower
from iptlint.dialects.iptables.parsing.parser import parse
from iptlint.model import AnyOf, Effect, EffectKind, Family, Field, Match, Opaque, Within
from iptlint.source import SourceFile

WHOLE = Within(Field.FRAGMENT, ((0, 0),))
CONNECTED = Within(Field.CT_STATE, ((3, 4),), True)


def rules(*lines: str, table: str = "filter", family: Family = Family.IP) -> list[list[Match]]:
    text = "\n".join((f"*{table}", *(f"-A OUTPUT {line}" for line in lines), "COMMIT\n"))
    source = SourceFile("rules", text)
    ruleset, diagnostics = lower(parse(source, family), source)
    assert not diagnostics
    return [list(rule.matches) for _, _, rule in ruleset.rules()]


def one(line: str, table: str = "filter", family: Family = Family.IP) -> list[Match]:
    (found,) = rules(line, table=table, family=family)
    return found


@pytest.mark.parametrize(
    ("line", "header"),
    [
        ("-m frag ! --fragid 1", "ipv6-frag"),
        ("-m rt ! --rt-type 1", "ipv6-route"),
        ("-m hbh ! --hbh-len 8", "hop-by-hop"),
        ("-m dst ! --dst-len 8", "ipv6-opts"),
        ("-m ah ! --ahspi 1", "ah"),
        ("-m srh ! --srh-tag 1", "ipv6-route"),
    ],
)
def test_a_negated_test_of_an_extension_header_needs_the_header(line: str, header: str) -> None:
    """ip6t_frag.c, ip6t_rt.c, ip6t_hbh.c, ip6t_ah.c, ip6t_srh.c: no header, no match."""
    assert Opaque(f"ipv6header --header {header} --soft") in one(line, family=Family.IP6)


@pytest.mark.parametrize(
    "line",
    [
        "-p ah -m ah --ahspi 1",
        "-p esp -m esp ! --espspi 1",
        "-p ipcomp -m ipcomp --ipcompspi 1",
    ],
)
def test_later_fragments_have_no_header_of_ipsec(line: str) -> None:
    """ipt_ah.c, xt_esp.c and xt_ipcomp.c: ``par->fragoff != 0`` is no match."""
    assert WHOLE in one(line)


def test_a_negated_cgroup_needs_a_socket() -> None:
    """xt_cgroup.c; packets that the kernel itself answers with have none."""
    assert one("-m cgroup ! --cgroup 7") == [
        Opaque("cgroup there"),
        Opaque("cgroup --cgroup 7", True),
    ]


def test_counters_and_hashes_of_connections_need_one() -> None:
    line = "-m connbytes ! --connbytes 9 --connbytes-dir both --connbytes-mode bytes"
    assert CONNECTED in one(line)
    nodes = "--cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1"
    assert CONNECTED in one(f"-m cluster {nodes}", "mangle")


@pytest.mark.parametrize("negated", [False, True])
def test_what_hangs_on_a_connection_does_not_hold_without_one(negated: bool) -> None:
    """xt_helper.c and xt_connlabel.c: without a connection the answer is that of ``!``."""
    bang = "! " if negated else ""
    (helper,) = one(f"-m helper {bang}--helper irc")
    assert helper == AnyOf(((CONNECTED, Opaque("helper --helper irc")),), negated)
    (label,) = one(f"-m connlabel {bang}--label 40")
    assert label == AnyOf(((CONNECTED, Opaque("connlabel --label 40")),), negated)


def test_a_helper_that_the_name_begins_with_matches_too() -> None:
    """xt_helper.c compares as many characters as the name of the helper has."""
    assert one("-m helper --helper ftp-21") != one("-m helper --helper ftp")
    (test,) = one("-m helper --helper ftp-21")
    names = ("ftp", "ftp-21")
    assert test == AnyOf(
        tuple((CONNECTED, Opaque(f"helper --helper {name}")) for name in names), negated=False
    )


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("-m conntrack --ctstatus ASSURED,CONFIRMED", "conntrack --ctstatus"),
        ("-m addrtype --dst-type LOCAL,BROADCAST", "addrtype --dst-type"),
        ("-p dccp -m dccp --dccp-types DATA,ACK", "dccp --dccp-types"),
    ],
)
def test_of_a_list_each_word_is_a_test(line: str, keys: str) -> None:
    test = one(line)[-1]
    assert isinstance(test, AnyOf)
    assert [len(tests) for tests in test.alternatives] == [1, 1]
    assert all(keys in repr(tests) for tests in test.alternatives)


def test_types_of_ip6_addresses_have_to_hold_together() -> None:
    """match_type6 in xt_addrtype.c."""
    (test,) = one("-m addrtype --dst-type LOCAL,MULTICAST", family=Family.IP6)
    assert isinstance(test, Opaque)


def test_ports_of_a_connection_in_ranges_of_all_or_none() -> None:
    assert one("-m conntrack --ctorigsrcport 0:65535") == [CONNECTED, AnyOf(((),))]
    assert one("-m conntrack --ctorigsrcport 4:3") == [CONNECTED, AnyOf(())]


def test_a_realm_outside_its_mask_never_matches() -> None:
    assert one("-m realm --realm 0x1/0x2a") == [AnyOf(())]
    assert one("-m realm ! --realm 0x1/0x2a") == []


def test_all_of_one_chunk_is_any_of_it() -> None:
    asked = [one(f"-p sctp -m sctp --chunk-types {how} DATA") for how in ("all", "any")]
    assert asked[0] == asked[1]


def test_masquerade_to_one_port() -> None:
    text = "*nat\n-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1024\nCOMMIT\n"
    source = SourceFile("rules", text)
    (rule,) = (rule for _, _, rule in lower(parse(source, Family.IP), source)[0].rules())
    assert Effect(EffectKind.WRITE, Field.SPORT, 0xFFFF, 1024) in rule.effects


@pytest.mark.parametrize(
    ("test", "change"),
    [
        ("-p tcp -m tcpmss --mss 1400", "-p tcp -j TCPMSS --set-mss 1300"),
        ("-m string --algo bm --string x", "-j TOS --set-tos 1"),
        ("-m conntrack --ctproto 6", "-j CT --notrack"),
        ("-m connlabel --label 40", "-m connlabel --label 40 --set"),
        ("-m conntrack --ctstate NEW --ctproto 6", "-j CT --notrack"),
    ],
)
def test_what_a_rule_changes_is_not_the_same_before_and_behind_it(test: str, change: str) -> None:
    table = "raw" if "CT" in change else "mangle"
    assert "Uncertain" not in repr(one(test, table))
    assert "Uncertain" in repr(rules(test, change, test, table=table)[2])
