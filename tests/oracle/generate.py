"""Random filter tables: each rule as plain tests, and as a line of iptables-save.

Must not import iptlint. The rules are drawn from small pools, so that they shadow each
other, and in motifs (pieces that together cover a later rule, sometimes all but a hair).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Literal

Family = Literal["ip", "ip6"]
Ranges = tuple[tuple[int, int], ...]
"""Closed intervals."""

STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")
FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ipv6-icmp": 58, "132": 132}
BASE_CHAINS = ("INPUT", "FORWARD", "OUTPUT")
TERMINAL = ("ACCEPT", "DROP", "REJECT")

# --- the tests of a rule ---------------------------------------------------------------------


@dataclass(frozen=True)
class Within:
    """The value (saddr, daddr, proto) lies in one of the ranges."""

    field: str
    ranges: Ranges
    negated: bool = False


@dataclass(frozen=True)
class Masked:
    """``value & mask == wanted`` (saddr, daddr, flags, mark)."""

    field: str
    mask: int
    wanted: int
    negated: bool = False


@dataclass(frozen=True)
class Ports:
    """The value of the field ``ports`` is a pair: source, destination."""

    side: Literal["source", "destination", "either"]
    ranges: Ranges
    negated: bool = False
    field: str = "ports"


@dataclass(frozen=True)
class Name:
    """An interface's name (iif, oif); a last ``+`` stands for any ending."""

    field: str
    name: str
    negated: bool = False


@dataclass(frozen=True)
class State:
    names: tuple[str, ...]
    negated: bool = False
    field: str = "state"


@dataclass(frozen=True)
class Icmp:
    """The value of the field ``icmp`` is a pair: type, code. Code None is any code."""

    type: int
    code: int | None = None
    negated: bool = False
    field: str = "icmp"


@dataclass(frozen=True)
class Opaque:
    """A pure test that nobody interprets: ``field`` is its text, its value a Boolean."""

    field: str
    negated: bool = False


@dataclass(frozen=True)
class Unsure:
    """Limit, recent: may hold or not, each time anew."""


Test = Within | Masked | Ports | Name | State | Icmp | Opaque | Unsure


@dataclass(frozen=True)
class Condition:
    """A test with its text. ``place`` orders a line; ``module`` is the ``-m`` it needs."""

    test: Test
    text: str
    place: int = 0
    module: str = ""


# --- conditions, as one would write them -----------------------------------------------------


def _not(negated: bool) -> str:
    return "! " if negated else ""


def address(where: str, *networks: str, negated: bool = False) -> Condition:
    """``-s`` or ``-d`` (where: saddr, daddr) with one or more prefixes."""
    nets = [ip_network(network) for network in networks]
    ranges = tuple((int(net[0]), int(net[-1])) for net in nets)
    option = {"saddr": "-s", "daddr": "-d"}[where]
    text = f"{_not(negated)}{option} {','.join(networks)}"
    return Condition(Within(where, ranges, negated), text, 0 if where == "saddr" else 1)


def odd_mask(where: str, value: int, mask: int, negated: bool = False) -> Condition:
    option = {"saddr": "-s", "daddr": "-d"}[where]
    text = f"{_not(negated)}{option} {IPv4Address(value)}/{IPv4Address(mask)}"
    place = 0 if where == "saddr" else 1
    return Condition(Masked(where, mask, value & mask, negated), text, place)


def ip_range(where: str, first: str, last: str, negated: bool = False) -> Condition:
    option = {"saddr": "--src-range", "daddr": "--dst-range"}[where]
    ranges = ((int(ip_address(first)), int(ip_address(last))),)
    text = f"{_not(negated)}{option} {first}-{last}"
    return Condition(Within(where, ranges, negated), text, 6, "iprange")


def interface(where: str, name: str, negated: bool = False) -> Condition:
    option = {"iif": "-i", "oif": "-o"}[where]
    return Condition(Name(where, name, negated), f"{_not(negated)}{option} {name}", 2)


def protocol(name: str, negated: bool = False) -> Condition:
    number = PROTOCOLS[name]
    return Condition(Within("proto", ((number, number),), negated), f"{_not(negated)}-p {name}", 3)


def _port_text(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}:{high}"


def port(side: str, name: str, low: int, high: int, negated: bool = False) -> Condition:
    """``--sport`` or ``--dport`` (side: source, destination) of the protocol ``name``."""
    option = {"source": "--sport", "destination": "--dport"}[side]
    text = f"{_not(negated)}{option} {_port_text(low, high)}"
    return Condition(Ports(side, ((low, high),), negated), text, 4, name)  # type: ignore[arg-type]


def multiport(side: str, ranges: Ranges, negated: bool = False) -> Condition:
    option = {"source": "--sports", "destination": "--dports", "either": "--ports"}[side]
    text = f"{_not(negated)}{option} {','.join(_port_text(*bounds) for bounds in ranges)}"
    return Condition(Ports(side, ranges, negated), text, 5, "multiport")  # type: ignore[arg-type]


def tcp_flags(mask: Sequence[str], wanted: Sequence[str], negated: bool = False) -> Condition:
    text = f"{_not(negated)}--tcp-flags {','.join(mask)} {','.join(wanted) or 'NONE'}"
    test = Masked("flags", _flag_bits(mask), _flag_bits(wanted), negated)
    return Condition(test, text, 4, "tcp")


def syn(negated: bool = False) -> Condition:
    test = Masked("flags", _flag_bits(("FIN", "SYN", "RST", "ACK")), _flag_bits(("SYN",)), negated)
    return Condition(test, f"{_not(negated)}--syn", 4, "tcp")


def _flag_bits(names: Iterable[str]) -> int:
    return sum(1 << FLAGS.index(name) for name in names)


def icmp(family: Family, type_: int, code: int | None = None, negated: bool = False) -> Condition:
    option, module = ("--icmp-type", "icmp") if family == "ip" else ("--icmpv6-type", "icmp6")
    value = str(type_) if code is None else f"{type_}/{code}"
    return Condition(Icmp(type_, code, negated), f"{_not(negated)}{option} {value}", 4, module)


def state(*names: str, negated: bool = False, old: bool = False) -> Condition:
    """``-m conntrack --ctstate``; ``old``: ``-m state --state``."""
    module, option = ("state", "--state") if old else ("conntrack", "--ctstate")
    text = f"{_not(negated)}{option} {','.join(names)}"
    return Condition(State(names, negated), text, 7, module)


def mark(value: int, mask: int = 0xFFFFFFFF, negated: bool = False) -> Condition:
    suffix = "" if mask == 0xFFFFFFFF else f"/{mask:#x}"
    text = f"{_not(negated)}--mark {value:#x}{suffix}"
    return Condition(Masked("mark", mask, value, negated), text, 8, "mark")


def string(text: str, negated: bool = False) -> Condition:
    option = f'{_not(negated)}--string "{text}" --algo bm --to 65535'
    return Condition(Opaque(f"string {text}", negated), option, 9, "string")


def limit() -> Condition:
    return Condition(Unsure(), "--limit 5/min", 10, "limit")


def recent(negated: bool = False) -> Condition:
    text = f"{_not(negated)}--rcheck --seconds 60 --name bad --rsource"
    return Condition(Unsure(), text, 10, "recent")


# --- rules and rulesets ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Rule:
    """``target``: ACCEPT, DROP, REJECT, RETURN, LOG, JUMP, GOTO, or empty (no target)."""

    conditions: tuple[Condition, ...]
    target: str
    to: str = ""

    @property
    def tests(self) -> tuple[Test, ...]:
        return tuple(condition.test for condition in self.conditions)

    def line(self, chain: str) -> str:
        words = [f"-A {chain}"]
        module = ""
        for condition in sorted(self.conditions, key=lambda c: (c.place, c.module)):
            shared = condition.module in ("tcp", "udp") and condition.module == module
            if condition.module and not shared:
                words.append(f"-m {condition.module}")
            words.append(condition.text)
            module = condition.module
        return " ".join([*words, *self._target_words()])

    def _target_words(self) -> list[str]:
        match self.target:
            case "":
                return []
            case "JUMP":
                return [f"-j {self.to}"]
            case "GOTO":
                return [f"-g {self.to}"]
            case other:
                return [f"-j {other}"]


@dataclass(frozen=True)
class RandomRuleset:
    """``policies`` is for the base chains; ``chains`` holds all chains, in the text's order."""

    family: Family
    policies: dict[str, str]
    chains: dict[str, list[Rule]]
    seed: int = 0

    def rules(self) -> list[Rule]:
        return [rule for rules in self.chains.values() for rule in rules]

    @property
    def lines(self) -> list[str]:
        heads = [f":{name} {self.policies.get(name, '-')} [0:0]" for name in self.chains]
        rules = [rule.line(name) for name, rules in self.chains.items() for rule in rules]
        return [f"# oracle: {self.family}, seed {self.seed}", "*filter", *heads, *rules, "COMMIT"]

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def line_of(self, rule: Rule) -> int:
        """Line of the rule in ``text``, from 1."""
        return 3 + len(self.chains) + self.rules().index(rule)


# --- drawing ---------------------------------------------------------------------------------

Body = dict[str, Condition]
"""The conditions of a rule by feature."""

OPTIONAL_FEATURES = (
    *("saddr", "daddr", "sport", "dport", "ports"),
    *("iif", "oif", "flags", "icmp", "mark", "string"),
)
NEEDS = {
    "sport": ("tcp", "udp"),
    "dport": ("tcp", "udp"),
    "ports": ("tcp", "udp"),
    "flags": ("tcp",),
    "icmp": ("icmp", "ipv6-icmp"),
}
"""Protocols of which a rule must name one before it can hold the feature."""

ICMP_TYPES: dict[Family, list[tuple[int, int | None]]] = {
    "ip": [(8, None), (0, None), (3, None), (3, 1), (11, 0)],
    "ip6": [(128, None), (129, None), (1, None), (1, 4), (3, 0)],
}
"""Types and codes; none of neighbour discovery, which is tied to its conntrack state."""

MASKS = (0xFF00FF00, 0xFFFF00FF, 0xFF00FFFF)


@dataclass
class Pools:
    """What one ruleset draws its constants from."""

    rng: random.Random
    family: Family
    networks: list[str]
    ports: list[int]
    interfaces: list[str]
    protocols: list[str]
    strings: list[str]

    @classmethod
    def draw(cls, rng: random.Random, family: Family) -> Pools:
        icmp_name = "icmp" if family == "ip" else "ipv6-icmp"
        return cls(
            rng,
            family,
            _networks(rng, family),
            sorted(rng.sample([20, 22, 23, 53, 80, 443, 1023, 1024, 8080, 65535], 4)),
            rng.sample(["eth0", "eth1", "eth+", "ppp+", "eth1+", "wg0"], 3),
            ["tcp", "tcp", "udp", icmp_name, rng.choice(["gre", "esp", "132"])],
            rng.sample(["evil", "GET /admin", "|90|"], rng.choice([1, 1, 2])),
        )

    def condition(self, feature: str, proto: str, negated: bool) -> Condition:
        """A condition of this feature; for a rule that says ``-p proto``."""
        rng = self.rng
        match feature:
            case "saddr" | "daddr":
                return self._address(feature, negated)
            case "sport" | "dport" | "ports":
                return self._port(feature, proto, negated)
            case "iif" | "oif":
                return interface(feature, self._interface(), negated)
            case "proto":
                return protocol(rng.choice(self.protocols), negated)
            case "state":
                names = rng.sample(STATES, rng.choice([1, 1, 2, 3]))
                return state(*names, negated=negated, old=rng.random() < 0.3)
            case "flags":
                return self._flags(negated)
            case "icmp":
                return icmp(self.family, *rng.choice(ICMP_TYPES[self.family]), negated)
            case "mark":
                value, mask = rng.choice([(1, 1), (0, 1), (2, 3), (1, 3), (5, 0xFFFFFFFF)])
                return mark(value, mask, negated)
            case "string":
                return string(rng.choice(self.strings), negated)
            case _:
                raise ValueError(feature)

    def unsure(self) -> Condition:
        return self.rng.choice([limit(), limit(), recent(), recent(negated=True)])

    def _interface(self) -> str:
        return "+" if self.rng.random() < 0.06 else self.rng.choice(self.interfaces)

    def _address(self, where: str, negated: bool) -> Condition:
        rng = self.rng
        kind = rng.random()
        if kind < 0.12 and not negated:
            return address(where, *rng.sample(self.networks, 2))
        if kind < 0.3:
            return self._range_of_networks(where, negated)
        if kind < 0.36 and self.family == "ip":
            value = int(ip_network(rng.choice(self.networks))[0])
            mask = rng.choice(MASKS)
            return odd_mask(where, value & mask, mask, negated)
        return address(where, rng.choice(self.networks), negated=negated)

    def _range_of_networks(self, where: str, negated: bool) -> Condition:
        one, two = (ip_network(net) for net in self.rng.choices(self.networks, k=2))
        first = min(int(one[0]), int(two[0]))
        last = max(int(one[-1]), int(two[-1])) - self.rng.choice([0, 0, 1])
        return ip_range(where, self.show(first), self.show(max(first, last)), negated)

    def show(self, value: int) -> str:
        return str(IPv4Address(value) if self.family == "ip" else IPv6Address(value))

    def _port(self, feature: str, proto: str, negated: bool) -> Condition:
        rng = self.rng
        low, high = sorted(rng.choices(self.ports, k=2))
        if rng.random() < 0.4:
            high = low
        if feature == "ports" or rng.random() < 0.25:
            return multiport(_side(feature), ((low, high), (rng.choice(self.ports),) * 2), negated)
        return port(_side(feature), proto, low, high, negated)

    def _flags(self, negated: bool) -> Condition:
        masks = [(("SYN", "ACK"), ("SYN",)), (("SYN", "FIN"), ("SYN", "FIN")), (("RST",), ("RST",))]
        masks += [(("ACK",), ()), (("SYN", "ACK"), ("ACK",))]
        if self.rng.random() < 0.5:
            return syn(negated)
        return tcp_flags(*self.rng.choice(masks), negated)

    # A feature cut to pieces: what they cover together (None: everything), and the pieces.

    def cut(self, feature: str, proto: str) -> tuple[Condition | None, list[Condition]]:
        match feature:
            case "saddr" | "daddr":
                return self._cut_address(feature)
            case "sport" | "dport":
                return self._cut_ports(feature, proto)
            case "state":
                names = self.rng.sample(STATES, 5)
                at = self.rng.choice([1, 2, 3])
                return None, [state(*names[:at]), state(*names[at:])]
        before = self.rng.getstate()
        yes = self.condition(feature, proto, False)
        self.rng.setstate(before)
        return None, [yes, self.condition(feature, proto, True)]

    def _cut_address(self, where: str) -> tuple[Condition, list[Condition]]:
        wide = [text for text in self.networks if ip_network(text).num_addresses > 2]
        text = self.rng.choice(wide)
        net = ip_network(text)
        if self.rng.random() < 0.5:
            return address(where, text), [address(where, str(half)) for half in net.subnets()]
        last = int(net[-1]) - self.rng.choice([0, 0, 1])
        middle = (int(net[0]) + int(net[-1])) // 2 + self.rng.choice([-1, 0, 5])
        pieces = [
            ip_range(where, self.show(int(net[0])), self.show(middle)),
            ip_range(where, self.show(middle + 1), self.show(last)),
        ]
        return address(where, text), pieces

    def _cut_ports(self, feature: str, proto: str) -> tuple[Condition | None, list[Condition]]:
        low, middle, high = sorted(self.rng.sample([0, *self.ports, 60000], 3))
        side = _side(feature)
        last = high - self.rng.choice([0, 0, 1])
        pieces = [
            port(side, proto, low, middle),
            port(side, proto, middle + 1, max(last, middle + 1)),
        ]
        if self.rng.random() < 0.3:
            gap = port(side, proto, low, high, negated=True)
            return None, [*pieces, gap]
        return port(side, proto, low, high), pieces


def _side(feature: str) -> str:
    return {"sport": "source", "dport": "destination", "ports": "either"}[feature]


def _networks(rng: random.Random, family: Family) -> list[str]:
    """Nested, adjacent and overlapping prefixes under one root, and one elsewhere."""
    roots = ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12"]
    if family == "ip6":
        roots = ["2001:db8::/32", "fd00::/8", "2001:db8:1::/48"]
    root_text, other = rng.sample(roots, 2)
    root = ip_network(root_text)
    bits = root.max_prefixlen
    small = 24 if family == "ip" else 64
    half = rng.choice([int(net[0]) for net in root.subnets()])
    inner = _network(family, half + (5 << (bits - small)), small)
    host = _network(family, int(inner[0]) + rng.choice([1, 9, 128]), bits)
    nets = [root, *root.subnets(), inner, *inner.supernet().subnets(), host]
    return list(dict.fromkeys([*map(str, nets), other]))


def _network(family: Family, value: int, length: int) -> IPv4Network | IPv6Network:
    return IPv4Network((value, length)) if family == "ip" else IPv6Network((value, length))


class Writer:
    """Fills the chains of one ruleset."""

    def __init__(self, rng: random.Random, family: Family, rules: int) -> None:
        self.rng = rng
        self.pools = Pools.draw(rng, family)
        self.features = ["state", "proto", *rng.sample(OPTIONAL_FEATURES, rng.choice([4, 5, 6]))]
        self.unsure = rng.choice([0.0, 0.08, 0.25])
        users = [f"U{number}" for number in range(rng.choice([2, 3, 4, 5]))]
        self.order = [*BASE_CHAINS, *users]
        self.chains: dict[str, list[Rule]] = {name: [] for name in self.order}
        self.wanted = rules - len(users) - 1  # so many may still have to be inserted

    def fill(self, rules: int) -> None:
        while self._count() < self.wanted:
            chain = self.rng.choice(self.order)
            if self.rng.random() < 0.3:
                self._motif(chain)
            else:
                self._single(chain)
        for name in self.order[len(BASE_CHAINS) :]:
            if self.rng.random() < (0.6 if self._called(name) else 0.97):
                self._call(name)
        if not self._uses_state():
            self._insert("FORWARD", self._body(("state",)), "LOG")
        self.wanted = rules
        while self._count() < self.wanted:
            self._single(self.rng.choice(self.order))

    def _count(self) -> int:
        return sum(len(rules) for rules in self.chains.values())

    def _called(self, name: str) -> bool:
        return any(rule.to == name for rules in self.chains.values() for rule in rules)

    def _uses_state(self) -> bool:
        rules = [rule for rules in self.chains.values() for rule in rules]
        return any(isinstance(test, State) for rule in rules for test in rule.tests)

    def _call(self, name: str) -> None:
        """A rule that calls this chain, somewhere in a chain before it."""
        caller = self.rng.choice(self.order[: self.order.index(name)])
        body = self._body(self._some_features(caller, self.rng.choice([0, 0, 1])))
        target = self.rng.choice(["JUMP", "JUMP", "GOTO"]) if body else "JUMP"
        self._insert(caller, body, target, name)

    def _insert(self, chain: str, body: Body, target: str, to: str = "") -> None:
        at = self.rng.randint(0, len(self.chains[chain]))
        self.chains[chain].insert(at, Rule(_accepted(body), target, to))

    def _append(self, chain: str, body: Body, target: str, to: str = "") -> None:
        if self._count() < self.wanted:
            self.chains[chain].append(Rule(_accepted(body), target, to))

    def _single(self, chain: str) -> None:
        size = self.rng.choice([0, 2, 2, 3, 3, 3, 4])
        body = self._body(self._some_features(chain, size))
        target, to = self._target(chain)
        if len(body) < 2 and target not in ("LOG", "", "JUMP"):
            body = self._body(self._some_features(chain, 2), start=body)
        if self.rng.random() < self.unsure:
            body["unsure"] = self.pools.unsure()
        self._append(chain, body, target, to)

    def _motif(self, chain: str) -> None:
        """Pieces that together take a later rule's packets, here or in a chain called first."""
        feature = self.rng.choice(self._usable(chain))
        body = self._body(self._some_features(chain, self.rng.choice([0, 1, 2, 3, 3])))
        proto = self._ensure_protocol(body, feature)
        if proto is None:
            return
        if feature == "proto":
            body = {name: body[name] for name in body if name not in NEEDS}
        body.pop(feature, None)
        whole, pieces = self.pools.cut(feature, proto)
        place = self._place_of_pieces(chain)
        if not _allowed(place, body):
            place = chain
        target, to = self._piece_target(place, chain)
        for piece in pieces:
            self._append(place, self._frayed({**body, feature: piece}), target, to)
        if place != chain:
            self._append(chain, dict(body), "JUMP", place)
        victim = body if whole is None else {**body, feature: whole}
        self._append(chain, self._narrowed(victim, chain), *self._target(chain))

    def _place_of_pieces(self, chain: str) -> str:
        later = self.order[max(self.order.index(chain) + 1, len(BASE_CHAINS)) :]
        return self.rng.choice(later) if later and self.rng.random() < 0.4 else chain

    def _piece_target(self, place: str, chain: str) -> tuple[str, str]:
        if place == chain and self.rng.random() < 0.35:
            later = self.order[max(self.order.index(place) + 1, len(BASE_CHAINS)) :]
            return ("GOTO", self.rng.choice(later)) if later else ("RETURN", "")
        return self.rng.choice(TERMINAL), ""

    def _frayed(self, body: Body) -> Body:
        """Now and then a piece covers a little less: what it should take is alive by a hair."""
        if self.rng.random() < 0.8:
            return body
        if self.unsure and self.rng.random() < 0.5:
            return {**body, "unsure": self.pools.unsure()}
        name = self.rng.choice(["state", *(["mark"] if "mark" in self.features else [])])
        return body if name in body else {**body, name: self.pools.condition(name, "", True)}

    def _narrowed(self, body: Body, chain: str) -> Body:
        if self.rng.random() < 0.5:
            return dict(body)
        names = [name for name in self._usable(chain) if name not in body and name not in NEEDS]
        if not names:
            return dict(body)
        name = self.rng.choice(names)
        return {**body, name: self.pools.condition(name, "", False)}

    def _target(self, chain: str) -> tuple[str, str]:
        later = self.order[max(self.order.index(chain) + 1, len(BASE_CHAINS)) :]
        if later and self.rng.random() < 0.25:
            return self.rng.choice(["JUMP", "JUMP", "GOTO"]), self.rng.choice(later)
        return self.rng.choice([*TERMINAL, *TERMINAL, "RETURN", "RETURN", "LOG", ""]), ""

    def _usable(self, chain: str) -> list[str]:
        refused = {"INPUT": "oif", "OUTPUT": "iif"}.get(chain)
        return [feature for feature in self.features if feature != refused]

    def _some_features(self, chain: str, count: int) -> list[str]:
        usable = self._usable(chain)
        return self.rng.sample(usable, min(count, len(usable)))

    def _body(self, features: Sequence[str], start: Body | None = None) -> Body:
        body = dict(start or {})
        for feature in features:
            if feature in body:
                continue
            proto = self._ensure_protocol(body, feature)
            if proto is not None:
                negated = self.rng.random() < 0.25
                body[feature] = self.pools.condition(feature, proto, negated)
        return body

    def _ensure_protocol(self, body: Body, feature: str) -> str | None:
        """Adds the ``-p`` this feature needs; None if the body says another one."""
        needed = [name for name in NEEDS.get(feature, ()) if name in self.pools.protocols]
        if not needed:
            return ""
        if "proto" not in body:
            body["proto"] = protocol(self.rng.choice(needed))
        name = body["proto"].text.removeprefix("-p ")
        return name if name in needed else None


def _allowed(chain: str, body: Body) -> bool:
    return {"INPUT": "oif", "OUTPUT": "iif"}.get(chain) not in body


def _accepted(body: Body) -> tuple[Condition, ...]:
    """Without what iptables refuses: a negated -s or -d in a rule with a list of addresses."""
    conditions = tuple(body.values())
    if any(c.place < 2 and "," in c.text for c in conditions):
        return tuple(c for c in conditions if not (c.place < 2 and c.text.startswith("!")))
    return conditions


def random_ruleset(seed: int, *, rules: int = 40, family: Family = "ip") -> RandomRuleset:
    """A filter table of so many rules; the same for the same seed on every machine."""
    rng = random.Random(f"{family} {seed}")
    writer = Writer(rng, family, rules)
    writer.fill(rules)
    policies = {name: rng.choice(["ACCEPT", "DROP"]) for name in BASE_CHAINS}
    return RandomRuleset(family, policies, writer.chains, seed)
