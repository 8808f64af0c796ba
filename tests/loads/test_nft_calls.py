"""Chains that call each other: how deep nft takes them, and that the file may nest them deeper."""

from __future__ import annotations

from iptlint.loads.nft import checks
from tests.costs import at_most
from tests.loads.test_nft import loaded


def calling(count: int, last: str = "") -> str:
    """A base chain that calls the first of so many, each of which calls the next."""
    chains = [f" chain c{n} {{ jump c{n + 1}; jump c{n + 1}; }}" for n in range(1, count)]
    base = " chain i { type filter hook input priority 0; jump c1; }"
    return "\n".join(["table ip t {", base, *chains, f" chain c{count} {{ {last} }}", "}", ""])


def test_sixteen_chains_on_one_way_are_too_many() -> None:
    assert loaded(calling(15)).taken
    (refusal,) = loaded(calling(16)).refusals
    assert refusal.check is checks.LOOP
    assert refusal.span.text == "jump c1"


def test_a_jump_back_is_refused_where_it_stands() -> None:
    (refusal,) = loaded(calling(3, "jump c2;")).refusals
    assert (refusal.check, refusal.span.text) == (checks.LOOP, "jump c2")
    (refusal,) = loaded(calling(3, "jump c3;")).refusals
    assert refusal.span.line == 5


def test_a_loop_that_no_hook_calls_is_taken() -> None:
    assert loaded("table ip t {\n chain a { jump b; }\n chain b { jump a; }\n}\n").taken


def test_ten_thousand_chains_are_walked() -> None:
    with at_most(20):
        assert not loaded(calling(10_000)).taken
