"""Whether packets come through all hooks on their way, and who ends the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Interface
from random import Random
from typing import TYPE_CHECKING

import pytest

from iptlint.analysis.delivery import Delivery, by_rule, delivery, fates_of
from iptlint.analysis.icmp_errors import is_turned_away, turned_away
from iptlint.model import Family, Field, Hook, VerdictKind
from iptlint.model.host import InterfaceAddress
from iptlint.model.host_addresses import of_interfaces
from iptlint.netfilter import table_analysis
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Outcome
from iptlint.netfilter.routes import ROUTES
from iptlint.netfilter.skimming import SkimmingTraversal
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets import chain_shape
from iptlint.packets.bdd import union
from tests.firewalls import hooks_of, packets, saved
from tests.netfilter.test_long_chain import flat_rules

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

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


def certain_rules(seed: int) -> str:
    """A chain that calls another, of rules that a packet alone decides."""
    doubtful = ("limit", "string", "MARK")
    lines = flat_rules(seed, 40).splitlines(keepends=True)
    text = "".join(line for line in lines if not any(word in line for word in doubtful))
    return text.replace(":INPUT ACCEPT", ":INPUT DROP") if seed % 2 else text


def by_decider(outcomes: Iterable[Outcome], among: PacketSet) -> dict[object, PacketSet]:
    """Of rules and policies that accept some of the packets, what they accept, in their order."""
    return {
        end.decision.span: end.packets & among
        for end in outcomes
        if end.kind is VerdictKind.ACCEPT and end.decision and (end.packets & among).satisfiable()
    }


def ending(
    outcomes: Iterable[Outcome], kind: VerdictKind, *, by_policy: bool
) -> Iterator[PacketSet]:
    for end in outcomes:
        of_policy = end.decision is not None and end.decision.rule is None
        if end.kind is kind and of_policy is by_policy:
            yield end.packets


@pytest.mark.parametrize("length", [0, 1 << 30])
@pytest.mark.parametrize("seed", range(16))
def test_what_is_told_of_rules_together_is_what_following_packets_tells_of_each(
    seed: int, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_analysis, "LONG", length)
    monkeypatch.setattr(chain_shape, "MOST_ODD", 1 << 30)
    hooks, draw = hooks_of(certain_rules(seed)), Random(seed)
    space, unknowns = hooks.space, Unknowns(hooks.space)
    came = packets(space, ct_state="new")
    told = fates_of(hooks, Hook.INPUT, came, unknowns, lambda rule, visit: None)
    traversal = by_rule(hooks, unknowns, lambda rule, visit: None)
    followed = traversal.follow(ROUTES[Hook.INPUT], came & hooks.hook_packets(Hook.INPUT))
    assert all(end.decision is None or end.decision.rule is None for end in told.outcomes)
    for kind in (VerdictKind.ACCEPT, VerdictKind.DROP, VerdictKind.REJECT):
        for by_policy in (True, False):
            one, other = (
                union([*ending(ends, kind, by_policy=by_policy)], space.false)
                for ends in (told.outcomes, followed)
            )
            assert one == other, (kind, by_policy)
    for _ in range(4):
        low = draw.randrange(0, 600)
        some = packets(space, proto=draw.choice(("tcp", "udp")))
        among = space.ranges(Field.DPORT, ((low, low + draw.choice((0, 90, 9000))),))
        all_of_some = by_decider(told.decided(some, some), some)
        assert all_of_some == by_decider(followed, some)
        wanted = [who for who, taken in all_of_some.items() if (taken & among).satisfiable()]
        fewer = by_decider(told.decided(some, among), some)
        assert all(all_of_some[who] == taken for who, taken in fewer.items())
        assert [who for who in fewer if who in wanted] == wanted


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("policy", ["ACCEPT", "DROP"])
def test_lines_that_nobody_can_read_may_do_anything_however_many_there_are(
    policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind some of them the others are left out, and so are rules that do nothing."""
    monkeypatch.setattr(table_analysis, "LONG", 4)
    unread = ["-A INPUT --foo bar ! -j"] * 12
    idle = ["-A INPUT -m limit --limit 3/s -s 192.0.2.1"] * 3
    rules = (*unread, *idle, f"-A INPUT {SSH} -j DROP", *unread)
    hooks = hooks_of(saved(*rules, policy=policy))
    sent_out = packets(hooks.space, iif="eth0", proto="tcp", ct_state="new", mark=0)

    def followed(*, skims: bool) -> tuple[dict[VerdictKind, PacketSet], int]:
        unknowns, met = Unknowns(hooks.space), list[object]()
        traversal = by_rule(hooks, unknowns, lambda rule, visit: met.append(rule), skims=skims)
        assert isinstance(traversal, SkimmingTraversal) is skims
        outcomes = traversal.follow(ROUTES[Hook.INPUT], sent_out)
        kinds = {outcome.kind for outcome in outcomes}
        each = {kind: [o.packets for o in outcomes if o.kind is kind] for kind in kinds}
        fates = {kind: union(some, hooks.space.false) for kind, some in each.items()}
        return {kind: some.exists(unknowns.cube) for kind, some in fates.items()}, len(met)

    (all_of_them, many), (few_of_them, few) = followed(skims=False), followed(skims=True)
    assert all_of_them == few_of_them
    assert (many, few) == (28, 17)
