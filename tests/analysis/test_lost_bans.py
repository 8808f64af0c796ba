"""What a ban was to stop, and accepting rules above it let in."""

from __future__ import annotations

from random import Random

import pytest

from iptlint.analysis.lost_bans import accepted, accepted_by, from_the_world, is_some_accepted
from iptlint.analysis.shadowing import shadowed_rules
from iptlint.netfilter import table_analysis
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets import chain_shape
from tests.firewalls import analysis_of, packets, saved

ACCEPT = "-A INPUT -s {} -p tcp -m tcp --dport 22 -j ACCEPT"
BAN = "-A INPUT -s {} -p tcp -m tcp --dport 22 -j DROP"


def lost(above: str, ban: str) -> TableAnalysis:
    return analysis_of(saved(above, ban))


def test_new_connections_are_what_is_let_in() -> None:
    analysis = lost(ACCEPT.format("198.51.0.0/16"), BAN.format("198.51.7.0/24"))
    (ban,) = shadowed_rules(analysis)
    let_in = accepted(analysis, ban)
    ssh = packets(analysis.space, saddr="198.51.7.9", proto="tcp", dport=22)
    assert (let_in & ssh & analysis.space.state("new")).satisfiable()
    assert not (let_in & analysis.space.state("established")).satisfiable()


def test_what_is_accepted_for_established_connections_only_is_not_let_in() -> None:
    state = "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT"
    ban = f"{BAN.format('198.51.7.0/24')[:-8]} -m conntrack --ctstate ESTABLISHED -j DROP"
    analysis = lost(state, ban)
    (shadowed,) = shadowed_rules(analysis)
    assert shadowed.is_lost_to_accepts
    assert not is_some_accepted(analysis, shadowed)


def test_private_addresses_are_not_of_the_world() -> None:
    analysis = lost(ACCEPT.format("10.0.0.0/8"), BAN.format("10.7.0.0/16"))
    (ban,) = shadowed_rules(analysis)
    assert is_some_accepted(analysis, ban)
    assert not is_some_accepted(analysis, ban, from_the_world(analysis))


def nested(seed: int) -> TableAnalysis:
    """Bans and accepts of networks in each other, some of them behind known connections."""
    draw = Random(seed)
    first = draw.choice(("", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"))
    rules = [
        f"-A INPUT -s {draw.choice((9, 10, 11))}.{draw.randrange(3)}.0.0/{draw.choice((8, 16, 24))}"
        f"{draw.choice(('', ' -p tcp', ' -p tcp -m tcp --dport 22'))} "
        f"-j {draw.choice(('ACCEPT', 'ACCEPT', 'DROP'))}"
        for _ in range(30)
    ]
    return analysis_of(saved(*filter(None, (first, *rules))))


def test_a_long_chain_sees_what_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a glance, and no more than is."""
    monkeypatch.setattr(table_analysis, "LONG", 0)
    monkeypatch.setattr(chain_shape, "_MOST_ROWS", 1 << 30)
    seen = 0
    for seed in range(30):
        analysis = nested(seed)
        for ban in shadowed_rules(analysis):
            let_in = accepted(analysis, ban)
            come = [analysis.matched(taker) for taker in ban.blockers]
            assert [accepted_by(analysis, ban, ban.blockers) & each for each in come] == [
                let_in & each for each in come
            ]
            for among in (analysis.space.true, from_the_world(analysis)):
                is_let_in = is_some_accepted(analysis, ban, among)
                assert is_let_in == (let_in & among).satisfiable()
                seen += is_let_in
    assert seen > 50
