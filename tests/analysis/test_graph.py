"""Hooks, chains, calls, sets and translations as nodes and edges; the way of a packet in it."""

from __future__ import annotations

import iptlint
from iptlint.analysis.graph import EdgeKind, Graph, NodeKind, graph, usual_outcome
from iptlint.packets.packet import Packet
from tests.firewalls import saved

NFT = """
table inet filter {
    set bad { type ipv4_addr; elements = { 198.51.100.1 } }
    map ports { type inet_service : verdict; elements = { 22 : jump ssh } }
    chain ssh { accept }
    chain input {
        type filter hook input priority filter; policy drop;
        ip saddr @bad drop
        tcp dport vmap @ports
        @th,16,16 80 goto web comment "@none"
    }
    chain web { accept }
    chain alone { accept }
}
"""


def drawn(text: str, **more: int) -> Graph:
    return graph([iptlint.read(text)], **more)


def names(made: Graph) -> dict[str, NodeKind]:
    return {node.name: node.kind for node in made.nodes}


def edges(made: Graph) -> set[tuple[str, EdgeKind, str]]:
    name = {node.id: node.name for node in made.nodes}
    return {(name[edge.source], edge.kind, name[edge.target]) for edge in made.edges}


def test_nft() -> None:
    made = drawn(NFT)
    assert names(made) == {
        "input": NodeKind.BASE_CHAIN,  # the hook has the name as well
        "ssh": NodeKind.CHAIN,
        "web": NodeKind.CHAIN,
        "alone": NodeKind.UNCALLED,
        "bad": NodeKind.SET,
        "ports": NodeKind.SET,
    }
    assert made.nodes[0].kind is NodeKind.HOOK
    assert edges(made) == {
        ("input", EdgeKind.ASKS, "input"),
        ("input", EdgeKind.TESTS, "bad"),
        ("input", EdgeKind.TESTS, "ports"),
        ("input", EdgeKind.JUMPS, "ssh"),
        ("input", EdgeKind.GOES_TO, "web"),
    }


def test_ipsets_and_translations_of_iptables() -> None:
    nat = saved(
        "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.7:8080",
        "-A PREROUTING -p tcp --dport 81 -j DNAT --to-destination 10.0.0.7:8080",
        "-A POSTROUTING -o eth0 -j MASQUERADE",
        table="nat",
    )
    rules = saved(
        "-A INPUT -m set --match-set banned src -j DROP",
        "-A INPUT -p tcp --dport 23 -j SET --add-set banned src",
    )
    made = drawn(nat + rules)
    assert ("INPUT", EdgeKind.TESTS, "banned") in edges(made)
    assert ("INPUT", EdgeKind.FILLS, "banned") in edges(made)
    assert ("PREROUTING", EdgeKind.TRANSLATES, "DNAT 10.0.0.7:8080") in edges(made)
    (dnat,) = [e for e in made.edges if e.kind is EdgeKind.TRANSLATES and e.rules == 2]
    assert [n.name for n in made.nodes if n.id == dnat.target] == ["DNAT 10.0.0.7:8080"]
    assert ("prerouting", EdgeKind.GOES_ON, "input") in edges(made)


def test_base_chains_are_asked_by_priority() -> None:
    text = saved("-A PREROUTING -j LOG", table="nat") + saved("-A PREROUTING -j LOG", table="raw")
    made = drawn(text)
    asked = [e.target for e in made.edges if e.kind is EdgeKind.ASKS]
    tables = {node.id: node.table for node in made.nodes}
    assert [tables[node] for node in asked][:2] == ["ip raw", "ip nat"]


def test_base_chains_that_do_nothing_are_left_out_but_not_those_that_decide() -> None:
    made = drawn(saved(table="nat") + saved())
    assert made.left_out == 4
    assert {node.name for node in made.nodes if node.kind is NodeKind.BASE_CHAIN} == {
        *("INPUT", "FORWARD", "OUTPUT")
    }


def test_chains_alike_are_one_where_they_are_many() -> None:
    chains = [f"KUBE-SEP-{n:08X}" for n in range(40)]
    calls = [f"-A INPUT -j {name}" for name in chains]
    text = saved(*calls, "-A INPUT -j other", chains=" ".join((*chains, "other")))
    assert len(drawn(text, most=1000).nodes) > 40
    made = drawn(text, most=20)
    (folded,) = [node for node in made.nodes if node.members > 1]
    assert (folded.name, folded.members) == ("KUBE-SEP…", 40)
    (edge,) = [e for e in made.edges if e.target == folded.id]
    assert edge.rules == 40
    assert "other" in names(made)


def test_the_way_of_a_packet() -> None:
    nat = saved("-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.7", table="nat")
    text = nat + saved("-A FORWARD -j web", "-A web -j DROP", chains="web")
    ruleset = iptlint.read(text)
    made = graph([ruleset])
    packet = Packet("ip", "input", iif="eth0", proto="tcp", dport=80, ct_state="new")
    outcome = next(o for o in iptlint.trace(ruleset, packet).outcomes if o.kind.denies)
    way = made.way(outcome.steps, "drop")
    name = {node.id: node.name for node in made.nodes}
    assert [name[node] for node in way.nodes] == [
        *("prerouting", "PREROUTING", "DNAT 10.0.0.7", "forward", "FORWARD", "web")
    ]
    assert len(way.edges) == 5
    assert way.verdict == "drop"


def test_the_usual_outcome_is_that_of_who_is_on_no_list() -> None:
    text = saved("-A INPUT -m set --match-set banned src -j DROP", "-A INPUT -j REJECT")
    packet = Packet("ip", "input", iif="eth0", proto="udp", dport=53, ct_state="new")
    traced = iptlint.trace(iptlint.read(text), packet)
    assert {outcome.kind.value for outcome in traced.outcomes} == {"drop", "reject"}
    assert usual_outcome(traced).kind.value == "reject"


def test_a_loop_is_drawn() -> None:
    text = saved("-A INPUT -j a", "-A a -j b", "-A b -j a", chains="a b")
    assert {("a", EdgeKind.JUMPS, "b"), ("b", EdgeKind.JUMPS, "a")} <= edges(drawn(text))


def test_a_chain_without_a_rule_is_left_out_where_it_lets_all_pass_and_nobody_looks_for_it() -> (
    None
):
    raw = "*raw\n:PREROUTING {} [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    assert "PREROUTING" in names(drawn(raw.format("DROP")))
    made = drawn(raw.format("ACCEPT"))
    assert (names(made), made.left_out) == ({}, 2)
