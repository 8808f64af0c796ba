"""Random rulesets of nft for a host between networks: translations by maps, concatenations,
prefixes and redirections, and rules behind them that look at what was translated.

One rule a line; its counter is behind its tests, but before the key of a map.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from tests.kernel import places

_INDENT = " " * 8
_STATES = ("new", "established", "established,related", "invalid", "untracked")
_FILTERS = (
    ("mangled", "prerouting", -150),
    ("came_in", "input", 0),
    ("passed", "forward", 0),
    ("sent", "output", 0),
    ("left", "postrouting", 50),
)


def exchange_ruleset_nft(seed: int, family: str) -> str:
    """The same for the same seed on every machine."""
    writer = _Writer(random.Random(f"exchanges nft {family} {seed}"), family)
    return "\n".join([*writer.nat_table(), *writer.filter_table()]) + "\n"


class _Writer:
    def __init__(self, rng: random.Random, family: str) -> None:
        self.rng, self.family = rng, family
        self.zones = rng.random() < 0.15
        self.ways_end = rng.random() < 0.2
        self.closed = rng.random() < 0.5

    # --- tables ----------------------------------------------------------------------------

    def nat_table(self) -> Iterator[str]:
        yield f"table {self.family} nat {{"
        yield from self._named_map()
        yield from self._chain(
            "dstnat", "nat", "prerouting", -100, self._destination_rules((1, 2, 3))
        )
        yield from self._chain("own_dstnat", "nat", "output", -100, self._destination_rules((0, 1)))
        yield from self._chain("srcnat", "nat", "postrouting", 100, self._source_rules())
        yield "}"

    def filter_table(self) -> Iterator[str]:
        """Where states are zoned or not tracked, before all others."""
        table = self.rng.choice(("inet", self.family))
        yield f"table {table} filter {{"
        yield from self._chain("zoned", "filter", "prerouting", -300, self._raw_rules())
        for name, hook, priority in _FILTERS:
            yield from self._chain(name, "filter", hook, priority, self._filter_rules(hook))
        yield "}"

    def _chain(
        self, name: str, kind: str, hook: str, priority: int, rules: Sequence[str]
    ) -> Iterator[str]:
        if not rules:
            return
        closed = kind == "filter" and hook in ("input", "forward") and self.closed
        policy = "drop" if closed else "accept"
        yield f"    chain {name} {{"
        yield f"{_INDENT}type {kind} hook {hook} priority {priority}; policy {policy};"
        yield from (f"{_INDENT}{rule}" for rule in rules)
        if closed and self.rng.random() < 0.7:
            yield f"{_INDENT}ct state established,related counter accept"
        yield "    }"

    def _named_map(self) -> Iterator[str]:
        yield "    map published {"
        kind = "ipv4_addr" if self.family == "ip" else "ipv6_addr"
        yield f"{_INDENT}type {kind} . inet_service : {kind} . inet_service"
        yield f"{_INDENT}elements = {{ {self._pairs()} }}"
        yield "    }"

    # --- rules -----------------------------------------------------------------------------

    def _destination_rules(self, counts: Sequence[int]) -> list[str]:
        return [self._destination_rule() for _ in range(self.rng.choice(counts))]

    def _destination_rule(self) -> str:
        rng, ip = self.rng, self.family
        proto = rng.choice(("tcp", "tcp", "udp"))
        port = f"{proto} dport {rng.choice(places.PORTS)}"
        l4 = f"meta l4proto {proto}"
        key = f"{ip} daddr . {proto} dport"
        choices = (
            f"{port} counter dnat to {self._server()}",
            f"{port} counter dnat to {self._both(self._server(), str(rng.choice(places.PORTS)))}",
            f"{l4} counter dnat to {proto} dport map {{ {self._by_port()} }}",
            f"{l4} counter dnat to {key} map {{ {self._pairs()} }}",
            f"{l4} counter dnat to {key} map @published",
            f"{l4} counter dnat to {ip} daddr map {{ {self._by_address()} }}",
            f"{port} counter redirect to :{rng.choice(places.PORTS)}",
            f"{port} counter redirect",
            f"{l4} counter redirect to :{proto} dport map {{ {self._ports_by_port()} }}",
            f"{port} counter dnat to :{rng.choice(places.PORTS)}",
            f"counter dnat {ip} prefix to {ip} daddr map {{ {self._by_prefix()} }}",
            f"{port} counter accept",
            f"{port} counter dnat to {places.RANGES[ip]}",
            f"{port} counter redirect to :8000-8003",
        )
        return f"{self._where()} {rng.choice(choices)}".strip()

    def _source_rules(self) -> list[str]:
        rng, ip = self.rng, self.family
        own = places.OWN[ip]
        choices = (
            f"oifname {rng.choice(places.INTERFACES)} counter masquerade",
            f"{ip} saddr {rng.choice(places.NETS[ip])} counter masquerade",
            f"{ip} saddr {rng.choice(places.NETS[ip])} counter snat to {rng.choice(own)}",
            f"oifname {rng.choice(places.INTERFACES)} counter snat to {rng.choice(own)}",
            f"counter snat to {ip} saddr map {{ {self._sources()} }}",
            f"tcp dport {rng.choice(places.PORTS)} counter snat to {places.PUBLISHED[ip]}",
            f"meta l4proto udp counter snat to {self._both(own[0], '2000-2009')}",
            "meta l4proto tcp counter masquerade to :2000-2009",
        )
        return rng.sample(choices, rng.choice((0, 1, 1, 2)))

    def _raw_rules(self) -> list[str]:
        name = f"iifname {self.rng.choice(places.INTERFACES)}"
        if self.zones:
            return [f"{name} counter ct zone set {self.rng.choice((1, 2))}"]
        return [f"{name} counter notrack"] if self.rng.random() < 0.1 else []

    def _filter_rules(self, hook: str) -> list[str]:
        count = self.rng.choice((1, 2, 3, 4) if hook in ("input", "forward") else (0, 0, 1))
        return [self._filter_rule(hook) for _ in range(count)]

    def _filter_rule(self, hook: str) -> str:
        rng, ip = self.rng, self.family
        mark = rng.choice(places.MARKS)
        tests = [self._where(), self._port(), self._address(), self._connection()]
        words = " ".join(rng.sample(tests, rng.choice((1, 1, 2)))).strip()
        ends = ["counter accept", "counter accept", "counter", f"counter meta mark set {mark}"]
        ends += [f"counter ct mark set {mark}", "counter meta mark set ct mark"]
        if hook in ("input", "forward"):
            ends += ["counter drop", "counter reject"]
        if self.ways_end and hook == "prerouting":
            ends.append(f"counter {'ip ttl' if ip == 'ip' else 'ip6 hoplimit'} set 1")
        end = rng.choice(ends)
        if end.endswith("reject") and "udp" not in words and rng.random() < 0.5:
            return f"meta l4proto tcp {words} {end} with tcp reset"
        return f"{words} {end}".strip()

    # --- tests -----------------------------------------------------------------------------

    def _where(self) -> str:
        name = self.rng.choice(places.INTERFACES)
        return self.rng.choice(("", f"iifname {name}", f"iifname != {name}"))

    def _port(self) -> str:
        proto, ports = self.rng.choice(("tcp", "udp")), self.rng.sample(places.PORTS, 2)
        return self.rng.choice(
            (
                f"{proto} dport {ports[0]}",
                f"{proto} dport {{ {ports[0]}, {ports[1]} }}",
                f"iifname . {proto} dport {{ {self._ways(ports)} }}",
            )
        )

    def _ways(self, ports: Sequence[int]) -> str:
        return ", ".join(f"{self.rng.choice(places.INTERFACES)} . {port}" for port in ports)

    def _address(self) -> str:
        rng, ip = self.rng, self.family
        known = (*places.STATIONS[ip], *places.OWN[ip], *places.NETS[ip], places.PUBLISHED[ip])
        choices = [f"{ip} daddr {rng.choice(known)}"] * 2 + [f"{ip} saddr {rng.choice(known)}"]
        choices.append(
            f"{ip} daddr . tcp dport {{ {self._server()} . {rng.choice(places.PORTS)} }}"
        )
        return rng.choice([*choices, "fib daddr type local"])

    def _connection(self) -> str:
        rng, ip = self.rng, self.family
        return rng.choice(
            (
                f"ct state {rng.choice(_STATES)}",
                f"ct state {rng.choice(_STATES)}",
                f"ct status {rng.choice(('dnat', 'snat'))}",
                f"ct direction {rng.choice(('original', 'reply'))}",
                f"ct mark {rng.choice(places.MARKS)}",
                f"meta mark {rng.choice(places.MARKS)}",
                f"ct original {ip} daddr {rng.choice((*places.OWN[ip], places.PUBLISHED[ip]))}",
            )
        )

    # --- parts of maps ---------------------------------------------------------------------

    def _server(self) -> str:
        return self.rng.choice((*places.SERVERS[self.family], places.OWN[self.family][1]))

    def _both(self, address: str, port: str) -> str:
        return f"{address}:{port}" if self.family == "ip" else f"[{address}]:{port}"

    def _by_port(self) -> str:
        return ", ".join(f"{port} : {self._server()}" for port in self.rng.sample(places.PORTS, 2))

    def _ports_by_port(self) -> str:
        ports = self.rng.sample(places.PORTS, 4)
        return f"{ports[0]} : {ports[1]}, {ports[2]} : {ports[3]}"

    def _aims(self) -> list[str]:
        aims = [*places.OWN[self.family], places.PUBLISHED[self.family]]
        return self.rng.sample(aims, 2)

    def _by_address(self) -> str:
        return ", ".join(f"{aim} : {self._server()}" for aim in self._aims())

    def _pairs(self) -> str:
        rng = self.rng
        return ", ".join(
            f"{aim} . {rng.choice(places.PORTS)} : {self._server()} . {rng.choice(places.PORTS)}"
            for aim in self._aims()
        )

    def _by_prefix(self) -> str:
        to = self.rng.choice(places.SMALL_NETS[self.family])
        return f"{places.PUBLISHED_NET[self.family]} : {to}"

    def _sources(self) -> str:
        first, second = self.rng.sample(places.STATIONS[self.family], 2)
        own = places.OWN[self.family]
        return f"{first} : {self.rng.choice(own)}, {second} : {self.rng.choice(own)}"
