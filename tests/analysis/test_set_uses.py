"""A set has to be there before a rule that names it can be loaded (ip_set_nfnl_get_byindex)."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.set_uses import uses_of_sets
from tests.firewalls import saved


def uses(rule: str) -> list[tuple[str, str]]:
    """The names of the sets, each with where it stands in the rule."""
    found = uses_of_sets(iptlint.read(saved(rule)))
    return [(use.name, use.rule.origin.part(use.part).text) for use in found]


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("-m set --match-set bad src", "bad"),
        ("-m set ! --match-set bad src,dst", "bad"),
        ("-m set --match-set good-4 dst,dst", "good-4"),
        ("-m set --match-set bad src --packets-gt 5", "bad"),
        ("-m set --match-set bad src --return-nomatch", "bad"),
        ("-p tcp -m set --match-set a:b.c dst", "a:b.c"),
    ],
)
def test_tests_of_sets(test: str, name: str) -> None:
    ((found, place),) = uses(f"-A INPUT {test} -j DROP")
    assert found == name
    assert f"--match-set {name}" in place


@pytest.mark.parametrize("option", ["--add-set", "--del-set", "--map-set"])
def test_a_target_that_fills_or_asks_a_set(option: str) -> None:
    ((name, place),) = uses(f"-A INPUT -j SET {option} seen src")
    assert name == "seen"
    assert "SET" in place


def test_every_set_of_a_rule() -> None:
    both = "-m set --match-set one src -m set --match-set two dst"
    names = [name for name, _ in uses(f"-A INPUT {both} -j SET --add-set three src --exist")]
    assert names == ["one", "two", "three"]


@pytest.mark.parametrize(
    "rule",
    [
        "-A INPUT -s 192.0.2.1 -j DROP",
        '-A INPUT -m comment --comment "set bad src" -j DROP',
        "-A INPUT -m string --algo bm --string set -j DROP",
        "-A INPUT -m recent --set --name bad -j DROP",
    ],
)
def test_what_is_no_set(rule: str) -> None:
    assert uses(rule) == []


def test_a_set_whose_elements_are_known_is_there() -> None:
    text = saved("-A INPUT -m set --match-set bad src -j DROP")
    known = iptlint.read(text, ipsets=["create bad hash:ip\nadd bad 192.0.2.1\n"])
    assert [*uses_of_sets(known)] == []
    other = iptlint.read(text, ipsets=["create good hash:ip\nadd good 192.0.2.1\n"])
    assert [use.name for use in uses_of_sets(other)] == ["bad"]
