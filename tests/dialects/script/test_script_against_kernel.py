"""Scripts of which everything is known leave the tables as the real tools leave them."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from itertools import product

import pytest

from iptlint.dialects import Reader, read
from iptlint.dialects.iptables.syntax import IPTABLES
from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.model import AnyOf, Family, Field, Match, Rule, Ruleset, Within
from iptlint.source import SourceFile
from tests.dialects.script.scripts import Writer

CASES = [
    *(("iptables", seed) for seed in range(60)),
    *(("ip6tables", seed) for seed in range(0, 60, 4)),
]
Told = tuple[object, ...]


@cache
def lacking() -> str | None:
    if any(not shutil.which(tool) for tool in ("unshare", "iptables", "ip6tables")):
        return "needs unshare and iptables"
    probe = ["unshare", "-n", "iptables", "-A", "INPUT", "-m", "conntrack", "--ctstate", "NEW"]
    return None if subprocess.run(probe, capture_output=True).returncode == 0 else "needs root"


def left_by(script: str, tool: str) -> Ruleset:
    """What the tools say of the tables after the script ran in a network of its own."""
    command = [
        "unshare",
        "-n",
        "sh",
        "-c",
        f'sh -c "$1" >/dev/null 2>&1; {tool}-save',
        "sh",
        script,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    family = Family.IP6 if tool == "ip6tables" else Family.IP
    return read(SourceFile("saved", done.stdout), Reader(family)).ruleset


def single(rule: Rule) -> list[Told]:
    """The rules that the kernel makes of one with lists, as they can be compared."""
    choices: list[list[Match]] = []
    for match in rule.matches:
        addresses = (Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6)
        match match:
            case Within(field, ranges, negated) if field in addresses and len(ranges) > 1:
                choices.append([Within(field, (each,), negated) for each in ranges])
            case AnyOf():
                choices.append([match])
            case _:
                choices.append([match])
    return [
        (frozenset(map(str, each)), rule.verdict, rule.effects, rule.comment)
        for each in product(*choices)
    ]


def told(ruleset: Ruleset) -> dict[str, tuple[object, list[Told]]]:
    return {
        f"{table.name} {chain.name}": (
            chain.policy and chain.policy.name,
            [each for rule in chain.rules for each in single(rule)],
        )
        for table in ruleset.tables
        for chain in table.chains.values()
    }


@pytest.mark.parametrize(("tool", "seed"), CASES)
def test_the_tables_are_as_the_tools_leave_them(tool: str, seed: int) -> None:
    if (reason := lacking()) is not None:
        pytest.skip(reason)
    script = Writer(seed, tool).script()
    nothing = Ruleset(SourceFile("-", ""), "iptables-save", IPTABLES, ())
    found = run_script(parse(SourceFile("firewall.sh", script)), nothing)
    assert told(found.final()[0]) == told(left_by(script, tool)), script
