"""Whether packets come through all hooks on their way, and who ends the others."""

from __future__ import annotations

import pytest

from iptlint.analysis.delivery import Delivery, delivery
from iptlint.model import Family, Hook, VerdictKind
from tests.firewalls import hooks_of, packets, saved

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
