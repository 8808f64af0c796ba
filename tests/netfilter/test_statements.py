"""A statement is left out only where no packet under way can match a part of it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

import iptlint
from iptlint.model import Family, Hook, Rule, Ruleset
from iptlint.netfilter import table_analysis
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.packet_group import PacketGroup, Statements, TraversalStep, Visit
from iptlint.netfilter.routes import ROUTES
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets import chain_shape
from iptlint.packets.rewrite import Rewrite
from tests.firewalls import firewall_of, hooked, packets, saved, texts
from tests.netfilter.test_long_chain import flat_rules
from tests.oracle.generate import random_ruleset

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.space import Space

TRANSLATING = (
    "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.0.2.7:8080",
    "-A PREROUTING -s 192.0.2.0/25 -p udp -j DNAT --to-destination 192.0.2.1-192.0.2.9",
    "-A PREROUTING -p udp -m udp --dport 1024:40000 -j REDIRECT --to-ports 22",
)


def every_chain(monkeypatch: pytest.MonkeyPatch, *, is_long: bool) -> None:
    monkeypatch.setattr(table_analysis, "LONG", 0 if is_long else 1 << 30)
    monkeypatch.setattr(chain_shape, "MOST_ODD", 1 << 30)
    monkeypatch.setattr(chain_shape, "_MOST_ROWS", 1 << 30)


def followed(ruleset: Ruleset, space: Space, unknowns: Unknowns, asked: PacketSet) -> object:
    """All that is met on the way to this host, and what becomes of the packets."""
    steps: list[TraversalStep] = []
    visits: list[tuple[Rule, object, Visit]] = []
    traversal = Traversal(
        Firewall(ruleset, space),
        Family.IP6 if "ip6" in space.families else Family.IP,
        unknowns,
        by_rule=True,
        on_step=steps.append,
        on_visit=lambda rule, visit: visits.append((rule, visit)),
    )
    outcomes = traversal.follow(ROUTES[Hook.INPUT], asked)
    ends = [(o.kind, o.decision, o.rewrite, o.packets, o.hook, o.zone) for o in outcomes]
    return ends, steps, visits


@pytest.mark.parametrize("seed", range(40))
def test_packets_fare_as_if_every_rule_were_asked(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = Family.IP6 if seed % 4 == 0 else Family.IP
    text = flat_rules(seed, 40, ipv6=family is Family.IP6)
    if seed % 4 == 1:
        text = saved(*TRANSLATING, table="nat") + text
    if seed % 4 == 2:
        text = random_ruleset(seed, rules=30, family=family.value).text
    ruleset = iptlint.read(text, family)
    space = Firewall(ruleset).space
    unknowns, draw = Unknowns(space), Random(seed)
    matches = [match for _, _, rule in ruleset.rules() for match in rule.matches]
    for _ in range(6):
        asked = space.universe
        matcher = Firewall(ruleset, space)._unchanging
        for match in draw.sample(matches, min(len(matches), draw.randrange(4))):
            some = asked & matcher.test(match).may
            asked = some if some.satisfiable() else asked
        every_chain(monkeypatch, is_long=False)
        one_by_one = followed(ruleset, space, unknowns, asked)
        every_chain(monkeypatch, is_long=True)
        assert followed(ruleset, space, unknowns, asked) == one_by_one


@pytest.mark.parametrize(
    ("port", "asked"),
    [
        (22, ["tcp dport vmap { 22 : accept, 80 : drop }", "tcp dport 22-100 accept"]),
        (443, ["meta l4proto tcp counter"]),
    ],
)
def test_a_statement_is_met_with_all_its_parts(
    port: int, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    every_chain(monkeypatch, is_long=True)
    rules = (
        "udp dport 53 accept",
        "tcp dport vmap { 22 : accept, 80 : drop }",
        "tcp dport 22-100 accept",
        "meta l4proto tcp counter",
    )
    firewall = firewall_of(hooked(*rules))
    space, (chain,) = firewall.space, firewall.ruleset.tables[0].chains.values()
    group = PacketGroup(Rewrite(space, {}), packets(space, proto="tcp", dport=port))
    statements = Statements(chain, firewall.concerning(chain))
    met = []
    while (parts := statements.following([group])) is not None:
        assert len({rule.statement for rule in parts}) == 1
        met.append(texts(parts)[0])
    assert met == [*asked, *({"meta l4proto tcp counter"} - {*asked})]
