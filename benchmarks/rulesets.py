"""Rulesets of any size from a seed, one function a kind: what people have, and what is hard.

Each gives the files of one host by their names. ``n`` counts what the kind is named for: rules,
services, published ports or elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from random import Random

Files = Mapping[str, str]
"""Texts by file names."""

_FILTER = ("*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]")
_NAT = (
    "*nat",
    *(f":{name} ACCEPT [0:0]" for name in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")),
)
_BEGIN = (
    "-A INPUT -i lo -j ACCEPT",
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
)
_SSH = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
_HTTPS = "-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT"
_PUBLIC_PORTS = (22, 25, 53, 80, 110, 123, 143, 443, 993, 1521, 1723, 3306, 5432, 8080)
_LOWEST_PORTS = (0, 1024, 1700, 6000)


class Network:
    """Addresses of one version as a generator draws them; prefix lengths are said as of IPv4."""

    def __init__(self, version: int, draw: Random) -> None:
        self.version = version
        self.width = 32 if version == 4 else 128
        self._draw = draw

    def address(self) -> int:
        """Of one host in the public networks."""
        if self.version == 4:
            return self._draw.randrange(1 << 24, 224 << 24)
        return 0x20010000 << 96 | self._draw.getrandbits(112)

    def near(self, root: int, length: int) -> int:
        """An address whose first bits, about as many as the prefix has, are those of another."""
        alike = max(8, length - 6)
        return root ^ self._draw.getrandbits(self._free(alike)) if length > 8 else root

    def prefix(self, address: int, length: int) -> str:
        free = self._free(length)
        number = address >> free << free
        return f"{_ADDRESS[self.version](number)}/{self.width - free}"

    def _free(self, length: int) -> int:
        """Three bits of IPv6 for each of IPv4: a /8 is a /56."""
        return (32 - length) * (1 if self.version == 4 else 3)


_ADDRESS = {4: IPv4Address, 6: IPv6Address}


def _lines(*lines: str) -> str:
    return "\n".join((*lines, ""))


def _distinct(draw: Callable[[], int], n: int) -> list[int]:
    numbers: dict[int, None] = {}
    while len(numbers) < n:
        numbers[draw()] = None
    return [*numbers]


def _flat(rules: Iterator[str] | Sequence[str], version: int) -> Files:
    return {f"rules.v{version}": _lines(*_FILTER, *_BEGIN, *rules, "COMMIT")}


def hosts(n: int, version: int = 4) -> Files:
    """A blocklist of distinct addresses, the kind that should be a set."""
    network = Network(version, Random(1))
    addresses = _distinct(network.address, n)
    dropped = (f"-A INPUT -s {network.prefix(each, 32)} -j DROP" for each in addresses)
    return _flat([*dropped, _SSH, _HTTPS], version)


def mixed(n: int, version: int = 4) -> Files:
    """Five-tuples that have little to do with each other."""
    draw = Random(2)
    network = Network(version, draw)

    def rule() -> str:
        parts = ["-A INPUT"]
        if draw.random() < 0.8:
            parts.append("-s " + network.prefix(network.address(), draw.choice((32, 32, 24, 16))))
        if draw.random() < 0.5:
            parts.append("-d " + network.prefix(network.address(), draw.choice((32, 32, 24))))
        protocol = draw.choice(("tcp", "udp"))
        port, verdict = draw.randrange(1, 65536), draw.choice(("ACCEPT", "DROP"))
        parts.append(f"-p {protocol} -m {protocol} --dport {port} -j {verdict}")
        return " ".join(parts)

    return _flat([rule() for _ in range(n)], version)


def overlap(n: int, version: int = 4) -> Files:
    """Nested prefixes and ranges of ports, in the manner of ClassBench."""
    draw = Random(3)
    network = Network(version, draw)
    roots = [network.address() for _ in range(max(4, n // 200))]

    def prefix() -> str:
        length = draw.choice((8, 12, 16, 20, 22, 24, 26, 28, 30, 32))
        return network.prefix(network.near(draw.choice(roots), length), length)

    def rule() -> str:
        ends = [f"{end} {prefix()}" for end in ("-s", "-d") if draw.random() < 0.85]
        parts = ["-A INPUT", *ends, *_service(draw)]
        if len(parts) == 1:
            parts.append("-p esp")
        return " ".join((*parts, f"-j {draw.choice(('ACCEPT', 'ACCEPT', 'DROP'))}"))

    return _flat([rule() for _ in range(n)], version)


def _service(draw: Random) -> Iterator[str]:
    if draw.random() > 0.8:
        return
    protocol = draw.choice(("tcp", "udp"))
    yield f"-p {protocol} -m {protocol}"
    if draw.random() < 0.3:
        low = draw.randrange(65000)
        yield f"--sport {low}:{draw.randrange(low, 65536)}"
    kind = draw.random()
    if kind < 0.6:
        yield f"--dport {draw.choice(_PUBLIC_PORTS)}"
    elif kind < 0.8:
        low = draw.choice(_LOWEST_PORTS)
        yield f"--dport {low}:{draw.choice((65535, low + 100, low + 9))}"


def crowded(n: int) -> Files:
    """Everything in one /16: prefixes that contain each other, for a few services."""
    draw = Random(4)
    network = Network(4, draw)

    def rule() -> str:
        prefix = network.prefix(10 << 24 | 20 << 16 | draw.getrandbits(16), draw.randrange(20, 33))
        port, verdict = draw.choice(_PUBLIC_PORTS), draw.choice(("ACCEPT", "DROP"))
        return f"-A INPUT -s {prefix} -p tcp -m tcp --dport {port} -j {verdict}"

    return _flat([rule() for _ in range(n)], 4)


def chains(n: int) -> Files:
    """A tree of chains that dispatches by the source, three bits a level; three rules a leaf."""
    draw = Random(5)
    network = Network(4, draw)
    networks = sorted({network.address() >> 8 << 8 for _ in range(n * 10 // 41)})
    declared: list[str] = []
    rules: list[str] = []

    def dispatch(chain: str, inside: list[int], length: int) -> None:
        """Rules of a chain that gets the packets from these /24 networks."""
        if length >= 24:
            services = draw.sample(_PUBLIC_PORTS, 2)
            rules.extend(f"-A {chain} -p tcp -m tcp --dport {each} -j ACCEPT" for each in services)
            rules.append(f"-A {chain} -j DROP")
            return
        below = 24 if len(inside) <= 8 else length + 3
        parts: dict[str, list[int]] = {}
        for each in inside:
            parts.setdefault(network.prefix(each, below), []).append(each)
        for prefix, of_part in parts.items():
            name = f"net-{len(declared)}"
            declared.append(f":{name} - [0:0]")
            rules.append(f"-A {chain} -s {prefix} -j {name}")
            dispatch(name, of_part, below)

    dispatch("INPUT", networks, 0)
    return {"rules.v4": _lines(*_FILTER, *declared, *_BEGIN, *rules, "COMMIT")}


def kube(n: int) -> Files:
    """Services with three endpoints each, as kube-proxy writes them: fifteen lines a service."""
    declared: list[str] = []
    services: list[str] = []
    rules: list[str] = []
    for number in range(n):
        name, address = f"shop/svc-{number}:http", IPv4Address((10 << 24 | 96 << 16) + number + 1)
        service = f"KUBE-SVC-{number:016X}"
        said = f'-m comment --comment "{name} cluster IP"'
        tests = f"-d {address}/32 -p tcp {said} -m tcp --dport 80"
        declared.append(f":{service} - [0:0]")
        services.append(f"-A KUBE-SERVICES {tests} -j {service}")
        rules.append(f"-A {service} ! -s 10.128.0.0/9 {tests} -j KUBE-MARK-MASQ")
        for place in range(3):
            endpoint = IPv4Address((10 << 24 | 128 << 16) + 3 * number + place + 2)
            chain = f"KUBE-SEP-{3 * number + place:016X}"
            said = f'-m comment --comment "{name}"'
            share = f" -m statistic --mode random --probability {1 / (3 - place):.11f}"
            declared.append(f":{chain} - [0:0]")
            rules.append(
                f'-A {service} -m comment --comment "{name} -> {endpoint}:8080"'
                f"{share * (place < 2)} -j {chain}"
            )
            rules.append(f"-A {chain} -s {endpoint}/32 {said} -j KUBE-MARK-MASQ")
            rules.append(
                f"-A {chain} -p tcp {said} -m tcp -j DNAT --to-destination {endpoint}:8080"
            )
    return {"rules.v4": _lines(*_NAT, *declared, *_KUBE, *services, *rules, "COMMIT")}


_KUBE = (
    *(f":KUBE-{name} - [0:0]" for name in ("MARK-MASQ", "POSTROUTING", "SERVICES")),
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
    "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
    "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0",
    "-A KUBE-POSTROUTING -j MASQUERADE --random-fully",
)


def docker(n: int) -> Files:
    """Ports of containers that docker publishes, one rule of each kind for each."""
    nat = ["-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"]
    published: list[str] = []
    accepted: list[str] = []
    for number in range(n):
        address = IPv4Address((172 << 24 | 17 << 16) + number + 2)
        tests = "-p tcp -m tcp --dport 80"
        nat.append(f"-A POSTROUTING -s {address}/32 -d {address}/32 {tests} -j MASQUERADE")
        published.append(
            f"-A DOCKER ! -i docker0 -p tcp -m tcp --dport {20_000 + number} "
            f"-j DNAT --to-destination {address}:80"
        )
        accepted.append(f"-A DOCKER -d {address}/32 ! -i docker0 -o docker0 {tests} -j ACCEPT")
    lines = (*_NAT, ":DOCKER - [0:0]", *_DOCKER_NAT, *nat, *published, "COMMIT", *_FILTER)
    return {
        "rules.v4": _lines(
            *lines, ":DOCKER - [0:0]", *_BEGIN, _SSH, *_DOCKER_FILTER, *accepted, "COMMIT"
        )
    }


_DOCKER_NAT = (
    "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
    "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
    "-A DOCKER -i docker0 -j RETURN",
)
_DOCKER_FILTER = (
    "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A FORWARD -o docker0 -j DOCKER",
    "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
    "-A FORWARD -i docker0 -o docker0 -j ACCEPT",
)


def _nft(declared: str, rule: str) -> Files:
    head = "type filter hook input priority filter; policy drop;"
    return {
        "rules.nft": _lines(
            *("#!/usr/sbin/nft -f", "flush ruleset", "table inet filter {", declared),
            *("\tchain input {", f"\t\t{head}", '\t\tiif "lo" accept'),
            *("\t\tct state established,related accept", f"\t\t{rule}"),
            *("\t\ttcp dport 22 accept", "\t}", "}"),
        )
    }


def _nft_set(kind: str, elements: Iterator[str]) -> str:
    return f"\tset listed {{\n\t\ttype {kind}\n\t\telements = {{ {', '.join(elements)} }}\n\t}}"


def set_(n: int) -> Files:
    """One nft set of addresses."""
    elements = map(str, map(IPv4Address, _distinct(Network(4, Random(6)).address, n)))
    return _nft(_nft_set("ipv4_addr", elements), "ip saddr @listed drop")


def concat(n: int) -> Files:
    """One nft set of addresses with a port each."""
    draw = Random(7)
    addresses = map(IPv4Address, _distinct(Network(4, draw).address, n))
    elements = (f"{each} . {draw.choice(_PUBLIC_PORTS)}" for each in addresses)
    kind = "ipv4_addr . inet_service"
    return _nft(_nft_set(kind, elements), "ip saddr . tcp dport @listed accept")


def vmap(n: int) -> Files:
    """One nft map from addresses to verdicts."""
    draw = Random(8)
    addresses = map(IPv4Address, _distinct(Network(4, draw).address, n))
    elements = (f"{each} : {draw.choice(('accept', 'drop'))}" for each in addresses)
    declared = _nft_set("ipv4_addr : verdict", elements).replace("\tset ", "\tmap ", 1)
    return _nft(declared, "ip saddr vmap @listed")


def ipset(n: int) -> Files:
    """A set as `ipset save` prints it, beside the iptables rules that ask it."""
    addresses = map(IPv4Address, _distinct(Network(4, Random(9)).address, n))
    size = f"hashsize 65536 maxelem {n} bucketsize 12 initval 0x1"
    return {
        "sets.ipset": _lines(
            f"create listed hash:ip family inet {size}", *(f"add listed {a}" for a in addresses)
        ),
        **_flat(["-A INPUT -m set --match-set listed src -j DROP", _SSH], 4),
    }


def answers(n: int) -> Files:
    """Hosts behind twenty interfaces, and what each of them may be asked and may ask itself."""
    draw = Random(10)
    network = Network(6, draw)
    jumps = (f"-A FORWARD -i eth1.{each} -j from-{each}" for each in range(20))
    served: list[str] = []
    asking: list[str] = []
    for number in range(n):
        interface, address = number % 20, network.prefix(network.address(), 32)
        port = f"-p tcp -m tcp --dport {draw.choice(_PUBLIC_PORTS)} -j ACCEPT"
        served.append(f"-A FORWARD -d {address} -o eth1.{interface} {port}")
        asking.append(f"-A from-{interface} -s {address} -j ACCEPT")
    declared = (f":from-{each} - [0:0]" for each in range(20))
    state = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    lines = (*_FILTER, *declared, state, *jumps, *served, *asking, "COMMIT")
    return {"rules.v6": _lines(*lines)}


def _of_version_6(kind: Callable[[int, int], Files]) -> Callable[[int], Files]:
    return lambda n: kind(n, 6)


KINDS: Mapping[str, tuple[Callable[[int], Files], tuple[int, ...]]] = {
    "hosts": (hosts, (10_000, 100_000)),
    "mixed": (mixed, (10_000, 100_000)),
    "overlap": (overlap, (1_000, 10_000)),
    "crowded": (crowded, (10_000, 100_000)),
    "hosts6": (_of_version_6(hosts), (10_000, 100_000)),
    "mixed6": (_of_version_6(mixed), (10_000, 100_000)),
    "overlap6": (_of_version_6(overlap), (1_000, 10_000)),
    "chains": (chains, (10_000, 100_000)),
    "answers": (answers, (1_000, 10_000)),
    "kube": (kube, (2_000, 20_000)),
    "docker": (docker, (500, 5_000)),
    "set": (set_, (10_000, 100_000, 1_000_000)),
    "concat": (concat, (10_000, 100_000)),
    "vmap": (vmap, (10_000, 100_000)),
    "ipset": (ipset, (10_000, 100_000)),
}
"""What makes each kind, and in which sizes the table has it."""
