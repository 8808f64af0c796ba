"""The items of the benchmarks, each with the lint rules that report the same.

Ids and what is asked for are the benchmarks'; the titles are this project's. Where several
benchmarks ask for the same, it is one item with an id in each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from iptlint.benchmark.answers import Answer, Decide, Verdict
from iptlint.benchmark.host import BenchmarkHost, Tool
from iptlint.benchmark.posture import default_deny, no_open_zone, zones_drop
from iptlint.benchmark.presence import (
    nft_backend,
    nft_base_chains,
    nft_table,
    not_beside,
    on_the_host,
    single_tool,
)
from iptlint.benchmark.traffic import connections, lo_is_open, loopback, no_spoofing, services


@dataclass(frozen=True, slots=True)
class Benchmark:
    """``short``: over a column. ``tools``: those that it has items for."""

    publisher: str
    short: str
    version: str
    tools: tuple[Tool, ...]

    @property
    def name(self) -> str:
        return f"{self.publisher} {self.short}"


_ON_DEBIAN = (Tool.UFW, Tool.NFTABLES, Tool.IPTABLES, Tool.IP6TABLES)
DEBIAN_12 = Benchmark("CIS", "Debian 12", "1.1.0", _ON_DEBIAN)
UBUNTU_24_04 = Benchmark("CIS", "Ubuntu 24.04", "1.0.0", _ON_DEBIAN)
RHEL_9 = Benchmark("CIS", "RHEL 9", "2.0.0", (Tool.NFTABLES, Tool.FIREWALLD))
RHEL_10 = Benchmark("CIS", "RHEL 10", "1.0.1", (Tool.FIREWALLD,))
STIG_RHEL_9 = Benchmark("DISA", "RHEL 9 STIG", "V2R9", (Tool.FIREWALLD,))
STIG_RHEL_10 = Benchmark("DISA", "RHEL 10 STIG", "V1R2", (Tool.FIREWALLD,))
BENCHMARKS = (DEBIAN_12, UBUNTU_24_04, RHEL_9, RHEL_10, STIG_RHEL_9, STIG_RHEL_10)


class Id(NamedTuple):
    """The number that an item has in a benchmark."""

    benchmark: Benchmark
    number: str

    def __str__(self) -> str:
        return f"{self.benchmark.name} {self.benchmark.version} {self.number}"


@dataclass(frozen=True, slots=True)
class Item:
    """``manual``: the benchmark leaves it to people. ``rules``: codes of the lint rules that
    report the same."""

    ids: tuple[Id, ...]
    title: str
    tools: tuple[Tool, ...]
    decide: Decide
    rules: tuple[str, ...] = ()
    manual: bool = False

    def ids_for(self, tools: tuple[Tool, ...]) -> tuple[Id, ...]:
        """Those in benchmarks that have items for one of the tools in use."""
        used = {*tools} & {*self.tools}
        return tuple(each for each in self.ids if used & {*each.benchmark.tools})


@dataclass(frozen=True, slots=True)
class Judged:
    """``ids``: those in benchmarks that are about the tools in use. ``host``: what the host is
    called, where several are judged."""

    item: Item
    tool: Tool
    ids: tuple[Id, ...]
    answer: Answer
    host: str = ""

    @property
    def fails(self) -> bool:
        return self.answer.verdict is Verdict.FAIL


def judged(host: BenchmarkHost) -> tuple[Judged, ...]:
    """The items about the tools that the files are of."""
    judged_items: list[Judged] = []
    for item in ITEMS:
        tools = [tool for tool in item.tools if tool in host.tools]
        if tools:
            answer = item.decide(host, tools[0])
            judged_items.append(Judged(item, tools[0], item.ids_for(host.tools), answer))
    return tuple(judged_items)


def references(code: str) -> tuple[str, ...]:
    """The ids of the items that ask for what the lint rule reports, by benchmark."""
    ids = [each for item in ITEMS if code in item.rules for each in item.ids]
    return tuple(map(str, in_order(ids)))


def in_order(ids: Iterable[Id]) -> list[Id]:
    """By benchmark."""
    return sorted(ids, key=lambda each: BENCHMARKS.index(each.benchmark))


def _debian(number: str) -> tuple[Id, Id]:
    """The firewall sections of the two are numbered alike."""
    return Id(DEBIAN_12, number), Id(UBUNTU_24_04, number)


_DENY = ("IPT601", "IPT701")
_LOOPBACK = ("IPT305", "IPT606")
_CONNECTIONS = ("IPT201",)

_LISTENING = on_the_host("which ports are listened on")
_INSTALLED = on_the_host("its packages")
_SERVICE = on_the_host("its services")

ITEMS = (
    Item(
        (*_debian("4.1.1"), Id(RHEL_9, "4.1.2")),
        "One tool configures the firewall",
        (Tool.UFW, Tool.NFTABLES, Tool.IPTABLES, Tool.FIREWALLD),
        single_tool,
    ),
    Item(_debian("4.2.1"), "ufw is installed", (Tool.UFW,), _INSTALLED),
    Item(_debian("4.2.2"), "iptables-persistent is not there beside ufw", (Tool.UFW,), _INSTALLED),
    Item(_debian("4.2.3"), "ufw runs and starts at boot", (Tool.UFW,), _SERVICE),
    Item(
        _debian("4.2.4"),
        "lo is open, its addresses come by it alone",
        (Tool.UFW,),
        loopback,
        _LOOPBACK,
    ),
    Item(
        _debian("4.2.5"),
        "What the host sends, and its answers, pass",
        (Tool.UFW,),
        connections,
        _CONNECTIONS,
        manual=True,
    ),
    Item(_debian("4.2.6"), "Each port listened on has a rule", (Tool.UFW,), _LISTENING),
    Item(_debian("4.2.7"), "What no rule allows is denied", (Tool.UFW,), default_deny, _DENY),
    Item(
        (*_debian("4.3.1"), Id(RHEL_9, "4.1.1")),
        "nftables is installed",
        (Tool.NFTABLES, Tool.FIREWALLD),
        _INSTALLED,
    ),
    Item(
        _debian("4.3.2"),
        "ufw is gone or off beside nftables",
        (Tool.NFTABLES,),
        not_beside(Tool.UFW),
    ),
    Item(
        _debian("4.3.3"),
        "iptables holds no rules beside nftables",
        (Tool.NFTABLES,),
        not_beside(Tool.IPTABLES),
        manual=True,
    ),
    Item(_debian("4.3.4"), "There is a table", (Tool.NFTABLES,), nft_table),
    Item(
        (*_debian("4.3.5"), Id(RHEL_9, "4.3.1")),
        "input, forward and output have base chains",
        (Tool.NFTABLES,),
        nft_base_chains,
        ("IPT111",),
    ),
    Item(
        (*_debian("4.3.6"), Id(RHEL_9, "4.3.4")),
        "lo is open, its addresses come by it alone",
        (Tool.NFTABLES,),
        loopback,
        _LOOPBACK,
    ),
    Item(
        (*_debian("4.3.7"), Id(RHEL_9, "4.3.2")),
        "What the host sends, and its answers, pass",
        (Tool.NFTABLES,),
        connections,
        _CONNECTIONS,
        manual=True,
    ),
    Item(
        (*_debian("4.3.8"), Id(RHEL_9, "4.3.3")),
        "What no rule allows is denied",
        (Tool.NFTABLES,),
        default_deny,
        _DENY,
    ),
    Item(_debian("4.3.9"), "nftables.service starts at boot", (Tool.NFTABLES,), _SERVICE),
    Item(
        _debian("4.3.10"),
        "The rules are loaded at boot",
        (Tool.NFTABLES,),
        on_the_host("what is loaded at boot"),
    ),
    Item(_debian("4.4.1.1"), "iptables and its saver are installed", (Tool.IPTABLES,), _INSTALLED),
    Item(
        _debian("4.4.1.2"),
        "nftables is not in use beside iptables",
        (Tool.IPTABLES,),
        not_beside(Tool.NFTABLES),
    ),
    Item(
        _debian("4.4.1.3"),
        "ufw is not in use beside iptables",
        (Tool.IPTABLES,),
        not_beside(Tool.UFW),
    ),
    Item(
        _debian("4.4.2.1"),
        "IPv4: what no rule allows is denied",
        (Tool.IPTABLES,),
        default_deny,
        ("IPT601",),
    ),
    Item(
        _debian("4.4.2.2"),
        "IPv4: lo is open, its addresses come by it alone",
        (Tool.IPTABLES,),
        loopback,
        _LOOPBACK,
    ),
    Item(
        _debian("4.4.2.3"),
        "IPv4: what the host sends, and its answers, pass",
        (Tool.IPTABLES,),
        connections,
        _CONNECTIONS,
        manual=True,
    ),
    Item(
        _debian("4.4.2.4"), "IPv4: each port listened on has a rule", (Tool.IPTABLES,), _LISTENING
    ),
    Item(
        _debian("4.4.3.1"),
        "IPv6: what no rule allows is denied",
        (Tool.IP6TABLES,),
        default_deny,
        _DENY,
    ),
    Item(
        _debian("4.4.3.2"),
        "IPv6: lo is open, its addresses come by it alone",
        (Tool.IP6TABLES,),
        loopback,
        _LOOPBACK,
    ),
    Item(
        _debian("4.4.3.3"),
        "IPv6: what the host sends, and its answers, pass",
        (Tool.IP6TABLES,),
        connections,
        _CONNECTIONS,
        manual=True,
    ),
    Item(
        _debian("4.4.3.4"), "IPv6: each port listened on has a rule", (Tool.IP6TABLES,), _LISTENING
    ),
    Item(
        (Id(RHEL_9, "4.2.1"), Id(RHEL_10, "4.1.7")),
        "Only services that are needed are let in",
        (Tool.FIREWALLD,),
        services,
        ("IPT603",),
        manual=True,
    ),
    Item(
        (Id(RHEL_9, "4.2.2"),),
        "lo is open, its addresses come by it alone",
        (Tool.FIREWALLD,),
        loopback,
        _LOOPBACK,
    ),
    Item((Id(RHEL_10, "4.1.1"),), "firewalld is installed", (Tool.FIREWALLD,), _INSTALLED),
    Item((Id(RHEL_10, "4.1.2"),), "firewalld writes nftables", (Tool.FIREWALLD,), nft_backend),
    Item((Id(RHEL_10, "4.1.3"),), "firewalld runs and starts at boot", (Tool.FIREWALLD,), _SERVICE),
    Item(
        (Id(RHEL_10, "4.1.4"),),
        "No zone in use accepts everything",
        (Tool.FIREWALLD,),
        no_open_zone,
        _DENY,
    ),
    Item((Id(RHEL_10, "4.1.5"),), "lo is open", (Tool.FIREWALLD,), lo_is_open, ("IPT305",)),
    Item(
        (Id(RHEL_10, "4.1.6"),),
        "Loopback addresses come by lo alone",
        (Tool.FIREWALLD,),
        no_spoofing,
        ("IPT606",),
        manual=True,
    ),
    Item(
        (Id(STIG_RHEL_9, "RHEL-09-251020"), Id(STIG_RHEL_10, "RHEL-10-200532")),
        "What no rule allows is dropped",
        (Tool.FIREWALLD,),
        zones_drop,
        _DENY,
    ),
)
