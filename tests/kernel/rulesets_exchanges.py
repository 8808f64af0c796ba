"""Random rulesets of iptables for a host between networks: translations of all kinds, and rules
behind them that look at what was translated."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.kernel import places

_TABLES = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
}
_COUNTS = {"raw": (0, 0, 1), "mangle": (0, 0, 1), "nat": (1, 2, 3), "filter": (1, 2, 3, 4)}
_STATES = ("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED", "DNAT", "SNAT")
_NO_WAY_IN = ("OUTPUT", "POSTROUTING")
_NO_WAY_OUT = ("PREROUTING", "INPUT")
_TAKING_LAST = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"


def exchange_ruleset(seed: int, family: str) -> str:
    """The same for the same seed on every machine."""
    writer = _Writer(random.Random(f"exchanges {family} {seed}"), family)
    return "\n".join(line for table in _TABLES for line in writer.table(table)) + "\n"


class _Writer:
    def __init__(self, rng: random.Random, family: str) -> None:
        self.rng, self.family = rng, family
        self.zones = rng.random() < 0.15
        self.ways_end = rng.random() < 0.2
        self.closed = rng.random() < 0.5

    def table(self, name: str) -> Iterator[str]:
        """Perhaps with a chain of its own, which others jump to."""
        rng = self.rng
        own = name in ("nat", "filter") and rng.random() < 0.5
        chains = _TABLES[name]
        rules = [r for c in chains for r in self._rules(name, c)]
        if own:
            rules += [f"-A OWN {self._ports()} {self._target(name, self._base(name))}"]
            base = self._base(name)
            rules.insert(0, f"-A {base} {self._tests(name, base)} -j OWN".replace("  ", " "))
        yield f"*{name}"
        for chain in chains:
            closed = name == "filter" and self.closed and chain != "OUTPUT"
            yield f":{chain} {'DROP' if closed else 'ACCEPT'} [0:0]"
        if own:
            yield ":OWN - [0:0]"
        yield from (rule.strip() for rule in rules)
        yield "COMMIT"

    def _base(self, table: str) -> str:
        """Where most of its packets come by."""
        return {"nat": "PREROUTING", "filter": "FORWARD"}[table]

    def _rules(self, table: str, chain: str) -> Iterator[str]:
        rng = self.rng
        count = rng.choice(_COUNTS[table])
        if (table, chain) == ("nat", "INPUT"):
            count = rng.choice((0, 0, 0, 1))
        for _ in range(count):
            tests, target = self._tests(table, chain), self._target(table, chain)
            if target == "-j REJECT" and "-p tcp" in tests and self.rng.random() < 0.5:
                target += " --reject-with tcp-reset"
            yield f"-A {chain} {tests} {target}"
        if table == "filter" and self.closed and rng.random() < 0.7:
            yield f"-A {chain} {_TAKING_LAST}"

    # --- tests -----------------------------------------------------------------------------

    def _tests(self, table: str, chain: str) -> str:
        choices = [self._interface(chain), self._ports(), self._address(), ""]
        if table == "nat":
            choices = [self._interface(chain), self._address(), ""]
        elif table != "raw":
            choices += [self._state(), f"-m mark --mark {self.rng.choice(places.MARKS)}"]
        if table in ("mangle", "filter"):
            choices += [self._state(), self._connection(), self._of_original()]
        words = self.rng.sample(choices, self.rng.choice((1, 1, 2)))
        if sum("conntrack" in word for word in words) > 1:
            words = words[:1]
        if table == "nat":
            words.insert(0, self._ports())
        return " ".join(word for word in words if word)

    def _interface(self, chain: str) -> str:
        way = "-o" if chain in _NO_WAY_IN else "-i"
        if chain == "FORWARD":
            way = self.rng.choice(("-i", "-o"))
        return f"{self.rng.choice(('', '', '! '))}{way} {self.rng.choice(places.INTERFACES)}"

    def _ports(self) -> str:
        proto = self.rng.choice(("tcp", "tcp", "udp"))
        if self.rng.random() < 0.2:
            low, *_, high = sorted(self.rng.sample(places.PORTS, 3))
            return f"-p {proto} -m multiport --dports {low},{high}"
        return f"-p {proto} --dport {self.rng.choice(places.PORTS)}"

    def _address(self) -> str:
        family, rng = self.family, self.rng
        known = (*places.STATIONS[family], *places.OWN[family], *places.NETS[family])
        known = (*known, places.PUBLISHED[family])
        choices = [f"-d {rng.choice(known)}"] * 2 + [f"-s {rng.choice(known)}"]
        choices.append(f"-m addrtype {rng.choice(('', '! '))}--dst-type LOCAL")
        return rng.choice(choices)

    def _state(self) -> str:
        negation = self.rng.choice(("", "", "! "))
        return f"-m conntrack {negation}--ctstate {self.rng.choice(_STATES)}"

    def _connection(self) -> str:
        return self.rng.choice(
            (
                f"-m conntrack --ctdir {self.rng.choice(('ORIGINAL', 'REPLY'))}",
                f"-m conntrack --ctstatus {self.rng.choice(('SEEN_REPLY', 'ASSURED', 'NONE'))}",
                f"-m connmark --mark {self.rng.choice(places.MARKS)}",
            )
        )

    def _of_original(self) -> str:
        """Before any translation."""
        address = self.rng.choice((*places.OWN[self.family], places.PUBLISHED[self.family]))
        return self.rng.choice(
            (
                f"-m conntrack --ctorigdst {address}",
                f"-m conntrack --ctorigdstport {self.rng.choice(places.PORTS)}",
            )
        )

    # --- targets ---------------------------------------------------------------------------

    def _target(self, table: str, chain: str) -> str:
        match table:
            case "raw":
                return self.rng.choice(self._raw())
            case "mangle":
                return self.rng.choice(self._mangle(chain))
            case "nat":
                return self.rng.choice([*self._nat(chain) * 2, "-j ACCEPT"])
        return self.rng.choice(("-j ACCEPT", "-j ACCEPT", "-j DROP", "", "-j REJECT"))

    def _raw(self) -> list[str]:
        if self.zones:
            return ["-j CT --zone 1", "-j CT --zone 2", ""]
        return ["-j NOTRACK", ""]

    def _mangle(self, chain: str) -> list[str]:
        number = self.rng.choice(places.MARKS)
        found = [f"-j MARK --set-mark {number}", f"-j MARK --or-mark {number}"]
        found += [f"-j CONNMARK --set-mark {number}", "-j CONNMARK --restore-mark", "-j ACCEPT"]
        found += ["-j CONNMARK --save-mark", f"-j MARK --xor-mark {number}"]
        if self.ways_end and chain in ("PREROUTING", "FORWARD", "POSTROUTING"):
            target = "TTL --ttl" if self.family == "ip" else "HL --hl"
            found += [f"-j {target}-set 1", f"-j {target}-dec 1", f"-j {target}-dec 63"]
        return found

    def _nat(self, chain: str) -> list[str]:
        if chain in ("PREROUTING", "OUTPUT"):
            return self._destinations()
        return self._sources(chain)

    def _destinations(self) -> list[str]:
        family, rng = self.family, self.rng
        to = rng.choice((*places.SERVERS[family], places.OWN[family][1]))
        port = rng.choice(places.PORTS)
        exact = f"-j DNAT --to-destination {self._both(to, str(port))}"
        some = rng.choice(
            (
                f"-j DNAT --to-destination {places.RANGES[family]}",
                f"-j DNAT --to-destination {self._both(to, '8000-8003')}",
                "-j REDIRECT --to-ports 8000-8003",
            )
        )
        return [
            *(exact, exact, some),
            f"-j DNAT --to-destination {to}",
            f"-j REDIRECT --to-ports {port}",
            f"-j NETMAP --to {rng.choice(places.SMALL_NETS[family])}",
        ]

    def _sources(self, chain: str) -> list[str]:
        family, rng = self.family, self.rng
        to = rng.choice((*places.OWN[family], places.PUBLISHED[family]))
        found = [f"-j SNAT --to-source {to}"]
        if chain == "POSTROUTING":
            found += [f"-j NETMAP --to {places.PUBLISHED_NET[family]}", *["-j MASQUERADE"] * 2]
            found.append(f"-j SNAT --to-source {self._both(to, '2000-2009')}")
            found.append("-j MASQUERADE --to-ports 2000-2009")
        return found

    def _both(self, address: str, port: str) -> str:
        return f"{address}:{port}" if self.family == "ip" else f"[{address}]:{port}"
