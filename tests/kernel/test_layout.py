"""The order of options is that of `iptables-save`: what the kernel gives back needs no new layout,
and what is written in another order becomes what it gives back."""

from __future__ import annotations

import random
import re
import subprocess

import pytest

from iptlint.convert.formatting import formatted
from iptlint.dialects import Reader
from iptlint.source import SourceFile
from tests.convert import rows
from tests.convert.test_rows import CHAINS, cases

LACKING = ("geoip", "NOSUCH", "nosuch", "bpf", "LED", "socket", "connlabel", "TPROXY", "QUEUE")
"""What a kernel may lack."""


def saved(tool: str, text: str) -> str | None:
    """What the kernel gives back; None where it does not take it."""
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", f"{tool}-restore && {tool}-save"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else None


def layout(text: str) -> str:
    done = formatted(SourceFile("rules.v4", text), Reader())
    assert not done.refused
    return done.new.text


def rule_of(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("-A")).strip()


RULES = [
    (chain, rule) for rule, chain, _ in cases(rows.IPV4) if not any(w in rule for w in LACKING)
]


@pytest.mark.parametrize("tool", ["iptables-legacy", "iptables-nft"])
def test_the_order_is_that_of_the_tool(tool: str) -> None:
    drawn = random.Random(5)
    compared = 0
    for chain, rule in RULES:
        heads = "".join(f":{name} ACCEPT [0:0]\n" for name in CHAINS["filter"])
        text = f"*filter\n{heads}:user - [0:0]\n-A {chain} {rule}\nCOMMIT\n"
        given = saved(tool, text)
        if given is None:
            continue
        compared += 1
        assert rule_of(layout(given)) == rule_of(given)
        tokens = re.findall(r"(?:! )?-[a-z] \S+|-[jm] .*", rule_of(given))
        core = [token for token in tokens if re.match(r"(! )?-[sdio] ", token)]
        if len(core) > 1:
            shuffled = drawn.sample(core, len(core))
            mixed = rule_of(given)
            for token in core:
                mixed = mixed.replace(f"{token} ", "", 1)
            head, _, tail = mixed.partition(f"-A {chain} ")
            assert rule_of(
                layout(text.replace(rule_of(text), f"{head}-A {chain} {' '.join(shuffled)} {tail}"))
            ) == rule_of(given)
    assert compared > 50
