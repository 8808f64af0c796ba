"""What one hook does with packets, through all its base chains."""

from __future__ import annotations

import pytest

from iptlint.analysis.hook_verdicts import may_be_dropped, may_end, may_pass
from iptlint.model import Family, Hook, VerdictKind
from iptlint.netfilter.firewall import Hooks
from tests.firewalls import hooks_of, packets, saved

SSH = "-p tcp -m tcp --dport 22"
CHAINS = """table inet t {{
	chain first {{
		type filter hook input priority {0}; policy {1};
		{2}
	}}
	chain second {{
		type filter hook input priority {3}; policy {4};
		{5}
	}}
}}
"""


def kinds(hooks: Hooks, hook: Hook, **fields: object) -> set[VerdictKind]:
    """How packets with the fields may fare at the hook."""
    asked = packets(hooks.space, hooks.family.value, **fields) & hooks.hook_packets(hook)
    assert asked.satisfiable()
    return {kind for kind in VerdictKind if may_end(hooks, hook, kind, asked).satisfiable()}


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_an_accept_ends_one_chain_and_a_drop_ends_all(family: Family) -> None:
    """NF_ACCEPT goes on to the next hook entry, NF_DROP does not (nf_hook_slow)."""
    text = CHAINS.format(-10, "accept", "tcp dport 22 accept", 0, "accept", "tcp dport 22-23 drop")
    hooks = hooks_of(text, family)
    assert kinds(hooks, Hook.INPUT, proto="tcp", dport=22) == {VerdictKind.DROP}
    assert kinds(hooks, Hook.INPUT, proto="tcp", dport=24) == {VerdictKind.ACCEPT}
    turned = CHAINS.format(-10, "accept", "tcp dport 22 drop", 0, "accept", "tcp dport 22 accept")
    assert kinds(hooks_of(turned, family), Hook.INPUT, proto="tcp", dport=22) == {VerdictKind.DROP}


def test_what_the_first_chain_drops_the_second_does_not_reject() -> None:
    hooks = hooks_of(CHAINS.format(0, "accept", "udp dport 53 drop", 1, "accept", "reject"))
    assert kinds(hooks, Hook.INPUT, proto="udp", dport=53) == {VerdictKind.DROP}
    assert kinds(hooks, Hook.INPUT, proto="udp", dport=54) == {VerdictKind.REJECT}


def test_one_policy_that_drops_is_enough() -> None:
    hooks = hooks_of(CHAINS.format(0, "drop", "tcp dport 22 accept", 10, "accept", "counter"))
    assert kinds(hooks, Hook.INPUT, proto="tcp", dport=22) == {VerdictKind.ACCEPT}
    assert kinds(hooks, Hook.INPUT, proto="tcp", dport=80) == {VerdictKind.DROP}
    coming = hooks.hook_packets(Hook.INPUT)
    ssh = packets(hooks.space, proto="tcp", dport=22)
    assert may_pass(hooks, Hook.INPUT, coming) == ssh & coming


def test_a_queue_leaves_it_open() -> None:
    hooks = hooks_of(saved(f"-A INPUT {SSH} -j NFQUEUE --queue-num 1", policy="DROP"))
    assert kinds(hooks, Hook.INPUT, proto="tcp", dport=22) == {VerdictKind.QUEUE}
    ssh = packets(hooks.space, proto="tcp", dport=22) & hooks.hook_packets(Hook.INPUT)
    assert may_pass(hooks, Hook.INPUT, ssh) == may_be_dropped(hooks, Hook.INPUT, ssh) == ssh


def test_a_mark_of_one_table_is_tested_by_another() -> None:
    """mangle comes before filter: whom it marks, the mark is unknown of here."""
    mark = f"-A INPUT {SSH} -j MARK --set-xmark 0x1/0xffffffff"
    hooks = hooks_of(
        saved(mark, table="mangle") + saved("-A INPUT -m mark --mark 0x1 -j ACCEPT", policy="DROP")
    )
    assert VerdictKind.ACCEPT in kinds(hooks, Hook.INPUT, proto="tcp", dport=22, mark=0)
    assert kinds(hooks, Hook.INPUT, proto="tcp", dport=80, mark=0) == {VerdictKind.DROP}


def test_without_a_chain_everything_passes() -> None:
    hooks = hooks_of(saved("-A PREROUTING -j NOTRACK", table="raw"))
    assert hooks.deciding_chain(Hook.INPUT) is None
    assert kinds(hooks, Hook.FORWARD, iif="eth0") == {VerdictKind.ACCEPT}
    forwarded = hooks.hook_packets(Hook.FORWARD)
    assert may_pass(hooks, Hook.FORWARD, forwarded) == forwarded


def test_of_more_base_chains_than_python_nests_calls() -> None:
    chains = "".join(
        f"chain c{n} {{ type filter hook input priority {n}; tcp dport {n + 1} drop; }}\n"
        for n in range(1_100)
    )
    hooks = hooks_of(f"table ip t {{\n{chains}}}\n")
    assert kinds(hooks, Hook.INPUT, proto="tcp", dport=1_100) == {VerdictKind.DROP}
    assert kinds(hooks, Hook.INPUT, proto="tcp", dport=1_101) == {VerdictKind.ACCEPT}
