"""Which packets arrive, wherever translation sends them."""

from __future__ import annotations

from iptlint.analysis.arrivals import OutcomesOfOne, Where, arrivals
from iptlint.analysis.one_packet import one_of
from iptlint.model import Family, Field, Hook, VerdictKind
from iptlint.netfilter.firewall import Firewall, Hooks
from tests.policy.hosts import rulesets

FORWARDED = """\
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.7:8080
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
-A FORWARD -d 10.0.0.7/32 -p tcp -m tcp --dport 8080 -m limit --limit 5/min -j ACCEPT
COMMIT
"""


def hooks(text: str) -> Hooks:
    (ruleset,) = rulesets(text)
    return Hooks(Firewall(ruleset), Family.IP)


def test_a_translated_packet_is_followed_to_where_it_goes() -> None:
    firewall = hooks(FORWARDED)
    space = firewall.space
    port = space.value(Field.PROTO, 6) & space.value(Field.DPORT, 80) & space.state("new")
    found = arrivals(firewall, Hook.INPUT, port, Where.LIKELY_HOST)
    inside = space.value(Field.DPORT, 8080)
    came = found.may_arrive(lambda outcome: outcome.rewrite.now(inside))
    assert came.satisfiable()
    assert not (came & ~port).satisfiable()
    assert not found.surely_arrive(lambda outcome: space.true).satisfiable()
    assert found.assumed == ("10.0.0.7",)


def test_the_outcomes_of_one_packet_say_under_what() -> None:
    firewall = hooks(FORWARDED)
    space = firewall.space
    port = space.value(Field.PROTO, 6) & space.value(Field.DPORT, 80) & space.state("new")
    packets = port & firewall.hook_packets(Hook.INPUT)
    point = one_of(space, packets, Hook.INPUT)
    of_one = OutcomesOfOne(firewall, Hook.INPUT, point, Where.LIKELY_HOST)
    assert {each.kind for each in of_one.outcomes} == {VerdictKind.ACCEPT, VerdictKind.DROP}
    for outcome in of_one.outcomes:
        assert "limit rate 5/minute" in " ".join(of_one.conditions(outcome))
