"""What stops packets on their way down a long chain: the rules that a look at each set tells."""

from __future__ import annotations

from random import Random

import pytest

from iptlint.netfilter import table_analysis
from iptlint.netfilter.long_chain import LongChain
from iptlint.netfilter.passage import Passage, PassageBySight
from iptlint.netfilter.stoppers import stoppers
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets import chain_shape
from tests.firewalls import analysis_of, saved
from tests.netfilter.test_long_chain import both_ways, table_of


@pytest.fixture(autouse=True)
def _every_chain_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_analysis, "LONG", 0)
    monkeypatch.setattr(chain_shape, "MOST_ODD", 1 << 30)
    monkeypatch.setattr(chain_shape, "_MOST_ROWS", 1 << 30)


def overlapping(seed: int, rules: int = 60) -> TableAnalysis:
    """Prefixes inside of each other and ranges of ports across each other, some for connections in
    one state only, some whose limit lets packets by."""
    draw = Random(seed)

    def rule() -> str:
        low = draw.randrange(65000)
        network = f"10.{draw.randrange(2)}.{draw.randrange(256)}.0/{draw.choice((8, 15, 16, 17))}"
        ports = f"--dport {low}:{draw.randrange(low, 65536)}"
        others = ("", "", "", "-m conntrack --ctstate NEW", "-m limit --limit 1/s", "-i eth0")
        target = draw.choice(("ACCEPT", "DROP", "DROP", "LOG"))
        tested = f"-p tcp -m tcp {ports}" if draw.random() < 0.9 else "-p tcp"
        return f"-A INPUT -s {network} {tested} {draw.choice(others)} -j {target}"

    return analysis_of(saved(*(rule() for _ in range(rules))))


def told(way: Passage, packets: object) -> list[tuple[int, object]]:
    return [*way.stopping(packets)]  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("chain", ["long", "INPUT"])
def test_a_passage_by_sight_is_one_by_bisection(seed: int, chain: str) -> None:
    short, long = both_ways(table_of(seed), chain)
    for number in range(len(short.chain.rules)):
        packets = short.tests[number].may
        by_bisection, by_sight = Passage(short, number, packets), long.passage_to(number, packets)
        assert isinstance(by_sight, PassageBySight)
        assert by_sight.arriving == by_bisection.arriving
        stopped = packets & ~by_bisection.arriving
        assert told(by_sight, stopped) == told(by_bisection, stopped)


@pytest.mark.parametrize("together", [1, 4096])
@pytest.mark.parametrize("seed", range(12))
def test_for_all_dead_rules_at_once(
    seed: int, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iptlint.netfilter.stoppers._TOGETHER", together)
    monkeypatch.setattr("iptlint.netfilter.stoppers._FIRST_BLOCK", 2 if together > 1 else 64)
    analysis = overlapping(seed)
    short, long = both_ways(analysis, "INPUT")
    assert isinstance(long, LongChain)
    entering = analysis.space.universe
    unmatched = long.unmatched(entering)
    several = stoppers(long.takers, sorted(unmatched), entering)
    for number, stopping in several.items():
        packets = short.tests[number].may & entering
        each = Passage(short, number, packets).stopping(packets)
        assert [*stopping] == [rule for rule, _ in each]
    single = dict.fromkeys(long.columns.number.tolist())
    assert several.keys() == unmatched & single.keys()


def test_rules_behind_a_call_and_of_many_pieces_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    networks = "10.0.0.0/9", "10.128.0.0/9"
    halves = [f"-A INPUT -s {network} -p tcp -j DROP" for network in networks]
    lost = "-A INPUT -s 10.0.0.0/8 -p tcp -j ACCEPT"
    text = saved(*halves, lost, "-A INPUT -j one", lost, "-A one -p udp -j DROP", chains="one")
    analysis = analysis_of(text)
    chain = analysis.flows["INPUT"]
    assert isinstance(chain, LongChain)
    entering = analysis.entries["INPUT"].reachable
    assert chain.stoppers(2, entering) == [1, 0]
    assert chain.stoppers(4, entering) is None
    for limit in ("_MOST_PIECES", "_MOST_TAKERS"):
        with monkeypatch.context() as patch:
            patch.setattr(f"iptlint.netfilter.stoppers.{limit}", 0)
            assert stoppers(chain.takers, [2], entering) == {}


def test_a_passage_ends_where_none_is_left() -> None:
    """Of the rules behind none is asked what it takes."""
    rules = [f"-A INPUT -s {network} -j DROP" for network in ("0.0.0.0/1", "128.0.0.0/1")]
    analysis = analysis_of(saved(*rules, "-A INPUT -p tcp -j DROP", "-A INPUT -j ACCEPT"))
    flow = analysis.flows["INPUT"]
    way = PassageBySight(flow, range(3), analysis.space.universe)
    assert not way.arriving.satisfiable()
    assert [number for number, _ in way.stopping(analysis.space.universe)] == [1, 0]
