"""Whether packets come through all hooks on their way, and who ends the others."""

from __future__ import annotations

from ipaddress import IPv4Interface
from random import Random

import pytest

from iptlint.analysis.delivery import Delivery, delivery
from iptlint.analysis.icmp_errors import is_turned_away, turned_away
from iptlint.model import Family, Field, Hook, VerdictKind
from iptlint.model.host import InterfaceAddress
from iptlint.model.host_addresses import of_interfaces
from iptlint.netfilter.firewall import Hooks
from tests.firewalls import hooks_of, packets, saved
from tests.netfilter.test_long_chain import flat_rules

SSH = "-p tcp -m tcp --dport 22"


def sent(
    text: str, hook: Hook = Hook.INPUT, family: Family = Family.IP, **fields: object
) -> tuple[Delivery, object]:
    hooks = hooks_of(text, family)
    way = {"iif": "eth0"} if hook is not Hook.OUTPUT else {"oif": "eth0"}
    if hook is Hook.FORWARD:
        way["oif"] = "eth1"
    asked = {"proto": "tcp", "dport": 22, "ct_state": "new", "mark": 0} | way | fields
    return delivery(hooks, hook, packets(hooks.space, family.value, **asked)), hooks.space


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
@pytest.mark.parametrize(
    ("table", "rule", "comes_through"),
    [
        ("filter", f"-A INPUT {SSH} -j DROP", False),
        ("filter", "-A INPUT -p udp -j DROP", True),
        ("filter", "-A FORWARD -j DROP", True),
        ("raw", f"-A PREROUTING {SSH} -j DROP", False),
        ("mangle", f"-A INPUT {SSH} -j DROP", False),
        ("mangle", "-A POSTROUTING -j DROP", True),
        ("filter", f"-A INPUT {SSH} -m limit --limit 1/s -j DROP", True),
        ("filter", f"-A INPUT {SSH} -j NFQUEUE --queue-num 1", True),
    ],
)
def test_every_hook_on_the_way_has_its_say(
    table: str, rule: str, comes_through: bool, family: Family
) -> None:
    found, _ = sent(
        saved(rule, table=table) + ("" if table == "filter" else saved()), family=family
    )
    assert found.comes_through is comes_through


def test_forwarded_packets_leave_by_postrouting() -> None:
    text = saved("-A POSTROUTING -o eth1 -j DROP", table="mangle")
    assert not sent(text, Hook.FORWARD)[0].comes_through
    assert sent(text, Hook.FORWARD, oif="eth2")[0].comes_through
    assert not sent(text, Hook.OUTPUT, oif="eth1")[0].comes_through


def test_who_ends_them() -> None:
    rules = (f"-A INPUT -s 10.0.0.0/8 {SSH} -j REJECT", f"-A INPUT {SSH} -j DROP")
    found, _ = sent(saved(*rules))
    assert [share.kind for share in found.droppers] == [VerdictKind.DROP, VerdictKind.REJECT]
    assert not found.through.satisfiable()


@pytest.mark.parametrize("table", ["filter", "mangle"])
def test_a_limit_leaves_it_open_who_comes_through(table: str) -> None:
    """The same packets may come through and may not."""
    text = saved(f"-A INPUT {SSH} -m limit --limit 1/s -j DROP", table=table)
    found, _ = sent(text)
    assert found.through.satisfiable()
    assert found.lost == found.through


def test_they_arrive_as_what_they_were_made() -> None:
    """A translation in PREROUTING is what INPUT tests and what the host gets."""
    redirect = "-A PREROUTING -p tcp -m tcp --dport 2222 -j REDIRECT --to-ports 22"
    after = saved(f"-A INPUT {SSH} -j ACCEPT", policy="DROP")
    found, space = sent(saved(redirect, table="nat") + after, dport=2222)
    assert found.arrived.satisfiable()
    assert not (found.arrived & ~packets(space, proto="tcp", dport=22)).satisfiable()
    before = saved("-A INPUT -p tcp -m tcp --dport 2222 -j ACCEPT", policy="DROP")
    assert not sent(saved(redirect, table="nat") + before, dport=2222)[0].comes_through


def test_a_mark_decides_in_a_later_table() -> None:
    mark = saved(f"-A PREROUTING {SSH} -j MARK --set-mark 0x1", table="mangle")
    rest = saved("-A INPUT -m mark --mark 0x1 -j ACCEPT", policy="DROP")
    assert sent(mark + rest)[0].comes_through
    assert not sent(mark + rest, dport=23)[0].comes_through


TO_OTHERS = saved(
    "-A PREROUTING -p tcp -m tcp --dport 22 -j DNAT --to-destination 10.0.0.2", table="nat"
)
INPUT_ACCEPTS = ":INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\nCOMMIT\n"
"""Behind ``*filter``."""


def test_translated_ones_go_by_their_new_destination() -> None:
    """Whether 10.0.0.2 is the host's nobody knows: INPUT accepts them, or FORWARD has them."""
    hooks = hooks_of(TO_OTHERS + "*filter\n" + INPUT_ACCEPTS)
    asked = packets(hooks.space, iif="eth0", proto="tcp", dport=22, ct_state="new")
    asked = asked & ~packets(hooks.space, daddr="10.0.0.2")
    found = delivery(hooks, Hook.INPUT, asked)
    assert found.through == found.lost
    assert found.droppers == []


@pytest.mark.parametrize(("own", "arrives"), [("10.0.0.2", True), ("10.0.0.3", False)])
def test_where_the_addresses_of_the_host_are_known_there_is_one_way(
    own: str, arrives: bool
) -> None:
    known = of_interfaces([InterfaceAddress("eth0", IPv4Interface(f"{own}/24"))])
    hooks = hooks_of(TO_OTHERS + "*filter\n" + INPUT_ACCEPTS)
    hooks = Hooks(hooks.firewall, hooks.family, addresses=known)
    asked = packets(hooks.space, iif="eth0", proto="tcp", dport=22, ct_state="new")
    asked = asked & ~packets(hooks.space, daddr="10.0.0.2")
    found = delivery(hooks, Hook.INPUT, asked)
    assert found.arrived.satisfiable() is arrives
    assert found.lost.satisfiable() is not arrives


def test_what_is_sent_to_another_host_does_not_arrive_here() -> None:
    accepts = "*filter\n" + INPUT_ACCEPTS.replace("FORWARD DROP", "FORWARD ACCEPT")
    known = of_interfaces([InterfaceAddress("eth0", IPv4Interface("192.0.2.1/24"))])
    hooks = hooks_of(TO_OTHERS + accepts)
    hooks = Hooks(hooks.firewall, hooks.family, addresses=known)
    asked = packets(hooks.space, iif="eth0", proto="tcp", dport=22, ct_state="new")
    asked = asked & ~packets(hooks.space, daddr="10.0.0.2")
    found = delivery(hooks, Hook.INPUT, asked)
    assert found.comes_through
    assert not found.arrived.satisfiable()


@pytest.mark.parametrize("table", ["filter", "nat"])
def test_what_is_forwarded_leaves_by_an_interface(table: str) -> None:
    """Packets without one are not on this way, whatever engine answers."""
    text = saved("-A PREROUTING -p tcp -j REDIRECT", table="nat") if table == "nat" else ""
    hooks = hooks_of(text + "*filter\n" + INPUT_ACCEPTS.replace("FORWARD DROP", "FORWARD ACCEPT"))
    nowhere = packets(hooks.space, iif="eth0", proto="udp") & hooks.space.no_interface(Field.OIF)
    assert not delivery(hooks, Hook.FORWARD, nowhere).through.satisfiable()


@pytest.mark.parametrize("seed", range(12))
def test_nothing_comes_through_where_somebody_drops_all(seed: int) -> None:
    """Who they are need not be known for that."""
    hooks, draw = hooks_of(flat_rules(seed, 25)), Random(seed)
    for hook in (Hook.INPUT, Hook.OUTPUT):
        for port in draw.sample(range(1, 600), 4):
            asked = hooks.space.universe & hooks.space.value(Field.DPORT, port)
            way = delivery(hooks, hook, asked)
            assert way.is_denied is bool(way.droppers)
            assert is_turned_away(hooks, hook, asked) is not way.comes_through
            assert turned_away(hooks, hook, asked) == ([] if way.comes_through else way.droppers)
