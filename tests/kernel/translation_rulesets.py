"""Rulesets of operators, with translation: what the named tests of exchanges are about."""

from __future__ import annotations

from collections.abc import Sequence

_BUILT_IN = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
}


def iptables(policies: str = "", **tables: Sequence[str]) -> str:
    """Tables of iptables by name, each with its rules; ``policies``: the built-in chains of filter
    that drop. Other chains are those that a rule is in."""
    return "".join(_table(name, rules, policies.split()) for name, rules in tables.items())


def _table(name: str, rules: Sequence[str], dropping: Sequence[str]) -> str:
    own = dict.fromkeys(rule.split()[0] for rule in rules)
    chains = [c for c in own if c not in _BUILT_IN[name]]
    policies = {
        c: "DROP" if name == "filter" and c in dropping else "ACCEPT" for c in _BUILT_IN[name]
    }
    lines = [f"*{name}", *(f":{c} {policy} [0:0]" for c, policy in policies.items())]
    lines += [f":{c} - [0:0]" for c in chains]
    return "\n".join([*lines, *(f"-A {rule}" for rule in rules), "COMMIT", ""])


DOCKER_PORT = iptables(
    "INPUT FORWARD",
    nat=(
        "PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
        "OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
        "POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
        "DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
    ),
    filter=(
        "FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "FORWARD -o docker0 -j DOCKER",
        "FORWARD -i docker0 ! -o docker0 -j ACCEPT",
        "INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT",
    ),
)
"""A published port, as docker writes it."""

PORT_FORWARD = (
    "PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.100:8080"
)
HAIRPIN = "PREROUTING -d 198.51.100.1 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.100:80"
HAIRPIN_BACK = "POSTROUTING -s 192.168.1.0/24 -d 192.168.1.100 -j MASQUERADE"

MAP = """table ip nat {
    chain prerouting {
        type nat hook prerouting priority dstnat
        iifname "eth0" counter dnat to tcp dport map { 80 : 192.168.1.100, 8081 : 172.17.0.2 }
        iifname "eth0" tcp dport 443 counter dnat to 172.17.0.3
    }
}
table ip filter {
    chain input {
        type filter hook input priority 0; policy drop
        ct status dnat counter accept
        ct state established counter accept
        counter
    }
}
"""
ADDRESS_AND_PORT_MAP = """table ip nat {
    chain prerouting {
        type nat hook prerouting priority dstnat
        counter dnat to ip daddr . tcp dport map { 198.51.100.1 . 80 : 192.168.1.100 . 8080 }
    }
}
"""
"""Keys and values of two parts each."""
