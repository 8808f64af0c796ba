"""What the kernel has been given and gives back decides the same, and so does what the tools'
translator makes of it: `diff` proves it of random rulesets."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from iptlint.analysis.diff import difference
from tests.metamorphic.changes import decided
from tests.metamorphic.test_changes import ruleset
from tests.oracle.generate import RandomRuleset, random_ruleset

SEEDS = range(6)
RESTORED = "{0}-restore && {0}-save"
PLAIN = ("", "tcp", "udp", "icmp", "iprange", "conntrack")
TRANSLATED = "cat > rules && iptables-restore-translate -f rules | nft -f - && nft list ruleset"


def given_back(command: str, text: str, folder: object) -> str:
    """In a network namespace that begins without rules."""
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", command],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd=str(folder),
    )
    if done.returncode and command is TRANSLATED:
        pytest.skip(f"what the translator of iptables wrote, nft refuses: {done.stderr[:200]}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def said_by_nft(drawn: RandomRuleset) -> RandomRuleset:
    """Without what the translator of 1.8.9 leaves out or gets wrong: lists of ports beside others,
    strings, marks."""
    chains = {
        name: [rule for rule in rules if all(c.module in PLAIN for c in rule.conditions)]
        for name, rules in drawn.chains.items()
    }
    return replace(drawn, chains=chains)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("command", "path"),
    [
        (RESTORED.format("iptables-legacy"), "rules.v4"),
        (RESTORED.format("iptables-nft"), "rules.v4"),
        (TRANSLATED, "rules.nft"),
    ],
    ids=["legacy", "nft", "translated"],
)
def test_the_kernel_gives_back_what_it_was_given(
    command: str, path: str, seed: int, tmp_path: object
) -> None:
    drawn = decided(random_ruleset(seed, rules=15))
    text = (said_by_nft(drawn) if path == "rules.nft" else drawn).text
    again = given_back(command, text, tmp_path)
    found = difference(ruleset(text), ruleset(again, path))
    assert found.equivalent, (text, again)
