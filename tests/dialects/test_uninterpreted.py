"""What a test that is not interpreted asks: the same in every language, and never lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from iptlint.dialects.readers import read
from iptlint.dialects.uninterpreted import host_name, uninterpreted
from iptlint.model import AnyOf, Field, Match, Opaque, Uncertain
from iptlint.model.matches import (
    AddressType,
    Asked,
    HostName,
    InterfaceNumber,
    Original,
    ReversePath,
    SetLookup,
    Threshold,
)
from iptlint.source import SourceFile

IPTABLES = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING {}\nCOMMIT\n"
NFT = (
    "table ip raw {{ set s {{ type ipv4_addr; flags dynamic; }}\n"
    "chain c {{ type filter hook prerouting priority 0;\n{}\n}} }}\n"
)

ADDRESS = 0xC0000207


def asked(template: str, rule: str) -> list[Asked]:
    return [test.asks for test in lowered(template, rule) if test.asks is not None]


def lowered(template: str, rule: str) -> list[Opaque | Uncertain]:
    (ruleset,) = [read(SourceFile("rules", template.format(rule))).ruleset]
    assert ruleset is not None
    return [
        test for _, _, each in ruleset.rules() for match in each.matches for test in flat(match)
    ]


def flat(match: Match) -> Iterator[Opaque | Uncertain]:
    match match:
        case AnyOf(alternatives):
            for every in alternatives:
                for each in every:
                    yield from flat(each)
        case Opaque() | Uncertain():
            yield match


BOTH = [
    ("-m addrtype --dst-type LOCAL", "fib daddr type local", AddressType(Field.DADDR, ("LOCAL",))),
    (
        "-m addrtype --src-type LOCAL --limit-iface-in",
        "fib saddr . iif type local",
        AddressType(Field.SADDR, ("LOCAL",), by_route=False),
    ),
    ("-m rpfilter", "fib saddr . iif oif != 0", ReversePath()),
    ("-m rpfilter --loose", "fib saddr oif != 0", ReversePath(loose=True)),
    (
        "-m conntrack --ctorigdst 192.0.2.7",
        "ct original ip daddr 192.0.2.7",
        Original(Field.DADDR, ((ADDRESS, ADDRESS),)),
    ),
    (
        "-p tcp -m conntrack --ctorigdstport 80:81",
        "tcp sport 1 ct original proto-dst 80-81",
        Original(Field.DPORT, ((80, 81),)),
    ),
    ("-s www.example.org", "ip saddr www.example.org", HostName("www.example.org")),
    ("-m limit --limit 5/sec", "limit rate 5/second", Threshold()),
    (
        "-m hashlimit --hashlimit-above 5kb/s --hashlimit-name a",
        "limit rate over 5 kbytes/second",
        Threshold(over=True, of_bytes=True),
    ),
    ("-m connlimit --connlimit-above 5", "ct count over 5", Threshold(over=True)),
]


@pytest.mark.parametrize(("iptables", "nft", "asks"), BOTH)
def test_both_languages_ask_the_same(iptables: str, nft: str, asks: Asked) -> None:
    assert asked(IPTABLES, iptables) == [asks]
    assert asked(NFT, nft) == [asks]


def test_a_set_has_the_name_by_which_rules_fill_it() -> None:
    assert asked(IPTABLES, "-m set --match-set s src,dst") == [SetLookup("s", (True, False))]
    assert asked(NFT, "ip saddr @s") == [SetLookup("@ip raw s")]


def test_an_interface_that_is_gone_is_a_number() -> None:
    assert asked(NFT, "iif 7") == [InterfaceNumber(7)]


@pytest.mark.parametrize("text", ["192.0.2.7", "2001:db8::1", "10.0.0.0/8", "a b", ""])
def test_what_is_no_name(text: str) -> None:
    assert host_name(text) is None


def test_a_test_that_is_unsettled_still_asks_the_same() -> None:
    test = uninterpreted("set s src", True, SetLookup("s", (True,)))
    assert test.unsettled == Uncertain("set", "! set s src")
    assert test.unsettled.asks == test.asks


@pytest.mark.parametrize(("iptables", "nft", "_"), BOTH)
def test_every_test_says_what_asks(iptables: str, nft: str, _: Asked) -> None:
    assert all(test.kind for test in (*lowered(IPTABLES, iptables), *lowered(NFT, nft)))
