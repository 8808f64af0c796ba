"""Hosts that count as alike are alike: of each of them the same is found when it is looked at
itself, with its own addresses in the place of the first one's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from iptlint.fleet import answers
from iptlint.fleet.judge import Judge, Task
from iptlint.fleet.kept import Kept
from iptlint.fleet.likeness import capture
from iptlint.host.gathered import Gathered
from iptlint.host.linted import Wanted
from iptlint.linter.store import Store
from iptlint.workers import DiedError
from tests.fleet.made_up import OPEN, RULES, host


def key(*args: str, **more: str) -> str:
    return capture(host(*args, **more)).key  # type: ignore[arg-type]


def test_what_moves_by_itself_does_not_count() -> None:
    later = (
        RULES.replace("Mon Nov  3", "Tue Nov  4")
        .replace("[10:1000]", "[99:99999]")
        .replace("[3:180]", "[30000:1800000]")
    )
    files = {"/proc/sys/net/netfilter/nf_conntrack_count": "17\n", "/etc/hostname": "web-02\n"}
    assert key(later, "web-02", **files) == key()


@pytest.mark.parametrize(
    "other",
    [
        host(OPEN),
        host(RULES.replace(":OUTPUT ACCEPT", ":OUTPUT DROP")),
        host(boot=OPEN),
        host(addresses=("10.0.1.5/24",)),
        host(addresses=("10.0.0.5/24", "10.0.0.6/24")),
        host(addresses=("198.51.100.5/24",)),
        host(**{"/proc/sys/net/ipv4/ip_forward": "1\n"}),
        host(**{"/etc/rc.local": "iptables -F\n"}),
    ],
    ids=("rules", "policy", "boot", "network", "two", "public", "forwarding", "hook"),
)
def test_what_matters_counts(other: Gathered) -> None:
    assert capture(other).key != capture(host()).key


def test_a_private_address_counts_by_where_it_lies() -> None:
    named = RULES.replace("203.0.113.0/24", "10.0.0.16/28")
    places = {
        address: capture(host(named, addresses=(f"{address}/24",))).key
        for address in ("10.0.0.15", "10.0.0.16", "10.0.0.31", "10.0.0.32", "10.0.0.14")
    }
    assert places["10.0.0.16"] == places["10.0.0.31"]
    assert places["10.0.0.15"] == places["10.0.0.14"]
    assert len({*places.values()}) == 3


@pytest.mark.parametrize("test", ["10.0.0.1/255.0.0.255", "10.0.0.5"])
def test_a_rule_about_some_bits_or_about_one_host_keeps_hosts_apart(test: str) -> None:
    one, other = (
        capture(host(RULES.replace("203.0.113.0/24", test), addresses=(f"10.0.0.{n}/24",)))
        for n in (5, 7)
    )
    assert one.key != other.key


# -- the same is found --------------------------------------------------------------------------


def _rules(draw: Random) -> str:
    """Rules among a few neighbouring addresses, with translation to some of them."""

    def network() -> str:
        length = draw.choice((28, 29, 29, 30, 32))
        return f"10.0.0.{draw.randrange(32) >> (32 - length) << (32 - length)}/{length}"

    def filtering() -> str:
        tests = draw.sample([f"-s {network()}", f"-d {network()}", "-i eth0"], 2)
        port = draw.choice((22, 80, 5432))
        verdict = draw.choice(("ACCEPT", "ACCEPT", "DROP"))
        chain = draw.choice(("INPUT", "INPUT", "FORWARD"))
        return f"-A {chain} {' '.join(tests)} -p tcp -m tcp --dport {port} -j {verdict}"

    translated = f"-A PREROUTING -d {network()} -p tcp -m tcp --dport 80 -j DNAT --to 10.0.0.9"
    lines = [
        "*nat",
        *(f":{name} ACCEPT [0:0]" for name in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")),
        *([translated] if draw.random() < 0.5 else []),
        "COMMIT",
        "*filter",
        *(f":{name} {draw.choice(('ACCEPT', 'DROP'))} [0:0]" for name in ("INPUT", "FORWARD")),
        ":OUTPUT ACCEPT [0:0]",
        *(filtering() for _ in range(draw.randrange(2, 7))),
        "COMMIT",
    ]
    return "\n".join((*lines, ""))


def _fleet(draw: Random, number: int) -> Iterator[Gathered]:
    rules = [_rules(draw) for _ in range(3)]
    for _ in range(number):
        mine = draw.choice(rules)
        address = f"10.0.0.{draw.randrange(1, 32)}/24"
        yield host(mine, addresses=(address,), boot=mine.replace("--dport 22", "--dport 23"))


@pytest.mark.parametrize("seed", range(4))
def test_the_same_is_found_of_hosts_that_are_alike(seed: int, tmp_path: Path) -> None:
    draw = Random(1700 + seed)
    golden = capture(host(_rules(draw), addresses=("10.0.0.40/24",)))
    judge = Judge(Wanted(), golden)
    kept, shared = Kept(Store(tmp_path / "run")), 0
    for gathered in _fleet(draw, 15):
        one = capture(gathered, [golden.gathered])
        name = judge.key("host", one, None)
        found = judge.judge(Task("host", one.gathered))
        known = kept.get(name, one.own)
        if known is None:
            kept.put(name, one.own, answers.written(found))
        else:
            shared += 1
            assert known == found
    assert shared > 0


def test_answers_are_kept_as_they_are_and_failures_too(tmp_path: Path) -> None:
    judge, one = Judge(Wanted()), capture(host(OPEN, boot=RULES))
    found = judge.judge(Task("host", one.gathered))
    assert found.findings
    kept = Kept(Store(tmp_path / "run"), Store(tmp_path / "cache"))
    assert kept.put("a" * 64, one.own, answers.written(found)) == found
    assert (
        Kept(Store(tmp_path / "other"), Store(tmp_path / "cache")).get("a" * 64, one.own) == found
    )
    kept.fail("b" * 64, DiedError("killed"))
    with pytest.raises(DiedError, match="killed"):
        kept.get("b" * 64, one.own)
    Store(tmp_path / "run").put("c" * 64, b"{}")
    assert kept.get("c" * 64, one.own) is None


def test_what_names_the_address_beside_its_own_is_not_shared(tmp_path: Path) -> None:
    kept = Kept(Store(tmp_path / "run"))
    found = answers.Answers(1, True, (), unread=("all but 10.0.0.4 and 10.0.0.6",))
    kept.put("a" * 64, ("10.0.0.5",), answers.written(found))
    assert kept.get("a" * 64, ("10.0.0.5",)) == found
    assert kept.get("a" * 64, ("10.0.0.8",)) is None
