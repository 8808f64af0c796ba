"""What is told of long chains is what is told of short ones, word for word and with the same
packets."""

from __future__ import annotations

from random import Random

import pytest

from iptlint.linter.run import lint
from iptlint.netfilter import table_analysis
from iptlint.packets import chain_shape
from iptlint.source import SourceFile
from tests.firewalls import saved
from tests.netfilter.many_chains import look_at_them_together, web_of_chains
from tests.netfilter.test_long_chain import flat_rules


def nested_rules(seed: int) -> str:
    """Networks in each other, and ranges of ports."""
    draw = Random(seed)
    targets = draw.choice((("ACCEPT", "DROP"), ("ACCEPT", "REJECT", "RETURN", "DROP", "LOG")))
    others = draw.choice(([""], [""], ["", "", "-m limit --limit 5/min"]))

    def rule() -> str:
        words = ["-A INPUT"]
        for option, first in (("-s", 9), ("-d", 198)):
            if draw.random() < 0.6:
                size = draw.choice((7, 8, 16, 23, 24, 32))
                address = first << 24 | draw.randrange(2) << 16 | draw.randrange(3) << 8 | 7
                address = address >> 32 - size << 32 - size
                octets = (str(address >> shift & 255) for shift in (24, 16, 8, 0))
                words.append(f"{option} {'.'.join(octets)}/{size}")
        ports = draw.choice(
            ("", "-p tcp", "-p tcp -m tcp --dport 22", "-p tcp -m tcp --dport 20:80")
        )
        return " ".join([*words, ports, draw.choice(others), f"-j {draw.choice(targets)}"])

    first = ("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",)
    rules = draw.choice((first, ())) + tuple(rule() for _ in range(40))
    return saved(*rules, policy=draw.choice(("ACCEPT", "DROP")))


def told(text: str) -> list[dict[str, object]]:
    report = lint([SourceFile("rules.v4", text)])
    return [finding.to_dict() for finding in report.findings] + [
        finding.told().to_dict() for finding in report.each
    ]


@pytest.mark.parametrize("text", [nested_rules, lambda seed: flat_rules(seed, 30)])
@pytest.mark.parametrize("seed", range(12))
def test_the_findings_are_the_same(
    seed: int, text: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(text)
    short = told(text(seed))
    monkeypatch.setattr(table_analysis, "LONG", 0)
    monkeypatch.setattr(chain_shape, "MOST_ODD", 1 << 30)
    monkeypatch.setattr(chain_shape, "_MOST_ROWS", 1 << 30)
    assert told(text(seed)) == short


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_the_findings_in_many_chains_are_the_same(
    seed: int, is_long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one = told(web_of_chains(seed))
    look_at_them_together(monkeypatch)
    if is_long:
        monkeypatch.setattr(table_analysis, "LONG", 0)
    assert told(web_of_chains(seed)) == one_by_one
