"""Random rulesets of iptables that change packets: translations, marks, and no tracking.

Later rules ask for what earlier ones wrote, so that their counters tell whether it was written.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

_NEAR = {"ip": "10.0.0.5", "ip6": "fd00::5"}
_FAR = {"ip": "192.0.2.33", "ip6": "2001:db8:1::33"}
_NETS = {
    "ip": ("10.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24"),
    "ip6": ("fd00::/64", "2001:db8:1::/64", "2001:db8::/64"),
}
_PORTS = (22, 80, 443, 8080)
_MARKS = ("0x1", "0x2", "0x5", "0x1/0x1", "0x2/0x3")
_STATES = ("NEW", "ESTABLISHED", "INVALID", "UNTRACKED", "NEW,UNTRACKED", "DNAT", "SNAT")
_TABLES = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
}


def nat_ruleset(seed: int, family: str) -> str:
    """The same for the same seed on every machine."""
    writer = _Writer(random.Random(f"kernel nat {family} {seed}"), family)
    return "\n".join(line for table in _TABLES for line in writer.table(table)) + "\n"


class _Writer:
    def __init__(self, rng: random.Random, family: str) -> None:
        self.rng, self.family = rng, family
        self.targets: dict[str, Callable[[str], str]] = {
            "raw": self._raw,
            "mangle": self._mangle,
            "nat": self._nat,
            "filter": self._filter,
        }

    def table(self, name: str) -> Iterator[str]:
        yield f"*{name}"
        policy = self.rng.choice(("ACCEPT", "DROP")) if name == "filter" else "ACCEPT"
        yield from (f":{chain} {policy} [0:0]" for chain in _TABLES[name])
        for chain in _TABLES[name]:
            for _ in range(self.rng.choice((1, 2, 3))):
                yield f"-A {chain} {self._tests(name, chain)} {self.targets[name](chain)}".strip()
        yield "COMMIT"

    def _tests(self, table: str, chain: str) -> str:
        rng = self.rng
        tests = ["-p tcp", f"-p {rng.choice(('tcp', 'udp'))} --dport {rng.choice(_PORTS)}"]
        tests += [f"-d {net}" for net in rng.sample(_NETS[self.family], 2)]
        tests += [f"-s {rng.choice(_NETS[self.family])}", ""]
        if table != "raw":
            tests += [f"-m mark --mark {rng.choice(_MARKS)}"] * 2
            tests += [f"-m conntrack --ctstate {rng.choice(_STATES)}"]
        if table in ("mangle", "filter") and chain != "PREROUTING":
            tests += [f"-m connmark --mark {rng.choice(_MARKS)}"]
        words = rng.sample(tests, rng.choice((1, 1, 2)))
        if sum("-p " in word for word in words) > 1 or sum("-d " in word for word in words) > 1:
            words = words[:1]
        if table == "nat" and not any("-p " in word for word in words):
            words.insert(0, "-p tcp")
        return " ".join(word for word in words if word)

    def _raw(self, _: str) -> str:
        return self.rng.choice(("-j NOTRACK", "-j CT --notrack", "", "-j ACCEPT"))

    def _mangle(self, _: str) -> str:
        number = self.rng.choice(("0x1", "0x2", "0x5"))
        return self.rng.choice(
            (
                f"-j MARK --set-mark {number}",
                f"-j MARK --or-mark {number}",
                f"-j MARK --and-mark {number}",
                f"-j MARK --xor-mark {number}",
                f"-j CONNMARK --set-mark {number}",
                "-j CONNMARK --save-mark",
                "-j CONNMARK --restore-mark",
                "-j CONNMARK --save-mark --nfmask 0x3 --ctmask 0x1",
                "-j ACCEPT",
            )
        )

    def _nat(self, chain: str) -> str:
        rng = self.rng
        to = rng.choice((_NEAR, _FAR))[self.family]
        port = rng.choice(_PORTS)
        both = f"{to}:{port}" if self.family == "ip" else f"[{to}]:{port}"
        if chain in ("PREROUTING", "OUTPUT"):
            choices = [f"-j DNAT --to-destination {to}", f"-j DNAT --to-destination {both}"]
            choices += [f"-j REDIRECT --to-ports {port}"]
        else:
            choices = [f"-j SNAT --to-source {to}", f"-j SNAT --to-source {both}"]
            choices += ["-j MASQUERADE"] if chain == "POSTROUTING" else []
        return rng.choice([*choices, *choices, "-j ACCEPT", ""])

    def _filter(self, _: str) -> str:
        return self.rng.choice(("-j ACCEPT", "-j DROP", "", ""))
