"""No packet fares otherwise after a change that means nothing: `diff` proves it of random rulesets,
and of the same after a change that means something it does not."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from iptlint.analysis.diff import difference
from iptlint.dialects.readers import read
from iptlint.model import Ruleset
from iptlint.source import SourceFile
from tests.metamorphic.changes import CHANGES, Change, decided
from tests.oracle.generate import RandomRuleset, random_ruleset

SEEDS = range(4)


def ruleset(text: str, path: str = "rules.v4") -> Ruleset:
    reading = read(SourceFile(path, text))
    assert not [each for each in reading.diagnostics if each.severity == "error"], text
    return reading.ruleset


def drawn(seed: int) -> RandomRuleset:
    return decided(random_ruleset(seed, rules=15))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_that_means_nothing(change: Change, seed: int) -> None:
    before = drawn(seed)
    after = change(before, Random(seed))
    found = difference(ruleset(before.text), ruleset(after))
    assert found.equivalent, (before.text, after)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_that_means_something_is_told(seed: int) -> None:
    """Of the policy: some packets of a random ruleset always get to it."""
    before = drawn(seed)
    other = {"ACCEPT": "DROP", "DROP": "ACCEPT"}[before.policies["OUTPUT"]]
    after = replace(before, policies={**before.policies, "OUTPUT": other})
    assert difference(ruleset(before.text), ruleset(after.text)).changes


# -- nft --------------------------------------------------------------------------------------

NFT = """table ip t {{
 {set}
 chain i {{
  type filter hook input priority 0; policy accept;
  {rules}
 }}
}}
"""


def _elements(draw: Random) -> list[tuple[str, int]]:
    return [
        (f"10.{draw.randrange(4)}.{draw.randrange(4)}.0/24", draw.randrange(1, 9))
        for _ in range(12)
    ]


def _named(name: str, kind: str, elements: list[str]) -> str:
    listed = ", ".join(dict.fromkeys(elements))
    return f"set {name} {{\n  type {kind}\n  flags interval\n  elements = {{ {listed} }}\n }}"


@pytest.mark.parametrize("name", ["s", "other-name_2"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_set_and_its_rules(seed: int, name: str) -> None:
    elements = _elements(Random(seed))
    rules = "\n  ".join(f"ip saddr {net} tcp dport {port} drop" for net, port in elements)
    joined = [f"{net} . {port}" for net, port in elements]
    kind = "ipv4_addr . inet_service"
    texts = [
        NFT.format(set="", rules=rules),
        NFT.format(set=_named(name, kind, joined), rules=f"ip saddr . tcp dport @{name} drop"),
        NFT.format(
            set="", rules=f"ip saddr . tcp dport {{ {', '.join(dict.fromkeys(joined))} }} drop"
        ),
    ]
    first, *others = (ruleset(text, "rules.nft") for text in texts)
    for other in others:
        assert difference(first, other).equivalent
    fewer = NFT.format(set="", rules=rules.partition("\n")[2])
    if elements[0] not in elements[1:]:
        assert difference(first, ruleset(fewer, "rules.nft")).changes
