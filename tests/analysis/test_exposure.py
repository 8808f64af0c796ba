"""Which interfaces face the world, and what comes in by them, through all hooks."""

from __future__ import annotations

from random import Random

import pytest

import iptlint
from iptlint.analysis.exposure import (
    Exposure,
    exposure,
    exposure_among,
    external_probes,
    interface_name,
    outward,
    uplinks,
)
from iptlint.model import Family, Field, Hook
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.packets.bdd import union
from tests.firewalls import hooks_of, packets, saved

LO = "-A INPUT -i lo -j ACCEPT"
SSH = "-A INPUT -p tcp --dport 22 -j ACCEPT"


def walk(
    *rules: str,
    nat: tuple[str, ...] = (),
    policy: str = "DROP",
    chains: str = "",
    family: Family = Family.IP,
) -> Hooks:
    translation = "".join(f"{rule}\n" for rule in ("*nat", *nat, "COMMIT")) if nat else ""
    declared = "".join(f":{name} - [0:0]\n" for name in chains.split())
    head = f"*filter\n:INPUT {policy} [0:0]\n:FORWARD DROP [0:0]\n{declared}"
    text = translation + head + "".join(f"{rule}\n" for rule in (*rules, "COMMIT"))
    return Hooks(Firewall(iptlint.read(text, family)), family)


def facing(hooks: Hooks) -> set[str]:
    """The names; "" is every interface without one."""
    space, found = hooks.space, outward(hooks)
    return {
        cls.name
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if (found & space.value(Field.IIF, number)).satisfiable()
    }


def ports(hooks: Hooks, *asked: int, hook: Hook = Hook.INPUT) -> list[int]:
    """Those of ``asked`` that most of the world gets to in the end, by tcp."""
    found = exposure(hooks, hook)
    tcp = hooks.space.value(Field.PROTO, 6)
    return [
        port
        for port in asked
        if found.is_most(found.now(hooks.space.value(Field.DPORT, port)) & tcp)
    ]


def test_most_callers_of_each_protocol() -> None:
    """What most get to by tcp is not lost where udp is asked as well."""
    hooks = walk(SSH, "-A INPUT -p udp --dport 53 -j ACCEPT")
    found, space = exposure(hooks, Hook.INPUT), hooks.space
    ports = found.most(found.accepted, Field.DPORT)
    assert ports == space.ranges(Field.DPORT, ((22, 22), (53, 53)))


# -- interfaces ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ((LO, SSH), {""}),
        (("-A INPUT -i eth0 -p tcp --dport 22 -j ACCEPT",), {"", "eth0"}),
        # What is for all is said without an interface, so eth1 may be a private one.
        ((SSH, "-A INPUT -i eth1 -p tcp --dport 3306 -j ACCEPT"), {""}),
        ((SSH, "-A INPUT -i ppp0 -p tcp --dport 80 -j ACCEPT"), {"", "ppp0"}),
        # Of two, the names tell; where they do not, neither is the world's.
        (("-A INPUT -i eth0 -p tcp --dport 22 -j ACCEPT", "-A INPUT -i eth1 -j LOG"), {""}),
        (("-A INPUT -i wan -p tcp --dport 22 -j ACCEPT", "-A INPUT -i eth1 -j LOG"), {"", "wan"}),
        # Everything is accepted from there, and nothing from elsewhere.
        (("-A INPUT -i eth1 -j ACCEPT", SSH), {""}),
        (("-A INPUT ! -i eth0 -j ACCEPT",), {"eth0"}),
        ((SSH, "-A INPUT -i wg0 -p udp -j ACCEPT", "-A INPUT -i docker0 -j LOG"), {""}),
        ((SSH, "-A INPUT -i tun+ -p udp -j ACCEPT", "-A INPUT -i br-lan -j LOG"), {""}),
        ((SSH, "-A INPUT -i bat0 -p udp -j ACCEPT", "-A INPUT -i office -j LOG"), {""}),
    ],
)
def test_interfaces_that_face_the_world(rules: tuple[str, ...], names: set[str]) -> None:
    assert facing(walk(*rules)) == names


def test_packets_leave_by_an_uplink_with_an_address_of_the_host() -> None:
    rules = ("-A INPUT -i eth0 -p tcp --dport 22 -j ACCEPT", "-A INPUT -i eth1 -j LOG")
    hooks = walk(*rules, nat=("-A POSTROUTING -o eth0 -j MASQUERADE",))
    assert facing(hooks) == {"", "eth0"}
    assert interface_name(hooks.space, uplinks(hooks, Field.IIF)) == "eth0"
    vpn = walk(*rules, nat=("-A POSTROUTING -o tun0 -j MASQUERADE",))
    assert not uplinks(vpn, Field.IIF).satisfiable()


# -- what comes in ------------------------------------------------------------------


def test_who_is_on_a_list_is_not_the_world() -> None:
    assert ports(walk(SSH), 22, 80) == [22]
    assert ports(walk("-A INPUT -s 203.0.113.0/24 -p tcp --dport 22 -j ACCEPT"), 22) == []
    assert ports(walk("-A INPUT -s 23.77.180.41 -p tcp --dport 22 -j ACCEPT"), 22) == []
    assert ports(walk("-A INPUT -d 10.0.0.1 -p tcp --dport 22 -j ACCEPT"), 22) == []
    assert ports(walk("-A INPUT -d 198.51.100.1 -p tcp --dport 22 -j ACCEPT"), 22) == [22]


def test_a_rate_is_open_and_a_knock_is_not() -> None:
    limited = "-A INPUT -p tcp --dport 22 -m limit --limit 3/min -j ACCEPT"
    assert ports(walk(limited), 22) == [22]
    assert not exposure(walk(limited), Hook.INPUT).accepted.satisfiable()
    knocked = "-A INPUT -p tcp --dport 22 -m recent --rcheck --name k -j ACCEPT"
    assert ports(walk(knocked), 22) == []
    banned = "-A INPUT -m recent --update --seconds 9 --hitcount 3 --name k -j DROP"
    assert ports(walk(banned, SSH), 22) == []


def test_ports_are_those_after_translation() -> None:
    redirect = ("-A PREROUTING -p tcp --dport 2022 -j REDIRECT --to-ports 22",)
    status = "-A INPUT -p tcp --dport 22 -m conntrack --ctstate DNAT -j ACCEPT"
    assert ports(walk(status, nat=redirect), 22) == [22]
    assert ports(walk(status), 22) == []


def test_a_host_behind() -> None:
    dnat = ("-A PREROUTING -p tcp --dport 13306 -j DNAT --to-destination 10.0.0.8:3306",)
    hooks = walk("-A FORWARD -d 10.0.0.8 -p tcp --dport 3306 -j ACCEPT", nat=dnat)
    assert ports(hooks, 3306, 13306, hook=Hook.FORWARD) == [3306]
    assert not exposure(hooks, Hook.INPUT).accepted.satisfiable()
    blocked = walk("-A FORWARD -d 10.0.0.9 -j ACCEPT", nat=dnat)
    assert ports(blocked, 3306, hook=Hook.FORWARD) == []


def test_a_translation_to_an_address_of_the_host_stays_with_it() -> None:
    """SNAT shows that 203.0.113.1 is the host's: INPUT decides, not FORWARD."""
    nat = (
        "-A PREROUTING -p tcp --dport 13306 -j DNAT --to-destination 203.0.113.1:3306",
        "-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.1",
    )
    hooks = walk("-A INPUT -p tcp --dport 3306 -j ACCEPT", nat=nat)
    assert ports(hooks, 3306) == [3306]
    translated = packets(hooks.space, dport=13306)
    assert (exposure(hooks, Hook.INPUT).accepted & translated).satisfiable()
    assert not (exposure(hooks, Hook.FORWARD).accepted & translated).satisfiable()


def test_what_is_sent_to_another_host_is_not_let_in_here() -> None:
    nat = ("-A PREROUTING -p tcp --dport 22 -j DNAT --to-destination 10.0.0.8",)
    assert ports(walk(SSH, "-A FORWARD -j ACCEPT", nat=nat), 22) == []


def test_what_one_chain_alone_decides_is_what_the_whole_way_does() -> None:
    rules = (LO, "-A INPUT -p tcp -j web", "-A web -p tcp --dport 80 -j ACCEPT")
    hooks = walk(*rules, chains="web")
    longer = walk(*rules, chains="web", nat=("-A PREROUTING -p udp --dport 9 -j REDIRECT",))
    assert ports(hooks, 22, 80) == ports(longer, 22, 80) == [80]
    (decider,) = exposure(hooks, Hook.INPUT).accepters(exposure(hooks, Hook.INPUT).accepted)
    assert decider.name == "line 7"


def test_what_the_policy_accepts_too() -> None:
    limited = "-A INPUT -p tcp --dport 22 -m limit --limit 3/min -j ACCEPT"
    open_, closed = walk(limited, policy="ACCEPT"), walk(limited)
    for hooks, is_open in ((open_, True), (closed, False)):
        ssh = hooks.space.value(Field.DPORT, 22)
        assert (exposure(hooks, Hook.INPUT).by_policy & ssh).satisfiable() == is_open


def test_most_callers_of_a_group() -> None:
    hooks = walk(SSH)
    group = external_probes(hooks)
    found = Exposure(hooks, Hook.INPUT, group)
    assert found.is_most(found.accepted)
    assert not found.is_most(group[0] | group[1])
    assert found.is_most(group[0] | group[1] | group[2])
    assert found.most(found.accepted, Field.DPORT) == hooks.space.value(Field.DPORT, 22)


def test_most_of_five_callers_are_three() -> None:
    hooks = walk(LO, SSH)
    space, callers = hooks.space, external_probes(hooks)
    assert len(callers) == 5
    exposed = Exposure(hooks, Hook.INPUT, callers)
    ssh = packets(space, dport=22)
    for count in range(6):
        some = union(callers[:count], space.false) & ssh
        told = exposed.most(some, Field.DPORT)
        assert told == (space.value(Field.DPORT, 22) if count > 2 else space.false)
        assert exposed.is_most(some) is (count > 2)
    two = (callers[0] | callers[4]) & ssh
    assert not exposed.most(two, Field.DPORT).satisfiable()
    apart = callers[0] & ssh | callers[1] & ssh | callers[2] & packets(space, dport=23)
    assert not exposed.most(apart, Field.DPORT).satisfiable()


PORTS = ("22", "23", "3306", "3300:3310", "1:65535", "8000", "6379")
SOURCES = ("", "", "-s 203.0.113.0/24 ", "! -s 10.0.0.0/8 ", "-i eth0 ")


@pytest.mark.parametrize("seed", range(20))
def test_what_is_told_of_some_packets_is_what_is_told_of_all(seed: int) -> None:
    draw = Random(seed)
    rules = [
        f"-A INPUT {draw.choice(SOURCES)}-p {draw.choice(('tcp', 'udp'))} "
        f"--dport {draw.choice(PORTS)} -j {draw.choice(('ACCEPT', 'ACCEPT', 'DROP'))}"
        for _ in range(12)
    ]
    hooks = hooks_of(saved(*rules, policy="DROP"))
    asked = hooks.space.ranges(Field.DPORT, ((22, 23), (3306, 3306)))
    beside = hooks.space.ranges(Field.DPORT, ((3300, 3310),))
    some, whole = exposure_among(hooks, Hook.INPUT, asked, beside), exposure(hooks, Hook.INPUT)
    within = asked | beside
    if some is None:
        assert not (whole.accepted & asked).satisfiable()
        return
    assert some.everyone == whole.everyone & within
    assert some.accepted == whole.accepted & within
    assert some.denied == whole.denied & within
    assert some.by_policy == whole.by_policy & within
    told = [(each.rule, each.packets) for each in some.accepters(within)]
    assert told == [(each.rule, each.packets) for each in whole.accepters(within)]
    for port in (22, 23, 3306, 3301):
        to = hooks.space.value(Field.DPORT, port)
        assert some.is_most(some.accepted & to) is whole.is_most(whole.accepted & to)
