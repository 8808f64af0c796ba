"""Random rulesets of iptables: the oracle's filter tables, and raw and mangle before them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from tests.oracle.generate import Condition, Family, Pools, protocol, random_ruleset
from tests.oracle.generate import Rule as OracleRule

_HOOKS = {"raw": ("PREROUTING", "OUTPUT"), "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT")}
_MARKS = ("0x1/0x1", "0x2/0x3", "0x5", "0x0/0x1", "0x1/0xff")
_REFUSED = {"PREROUTING": "oif", "INPUT": "oif", "OUTPUT": "iif"}
_FEATURES = ("saddr", "daddr", "proto", "dport", "sport", "flags", "icmp", "iif", "oif", "string")
_NEEDS = {"dport": ("tcp", "udp"), "sport": ("tcp", "udp"), "flags": ("tcp",)}


def iptables_ruleset(seed: int, family: Family, rules: int = 25) -> str:
    """The same for the same seed on every machine. Every other one is a filter table alone."""
    rng = random.Random(f"kernel {family} {seed}")
    filter_lines = random_ruleset(seed, rules=rules, family=family).text
    if seed % 2:
        return filter_lines
    writer = _Writer(rng, Pools.draw(rng, family), family)
    tables = [table for table in ("raw", "mangle") if rng.random() < 0.7]
    return "\n".join([line for table in tables for line in writer.table(table)] + [filter_lines])


class _Writer:
    def __init__(self, rng: random.Random, pools: Pools, family: Family) -> None:
        self.rng, self.pools, self.family = rng, pools, family

    def table(self, name: str) -> Iterator[str]:
        """A chain that all may call comes after the built-in ones."""
        hooks = [hook for hook in _HOOKS[name] if self.rng.random() < 0.6]
        yield f"*{name}"
        for hook in hooks:
            policy = self.rng.choice(("ACCEPT", "ACCEPT", "DROP"))
            if hook == "PREROUTING":
                policy = "ACCEPT"  # else nothing gets any further
            yield f":{hook} {policy} [0:0]"
        yield ":SHARED - [0:0]"
        for chain in (*hooks, "SHARED"):
            for _ in range(self.rng.choice((1, 2, 3))):
                yield self._rule(name, chain)
        yield "COMMIT"

    def _rule(self, table: str, chain: str) -> str:
        conditions = tuple(_without_refused([*self._conditions(table, chain)]))
        target = self._target(table, chain)
        return f"{OracleRule(conditions, '').line(chain)} {target}".rstrip()

    def _conditions(self, table: str, chain: str) -> Iterator[Condition]:
        """Some tests, each with the protocol that it needs; states only where there are any."""
        names = [name for name in _FEATURES if name != _REFUSED.get(chain)]
        if chain == "SHARED":
            names = [name for name in names if name not in ("iif", "oif")]
        names += ["mark", "state"] if table == "mangle" else []
        chosen = self.rng.sample(names, self.rng.choice((1, 1, 2, 2, 3)))
        icmp = "icmp" if self.family == "ip" else "ipv6-icmp"
        proto = icmp if "icmp" in chosen else self.rng.choice(("tcp", "udp"))
        if "flags" in chosen and proto != icmp:
            proto = "tcp"
        needy = [name for name in chosen if name in (*_NEEDS, "icmp")]
        if needy:
            yield protocol(proto)
        for name in chosen:
            if name == "proto" and needy:
                continue
            if proto in _NEEDS.get(name, (proto,)):
                yield self.pools.condition(name, proto, self.rng.random() < 0.25)

    def _target(self, table: str, chain: str) -> str:
        choices = ["-j DROP", "-j ACCEPT", "-j RETURN", ""]
        if chain != "SHARED":
            choices += ["-j SHARED", "-g SHARED"]
        if table == "mangle":
            choices += [f"-j MARK --set-xmark {self.rng.choice(_MARKS)}"] * 4
        else:
            choices += ["-j NOTRACK"] * 2 if table == "raw" else []
        return self.rng.choice(choices)


def _without_refused(conditions: Sequence[Condition]) -> Iterator[Condition]:
    """iptables refuses ``!`` before an address where another address is a list."""
    lists = any(c.place < 2 and "," in c.text for c in conditions)
    return (c for c in conditions if not (lists and c.place < 2 and c.text.startswith("!")))
