"""The harness itself: what it says of a packet is what became of it."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from itertools import chain, combinations
from pathlib import Path

import pytest

from iptlint.packets.packet import Packet
from tests.kernel.conftest import lacking
from tests.kernel.counters import labelled
from tests.kernel.firewall import KernelFirewall
from tests.kernel.restoring import Kind, restore, without_misread_ports
from tests.kernel.states import prepare
from tests.kernel.trial import Fate, load, on_one_processor
from tests.kernel.wire import UnsendableError

PLAIN = {
    "ip": Packet(
        "ip",
        "input",
        iif="eth0",
        saddr="198.51.100.7",
        daddr="192.0.2.10",
        proto="udp",
        sport=40000,
        dport=53,
        ct_state="new",
        mark=0,
    ),
    "ip6": Packet(
        "ip6",
        "input",
        iif="eth0",
        saddr="2001:db8::7",
        daddr="2001:db8:1::10",
        proto="udp",
        sport=40000,
        dport=53,
        ct_state="new",
        mark=0,
    ),
}
_OWN = Path("/proc/self/ns/net")
STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")
KINDS = [(kind, family) for kind in (Kind.LEGACY, Kind.IPTABLES_NFT) for family in ("ip", "ip6")]


def skip_if_lacking(kind: Kind, family: str) -> None:
    if (reason := lacking(kind, family)) is not None:
        pytest.skip(reason)


def table(*rules: str) -> str:
    heads = (f":{name} ACCEPT [0:0]" for name in ("INPUT", "FORWARD", "OUTPUT"))
    return "\n".join(("*filter", *heads, *rules, "COMMIT", ""))


FIRST_RULE = 5
"""The line of the first rule of ``table``."""


@pytest.mark.parametrize(("kind", "family"), KINDS)
def test_fates(firewall: KernelFirewall, kind: Kind, family: str) -> None:
    skip_if_lacking(kind, family)
    rules = ("-p tcp -m tcp --dport 1 -j DROP", "-p tcp -m tcp --dport 2 -j REJECT")
    chains = ("INPUT", "FORWARD", "OUTPUT")
    loaded = load(firewall, table(*(f"-A {c} {r}" for c in chains for r in rules)), kind, family)
    packet = replace(PLAIN[family], proto="tcp", tcp_flags=("syn",))
    ways = (
        (packet, Fate.DELIVERED, {"prerouting", "input"}),
        (
            replace(packet, hook="forward", oif="wan0"),
            Fate.FORWARDED,
            {"prerouting", "forward"},
        ),
        (replace(packet, hook="output", iif=None, oif="wan0"), Fate.SENT, {"output"}),
    )
    for number, (packet, passed, hooks) in enumerate(ways):
        first = FIRST_RULE + 2 * number
        dropped = loaded.send(replace(packet, dport=1))
        rejected = loaded.send(replace(packet, dport=2))
        free = loaded.send(replace(packet, dport=3))
        assert (dropped.moved, dropped.fate) == (frozenset({first}), Fate.DROPPED)
        assert (rejected.moved, rejected.fate) == (frozenset({first + 1}), Fate.REJECTED)
        assert (free.moved, free.fate) == (frozenset(), passed)
        assert free.hooks == hooks


def test_rules_of_nft_are_told_apart(firewall: KernelFirewall) -> None:
    text = """table inet t {
        set s { type inet_service; elements = { 53 } }
        chain c {
            type filter hook input priority 0
            udp dport @s counter
            udp dport @s ip saddr 198.51.100.7 counter log
            udp dport 54 counter drop
            counter accept
        }
        chain d { type filter hook forward priority 0; counter }
    }
    """
    loaded = load(firewall, text.replace("; counter }", ";\ncounter\n}"), Kind.NFT)
    assert loaded.send(PLAIN["ip"]).moved == {5, 6, 8}
    assert loaded.send(PLAIN["ip6"]).moved == {5, 8}
    forwarded = loaded.send(replace(PLAIN["ip"], hook="forward", oif="eth1"))
    assert (forwarded.moved, forwarded.fate) == (frozenset({11}), Fate.FORWARDED)


@pytest.mark.parametrize("iif", ["eth0", "a-name-of-15-ch", "lo"])
@pytest.mark.parametrize("mark", [0, 5, 0xDEADBEEF])
def test_interface_and_mark(firewall: KernelFirewall, iif: str, mark: int) -> None:
    skip_if_lacking(Kind.LEGACY, "ip")
    rules = f"-A INPUT -i {iif}", f"-A INPUT -m mark --mark {mark:#x}", "-A INPUT -i nothing"
    loaded = load(firewall, table(*rules), Kind.LEGACY)
    trial = loaded.send(replace(PLAIN["ip"], iif=iif, mark=mark))
    assert trial.moved == {FIRST_RULE, FIRST_RULE + 1}


def test_strings_are_in_the_packet(firewall: KernelFirewall) -> None:
    skip_if_lacking(Kind.LEGACY, "ip")
    loaded = load(firewall, table('-A INPUT -m string --string "evil" --algo bm'), Kind.LEGACY)
    evil = replace(PLAIN["ip"], conditions=("string --algo bm --string 6576696c",))
    assert loaded.send(evil).moved == {FIRST_RULE}
    assert loaded.send(PLAIN["ip"]).moved == frozenset()
    with pytest.raises(UnsendableError, match="no way to make this hold"):
        loaded.send(replace(PLAIN["ip"], conditions=("geoip CH",)))


def _every_flag_set() -> list[tuple[str, ...]]:
    names = ("fin", "syn", "rst", "psh", "ack", "urg")
    return list(chain.from_iterable(combinations(names, size) for size in range(len(names) + 1)))


def _packets(family: str) -> list[Packet]:
    plain = PLAIN[family]
    tcp = [replace(plain, proto="tcp", tcp_flags=flags) for flags in _every_flag_set()]
    icmp = "icmp" if family == "ip" else "ipv6-icmp"
    types = (0, 3, 5, 8, 11, 13, 14, 40) if family == "ip" else (1, 2, 3, 128, 129, 135, 137, 140)
    messages = [
        replace(plain, proto=icmp, sport=None, dport=None, icmp_type=type_, icmp_code=0)
        for type_ in types
    ]
    others = [replace(plain, proto=proto, sport=None, dport=None) for proto in ("gre", "esp", "89")]
    ported = [replace(plain, proto=proto) for proto in ("udp", "sctp", "udplite")]
    return [*tcp, *messages, *others, *ported]


@pytest.mark.parametrize("family", ["ip", "ip6"])
@pytest.mark.parametrize("own", [False, True])
def test_a_packet_has_the_state_it_was_prepared_for(
    firewall: KernelFirewall, family: str, own: bool
) -> None:
    skip_if_lacking(Kind.LEGACY, family)
    hook = "OUTPUT" if own else "INPUT"
    rules = (f"-A {hook} -m conntrack --ctstate {state}" for state in STATES)
    loaded = load(firewall, table(*rules), Kind.LEGACY, family)
    wrong, impossible = [], 0
    with on_one_processor():
        for packet in _packets(family):
            if own:
                packet = replace(packet, hook="output", iif=None, oif="eth0")
            for line, state in enumerate(STATES, FIRST_RULE):
                wanted = replace(packet, ct_state=state.lower())
                try:
                    moved = loaded.send(wanted).moved
                except UnsendableError:
                    impossible += 1
                else:
                    wrong += [(wanted, moved)] if moved != {line} else []
    assert not wrong
    assert impossible


@pytest.mark.parametrize("family", ["ip", "ip6"])
def test_what_is_never_new_is_not_new(firewall: KernelFirewall, family: str) -> None:
    """The packets that ``prepare`` refuses, sent as the first of a connection all the same."""
    skip_if_lacking(Kind.LEGACY, family)
    loaded = load(firewall, table("-A INPUT -m conntrack --ctstate NEW"), Kind.LEGACY, family)
    invalid = prepare(replace(PLAIN[family], ct_state="new"))
    for packet in _packets(family):
        try:
            prepare(packet)
        except UnsendableError:
            assert loaded.send_prepared(packet, invalid).moved == frozenset()


def test_nothing_is_sent_outside() -> None:
    """The process comes back to its own namespace, and has none of the harness's interfaces."""
    before = _OWN.readlink(), {name for _, name in socket.if_nameindex()}
    made = KernelFirewall()
    made.have_interfaces(["ipl-inside0"])
    with pytest.raises(RuntimeError, match="no-such-device"):
        made.host.run(["ip", "link", "set", "no-such-device", "up"])
    made.close()
    after = _OWN.readlink(), {name for _, name in socket.if_nameindex()}
    assert before == after


def test_namespaces_end_with_the_process() -> None:
    """Nothing has to clean up behind a test that was killed: the namespaces have no name."""
    code = (
        "import os, signal; from tests.kernel.firewall import KernelFirewall; "
        "f = KernelFirewall(); print(os.readlink(f.host.path), flush=True); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    name = done.stdout.strip()
    assert name.startswith("net:")
    found = [link for link in Path("/proc").glob("[0-9]*/ns/net") if _is(link, name)]
    assert not found


def _is(link: Path, name: str) -> bool:
    try:
        return str(link.readlink()) == name
    except OSError:
        return False


def test_iptables_nft_misreads_two_ports_that_are_excluded(firewall: KernelFirewall) -> None:
    """What iptables-legacy and the manual say is that neither may be 80."""
    text = "*filter\n-A INPUT -p udp -m udp ! --sport 80 ! --dport 80 -j DROP\nCOMMIT\n"
    skip_if_lacking(Kind.IPTABLES_NFT, "ip")
    restore(firewall, labelled(text), Kind.IPTABLES_NFT)
    listing = firewall.host.run(["nft", "--debug=netlink", "list", "ruleset"])
    assert "payload load 4b @ transport header + 0" in listing
    assert without_misread_ports(text) == text.replace(" ! --dport 80", "")
