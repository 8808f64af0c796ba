"""What becomes of SSH while a script is applied: each command is in force before the next one."""

from __future__ import annotations

import pytest

from iptlint.analysis.script_lockouts import MAX_WHOLE, Flush, Lockout, last_flush, lockouts
from iptlint.analysis.script_replay import ssh_states
from iptlint.dialects import read
from iptlint.model import Family, Ruleset
from iptlint.model.script import Step
from iptlint.source import SourceFile

SHUT = "iptables -P INPUT DROP"
OUT = "iptables -P OUTPUT DROP"
RUNNING = "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
SSH = "iptables -A INPUT -p tcp --dport 22 -j ACCEPT"
ANSWERS = "iptables -A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT"
FLUSH = "iptables -F"


def script(*lines: str) -> Ruleset:
    return read(SourceFile("firewall.sh", "\n".join(("#!/bin/sh", *lines, "")))).ruleset


def states(*lines: str, family: Family = Family.IP) -> list[tuple[bool, bool]]:
    """Before the first command and after each: whether new connections open, and old ones run."""
    made = script(*lines).script
    assert made is not None
    several = [made.after(0), *(ruleset for _, ruleset in made.states())]
    return [(state.opens, state.runs) for state in ssh_states(several, family, (22,))]


BOTH, NONE, OLD = (True, True), (False, False), (False, True)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((SSH, RUNNING, SHUT), [BOTH, BOTH, BOTH, BOTH]),
        ((SHUT, RUNNING, SSH), [BOTH, NONE, OLD, BOTH]),
        ((SHUT, SSH), [BOTH, NONE, BOTH]),
        # A policy alone opens again.
        ((SHUT, "iptables -P INPUT ACCEPT"), [BOTH, NONE, BOTH]),
        # Who comes in has to be answered.
        ((OUT, ANSWERS), [BOTH, NONE, BOTH]),
        ((SSH, OUT), [BOTH, BOTH, NONE]),
        # Another port, another chain, another hook.
        ((SHUT, SSH.replace("22", "23")), [BOTH, NONE, NONE]),
        ((SHUT, "iptables -A FORWARD -j ACCEPT"), [BOTH, NONE, NONE]),
        # One more DROP opens nothing, and one behind the ACCEPT shuts nothing.
        (
            (SHUT, "iptables -A INPUT -j DROP", "iptables -I INPUT -j ACCEPT"),
            [BOTH, NONE, NONE, BOTH],
        ),
        ((SSH, SHUT, "iptables -A INPUT -j DROP"), [BOTH, BOTH, BOTH, BOTH]),
        # Some get in is enough.
        ((SHUT, SSH.replace("INPUT", "INPUT -s 192.0.2.7")), [BOTH, NONE, BOTH]),
        ((SHUT, "iptables -A INPUT -i lo -j ACCEPT"), [BOTH, NONE, NONE]),
        # By way of another chain, which is filled before it is called, or after.
        ((SHUT, "iptables -N ssh", "iptables -A ssh -j ACCEPT", "iptables -A INPUT -j ssh"),
         [BOTH, NONE, NONE, NONE, BOTH]),
        ((SHUT, "iptables -N ssh", "iptables -A INPUT -j ssh", "iptables -A ssh -j ACCEPT"),
         [BOTH, NONE, NONE, NONE, BOTH]),
        # A flush takes the rules and leaves the policy.
        ((SSH, SHUT, FLUSH), [BOTH, BOTH, BOTH, NONE]),
        # A knock or a limit may let somebody in.
        ((SHUT, SSH.replace("-j", "-m limit --limit 1/s -j")), [BOTH, NONE, BOTH]),
    ],
)  # fmt: skip
def test_command_by_command(lines: tuple[str, ...], expected: list[tuple[bool, bool]]) -> None:
    assert states(*lines) == expected


def test_each_family_has_a_firewall_of_its_own() -> None:
    """iptables and ip6tables know nothing of one another."""
    lines = (SHUT, "ip6tables -P INPUT DROP", "ip6tables -A INPUT -j ACCEPT", SSH)
    assert states(*lines) == [BOTH, NONE, NONE, NONE, BOTH]
    assert states(*lines, family=Family.IP6) == [BOTH, BOTH, NONE, BOTH, BOTH]


def test_what_is_seen_before_tracking() -> None:
    drop = "iptables -t raw -A PREROUTING -p tcp --dport 22 -j DROP"
    assert states(drop, drop.replace("-A", "-D")) == [BOTH, NONE, BOTH]
    untracked = "iptables -t raw -A PREROUTING -p tcp -j NOTRACK"
    assert states(SHUT, RUNNING, SSH, untracked)[-1] == BOTH


# -- the gaps -----------------------------------------------------------------------


def gaps(*lines: str) -> list[Lockout]:
    made = script(*lines).script
    assert made is not None
    return [*lockouts(made, Family.IP, (22,))]


def line(step: Step | None) -> int | None:
    """Of a command; the shebang is line 1."""
    return step.span.line if step else None


def test_a_gap_from_the_policy_to_the_accept() -> None:
    (gap,) = gaps(SHUT, RUNNING, SSH)
    assert (line(gap.shut), line(gap.opened)) == (2, 4)
    assert (line(gap.cut), line(gap.back)) == (2, 3)
    assert [*map(line, gap.within)] == [2, 3]


def test_running_connections_may_live_on_through_a_gap() -> None:
    (gap,) = gaps(RUNNING, SHUT, SSH)
    assert (gap.cut, gap.back) == (None, None)


def test_several_gaps() -> None:
    found = gaps(SSH, SHUT, FLUSH, SSH, FLUSH, SSH)
    assert [(line(gap.shut), line(gap.opened)) for gap in found] == [(4, 5), (6, 7)]


@pytest.mark.parametrize(
    "lines",
    [
        (RUNNING, SSH, SHUT),
        # Where nobody gets in at the end it is no gap but the aim, or another finding.
        (SHUT, RUNNING),
        (SHUT,),
    ],
)
def test_what_is_no_gap(lines: tuple[str, ...]) -> None:
    assert gaps(*lines) == []


# -- flushes ------------------------------------------------------------------------


def flush(*lines: str, family: Family = Family.IP) -> Flush | None:
    return last_flush(script(*lines), family)


def test_a_flush_that_leaves_a_policy_that_drops() -> None:
    found = flush(SHUT, SSH, FLUSH)
    assert found is not None
    assert (line(found.step), found.chain.name, line(found.policy)) == (4, "INPUT", 2)


@pytest.mark.parametrize(
    "lines",
    [
        (SHUT, FLUSH, SSH),
        (SSH, FLUSH),
        (SHUT, SSH, FLUSH, "iptables -P INPUT ACCEPT"),
        (SHUT, SSH, "iptables -F FORWARD"),
        (SHUT,),
    ],
)
def test_flushes_that_do_no_harm(lines: tuple[str, ...]) -> None:
    assert flush(*lines) is None


def test_a_flush_of_ipv6() -> None:
    lines = [each.replace("iptables", "ip6tables") for each in (SHUT, SSH, FLUSH)]
    assert flush(*lines) is None
    found = flush(*lines, family=Family.IP6)
    assert found is not None
    assert found.family is Family.IP6


def test_commands_that_only_look_do_not_make_a_script_too_long() -> None:
    looks = ("nft list ruleset",) * (MAX_WHOLE + 1)
    assert [(line(gap.shut)) for gap in gaps(SHUT, *looks, SSH)] == [2]
