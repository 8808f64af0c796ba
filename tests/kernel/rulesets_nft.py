"""Random rulesets of nft: tables of several families, base chains in line, sets and maps.

Constants come from small pools, so that rules shadow each other, some by motifs: pieces that
together cover a later rule. One rule a line, with a counter behind its tests. A verdict map has
none of its own: the bare ``counter`` on the next line counts what it lets go on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

INDENT = " " * 8
_HOOKS = ("input", "input", "forward", "forward", "output", "prerouting")
_PRIORITIES = (-150, -30, -10, 0, 5, 10, 20, 50)
_STATES = ("new", "established", "related", "invalid", "untracked")
_FLAGS = (
    *("syn", "!= syn", "== syn", "ack", "== syn | ack", "!= ack | psh"),
    *("syn / fin,syn,rst,ack", "!= syn / fin,syn,rst,ack", "fin,rst", "! fin,rst", "! syn"),
    *("& (fin | syn | rst | ack) == syn", "& (syn | ack) == (syn | ack)", "& (fin | syn) != 0"),
    *("& (syn | rst) == 0", "{ syn, ack, syn | ack }", "!= { ack, rst }", "& ack == ack"),
    *("& (fin | syn | rst | ack) != syn", "& (fin | syn) == fin | syn"),
)
_ICMP = ("echo-request", "echo-reply", "destination-unreachable", "time-exceeded")
_ICMP6 = ("echo-request", "echo-reply", "destination-unreachable", "nd-neighbor-solicit")
_V4 = ("10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.128.5.0/24", "10.128.5.9", "192.168.0.0/16")
_V6 = ("fd00::/8", "fd00::/9", "fd80::/9", "fd80:5::/64", "fd80:5::9", "2001:db8::/32")
_PORTS = (20, 22, 53, 80, 443, 1023, 1024, 8080)
_NAMES = ("eth0", "eth1", "eth*", "ppp*", "wg0", "eth1*")
_REJECTIONS = (
    *("tcp reset", "icmp type host-unreachable", "icmpv6 type no-route"),
    "icmpx type admin-prohibited",
)
_MARKS = (
    "0x1",
    "!= 0x1",
    "& 0x3 == 0x1",
    "& 0x1 == 0x0",
    "{ 0x1, 0x5 }",
    "0x2-0x5",
    "& 0x3 != 0x2",
)

Rule = dict[str, str]
"""Tests by feature."""


@dataclass
class _Table:
    family: str
    name: str
    sets: list[str] = field(default_factory=list)
    chains: dict[str, list[str]] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        yield f"table {self.family} {self.name} {{"
        yield from self.sets
        for name, rules in self.chains.items():
            yield f"    chain {name} {{"
            yield from (f"{INDENT}{part}" for part in [self.heads.get(name, "")] if part)
            yield from (f"{INDENT}{rule}" for rule in rules)
            yield "    }"
        yield "}"


def nft_ruleset(seed: int, rules: int = 30) -> str:
    """The same for the same seed on every machine."""
    rng = random.Random(f"kernel nft {seed}")
    count = rng.choice((1, 1, 2))
    # Each priority once: the order of chains of equal priority has a test of its own.
    priorities = rng.sample(_PRIORITIES, len(_PRIORITIES))
    tables = [
        _Writer(rng, f"t{number}", priorities).table(rules // count) for number in range(count)
    ]
    return "\n".join(line for table in tables for line in table.lines()) + "\n"


class _Writer:
    def __init__(self, rng: random.Random, name: str, priorities: list[int]) -> None:
        self.rng, self.priorities = rng, priorities
        self.of = _Table(rng.choice(("inet", "inet", "inet", "ip", "ip6")), name)
        self.named: dict[str, str] = {}
        self.unsure = rng.choice((0.0, 0.0, 0.1))
        self.marks = rng.random() < 0.3

    def table(self, rules: int) -> _Table:
        self._name_sets()
        bases = self.rng.choice((2, 3, 4))
        for number in range(bases):
            hook, priority = self.rng.choice(_HOOKS), self.priorities.pop()
            policy = self.rng.choice(("accept", "accept", "drop"))
            if hook == "prerouting":
                policy = "accept"  # else nothing gets any further
            head = f"type filter hook {hook} priority {priority}; policy {policy};"
            self.of.heads[f"b{number}"] = head
        names = [*self.of.heads, *(f"u{number}" for number in range(self.rng.choice((1, 2, 3))))]
        self.of.chains = {name: [] for name in names}
        for place, name in enumerate(names[bases:], bases):
            self.of.chains[self.rng.choice(names[:place])].append(f"counter jump {name}")
        while sum(map(len, self.of.chains.values())) < rules:
            self._add(self.rng.choice(names))
        return self.of

    # --- sets ------------------------------------------------------------------------------

    def _name_sets(self) -> None:
        """Some with a name, each of a type that its key tells."""
        self._name("ports", "inet_service", "interval", self._ports_listed())
        if self.of.family != "ip6":
            self._name("nets4", "ipv4_addr", "interval", self._listed(_disjoint(_V4, self.rng)))
        if self.of.family != "ip":
            self._name("nets6", "ipv6_addr", "interval", self._listed(_disjoint(_V6, self.rng)))
        self._name(
            "protocols",
            "inet_proto",
            "",
            self._listed(("tcp", "udp", "icmp")[: self.rng.choice((1, 2, 3))]),
        )

        self._name("pairs", "inet_proto . inet_service", "interval", "{ tcp . 22, udp . 53-80 }")
        low, high, other = sorted(self.rng.sample(_PORTS, 3))
        ends = [self.rng.choice(("accept", "drop", "continue", "return")) for _ in range(2)]
        self.of.sets.append(
            "    map verdicts { type inet_service : verdict; flags interval; "
            f"elements = {{ {low}-{high} : {ends[0]}, {other + 1} : {ends[1]} }} }}"
        )

    def _name(self, name: str, type_: str, flags: str, elements: str) -> None:
        words = f"type {type_}; " + (f"flags {flags}; " if flags else "")
        self.of.sets.append(f"    set {name} {{ {words}elements = {elements} }}")

    def _listed(self, words: tuple[str, ...]) -> str:
        return f"{{ {', '.join(words)} }}"

    def _ports_listed(self) -> str:
        low, high, other = sorted(self.rng.sample(_PORTS, 3))
        return self._listed(
            (f"{low}-{high}", str(other)) if self.rng.random() < 0.6 else (str(low), str(other))
        )

    # --- rules -----------------------------------------------------------------------------

    def _add(self, chain: str) -> None:
        kind = self.rng.random()
        if kind < 0.25:
            self._motif(chain)
        elif kind < 0.4:
            self._verdict_map(chain)
        else:
            self._put(chain, self._tests(chain, self.rng.choice((0, 1, 2, 2, 3))))

    def _put(self, chain: str, tests: Rule, verdict: str | None = None) -> None:
        verdict = self._verdict(chain, bool(tests)) if verdict is None else verdict
        words = [*_ordered(tests)]
        if self.rng.random() < self.unsure:
            words.append("limit rate 5/minute")
        self.of.chains[chain].append(" ".join([*words, "counter", verdict]).strip())

    def _verdict(self, chain: str, tested: bool) -> str:
        """A rule without tests seldom ends the chain: what is behind it would be dead."""
        rng = self.rng
        choices = ["", "log", "continue"]
        if tested or rng.random() < 0.2:
            choices = [
                "accept",
                "accept",
                "drop",
                "drop",
                "return",
                "",
                "log",
                "reject",
                "log drop",
            ]
            if self._hook(chain) in (None, "prerouting"):
                choices.remove("reject")
            elif rng.random() < 0.2:
                choices = [f"reject with {how}" for how in _REJECTIONS]
        later = self._later(chain)
        if later and rng.random() < 0.25:
            how = rng.choice(("jump", "jump", "goto")) if tested else "jump"
            return f"{how} {rng.choice(later)}"
        if self.marks and rng.random() < 0.2:
            return f"meta mark set {rng.choice(('0x1', '0x2', '0x5'))}"
        return rng.choice(choices)

    def _later(self, chain: str) -> list[str]:
        names = list(self.of.chains)
        return [name for name in names[names.index(chain) + 1 :] if name.startswith("u")]

    def _hook(self, chain: str) -> str | None:
        words = self.of.heads.get(chain, "").split()
        return words[3] if words else None

    def _verdict_map(self, chain: str) -> None:
        """Behind few tests, so that its elements matter."""
        tests = self._tests(chain, self.rng.choice((0, 0, 1)))
        verdicts = ["accept", "drop", "accept", "drop", "continue", "return"]
        verdicts += [f"{how} {name}" for name in self._later(chain) for how in ("jump", "goto")]
        keys: dict[str, tuple[str, ...]] = {
            "ct state": tuple(self.rng.sample(_STATES, self.rng.choice((2, 3)))),
            "meta l4proto": ("tcp", "udp"),
        }
        if "l4" not in tests and "saddr" not in tests:
            low, high, other = sorted(self.rng.sample(_PORTS, 3))
            last = f"{other + 1}-65535" if self.rng.random() < 0.5 else str(other + 1)
            keys[self.rng.choice(("tcp dport", "udp dport", "tcp sport"))] = (f"{low}-{high}", last)
            if self.of.family != "ip6":
                keys["ip saddr"] = _disjoint(_V4, self.rng)
            if self.of.family != "ip":
                keys["ip6 daddr"] = _disjoint(_V6, self.rng)
        key = self.rng.choice([key for key in keys if key.split()[1] not in tests])
        listed = ", ".join(f"{value} : {self.rng.choice(verdicts)}" for value in keys[key])
        is_port = key.endswith("port")
        mapping = "@verdicts" if is_port and self.rng.random() < 0.3 else f"{{ {listed} }}"
        self.of.chains[chain] += [
            " ".join([*_ordered(tests), "counter", f"{key} vmap {mapping}"]),
            "counter",
        ]

    def _motif(self, chain: str) -> None:
        """Pieces, and behind them what they cover, or all but a hair of it."""
        rng = self.rng
        name, whole, pieces = rng.choice(self._cuts())
        tests = self._tests(chain, rng.choice((0, 1, 2)))
        if name in tests or (name in ("saddr", "dport") and {"l3", "l4"} & {*tests}):
            tests = {}
        verdict = rng.choice(("accept", "drop", "return"))
        for piece in pieces:
            frayed = {"mark": "meta mark & 0x1 == 0x0"} if rng.random() < 0.1 else {}
            self._put(chain, frayed | tests | {name: piece}, verdict)
        narrower = self._tests(chain, 1) if rng.random() < 0.4 and not tests else {}
        if {"l4", "l3", "saddr", "daddr", "dport", "pair"} & {*narrower}:
            narrower = {}
        self._put(chain, narrower | tests | ({name: whole} if whole else {}))

    def _cuts(self) -> list[tuple[str, str, tuple[str, ...]]]:
        states = self.rng.sample(_STATES, 5)
        at = self.rng.choice((1, 2, 3))
        middle = self.rng.choice(_PORTS)
        cuts = [
            (
                "state",
                "",
                (f"ct state {','.join(states[:at])}", f"ct state {{ {', '.join(states[at:])} }}"),
            ),
            ("dport", "meta l4proto tcp", (f"tcp dport <= {middle}", f"tcp dport > {middle}")),
            (
                "dport",
                "tcp dport 80-90",
                (
                    f"tcp dport 80-{(end := self.rng.choice((84, 88)))}",
                    f"tcp dport {{ {end + 1}, {end + 2}-90 }}",
                ),
            ),
            ("dport", "udp dport @ports", ("udp dport @ports",)),
            ("mark", "", ("meta mark & 0x2 == 0x2", "meta mark & 0x2 == 0x0")),
            ("flags", "meta l4proto tcp", ("tcp flags syn", "tcp flags ! syn")),
            ("flags", "tcp flags == syn", ("tcp flags syn / fin,syn,rst,ack",)),
            ("iif", 'iifname "eth*"', ('iifname "eth0"', 'iifname "eth*"')),
        ]
        if self.of.family != "ip6":
            cuts.append(
                (
                    "saddr",
                    "ip saddr 10.0.0.0/8",
                    ("ip saddr 10.0.0.0/9", "ip saddr 10.128.0.0-10.255.255.255"),
                )
            )
        if self.of.family != "ip":
            cuts.append(
                ("saddr", "ip6 saddr fd00::/8", ("ip6 saddr fd00::/9", "ip6 saddr fd80::/9"))
            )
        if self.of.family == "inet":
            cuts.append(("l3", "", ("meta nfproto ipv4", "meta nfproto ipv6")))
        return cuts

    # --- tests -----------------------------------------------------------------------------

    def _tests(self, chain: str, count: int) -> Rule:
        """At most one of each protocol and family: nft refuses rules that contradict themselves."""
        rng = self.rng
        hook = self._hook(chain)
        features = ["l4", "l4", "saddr", "daddr", "state", "mark", "iif", "oif", "pair", "l3"]
        if hook in ("input", "prerouting"):
            features.remove("oif")
        if hook == "output":
            features.remove("iif")
        tests: Rule = {}
        family = self.of.family if self.of.family != "inet" else rng.choice(("ip", "ip6"))
        for name in rng.sample(features, min(count, len(features))):
            if name == "pair" and {"l4", "saddr", "daddr"} & {*tests}:
                continue
            if "pair" in tests and name in ("l4", "saddr", "daddr", "l3"):
                continue
            if name == "l3" and (self.of.family != "inet" or {"saddr", "daddr", "l4"} & {*tests}):
                continue
            if "l3" in tests and name in ("saddr", "daddr", "l4"):
                continue
            tests[name] = self._test(name, family)
        return tests

    def _test(self, name: str, family: str) -> str:
        rng = self.rng
        no = "!= " if rng.random() < 0.25 else ""
        match name:
            case "saddr" | "daddr":
                return f"{family} {name} {no}{self._address(family)}"
            case "state":
                some = rng.sample(_STATES, rng.choice((1, 1, 2, 3)))
                joined = ",".join(some)
                masked = f"& ({' | '.join(some)}) {rng.choice(('!=', '=='))} 0"
                listed = self._listed(tuple(some))
                return f"ct state {rng.choice((no + joined, no + listed, masked))}"
            case "mark":
                return f"meta mark {rng.choice(_MARKS)}"
            case "iif" | "oif":
                some = [f'"{word}"' for word in rng.sample(_NAMES[:5], 2)]
                listed = f"{{ {', '.join(some)} }}" if rng.random() < 0.3 and not no else some[0]
                return f"{name}name {no}{listed}"
            case "l3":
                return f"meta nfproto {no}{rng.choice(('ipv4', 'ipv6'))}"
            case "pair":
                return self._pair(family)
        return self._layer4(family, no)

    def _address(self, family: str) -> str:
        pool = _V4 if family == "ip" else _V6
        kind = self.rng.random()
        if kind < 0.2:
            return "@nets4" if family == "ip" else "@nets6"
        if kind < 0.35:
            return self._listed(_disjoint(pool, self.rng))
        if kind < 0.5:
            return {"ip": "10.0.0.5-10.128.5.9", "ip6": "fd00::5-fd80:5::9"}[family]
        if kind < 0.55 and family == "ip":
            return "& 255.0.255.0 == 10.0.5.0"
        return self.rng.choice(pool)

    def _ports(self) -> str:
        low, high = sorted(self.rng.sample(_PORTS, 2))
        return self.rng.choice(
            (str(low), str(high), f"{low}-{high}", self._ports_listed(), "@ports")
        )

    def _layer4(self, family: str, no: str) -> str:
        rng = self.rng
        types = _ICMP if family == "ip" else _ICMP6
        icmp = "icmp" if family == "ip" else "icmpv6"
        side = rng.choice(("dport", "dport", "sport"))
        choices = [
            f"{rng.choice(('tcp', 'tcp', 'udp'))} {side} {no}{self._ports()}",
            f"{rng.choice(('tcp', 'udp'))} {side} {no}{self._ports()}",
            f"tcp {side} {rng.choice(('<', '>', '<=', '>='))} {rng.choice(_PORTS)}",
            f"tcp flags {rng.choice(_FLAGS)}",
            f"tcp flags {rng.choice(_FLAGS)} tcp dport {no}{self._ports()}",
            f"meta l4proto {no}{rng.choice(('tcp', 'udp', '{ tcp, udp }', '@protocols', 'sctp'))}",
            f"meta l4proto {{ tcp, udp }} th {side} {no}{self._ports()}",
            f"{icmp} type {no}{rng.choice(types)}",
            f"{icmp} type {self._listed(tuple(rng.sample(types, 2)))}",
            f"{icmp} type destination-unreachable {icmp} code {no}{rng.choice((0, 1, 4))}",
            f"tcp sport 1024-65535 tcp dport {self._ports()}",
        ]
        if self.of.family == "ip":
            choices.append(f"ip protocol {no}{rng.choice(('tcp', 'udp'))}")
        return rng.choice(choices)

    def _pair(self, family: str) -> str:
        rng = self.rng
        one, two = (_V4 if family == "ip" else _V6)[1:3]
        ports = rng.sample(_PORTS, 2)
        no = "!= " if rng.random() < 0.2 else ""
        return rng.choice(
            (
                f"meta l4proto . th dport {no}@pairs",
                f"{family} saddr . tcp dport {no}{{ {one} . {ports[0]}, {two} . {ports[1]} }}",
                f"{family} saddr . {family} daddr {no}{{ {one} . {two}, {two} . {one} }}",
                f"meta l4proto . th dport {no}{{ tcp . {ports[0]}, udp . {ports[1]}, tcp . 1-10 }}",
                f'iifname . {family} saddr {{ "eth0" . {one}, "ppp0" . {two} }}',
            )
        )


def _ordered(tests: Rule) -> list[str]:
    return list(tests.values())


def _disjoint(pool: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    """Elements of a set of intervals must not overlap."""
    choices = (pool[1:3], (pool[3], pool[5]), (pool[1], pool[4]), (pool[0], pool[5]), (pool[4],))
    return rng.choice(choices)
