"""Random rulesets of nft below ip: of devices (netdev, and ingress of inet) and of bridges, with a
filter of ip behind them that sees what they let through, and their marks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from tests.kernel import places

_INDENT = " " * 8
_BRIDGE_HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
_PRIORITIES = (-310, -250, -150, -100, -50, -10, 0, 10, 50, 100, 200, 300)
PORTS = ("v-web", "v-base")
"""Of the bridge."""

EGRESS_PROBE = """table netdev probe {
    chain c {
        type filter hook egress device "eth0" priority 0
    }
}
"""


def netdev_ruleset(seed: int, family: str, *, egress: bool) -> str:
    """The same for the same seed on every machine. ``egress``: the kernel has that hook."""
    writer = _Writer(random.Random(f"netdev {family} {seed}"), family)
    lines = [*writer.netdev_table(egress=egress), *writer.ip_table(ingress=True)]
    return "\n".join(lines) + "\n"


def bridge_ruleset(seed: int, family: str) -> str:
    """The same for the same seed on every machine."""
    writer = _Writer(random.Random(f"bridge {family} {seed}"), family)
    return "\n".join([*writer.bridge_table(), *writer.ip_table(ingress=False)]) + "\n"


class _Writer:
    def __init__(self, rng: random.Random, family: str) -> None:
        self.rng, self.family = rng, family
        self.priorities = rng.sample(_PRIORITIES, len(_PRIORITIES))

    def netdev_table(self, *, egress: bool) -> Iterator[str]:
        rng = self.rng
        hooks = ("ingress", "egress") if egress else ("ingress",)
        yield "table netdev links {"
        for number in range(rng.choice((1, 2, 3))):
            device = rng.choice(places.INTERFACES)
            head = f'type filter hook {rng.choice(hooks)} device "{device}"'
            yield from self._chain(f"c{number}", head, self._ip_tests())
        yield "}"

    def bridge_table(self) -> Iterator[str]:
        rng = self.rng
        yield "table bridge frames {"
        for number in range(rng.choice((1, 2, 3))):
            hook = rng.choice(_BRIDGE_HOOKS)
            head = f"type filter hook {hook}"
            yield from self._chain(f"c{number}", head, [*self._ip_tests(), *self._ports(hook)])
        # Which are ports of a bridge is known of those that rules name.
        yield from (
            "    chain uncalled {",
            *(f"{_INDENT}iifname {p} counter" for p in PORTS),
            "    }",
        )
        yield "}"

    def ip_table(self, *, ingress: bool) -> Iterator[str]:
        table = self.rng.choice(("inet", "inet", self.family))
        yield f"table {table} filter {{"
        if ingress and table == "inet" and self.rng.random() < 0.5:
            device = self.rng.choice(places.INTERFACES)
            head = f'type filter hook ingress device "{device}"'
            yield from self._chain("early", head, self._ip_tests())
        for hook in ("prerouting", "input", "forward", "output"):
            if self.rng.random() < 0.6:
                yield from self._chain(f"at_{hook}", f"type filter hook {hook}", self._ip_tests())
        yield "}"

    def _chain(self, name: str, head: str, tests: Sequence[str]) -> Iterator[str]:
        rng = self.rng
        policy = rng.choice(("accept", "accept", "accept", "drop"))
        yield f"    chain {name} {{"
        yield f"{_INDENT}{head} priority {self.priorities.pop()}; policy {policy};"
        for _ in range(rng.choice((1, 2, 3))):
            words = " ".join(rng.sample(tests, rng.choice((1, 1, 2))))
            yield f"{_INDENT}{words} {self._end()}"
        yield "    }"

    def _end(self) -> str:
        mark = self.rng.choice(places.MARKS)
        return self.rng.choice(
            (
                *("counter accept", "counter accept", "counter drop", "counter"),
                f"counter meta mark set {mark}",
            )
        )

    def _ip_tests(self) -> list[str]:
        rng, ip = self.rng, self.family
        stations = rng.sample(places.STATIONS[ip], 2)
        protocol = {"ip": "ip", "ip6": "ip6"}[ip]
        return [
            f"{rng.choice(('tcp', 'udp'))} dport {rng.choice(places.PORTS)}",
            f"{ip} saddr {stations[0]}",
            f"{ip} daddr {stations[1]}",
            f"{ip} daddr {rng.choice(places.OWN[ip])}",
            f"meta mark {rng.choice(places.MARKS)}",
            f"meta l4proto {rng.choice(('tcp', 'udp', '{ tcp, udp }'))}",
            f"meta protocol {rng.choice((protocol, 'arp', '{ ip, ip6 }'))}",
        ]

    def _ports(self, hook: str) -> list[str]:
        """Of the bridge, where the hook knows them."""
        found = []
        if hook in ("prerouting", "input", "forward"):
            found.append(f"iifname {self.rng.choice(PORTS)}")
        if hook in ("forward", "output", "postrouting"):
            found.append(f"oifname {self.rng.choice(PORTS)}")
        return found * 2
