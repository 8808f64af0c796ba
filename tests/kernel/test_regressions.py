"""Where ``reach`` and the kernel were found to differ, each with a ruleset as small as can be.

``test_the_kernel`` shows what the kernel does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

import iptlint
from iptlint.analysis.later_fragments import BUT_FOR_FRAGMENTS
from iptlint.analysis.reach import RuleReach, Status
from iptlint.model import Family
from iptlint.packets.packet import Packet
from tests.kernel.firewall import KernelFirewall
from tests.kernel.restoring import Kind
from tests.kernel.states import Preparation, prepare
from tests.kernel.test_harness import FIRST_RULE, PLAIN, skip_if_lacking, table
from tests.kernel.trial import load
from tests.kernel.wire import UnsendableError

UDP, UDP6 = PLAIN["ip"], PLAIN["ip6"]
TCP = replace(UDP, proto="tcp", tcp_flags=("syn",))
ICMP = replace(UDP, proto="icmp", sport=None, dport=None, icmp_code=0)
NEIGHBOUR = replace(
    UDP6,
    proto="ipv6-icmp",
    sport=None,
    dport=None,
    icmp_type=135,
    icmp_code=0,
    ct_state="untracked",
)
FRAGMENT = replace(TCP, sport=None, dport=None, tcp_flags=None)
LONG_FRAGMENT = replace(
    FRAGMENT, hook="prerouting", conditions=("string --algo bm --string " + "00" * 20,)
)
"""Long enough for its first bytes to be taken for ports, both of them 0."""


@dataclass(frozen=True)
class Case:
    """``status`` is the truth about the rule in ``line``; ``packets`` are to show it: they match
    a reachable rule, and not a dead one."""

    text: str
    line: int
    status: Status
    packets: tuple[Packet, ...] = ()
    kind: Kind = Kind.LEGACY
    family: str = "ip"


def of_tables(*tables: tuple[str, str, Sequence[str]]) -> str:
    """Tables of iptables: name, the declared chains, the rules."""
    return "".join(
        f"*{name}\n"
        + "".join(f":{chain} [0:0]\n" for chain in chains.split(", "))
        + "".join(f"-A {rule}\n" for rule in rules)
        + "COMMIT\n"
        for name, chains, rules in tables
    )


def one_rule(rule: str, *packets: Packet, family: str = "ip") -> Case:
    """A dead rule, whatever comes before it."""
    return Case(table(f"-A {rule}"), FIRST_RULE, Status.DEAD, packets, family=family)


SAME_PRIORITY = """table inet t {
    chain first {
        type filter hook input priority 0
        udp dport 53 counter drop
    }
    chain second {
        type filter hook input priority 0
        udp dport 53 counter drop
    }
}
"""
PORTS_OF_FRAGMENTS = """table ip t {
    chain c {
        type filter hook prerouting priority 0
        ip frag-off & 0x1fff != 0 tcp dport 0-100 counter
    }
}
"""
STATE_OF_NO_USE = """table ip t {
    chain c {
        type filter hook prerouting priority 0
        tcp dport <= 443 counter accept
        tcp dport > 443 counter accept
        meta l4proto tcp counter
        ct state != new,established counter
    }
}
"""
FREE = ("filter", "INPUT ACCEPT")

CASES: dict[str, Case] = {
    "of chains of one priority the last made comes first": (
        # nf_hook_entries_grow puts a new hook before those of its priority.
        Case(SAME_PRIORITY, 8, Status.REACHABLE, (UDP,), Kind.NFT)
    ),
    "of chains of one priority the first made comes last": (
        Case(SAME_PRIORITY, 4, Status.DEAD, (UDP,), Kind.NFT)
    ),
    "dropped in prerouting": (
        Case(
            of_tables(
                ("mangle", "PREROUTING ACCEPT", ["PREROUTING -p udp -j DROP"]),
                (*FREE, ["INPUT -p udp -j ACCEPT"]),
            ),
            7,
            Status.DEAD,
            (UDP,),
        )
    ),
    "taken out of tracking in prerouting": (
        Case(
            of_tables(
                ("raw", "PREROUTING ACCEPT", ["PREROUTING -j NOTRACK"]),
                # What comes over lo was tracked on its way out, and stays so.
                (*FREE, ["INPUT ! -i lo -m conntrack --ctstate ESTABLISHED -j ACCEPT"]),
            ),
            7,
            Status.DEAD,
            (replace(TCP, ct_state="established", tcp_flags=("ack",)),),
        )
    ),
    "marked in prerouting": (
        Case(
            of_tables(
                ("mangle", "PREROUTING ACCEPT", ["PREROUTING -j MARK --set-mark 1"]),
                (*FREE, ["INPUT -m mark --mark 2 -j DROP"]),
            ),
            7,
            Status.DEAD,
            (UDP, replace(UDP, mark=2)),
        )
    ),
    "marked by its own table": (
        Case(
            of_tables(
                (
                    "mangle",
                    "PREROUTING ACCEPT",
                    ["PREROUTING -j MARK --set-mark 1", "PREROUTING -m mark --mark 2 -j DROP"],
                )
            ),
            4,
            Status.DEAD,
            (UDP, replace(UDP, mark=2)),
        )
    ),
    "marked by an earlier table of the hook": (
        Case(
            of_tables(
                ("mangle", "INPUT ACCEPT", ["INPUT -j MARK --set-mark 1"]),
                (*FREE, ["INPUT -m mark --mark 2 -j DROP"]),
            ),
            7,
            Status.DEAD,
            (UDP, replace(UDP, mark=2)),
        )
    ),
    "a state that excludes nothing has datagrams put together": (
        Case(
            STATE_OF_NO_USE,
            6,
            Status.DEAD,
            (replace(FRAGMENT, hook="prerouting"),),
            Kind.NFT,
        )
    ),
    "queued in prerouting, with nobody who reads the queue": (
        # With --queue-bypass such a packet goes on to the next base chain.
        Case(
            of_tables(
                ("mangle", "PREROUTING ACCEPT", ["PREROUTING -j NFQUEUE --queue-bypass"]),
                (*FREE, ["INPUT -p udp -j DROP"]),
            ),
            7,
            Status.CONDITIONAL,
            (UDP,),
        )
    ),
    "behind a limit of an earlier table": (
        Case(
            of_tables(
                ("mangle", "INPUT DROP", ["INPUT -m limit --limit 1/min -j ACCEPT"]),
                (*FREE, ["INPUT -p udp -j ACCEPT"]),
            ),
            7,
            Status.CONDITIONAL,
        )
    ),
    "no connection has SYN with FIN": (
        one_rule(
            "INPUT -p tcp -m tcp --tcp-flags SYN,FIN SYN,FIN -m state --state ESTABLISHED -j DROP",
            replace(TCP, tcp_flags=("syn", "fin"), ct_state="established"),
        )
    ),
    "SYN,ACK opens nothing": (
        one_rule(
            "INPUT -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -m state --state NEW -j DROP",
            replace(TCP, tcp_flags=("syn", "ack")),
        )
    ),
    "an echo reply opens nothing": (
        one_rule(
            "INPUT -p icmp -m icmp --icmp-type 0 -m state --state NEW -j DROP",
            replace(ICMP, icmp_type=0),
        )
    ),
    "an icmp error is related or invalid": (
        one_rule(
            "INPUT -p icmp -m icmp --icmp-type 3 -m state --state NEW,ESTABLISHED -j DROP",
            replace(ICMP, icmp_type=3),
            replace(ICMP, icmp_type=3, ct_state="related"),
        )
    ),
    "an error goes with the connection that it is about, past the chains of nat": (
        Case(
            of_tables(("nat", "PREROUTING ACCEPT", ["PREROUTING -p icmp -m icmp --icmp-type 3"])),
            3,
            Status.DEAD,
            (replace(ICMP, icmp_type=3, ct_state="related"), replace(ICMP, icmp_type=3)),
        )
    ),
    "neighbour discovery is untracked": (
        one_rule(
            "INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m state --state NEW,ESTABLISHED",
            NEIGHBOUR,
            family="ip6",
        )
    ),
    "gre of an unknown kind is invalid": (
        Case(
            table("-A INPUT -p gre -m state --state INVALID -j DROP"),
            FIRST_RULE,
            Status.REACHABLE,
            (replace(UDP, proto="gre", sport=None, dport=None, ct_state="invalid"),),
        )
    ),
    "input of ip sees no fragment": (one_rule("INPUT -f -j DROP", FRAGMENT)),
}


def cases() -> list[object]:
    return [pytest.param(case, id=name.replace(" ", "-")) for name, case in CASES.items()]


def answer(case: Case) -> RuleReach:
    family = None if case.kind is Kind.NFT else Family(case.family)
    answers = iptlint.reach(iptlint.read(case.text, family))
    return next(answer for answer in answers if answer.line == case.line)


@pytest.mark.parametrize("case", cases())
def test_reach(case: Case) -> None:
    assert answer(case).status is case.status


@pytest.mark.parametrize("case", cases())
def test_the_kernel(case: Case, firewall: KernelFirewall) -> None:
    skip_if_lacking(case.kind, case.family)
    loaded = load(firewall, case.text, case.kind, case.family)
    for packet in case.packets:
        for preparation in preparations(packet, case.status):
            trial = loaded.send_prepared(packet, preparation, routed=False)
            assert (case.line in trial.moved) is (case.status is not Status.DEAD)


def preparations(packet: Packet, status: Status) -> tuple[Preparation, ...]:
    """With its state, where it can have that; of what matches no dead rule also as it is."""
    plain = (Preparation(),) if status is Status.DEAD else ()
    try:
        return *plain, prepare(packet)
    except UnsendableError:
        return (Preparation(),)


# --- accidents of the kernel, which are said ---------------------------------------------------


def test_nft_reads_ports_in_later_fragments(firewall: KernelFirewall) -> None:
    """nft_payload_fast_eval takes first bytes of a later fragment for ports where the driver has
    put them into one piece, and not elsewhere (test_fragments)."""
    skip_if_lacking(Kind.NFT, "ip")
    case = Case(PORTS_OF_FRAGMENTS, 4, Status.DEAD, (LONG_FRAGMENT,), Kind.NFT)
    loaded = load(firewall, case.text, case.kind, case.family)
    trial = loaded.send_prepared(LONG_FRAGMENT, Preparation(), routed=False)
    assert case.line in trial.moved
    assert answer(case).unless == BUT_FOR_FRAGMENTS


# --- witnesses that are not what they are said to be -------------------------------------------

NEXT_HEADER = """table ip6 t {
    chain c {
        type filter hook input priority 0
        ip6 nexthdr tcp counter accept
        meta l4proto tcp counter
    }
}
"""


def test_next_header_and_protocol(firewall: KernelFirewall) -> None:
    packet = answer(Case(NEXT_HEADER, 5, Status.REACHABLE, kind=Kind.NFT)).witness
    assert packet is not None
    assert 5 in load(firewall, NEXT_HEADER, Kind.NFT).send(packet).moved


@pytest.mark.parametrize(("condition", "line"), [(6, 4), (0, 5), (43, 5), (60, 5)])
def test_the_first_header_is_not_always_the_protocol(
    firewall: KernelFirewall, condition: int, line: int
) -> None:
    packet = replace(
        UDP6, proto="tcp", tcp_flags=("syn",), conditions=(f"ip6 nexthdr {condition}",)
    )
    assert load(firewall, NEXT_HEADER, Kind.NFT).send(packet).moved == {line}


def _called_twice(first: str, second: str) -> str:
    rules = ["PREROUTING -p tcp -j BOTH", "INPUT -p udp -j BOTH", f"BOTH -p {first}"]
    return of_tables(
        ("mangle", "PREROUTING ACCEPT, INPUT ACCEPT, BOTH -", [*rules, f"BOTH -p {second}"])
    )


def test_the_hook_of_a_witness() -> None:
    text = _called_twice("tcp", "udp")
    found = [answer(Case(text, line, Status.REACHABLE)).witness for line in (7, 8)]
    assert [packet and packet.hook for packet in found] == ["prerouting", "input"]
