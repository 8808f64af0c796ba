"""Which chain calls which, in tables that are written by hand."""

from __future__ import annotations

import pytest

from iptlint import read
from iptlint.model import Chain, Hook, Rule
from iptlint.model.call_graph import CallGraph, Place


def graph(*lines: str) -> CallGraph:
    """``A -> B``: a rule of the chain A calls B; INPUT and FORWARD are base chains."""
    pairs = [line.split(" -> ") for line in lines]
    names = dict.fromkeys(name for pair in pairs for name in pair if name.islower())
    declared = "".join(f":{name} - [0:0]\n" for name in names if name != "nowhere")
    rules = "".join(f"-A {caller} -j {callee}\n" for caller, callee in pairs)
    text = f"*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n{declared}{rules}COMMIT\n"
    return CallGraph(read(text).tables[0].chains)


def names(chains: tuple[Chain, ...]) -> list[str]:
    return [chain.name for chain in chains]


def way(jumps: tuple[Rule, ...]) -> str:
    return " ".join(jump.verdict.chain or "" for jump in jumps)


DIAMOND = ("INPUT -> a", "INPUT -> b", "a -> c", "b -> c", "FORWARD -> b", "alone -> c")


def test_order_has_every_chain_behind_those_that_it_calls() -> None:
    calls = graph(*DIAMOND)
    assert sorted(calls.order) == sorted(calls.chains)
    for caller, callee in (line.split(" -> ") for line in DIAMOND):
        assert calls.order.index(callee) < calls.order.index(caller)


def test_callers_are_the_rules_that_call() -> None:
    calls = graph(*DIAMOND, "a -> c")
    assert calls.callers("c") == (Place("a", 0), Place("a", 1), Place("b", 0), Place("alone", 0))
    assert calls.callers("INPUT") == ()


def test_calls_of_a_chain_that_is_missing_lead_nowhere() -> None:
    calls = graph("INPUT -> nowhere")
    assert calls.callers("nowhere") == (Place("INPUT", 0),)
    assert calls.reachable_from("INPUT") == {"INPUT"}
    assert not calls.is_called("nowhere")
    assert "nowhere" not in calls.order


@pytest.mark.parametrize(
    ("start", "reachable"),
    [
        ("INPUT", {"INPUT", "a", "b", "c"}),
        ("FORWARD", {"FORWARD", "b", "c"}),
        ("c", {"c"}),
        ("alone", {"alone", "c"}),
    ],
)
def test_what_calls_lead_to(start: str, reachable: set[str]) -> None:
    assert graph(*DIAMOND).reachable_from(start) == reachable


def test_from_where_calls_lead() -> None:
    calls = graph(*DIAMOND)
    assert calls.leading_to("c") == {"INPUT", "FORWARD", "a", "b", "c", "alone"}
    assert calls.leading_to("a") == {"INPUT", "a"}


def test_reachable_from_and_leading_to_are_one_relation() -> None:
    calls = graph(*DIAMOND, "c -> a")
    pairs = {(one, other) for one in calls.chains for other in calls.reachable_from(one)}
    assert pairs == {(one, other) for other in calls.chains for one in calls.leading_to(other)}


def test_base_chains_and_their_hooks() -> None:
    calls = graph(*DIAMOND)
    assert set(names(calls.bases_of("c"))) == {"INPUT", "FORWARD"}
    assert set(calls.hooks_of("b")) == {Hook.INPUT, Hook.FORWARD}
    assert names(calls.bases_of("a")) == ["INPUT"]
    assert names(calls.bases_of("INPUT")) == ["INPUT"]


def test_what_only_an_uncalled_chain_calls_is_not_called() -> None:
    calls = graph("alone -> inner")
    assert calls.is_called("INPUT")
    assert not calls.is_called("alone")
    assert not calls.is_called("inner")


def test_rules_from_a_chain_are_in_the_order_of_the_table() -> None:
    found = graph("INPUT -> b", "a -> c", "b -> a").rules_from("INPUT")
    assert [(chain.name, rule.verdict.chain) for chain, rule in found] == [
        ("INPUT", "b"),
        ("b", "a"),
        ("a", "c"),
    ]


@pytest.mark.parametrize(
    ("lines", "loops"),
    [
        (("INPUT -> a", "a -> b"), []),
        (("INPUT -> a", "a -> a"), ["a"]),
        (("INPUT -> a", "a -> b", "b -> a"), ["b a"]),
        (("INPUT -> a", "a -> b", "b -> c", "c -> a", "a -> c"), ["c a"]),
        (("INPUT -> a", "a -> b", "b -> a", "c -> d", "d -> c"), ["b a", "d c"]),
    ],
)
def test_loops_are_shown_once_round(lines: tuple[str, ...], loops: list[str]) -> None:
    calls = graph(*lines)
    assert sorted(way(jumps) for jumps in calls.loops()) == sorted(loops)
    assert sorted(calls.order) == sorted(calls.chains)
