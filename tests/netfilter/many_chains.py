"""Tables of many chains that call each other, and how to have them looked at as large ones are."""

from __future__ import annotations

from random import Random

import pytest

from iptlint.netfilter import branching_chain, table_analysis
from tests.firewalls import saved

_NETWORKS = {
    False: ("192.0.2.0/24", "192.0.2.8/29", "192.0.2.9", "198.51.100.0/24", "0.0.0.0/1"),
    True: ("2001:db8::/32", "2001:db8::/64", "2001:db8::9", "2001:db8::8000:0:0:0/65", "::/1"),
}
_PORTS = (
    "-p tcp -m tcp --dport 22",
    "-p tcp -m tcp --dport 20:80",
    "-p udp -m udp ! --sport 1024:65535",
    "-p tcp -m multiport --dports 22,80,443:500",
    "-p tcp -m multiport ! --ports 1:1000",
    "-p tcp",
)
_OTHERS = (
    "-m conntrack --ctstate NEW",
    "-m conntrack --ctstate RELATED,ESTABLISHED",
    "-i eth0",
    "-m limit --limit 5/min",
    "-m mark --mark 1",
    "-m string --string x --algo bm",
)
_VERDICTS = ("ACCEPT", "DROP", "RETURN", "LOG", "MARK --set-mark 1", "ACCEPT")


def web_of_chains(seed: int, chains: int = 12, *, ipv6: bool = False) -> str:
    """Chains that call those behind them, seldom one before them, by tests of all sorts."""
    draw = Random(seed)
    names = ["INPUT", "FORWARD", *(f"c{number}" for number in range(chains))]
    rules: list[str] = []
    for place, name in enumerate(names):
        for _ in range(draw.randrange(1, 7)):
            words = [f"-A {name}"]
            for option in ("-s", "-d"):
                if draw.random() < 0.4:
                    negation = draw.choice(("", "", "! "))
                    words.append(f"{negation}{option} {draw.choice(_NETWORKS[ipv6])}")
            words += [draw.choice(_PORTS)] if draw.random() < 0.4 else []
            words += [draw.choice(_OTHERS)] if draw.random() < 0.3 else []
            behind = names[max(place + 1, 2) :] or names[-1:]
            callee = draw.choice(behind if draw.random() < 0.97 else names[2:])
            calls = (f"-j {callee}", f"-j {callee}", f"-g {callee}")
            verdict = draw.choice((*calls, f"-j {draw.choice(_VERDICTS)}"))
            rules.append(" ".join([*words, verdict]))
    return saved(*rules, chains=" ".join(names[2:]), policy=draw.choice(("ACCEPT", "DROP")))


def look_at_them_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the tables that are made from here on were large."""
    monkeypatch.setattr(table_analysis, "MANY", 1)
    monkeypatch.setattr(table_analysis, "_RULES_A_LEVEL", 0)
    monkeypatch.setattr(branching_chain, "_PART", 1)
