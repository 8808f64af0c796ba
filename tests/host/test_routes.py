"""Which interface leads where, by what ``ip -j route`` and ``ip -j rule`` of iproute2 6.1 print."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iptlint.host.gathered import CommandOutput, Gathered
from iptlint.host.routes import routes

USUAL = [
    {"priority": 0, "src": "all", "table": "local"},
    {"priority": 32766, "src": "all", "table": "main"},
    {"priority": 32767, "src": "all", "table": "default"},
]
USUAL6 = USUAL[:2]
WIREGUARD = [
    USUAL[0],
    {"priority": 32764, "src": "all", "table": "main", "suppress_prefixlen": 0},
    {"priority": 32765, "not": None, "src": "all", "fwmark": "0xca6c", "table": "51820"},
    *USUAL[1:],
]
MARKED = [*USUAL, {"priority": 100, "src": "all", "fwmark": "0x5", "table": "100"}]
TABLE = [
    {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0", "flags": []},
    {"dst": "10.0.0.0/24", "dev": "eth1", "protocol": "kernel", "scope": "link", "flags": []},
    {"dst": "10.5.0.0/16", "dev": "eth2", "metric": 5, "flags": ["linkdown"]},
    {"dst": "10.5.0.0/16", "gateway": "10.0.0.9", "dev": "eth1", "metric": 7, "flags": []},
    {"type": "unreachable", "dst": "10.6.0.0/16", "flags": []},
    {"dst": "10.7.0.0/16", "tos": "0x10", "dev": "eth1", "scope": "link", "flags": []},
    {"type": "local", "dst": "10.0.0.1", "dev": "eth1", "table": "local", "flags": []},
    {"dst": "10.8.0.0/16", "dev": "eth1", "flags": ["dead", "linkdown"]},
]
TABLE6 = [
    {"dst": "default", "gateway": "2001:db8::9", "dev": "eth0", "metric": 1024, "pref": "medium"},
    {"dst": "fe80::/64", "dev": "eth0", "metric": 256, "flags": [], "pref": "medium"},
    {"dst": "fe80::/64", "dev": "eth1", "metric": 256, "flags": [], "pref": "medium"},
    {"dst": "2001:db8:9::/48", "from": "2001:db8:1::/64", "dev": "eth1", "pref": "medium"},
]


def of(
    table: Any = TABLE, table6: Any = TABLE6, rules: Any = USUAL
) -> dict[str, str | None] | None:
    printed = {"routes": table, "routes6": table6, "routing-rules": rules, "routing-rules6": USUAL6}
    outputs = {name: CommandOutput(json.dumps(each).encode(), 0) for name, each in printed.items()}
    found = routes(Gathered("a host", True, outputs))
    return None if found is None else {str(one.destination): one.interface for one in found}


def test_each_destination_has_an_interface() -> None:
    found = of()
    assert found is not None
    assert (found["0.0.0.0/0"], found["10.0.0.0/24"], found["::/0"]) == ("eth0", "eth1", "eth0")


def test_the_lowest_metric_is_taken() -> None:
    assert (of() or {})["10.5.0.0/16"] == "eth2"


@pytest.mark.parametrize(
    "destination", ["10.6.0.0/16", "10.7.0.0/16", "fe80::/64", "2001:db8:9::/48"]
)
def test_what_leads_nowhere_or_to_several_is_not_known(destination: str) -> None:
    """And is no reason to take the next wider network."""
    assert (of() or {})[destination] is None


@pytest.mark.parametrize("destination", ["10.0.0.1/32", "10.8.0.0/16"])
def test_of_other_tables_and_of_what_is_down_nothing_is_said(destination: str) -> None:
    assert destination not in (of() or {})


def test_a_route_of_several_hops() -> None:
    hops = [
        {"gateway": "10.0.0.2", "dev": "eth1", "weight": 1, "flags": []},
        {"gateway": "10.1.0.2", "dev": "eth2", "weight": 1, "flags": []},
    ]
    for over, interface in ((hops, None), (hops[:1], "eth1")):
        found = of([{"dst": "default", "flags": [], "nexthops": over}])
        assert (found or {})["0.0.0.0/0"] == interface
    hops[1]["flags"] = ["dead", "linkdown"]
    assert (of([{"dst": "default", "nexthops": hops}]) or {})["0.0.0.0/0"] == "eth1"


@pytest.mark.parametrize(
    "rules", [WIREGUARD, MARKED, [*USUAL[1:], {"priority": 1, "l3mdev": None}]]
)
def test_with_rules_of_routing_nothing_is_known_of_the_family(rules: Any) -> None:
    found = of(rules=rules)
    assert found == {"0.0.0.0/0": None} | {
        name: interface for name, interface in (of() or {}).items() if ":" in name
    }


def test_a_last_table_with_routes_is_not_followed() -> None:
    last = {"dst": "203.0.113.0/24", "dev": "eth3", "table": "default", "flags": []}
    assert (of([*TABLE, last]) or {})["0.0.0.0/0"] is None


@pytest.mark.parametrize("table", [7, [7], [{"dev": "eth0"}], [{"dst": "x"}], {"dst": "default"}])
def test_what_is_not_understood_is_not_known(table: Any) -> None:
    assert of(table) is None


def test_without_the_command_nothing_is_known() -> None:
    assert routes(Gathered("a host", True, {})) is None
