"""Where sshd listens by what the rules say, and whether anyone gets in."""

from __future__ import annotations

from random import Random

import pytest

from iptlint.analysis import ssh_access
from iptlint.analysis.session import Settings
from iptlint.analysis.ssh_access import (
    _is_opened,
    failing_step,
    has_input,
    locked_out,
    nameless_service,
    ssh_failures,
    ssh_ports,
)
from iptlint.model import Hook
from tests.costs import steps
from tests.firewalls import hooks_of, saved


def accept(port: int) -> str:
    return f"-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT"


@pytest.mark.parametrize(
    ("rules", "ports"),
    [
        ((accept(22),), (22,)),
        ((accept(2222),), (22, 2222)),
        ((accept(22), accept(2222)), (22,)),  # 22 gets in: nothing else is looked for
        ((accept(443),), (22,)),
        # What takes every port is not for SSH: the port that is for it is another one.
        (("-A INPUT -p tcp -j ACCEPT", accept(2222)), (22,)),
        ((accept(2222), "-A INPUT -p tcp -j ACCEPT"), (22, 2222)),
        (("-A INPUT -p tcp -m comment --comment ssh -m tcp --dport 443 -j ACCEPT",), (22, 443)),
        (("-A INPUT -p tcp -m tcp --dport 2000:2300 -j ACCEPT",), (22,)),  # for many services
    ],
)
def test_the_ports_that_rules_make_evident(rules: tuple[str, ...], ports: tuple[int, ...]) -> None:
    assert ssh_ports(hooks_of(saved(*rules, policy="DROP")), Settings()) == ports


@pytest.mark.parametrize(
    ("rules", "port"),
    [
        ((accept(443),), None),
        ((accept(50022), accept(48_000)), 50022),
        (("-A INPUT -p tcp -m tcp --dport 48000:48900 -j ACCEPT",), None),
        (("-A INPUT -p tcp -m multiport --dports 48000,48001 -j ACCEPT",), None),
        (("-A INPUT -p tcp -j DROP", accept(50022)), None),
        (("-A INPUT -p tcp -m tcp ! --dport 50022 -j DROP", "-A INPUT -j ACCEPT"), 50022),
    ],
)
def test_where_sshd_may_listen_under_no_name(rules: tuple[str, ...], port: int | None) -> None:
    found = nameless_service(hooks_of(saved(*rules, policy="DROP")))
    assert (found and found[0]) == port


@pytest.mark.parametrize("seed", range(30))
def test_many_rules_without_a_port_are_told_as_each_by_itself(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = Random(seed)
    whole = ["-s 10.0.0.{n}", "-i eth{n}", "-p tcp", "-p tcp -m tcp --sport {n}"]
    named = ["! --dport 2222", "--dport 2200:2230", "--dport 22", "--dport 2222"]

    def rule(chain: str, number: int) -> str:
        test = draw.choice(whole).format(n=number + 1)
        if draw.random() < 0.25:
            test = f"-s 10.0.{draw.randrange(3)}.0/24 -p tcp -m tcp {draw.choice(named)}"
        targets = ["ACCEPT", "ACCEPT", "DROP", "RETURN", *["C"] * (chain == "INPUT")]
        return f"-A {chain} {test} -j {draw.choice(targets)}"

    rules = [rule(draw.choice(("INPUT", "C")), number) for number in range(9)]
    rules.insert(0, draw.choice((f"-A INPUT -p tcp -m tcp {draw.choice(named)} -j DROP", rules[0])))
    text = saved(*rules, policy="DROP", chains="C")
    told: list[tuple[int, ...]] = []
    for many in (0, 1000):
        monkeypatch.setattr(ssh_access, "_MANY", many)
        told.append(ssh_ports(hooks_of(text), Settings()))
    assert told[0] == told[1]


def test_a_rule_behind_a_call_may_get_few_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_access, "_MANY", 0)
    only = "-A C -p tcp -m tcp ! --dport 2222 -j DROP"
    rules = ("-A INPUT -s 10.0.0.1/32 -p tcp -j ACCEPT", "-A INPUT -j C", "-A INPUT -j ACCEPT")
    hooks = hooks_of(saved(*rules, only, policy="DROP", chains="C"))
    assert ssh_ports(hooks, Settings()) == (22, 2222)


def test_what_the_user_says_is_asked_for_alone() -> None:
    hooks = hooks_of(saved(accept(2222), policy="DROP"))
    assert ssh_ports(hooks, Settings((2022,))) == (2022,)
    assert locked_out(hooks, Settings((2022,)))


def test_nobody_is_locked_out_of_what_says_nothing_of_input() -> None:
    hooks = hooks_of("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n")
    assert not has_input(hooks)
    assert not locked_out(hooks, Settings())


def test_the_step_that_fails() -> None:
    step = failing_step(hooks_of(saved(accept(443), policy="DROP")), (22,))
    assert step is not None
    assert (step.packet, step.hook) == ("SYN", Hook.INPUT)
    assert failing_step(hooks_of(saved(accept(22), policy="DROP")), (22,)) is None


def published(ports: int) -> str:
    """A host that sends so many ports on to others, and whose own SSH is open."""
    sent_on = [
        f"-A PREROUTING -p tcp -m tcp --dport {20000 + n} -j DNAT --to-destination 10.0.0.{n}:80"
        for n in range(ports)
    ]
    return saved(*sent_on, table="nat") + saved(accept(22), policy="DROP")


def test_that_our_port_is_reached_is_shown_without_the_others_that_are_sent_on() -> None:
    def cost(ports: int) -> int:
        hooks = hooks_of(published(ports))
        return steps(lambda: [*ssh_failures(hooks, (22,))])

    assert cost(80) < 3 * cost(20)


AWAY = "-A PREROUTING -p tcp -m tcp --dport 22 -j DNAT --to-destination 10.0.0.1:80"
TO_OURS = "-A PREROUTING -p tcp -m tcp --dport 2222 -j REDIRECT --to-ports 22"
EARLY = saved("-A PREROUTING -p tcp -m tcp --dport 22 -j DROP", table="mangle")


@pytest.mark.parametrize(
    ("before", "translation", "fails"),
    [
        ("", AWAY, True),
        ("", TO_OURS, False),
        (EARLY, TO_OURS, False),  # by 2222 alone
        (EARLY, AWAY, True),
    ],
)
def test_our_port_is_reached_by_its_number_or_by_another(
    before: str, translation: str, fails: bool
) -> None:
    text = before + saved(translation, table="nat") + saved(accept(22), policy="DROP")
    assert bool([*ssh_failures(hooks_of(text), (22,))]) is fails


@pytest.mark.parametrize(
    ("rule", "opened"),
    [
        ("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", True),
        ("-A unused -p tcp -m tcp --dport 22 -j ACCEPT", True),
        ("-A OUTPUT -p tcp -m tcp --dport 22 -j ACCEPT", False),
        ("-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT", False),
    ],
)
def test_somebody_means_to_open_a_port_who_accepts_it_on_its_way_in_or_in_no_use(
    rule: str, opened: bool
) -> None:
    assert _is_opened(hooks_of(saved(rule, policy="DROP", chains="unused")), (22,)) is opened
