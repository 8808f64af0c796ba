"""Whether anybody on the internet can fill a log."""

from __future__ import annotations

import pytest

from iptlint.analysis.log_flood import LogFlood, logs, only_logs
from iptlint.model import Family, Hook
from tests.firewalls import hooked, hooks_of, packets, saved

LOG = "-A INPUT -j LOG"
RUNNING = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"


def is_flooded(text: str, family: Family = Family.IP) -> bool:
    """Whether the one rule that logs may be, at INPUT."""
    hooks = hooks_of(text, family)
    flood = LogFlood(hooks, Hook.INPUT)
    ((analysis, rule),) = [
        (analysis, rule)
        for analysis in hooks.firewall.analyses()
        for _, rule in analysis.table.rules()
        if logs(rule)
    ]
    return bool(flood.reaching(analysis, rule).satisfiable())


@pytest.mark.parametrize(
    ("rules", "flooded"),
    [
        ((LOG,), True),
        (("-A INPUT -p tcp -m tcp --dport 22 -j LOG",), True),
        ((RUNNING, LOG), True),
        (("-A INPUT -p tcp -j ACCEPT", "-A INPUT -j LOG"), True),
        # Only some get there.
        (("-A INPUT -s 198.51.100.0/24 -j LOG",), False),
        (("-A INPUT ! -s 192.0.2.1 -j DROP", LOG), False),
        # No stranger sends to a private address of a host that names its uplink.
        (("-A INPUT -i eth0 -d 10.0.0.1 -j LOG",), False),
        (("-A INPUT -i lo -j ACCEPT", "-A INPUT -d 198.51.100.7 -j LOG"), True),
        # Only packets of connections that somebody asked for, only local ones, only marked ones.
        (("-A INPUT -m conntrack --ctstate ESTABLISHED -j LOG",), False),
        (("-A INPUT -i lo -j LOG",), False),
        (("-A INPUT -m mark --mark 0x1 -j LOG",), False),
        # A limit lets so many through, and not a flood.
        (("-A INPUT -m limit --limit 3/min -j LOG",), False),
        (("-A INPUT -m limit --limit 3/min -j one", "-A one -j LOG"), False),
        (("-A INPUT -j one", "-A one -j LOG"), True),
        # Of what a rate takes before, most of a flood is left; a list of bad ones may take it.
        (("-A INPUT -m limit --limit 3/min -j ACCEPT", LOG), True),
        (("-A INPUT -m recent --update --seconds 9 --name bad -j DROP", LOG), False),
        (("-A INPUT -p tcp -j DROP", "-A INPUT -p udp -j DROP", LOG), True),
        (("-A INPUT -j DROP", LOG), False),
    ],
)
def test_what_a_stranger_fills(rules: tuple[str, ...], flooded: bool) -> None:
    assert is_flooded(saved(*rules, chains="one")) is flooded


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
@pytest.mark.parametrize(("rule", "flooded"), [("log", True), ("limit rate 3/minute log", False)])
def test_in_both_families(family: Family, rule: str, flooded: bool) -> None:
    assert is_flooded(hooked(rule), family) is flooded


def test_an_earlier_chain_may_drop_them() -> None:
    raw = saved("-A PREROUTING -p tcp -j DROP", table="raw")
    all_of_raw = saved("-A PREROUTING -j DROP", table="raw")
    mangle = saved("-A INPUT -j DROP", table="mangle")
    assert is_flooded(raw + saved(LOG))  # another hook is asked only whether it drops all
    assert not is_flooded(all_of_raw + saved(LOG))
    assert not is_flooded(mangle + saved(LOG))


def test_a_chain_of_another_hook_gets_none_of_them() -> None:
    assert not is_flooded(saved("-A OUTPUT -j LOG"))


def test_which_packets_get_there() -> None:
    hooks = hooks_of(saved("-A INPUT -p tcp -m tcp --dport 22 -j LOG"))
    (analysis,) = hooks.firewall.analyses()
    ((_, rule),) = analysis.table.rules()
    found = LogFlood(hooks, Hook.INPUT).reaching(analysis, rule)
    for fields, some in (
        ({"dport": 22, "saddr": "198.51.100.7"}, True),
        ({"dport": 22, "saddr": "10.0.0.7"}, False),
        ({"dport": 22, "iif": "lo"}, False),
        ({"dport": 23}, False),
    ):
        asked = packets(hooks.space, proto="tcp", **fields)
        assert (found & asked).satisfiable() is some


@pytest.mark.parametrize(
    ("target", "does", "alone"),
    [
        ("LOG", True, True),
        ("NFLOG --nflog-group 1", True, True),
        ("DROP", False, False),
        ("MARK --set-mark 1", False, False),
    ],
)
def test_what_logs(target: str, does: bool, alone: bool) -> None:
    ((_, _, rule),) = hooks_of(saved(f"-A INPUT -j {target}")).ruleset.rules()
    assert (logs(rule), only_logs(rule)) == (does, alone)


def test_a_rule_of_nft_may_log_and_drop() -> None:
    rules = [rule for _, _, rule in hooks_of(hooked("log drop")).ruleset.rules()]
    assert any(map(logs, rules))
    assert not all(map(only_logs, rules))
