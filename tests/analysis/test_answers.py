"""What becomes of callers' packets: the ports, and which of them are open to everyone. Judged by
one packet after the other, which a second interpreter of rulesets follows."""

from __future__ import annotations

import random
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

import iptlint
from iptlint.analysis.answers import Answer, Ending, answers
from iptlint.analysis.callers import Caller, callers
from iptlint.analysis.openings import openings
from iptlint.analysis.overview import Overview
from iptlint.analysis.session import Context, Settings
from iptlint.model import Family, Hook, VerdictKind
from iptlint.netfilter.firewall import Firewall, Hooks
from tests.expectations import FIXTURES
from tests.firewalls import hooked, saved
from tests.oracle.replay import replay

HOSTS = ("docker-host", "ufw-host", "nat-router", "nft-firewalld", "nft-docker", "nft-router")
SSH = "-A INPUT -i eth0 -p tcp --dport 22 -j ACCEPT"


def hooks_of(text: str, family: Family = Family.IP) -> Hooks:
    return Hooks(Firewall(iptlint.read(text, family)), family)


def told(text: str, family: Family = Family.IP) -> list[tuple[str, str, bool]]:
    """Protocol and ports of what is open, and whether to everyone."""
    found = openings(answers(hooks_of(text, family)))
    return [(o.protocol, ",".join(f"{low}-{high}" for low, high in o.ports), o.sure) for o in found]


# -- callers --------------------------------------------------------------------------------------


def names(text: str, family: Family = Family.IP) -> list[str]:
    return [caller.name for caller in callers(hooks_of(text, family))]


def test_the_world_is_asked_first_and_this_host_last() -> None:
    assert names(saved(SSH, policy="DROP"))[0].startswith("the internet")
    assert names(saved(SSH, policy="DROP"))[-1] == "this host itself"


def test_the_world_calls_by_each_interface_that_faces_it() -> None:
    """Which, the rules say; an interface that no rule names is none of them then."""
    rules = [f"-A POSTROUTING -o {name} -j MASQUERADE" for name in ("eth0", "wwan+")]
    text = saved(*rules, table="nat") + saved("-A INPUT -i eth1 -j ACCEPT", policy="DROP")
    world = [caller for caller in callers(hooks_of(text)) if caller.world and caller.iif]
    assert [(c.name, c.iif, c.interface) for c in world] == [
        ("the internet, by eth0", "eth0", "eth0"),
        ("the internet, by wwan*", "wwan0", "wwan*"),
    ]
    hooks = hooks_of(saved(policy="DROP"))
    alone = [(c.name, c.interface) for c in callers(hooks) if c.world]
    assert alone == [("the internet", "")]


def test_networks_that_rules_let_in_are_callers() -> None:
    rules = [f"-A INPUT -s {net} -j ACCEPT" for net in ("10.0.0.0/8", "127.0.0.0/8", "0.0.0.0/0")]
    assert "10.0.0.0/8" in names(saved(*rules, policy="DROP"))
    assert not {"127.0.0.0/8", "0.0.0.0/0"} & {*names(saved(*rules, policy="DROP"))}


def test_a_stranger_is_on_no_list_that_most_are_not_on() -> None:
    """The address for documentation is on a list of what nobody has; the world is not."""
    text = saved("-A INPUT -s 198.51.100.0/24 -j DROP", SSH, policy="DROP")
    world = next(caller for caller in callers(hooks_of(text)) if caller.world)
    assert world.saddr is not None
    assert ip_address(world.saddr) not in ip_network("198.51.100.0/24")
    assert next(callers(hooks_of(saved(SSH)))).saddr == "198.51.100.7"


SETS = "create bad hash:net\nadd bad 203.0.113.0/24\nadd bad 198.51.100.0/24\n"
SET_OF_NFT = "set bad { type ipv4_addr; flags interval; elements = { 198.51.100.0/24 } }\n"
PORTS_OF_NFT = (
    "set bad { type ipv4_addr . inet_service; flags interval; "
    "elements = { 198.51.100.0/24 . 1-60000, 10.0.0.0/8 . 22 } }\n"
)


@pytest.mark.parametrize(
    ("text", "ipsets"),
    [
        (saved("-A INPUT -m set --match-set bad src -j DROP", SSH, policy="DROP"), [SETS]),
        (hooked("ip saddr @bad drop", more=SET_OF_NFT), []),
        (hooked("ip saddr . tcp dport @bad drop", more=PORTS_OF_NFT), []),
        (hooked("ip saddr vmap { 198.51.100.0/24 : drop, 10.0.0.0/8 : accept }"), []),
    ],
    ids=["ipset", "set of nft", "set of addresses and ports", "map"],
)
def test_a_stranger_is_in_no_set_that_most_are_not_in(text: str, ipsets: list[str]) -> None:
    """Else nothing was told to be open of a host that bans a network for documentation in a set."""
    hooks = Hooks(Firewall(iptlint.read(text, ipsets=ipsets)), Family.IP)
    found = openings(answers(hooks))
    assert [(o.protocol, o.sure) for o in found if o.ports[0][0] <= 22 <= o.ports[0][1]]
    world = next(caller for caller in callers(hooks) if caller.world)
    assert world.saddr is not None
    assert ip_address(world.saddr) not in ip_network("198.51.100.0/24")
    assert ip_address(world.saddr) not in ip_network("203.0.113.0/24") or not ipsets


# -- what is open -------------------------------------------------------------------------------

OPEN = [
    pytest.param(saved(SSH, policy="DROP"), [("tcp", "22-22", True)], id="a port"),
    pytest.param(saved(policy="DROP"), [], id="nothing"),
    pytest.param(
        saved(policy="ACCEPT"), [("tcp", "0-65535", True), ("udp", "0-65535", True)], id="all"
    ),
    pytest.param(
        saved("-A INPUT -s 10.0.0.0/8 -p tcp --dport 22 -j ACCEPT", policy="DROP"), [], id="private"
    ),
    pytest.param(
        saved("-A INPUT -p tcp --dport 22 -m limit --limit 3/min -j ACCEPT", policy="DROP"),
        [("tcp", "22-22", True)],
        id="a rate, that all have in common",
    ),
    pytest.param(
        saved("-A INPUT -p tcp --dport 22 -m set --match-set ok src -j ACCEPT", policy="DROP"),
        [("tcp", "22-22", False)],
        id="a list of those who may",
    ),
    pytest.param(
        saved("-A INPUT -m set --match-set bad src -j DROP", SSH, policy="DROP"),
        [("tcp", "22-22", True)],
        id="a list of those who may not",
    ),
    pytest.param(
        saved("-A INPUT -p udp --sport 67 --dport 68 -j ACCEPT", policy="DROP"),
        [("udp", "68-68", False)],
        id="an odd source port",
    ),
    pytest.param(
        saved("-A INPUT -d 224.0.0.251 -p udp --dport 5353 -j ACCEPT", policy="DROP"),
        [],
        id="a group",
    ),
    pytest.param(
        saved("-A INPUT -i lo -j ACCEPT", "-A INPUT -i docker0 -j ACCEPT", policy="DROP"),
        [],
        id="inside",
    ),
    pytest.param(
        saved("-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT", policy="DROP"),
        [],
        id="only answers",
    ),
    pytest.param(
        hooked("tcp dport { 80, 443 } accept", "drop"), [("tcp", "80-80,443-443", True)], id="a set"
    ),
    pytest.param(
        hooked("tcp dport 22 queue", "drop"), [("tcp", "22-22", False)], id="a program decides"
    ),
]


@pytest.mark.parametrize(("text", "expected"), OPEN)
def test_what_is_open(text: str, expected: list[tuple[str, str, bool]]) -> None:
    assert told(text) == expected


def test_a_port_that_is_sent_on_says_where_to() -> None:
    nat = saved("-A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to 10.0.0.7:80", table="nat")
    (opening,) = openings(answers(hooks_of(nat + saved(policy="DROP"))))
    assert (opening.ports, opening.becomes) == (((8080, 8080),), (("10.0.0.7", 80),))
    assert opening.way is Hook.INPUT


def test_what_is_the_same_over_both_versions_is_one() -> None:
    ruleset = iptlint.read(hooked("tcp dport 22 accept", "drop"))
    firewall = Firewall(ruleset)
    asked = [a for f in (Family.IP, Family.IP6) for a in answers(Hooks(firewall, f))]
    (opening,) = openings(asked)
    assert opening.families == (Family.IP, Family.IP6)


# -- one packet after the other -------------------------------------------------------------------


def rulesets(host: str) -> list[Path]:
    return sorted((FIXTURES / "hosts" / host).iterdir())


def comes_through(hooks: Hooks, ending: Ending, port: int) -> bool | None:
    """Whether the ending's packet, sent to the port, may come through all hooks; None where nobody
    can say."""
    asked = replace(ending.witness, dport=port)
    walked = replay(hooks.ruleset, asked, ending.way.value, ending.becomes)
    through = (VerdictKind.ACCEPT, None, None) in walked.decided
    return None if walked.given_up else through


@pytest.mark.parametrize(
    "path", [p for h in HOSTS for p in rulesets(h)], ids=lambda p: p.parent.name
)
def test_packets_to_open_ports_come_through(path: Path) -> None:
    rng = random.Random(20)
    ruleset = iptlint.read(path)
    for family in (Family.IP, Family.IP6):
        if not ruleset.sees(family):
            continue
        hooks = Hooks(Firewall(ruleset), family)
        for answer in answers(hooks):
            if answer.caller.world and answer.protocol in ("tcp", "udp"):
                check(hooks, answer, rng)


def check(hooks: Hooks, answer: Answer, rng: random.Random) -> None:
    """Every sure port is open whatever luck says; no packet to a port of no passing ending is."""
    passing = [ending for ending in answer.endings if ending.kind.may_pass]
    for ending in answer.endings:
        for low, high in ending.sure[:20]:
            seen = comes_through(hooks, ending, rng.randint(low, high))
            assert seen is not False, (answer.caller, ending.sure)
        if ending.kind.denies:
            shut = [r for r in ending.ports if not any(_meet(r, p.ports) for p in passing)]
            for low, high in shut[:20]:
                seen = comes_through(hooks, ending, rng.randint(low, high))
                assert seen is not True, (answer.caller, ending.ports)


def _meet(one: tuple[int, int], ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(one[0] <= high and low <= one[1] for low, high in ranges)


# -- the overview -----------------------------------------------------------------------------


def overview(text: str, settings: Settings | None = None) -> Overview:
    ruleset = iptlint.read(text)
    made = Overview(ruleset)
    made.fill(Context((ruleset,), settings or Settings()))
    return made


def test_rules_that_no_packet_matches_are_dead() -> None:
    text = saved("-A INPUT -j DROP", SSH, "-A nobody -j ACCEPT", policy="DROP", chains="nobody")
    assert sorted(rule.origin.span.text.split()[1] for rule in overview(text).dead) == [
        "INPUT",
        "nobody",
    ]


@pytest.mark.parametrize(
    ("rules", "fails"),
    [
        ([SSH, "-A OUTPUT -j ACCEPT"], None),
        (["-A INPUT -p tcp --dport 80 -j ACCEPT"], "SYN"),
        (["-A INPUT -p tcp --dport 22 -j ACCEPT", "-A OUTPUT -p tcp -j DROP"], "SYN-ACK"),
    ],
)
def test_who_gets_in_by_ssh(rules: list[str], fails: str | None) -> None:
    (access,) = overview(
        saved("-A INPUT -m state --state ESTABLISHED -j ACCEPT", *rules, policy="DROP")
    ).access
    assert (access.told, access.fails) == (True, fails)


def test_where_no_chain_looks_at_what_comes_in_nothing_is_told() -> None:
    made = overview(saved("-A POSTROUTING -o eth0 -j MASQUERADE", table="nat"))
    assert [access.told for access in made.access] == [False]


def test_a_caller_is_a_question() -> None:
    caller = Caller("x", Family.IP, Hook.INPUT, "eth0", "198.51.100.7")
    assert caller.opening("tcp").tcp_flags == ("syn",)
    assert caller.opening("icmp").icmp_type == 8
