"""A test file that is written of rules passes on them, whatever they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.policy.file import read_tests
from iptlint.policy.judge import judge
from iptlint.policy.tests import Verb
from iptlint.policy.writing import written_tests
from tests.expectations import FIXTURES
from tests.kernel.rulesets_exchanges import exchange_ruleset
from tests.policy.hosts import closed, host
from tests.policy.test_judge import DOCKER, ROUTER

HOSTS = ("web-server", "nft-bastion")


def failing(text: str, *texts: str) -> list[str]:
    results = judge(read_tests(text), [host(*texts)], changes=False)
    return [f"{each.test.sentence}: {each.message}" for each in results if not each.passes]


def rules_of(name: str) -> list[str]:
    files = sorted((FIXTURES / "hosts" / name).iterdir())
    return [Path(file).read_text("utf-8") for file in files if file.suffix in (".v4", ".nft")]


@pytest.mark.parametrize("name", HOSTS)
def test_it_passes_on_the_host_that_it_is_of(name: str) -> None:
    texts = rules_of(name)
    assert failing(written_tests(host(*texts)), *texts) == []


@pytest.mark.parametrize("seed", range(3))
def test_it_passes_on_random_rules(seed: int) -> None:
    text = exchange_ruleset(seed, "ip")
    assert failing(written_tests(host(text)), text) == []


def test_it_says_what_the_rules_do_in_plain_words() -> None:
    text = written_tests(
        host(
            closed(
                "-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT",
                "-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT",
                "-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 5/s -j ACCEPT",
            )
        )
    )
    assert '"only from 203.0.113.0/24 to 22/tcp"' in text
    assert '"allow from anyone to 80/tcp, 443/tcp"' in text
    assert 'families = ["ip"]' in text
    assert "allow-possible = true" in text
    assert "icmp/echo-request" in text


def test_it_fails_once_the_rules_say_otherwise() -> None:
    rule = "-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT"
    text = written_tests(host(closed(rule)))
    assert failing(text, closed()) != []
    assert failing(text, closed(rule.replace("/24", "/16"))) != []
    assert failing(text, closed(rule)) == []


@pytest.mark.parametrize("rules", [ROUTER, DOCKER], ids=["router", "docker"])
def test_what_passes_through_is_told(rules: str) -> None:
    text = written_tests(host(rules))
    assert failing(text, rules) == []
    assert any(test.verb is Verb.ALLOW for test in read_tests(text).tests)
