"""Connections through a host: where translation sends them, and whether answers come back. The
kernel was asked about each ruleset in ``fixtures/translation``."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface, ip_network
from pathlib import Path

import pytest

import iptlint
from iptlint.analysis.exchange import Connection, connection
from iptlint.analysis.trace import Trace
from iptlint.analysis.trace import trace as trace_packet
from iptlint.model import Family, Field, Hook, VerdictKind
from iptlint.model.host import InterfaceAddress
from iptlint.model.host_addresses import Behind, HostAddresses, of_interfaces
from iptlint.packets.packet import Packet

CASES = Path(__file__).parents[2] / "fixtures" / "translation"
ACCEPT, DROP = VerdictKind.ACCEPT, VerdictKind.DROP


def traced(name: str, *, host: tuple[str, ...] = (), **asked: object) -> Trace:
    packet = Packet(**({"family": "ip", "hook": None, "proto": "tcp"} | asked))  # type: ignore[arg-type]
    own = tuple(ip_network(address) for address in host)
    return iptlint.trace(iptlint.read(CASES / name), packet, own)


def fates(trace: Trace) -> list[tuple[VerdictKind, Hook, str | None, int | None]]:
    """Verdict, way, and what the destination becomes, of each outcome."""
    return [(o.kind, o.way, o.arrived.daddr, o.arrived.dport) for o in trace.outcomes]


def lines(trace: Trace) -> list[int | None]:
    return [o.decision and o.decision.span.line for o in trace.outcomes]


def test_a_port_of_docker_is_forwarded_and_input_sees_nothing() -> None:
    trace = traced("f02-docker-trace.rules", iif="eth1", dport=8080, ct_state="new")
    assert fates(trace) == [(ACCEPT, Hook.FORWARD, "172.17.0.2", 80)]
    assert lines(trace) == [17]
    assert Hook.INPUT not in {step.hook for step in trace.outcomes[0].steps}
    arrived = trace.outcomes[0].arrived
    assert (arrived.hook, arrived.iif, arrived.oif) == ("forward", "eth1", "docker0")


@pytest.mark.parametrize("name", ["dn.v4", "dn.nft"])
def test_what_is_sent_to_another_host_is_forwarded(name: str) -> None:
    trace = traced(name, iif="eth0", dport=8080)
    assert [(outcome.kind, outcome.way) for outcome in trace.outcomes] == [(ACCEPT, Hook.FORWARD)]


def test_what_is_translated_to_the_host_itself_comes_to_input() -> None:
    trace = traced("dn.v4", host=("172.17.0.2",), iif="eth0", dport=8080, ct_state="new")
    assert [(outcome.kind, outcome.way) for outcome in trace.outcomes] == [(DROP, Hook.INPUT)]


def test_a_forwarded_port_that_forward_drops() -> None:
    trace = traced("f02b-portfwd.rules", iif="eth0", dport=80)
    assert fates(trace) == [(DROP, Hook.FORWARD, "10.0.0.5", 8080)]
    assert connection(trace).works is False


def test_a_running_connection_keeps_its_translation() -> None:
    trace = traced(
        "f01-established-dnat.rules", iif="eth0", oif="eth1", daddr="198.51.100.1", dport=80
    )
    assert fates(trace) == [(ACCEPT, Hook.FORWARD, "10.0.0.5", 8080)]
    exchange = connection(trace)
    assert exchange.works is True
    ((answer,),) = (reply.outcomes for reply in exchange.replies)
    assert (answer.witness.saddr, answer.witness.sport) == ("10.0.0.5", 8080)
    assert (answer.arrived.saddr, answer.arrived.sport) == ("198.51.100.1", 80)


@pytest.mark.parametrize("oif", ["lan0", None])
def test_a_hairpin_without_source_translation_has_no_answers(oif: str | None) -> None:
    trace = traced(
        "c33-hairpin-lan.rules",
        iif="lan0",
        oif=oif,
        saddr="192.168.1.50",
        daddr="203.0.113.10",
        dport=80,
    )
    assert {outcome.kind for outcome in trace.outcomes} == {ACCEPT}
    exchange = connection(trace)
    assert exchange.works is False
    assert all("does not come back this way" in (reply.lost or "") for reply in exchange.replies)


def test_a_hairpin_with_source_translation_works(tmp_path: Path) -> None:
    text = (CASES / "c33-hairpin-lan.rules").read_text()
    text = text.replace("-o wan0 -j", "-j")
    asked = Packet(
        "ip",
        None,
        iif="lan0",
        oif="lan0",
        saddr="192.168.1.50",
        daddr="203.0.113.10",
        proto="tcp",
        dport=80,
    )
    trace = iptlint.trace(iptlint.read(text), asked)
    assert {o.becomes.saddr for o in trace.outcomes if o.becomes} == {"the address of lan0"}
    assert connection(trace).works is True


def test_the_key_of_a_map_says_where_to() -> None:
    trace = traced("trace-dnat-map.nft", iif="wan", dport=80, ct_state="new")
    assert fates(trace) == [(ACCEPT, Hook.FORWARD, "10.0.0.2", 80)]
    trace = traced("trace-dnat-map.nft", iif="wan", dport=8081, ct_state="new")
    assert fates(trace) == [(DROP, Hook.FORWARD, "10.0.0.3", 8081)]


def test_a_key_that_is_not_in_the_map_ends_the_rule() -> None:
    trace = traced("ipt603-dnat-map.nft", iif="wan", oif="lan", dport=23, ct_state="new")
    (outcome,) = trace.outcomes
    assert (outcome.kind, outcome.becomes) == (DROP, None)


def test_a_translation_to_what_a_packet_has_leaves_no_status() -> None:
    trace = traced("min_identity_dnat.v4", iif="eth0", oif="eth1", daddr="203.0.113.10", dport=443)
    assert {outcome.kind for outcome in trace.outcomes} == {ACCEPT}
    trace = traced("min_identity_dnat.v4", iif="eth0", oif="eth1", daddr="192.0.2.1", dport=443)
    assert {outcome.kind for outcome in trace.outcomes} == {DROP}


def test_a_redirection_to_the_port_it_came_to() -> None:
    """To the first address of the interface it is no translation; to another one it is."""
    trace = traced("min_identity_redirect_nft.nft", iif="eth0", proto="udp", dport=53)
    said = {outcome.kind: outcome.conditions for outcome in trace.outcomes}
    assert said == {
        ACCEPT: ("its destination is not the first address of eth0",),
        DROP: ("its destination is the first address of eth0",),
    }
    for outcome in trace.outcomes:
        assert outcome.becomes is None or outcome.becomes.daddr == "the address of eth0"


@pytest.mark.parametrize("name", ["trace-iface-name.nft", "f12-iface.rules"])
def test_an_example_has_the_interfaces_that_were_asked_for(name: str) -> None:
    (outcome,) = traced(name, iif="eth7", oif="virbr0").outcomes
    assert (outcome.witness.iif, outcome.witness.oif) == ("eth7", "virbr0")


def test_what_comes_from_a_wire_has_no_mark() -> None:
    (outcome,) = traced("f10-mark.rules", iif="eth0", oif="cni0").outcomes
    assert (outcome.kind, outcome.witness.mark) == (DROP, 0)
    (outcome,) = traced("f10-mark.rules", iif="eth0", oif="cni0", mark=0x4000).outcomes
    assert outcome.kind is ACCEPT


PLAIN = """*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
COMMIT
"""


def test_both_ways_are_told_where_the_host_s_addresses_are_not_known() -> None:
    asked = Packet("ip", None, iif="eth0", daddr="192.0.2.10", proto="tcp", dport=22)
    outcomes = iptlint.trace(iptlint.read(PLAIN), asked).outcomes
    assert {(o.kind, o.way): o.conditions for o in outcomes} == {
        (ACCEPT, Hook.INPUT): ("192.0.2.10 is an address of this host",),
        (DROP, Hook.FORWARD): ("192.0.2.10 is not an address of this host",),
    }


def test_host_addresses_decide() -> None:
    asked = Packet("ip", None, iif="eth0", daddr="192.0.2.10", proto="tcp", dport=22)
    for own, way in (("192.0.2.10", Hook.INPUT), ("192.0.2.11", Hook.FORWARD)):
        (outcome,) = iptlint.trace(iptlint.read(PLAIN), asked, (ip_network(own),)).outcomes
        assert (outcome.way, outcome.conditions) == (way, ())


SENT_ON_BY_OUTPUT = """*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -i eth1 -j CT --zone 3
-A OUTPUT -d 192.168.1.0/24 -j CT --zone 3
COMMIT
*nat
:OUTPUT ACCEPT [0:0]
-A OUTPUT -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.100:8080
COMMIT
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
COMMIT
"""


@pytest.mark.parametrize("oif", [None, "lo"])
def test_what_output_translates_leaves_by_another_interface_than_was_asked(oif: str | None) -> None:
    """It is routed anew, so the answer comes by that one, in the zone of that. The kernel was
    asked."""
    address = InterfaceAddress("eth1", IPv4Interface("192.168.1.1/24"))
    asked = Packet(
        "ip", "output", oif=oif, saddr="192.168.1.1", daddr="192.168.1.1", proto="tcp", dport=80
    )
    trace = trace_packet(iptlint.read(SENT_ON_BY_OUTPUT), asked, of_interfaces([address]))
    assert trace.outcomes[0].arrived.oif == "eth1"
    assert connection(trace).works


def test_an_answer_that_another_interface_s_rule_drops() -> None:
    text = PLAIN.replace(
        ":OUTPUT ACCEPT [0:0]\n",
        ":OUTPUT ACCEPT [0:0]\n-A FORWARD -i eth1 -j DROP\n-A FORWARD -j ACCEPT\n",
    )
    asked = Packet("ip", None, iif="eth0", oif="eth1", proto="tcp", dport=80)
    exchange = connection(iptlint.trace(iptlint.read(text), asked))
    assert exchange.works is False


EXPIRING = """*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -j TTL --ttl-{}
COMMIT
"""


@pytest.mark.parametrize(
    ("change", "expires"),
    [("set 1", True), ("set 2", False), ("dec 63", True), ("dec 64", True), ("inc 1", False)],
)
def test_a_time_to_live_that_runs_out_ends_forwarding(change: str, expires: bool) -> None:
    """ip_forward looks at it before the hook."""
    text = EXPIRING.format(change) + PLAIN.replace("FORWARD DROP", "FORWARD ACCEPT")
    asked = Packet("ip", None, iif="eth0", oif="eth1", proto="tcp", dport=80)
    told = iptlint.trace(iptlint.read(text), asked)
    with_64 = told.space.value(Field.TTL, 64)
    assert {o.expired for o in told.outcomes if (o.packets & with_64).satisfiable()} == {expires}
    to_host = iptlint.trace(iptlint.read(text), Packet("ip", None, iif="eth0", proto="tcp"))
    assert {o.kind for o in to_host.outcomes} == {ACCEPT}


@pytest.mark.parametrize(
    ("daddr", "interfaces"),
    [
        ("192.0.2.10", {"lo"}),
        ("127.0.0.1", {"lo"}),
        ("198.51.100.7", {"lo", "eth0"}),
    ],
)
def test_what_a_host_sends_to_itself_leaves_by_lo(daddr: str, interfaces: set[str]) -> None:
    """Whatever other interface has the address (fib_rules: the local table comes first)."""
    text = "*filter\n:OUTPUT DROP [0:0]\n-A OUTPUT -o lo -j ACCEPT\nCOMMIT\n"
    packet = Packet("ip", "output", daddr=daddr, ct_state="new")
    told = iptlint.trace(iptlint.read(text), packet, (ip_network("192.0.2.10/32"),))
    assert {outcome.witness.oif for outcome in told.outcomes} == interfaces


def exchange(text: str, *, host: tuple[str, ...] = (), **asked: object) -> Connection:
    packet = Packet(**({"family": "ip", "hook": None, "proto": "tcp"} | asked))  # type: ignore[arg-type]
    own = tuple(ip_network(address) for address in host)
    return connection(iptlint.trace(iptlint.read(text), packet, own))


def test_an_answer_in_another_zone_is_no_answer() -> None:
    """It is looked for where it comes in, and opens a connection of its own (nf_conntrack_in)."""
    zone = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -j CT --zone 1\nCOMMIT\n"
    rules = PLAIN.replace("FORWARD DROP", "FORWARD ACCEPT")
    to = "-A PREROUTING -i eth0 -j DNAT --to-destination 10.0.0.5"
    nat = f"*nat\n:PREROUTING ACCEPT [0:0]\n{to}\nCOMMIT\n"
    asked: dict[str, object] = {"iif": "eth0", "oif": "eth1", "proto": "udp", "dport": 53}
    assert exchange(nat + rules, **asked).works is True
    split = exchange(zone + nat + rules, **asked)
    assert split.works is False
    assert all("not translated back" in (reply.lost or "") for reply in split.replies)
    answers = [outcome for reply in split.replies for outcome in reply.outcomes]
    assert {outcome.arrived.ct_state for outcome in answers} == {"new"}


def test_an_answer_to_what_was_not_tracked_may_be_tracked() -> None:
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -j CT --notrack\nCOMMIT\n"
    rules = PLAIN.replace(
        "COMMIT",
        "-A FORWARD -i eth0 -j ACCEPT\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT",
    )
    asked: dict[str, object] = {"iif": "eth0", "oif": "eth1", "dport": 53}
    assert exchange(raw + rules, proto="udp", **asked).works is True
    # A SYN+ACK opens nothing.
    assert exchange(raw + rules, proto="tcp", **asked).works is False
    # It comes all the same, as invalid (tcp_new); what follows it is new (nf_conntrack_tcp_loose).
    invalid = rules.replace("--ctstate NEW", "--ctstate INVALID")
    cut = exchange(raw + invalid, proto="tcp", **asked)
    assert cut.works is False
    assert ["connection of its own" in (reply.lost or "") for reply in cut.replies] == [True]
    both = rules.replace("--ctstate NEW", "--ctstate INVALID,NEW")
    assert exchange(raw + both, proto="tcp", **asked).works is True
    # And it is translated as what the server would open.
    nat = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -j SNAT --to 192.0.2.1\nCOMMIT\n"
    moved = exchange(raw + nat + both, proto="tcp", **asked)
    assert moved.works is False
    assert ["not translated back" in (reply.lost or "") for reply in moved.replies] == [True]


@pytest.mark.parametrize(
    ("oif", "daddr", "gets"),
    [
        ("eth1", "10.0.0.9", True),
        ("eth0", "10.0.0.9", False),
        ("eth0", "198.51.100.9", True),
        ("eth1", "198.51.100.9", False),
    ],
)
def test_what_is_forwarded_leaves_where_the_routes_of_the_host_lead(
    oif: str, daddr: str, gets: bool
) -> None:
    """The narrowest route is taken (fib_table_lookup)."""
    ways = (
        Behind(Family.IP, 10 << 24, (11 << 24) - 1, "eth1"),
        Behind(Family.IP, 0, (1 << 32) - 1, "eth0"),
    )
    host = HostAddresses((ip_network("192.0.2.1"),), (), ways, complete=True, routed=True)
    ruleset = iptlint.read(PLAIN.replace("COMMIT", f"-A FORWARD -o {oif} -j ACCEPT\nCOMMIT"))
    packet = Packet("ip", None, iif="eth2", daddr=daddr, ct_state="new")
    assert {o.kind for o in trace_packet(ruleset, packet, host).outcomes} == {
        ACCEPT if gets else DROP
    }


BY_PUBLISHED_PORT = """*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A PREROUTING -i eth0 -p tcp --dport 8443 -j DNAT --to-destination 172.17.0.2:443
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctorigdstport 8080 -j ACCEPT
COMMIT
"""


@pytest.mark.parametrize(("dport", "kind"), [(8080, ACCEPT), (8443, DROP)])
def test_what_a_connection_was_opened_to_is_known(dport: int, kind: VerdictKind) -> None:
    """As docker's documentation has it for DOCKER-USER: of the port before translation."""
    packet = Packet("ip", None, iif="eth0", proto="tcp", dport=dport)
    outcomes = iptlint.trace(iptlint.read(BY_PUBLISHED_PORT), packet).outcomes
    assert {(o.kind, o.conditions) for o in outcomes} == {(kind, ())}
    works = exchange(BY_PUBLISHED_PORT, iif="eth0", dport=dport).works
    assert works is (kind is ACCEPT)


def test_an_answer_in_another_zone_was_opened_to_where_it_is_sent() -> None:
    zone = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -j CT --zone 1\nCOMMIT\n"
    rules = (
        "-A FORWARD -i eth0 -j ACCEPT\n-A FORWARD -p udp -m conntrack --ctorigdstport {} -j ACCEPT"
    )
    asked: dict[str, object] = {"iif": "eth0", "oif": "eth1", "proto": "udp", "sport": 5353}
    for port, works in ((53, False), (5353, True)):
        text = PLAIN.replace("COMMIT", f"{rules.format(port)}\nCOMMIT")
        assert exchange(zone + text, dport=53, **asked).works is works


OUTPUT_DNAT = """*nat
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A OUTPUT -d 203.0.113.1/32 -j DNAT --to-destination 172.17.0.2
-A POSTROUTING -d 172.17.0.0/16 -o docker0 -j ACCEPT
COMMIT
*filter
:INPUT DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A OUTPUT -d 172.17.0.2/32 -o eth0 -j ACCEPT
COMMIT
"""


def test_output_goes_on_with_the_old_interface_and_postrouting_has_the_new_one() -> None:
    asked = Packet("ip", "output", oif="eth0", daddr="203.0.113.1", proto="tcp", ct_state="new")
    (outcome,) = iptlint.trace(iptlint.read(OUTPUT_DNAT), asked).outcomes
    assert outcome.kind is ACCEPT
    assert [step.decision.span.line for step in outcome.steps] == [4, 11, 5]


def test_what_a_host_translates_to_itself_comes_in_by_lo() -> None:
    text = OUTPUT_DNAT.replace("DNAT --to-destination 172.17.0.2", "REDIRECT")
    text = text.replace("-d 172.17.0.2/32 -o", "-o")
    asked = Packet("ip", "output", oif="eth0", daddr="203.0.113.1", proto="tcp", ct_state="new")
    (outcome,) = iptlint.trace(iptlint.read(text), asked).outcomes
    assert (outcome.kind, outcome.way) == (ACCEPT, Hook.INPUT)
    assert outcome.arrived.daddr == "127.0.0.1"
    assert outcome.steps[-1].decision.span.line == 10


RANGES = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.2-10.0.0.3
-A POSTROUTING -p tcp -j SNAT --to-source 192.0.2.1:2000-2009
COMMIT
"""


def test_what_the_kernel_chooses_from_is_said_and_not_one_of_it() -> None:
    asked = Packet("ip", None, iif="eth1", proto="tcp", sport=40000, dport=80, ct_state="new")
    (outcome,) = iptlint.trace(iptlint.read(RANGES), asked).outcomes
    assert outcome.becomes
    assert outcome.becomes.daddr == "one of 10.0.0.2-10.0.0.3"
    assert outcome.becomes.sport is None
    assert "sport is one of 2000-2009" in outcome.becomes.conditions
    within = replace(asked, sport=2005)
    (outcome,) = iptlint.trace(iptlint.read(RANGES), within).outcomes
    assert outcome.becomes
    assert outcome.becomes.sport == 2005


def test_a_known_network_leads_out_by_its_interface() -> None:
    rules = PLAIN.replace("COMMIT", "-A FORWARD -d 10.0.0.0/24 -o eth1 -j ACCEPT\nCOMMIT")
    asked: dict[str, object] = {"iif": "eth0", "daddr": "10.0.0.9", "ct_state": "new"}
    packet = Packet("ip", None, **asked)  # type: ignore[arg-type]
    (outcome,) = iptlint.trace(iptlint.read(rules), packet, (ip_network("192.0.2.1"),)).outcomes
    assert (outcome.kind, outcome.arrived.oif) == (ACCEPT, "eth1")


REDIRECTED = """*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353
COMMIT
*filter
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A OUTPUT -s 192.0.2.0/24 -j DROP
COMMIT
"""


def test_an_answer_is_from_the_address_of_the_interface_whatever_that_is() -> None:
    """xt_REDIRECT.c takes the first address of the interface."""
    asked = Packet("ip", None, iif="eth1", proto="udp", dport=53, ct_state="new")
    trace = iptlint.trace(iptlint.read(REDIRECTED), asked)
    assert connection(trace).works is None
    for address, works in (("10.0.0.1/24", True), ("192.0.2.1/24", False)):
        known = of_interfaces([InterfaceAddress("eth1", IPv4Interface(address))])
        told = trace_packet(iptlint.read(REDIRECTED), asked, known)
        redirected = next(o for o in told.outcomes if o.becomes and o.becomes.dport == 5353)
        assert redirected.arrived.daddr == address.partition("/")[0]
        assert connection(told).works is works


HAIRPIN = """*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i docker0 -p tcp -m tcp --dport 22 -j DNAT --to-destination {}
COMMIT
*filter
:FORWARD ACCEPT [0:0]
COMMIT
"""


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("172.17.0.2:8080", "gets its own packet"),
        ("172.17.0.3", "answers directly"),
        (":8080", "answers directly"),
    ],
)
def test_a_hairpin_is_seen_by_where_addresses_are(to: str, why: str) -> None:
    """No rule names the interface that leads to the other one."""
    known = of_interfaces([InterfaceAddress("docker0", IPv4Interface("172.17.0.1/16"))])
    asked = Packet("ip", None, iif="docker0", saddr="172.17.0.2", proto="tcp", dport=22)
    asked = replace(asked, daddr="172.17.0.9" if to.startswith(":") else "172.17.0.1")
    trace = trace_packet(iptlint.read(HAIRPIN.format(to)), asked, known)
    assert {outcome.arrived.oif for outcome in trace.outcomes} == {"docker0"}
    assert all(why in (reply.lost or "") for reply in connection(trace).replies)


def test_addrtype_is_asked_of_the_destination_that_a_packet_has_then() -> None:
    """An answer is the host's until it is translated back."""
    text = """*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -j SNAT --to-source 192.0.2.1
COMMIT
*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -m addrtype --dst-type LOCAL -j DROP
COMMIT
"""
    asked = Packet("ip", None, iif="eth0", oif="eth1", proto="tcp", dport=80)
    assert connection(iptlint.trace(iptlint.read(text), asked)).works is True


@pytest.mark.parametrize("inside", ["192.168.1.1/24", None])
def test_two_interfaces_that_no_rule_names_are_two(inside: str | None) -> None:
    """A plain port forward is no hairpin."""
    text = HAIRPIN.format("192.168.1.100:80").replace("-i docker0 ", "")
    asked = Packet("ip", None, iif="eth0", saddr="198.51.100.7", proto="tcp", dport=22)
    addresses = [InterfaceAddress("eth0", IPv4Interface("198.51.100.1/24"))]
    if inside is not None:
        addresses.append(InterfaceAddress("eth1", IPv4Interface(inside)))
    trace = trace_packet(iptlint.read(text), asked, of_interfaces(addresses))
    assert {outcome.arrived.oif for outcome in trace.outcomes} == {"eth1"}
    assert connection(trace).works is True
