"""By which interface the host sends what: its routes, as far as the destination alone tells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, NamedTuple

from iptlint.host.gathered import Gathered
from iptlint.model.host import HostRoute

_ALL: dict[int, IPv4Network | IPv6Network] = {4: IPv4Network("0.0.0.0/0"), 6: IPv6Network("::/0")}
_COMMANDS = {4: ("routes", "routing-rules"), 6: ("routes6", "routing-rules6")}
_USUAL_RULES = {(0, "local"), (32766, "main"), (32767, "default")}
"""Those of a host whose routing looks at the destination only (fib_default_rules_init)."""
_CONDITIONS = ("tos", "from")
"""Of a route that is not for all packets to its destination."""
_MAIN, _LAST = "main", "default"


class _Entry(NamedTuple):
    """``interfaces``: those that it leads to; none where it leads nowhere, or not always."""

    metric: int
    interfaces: frozenset[str]


def routes(gathered: Gathered) -> tuple[HostRoute, ...] | None:
    """None where they were not gathered, or not understood. Of a family with other rules of
    routing than a host has by itself nothing is known."""
    try:
        return tuple(route for version in _ALL for route in _of_version(gathered, version))
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def _of_version(gathered: Gathered, version: int) -> Iterator[HostRoute]:
    table, rules = (json.loads(gathered.printed(name)) for name in _COMMANDS[version])
    if all(map(_is_usual, rules)) and not any(_table(each) == _LAST for each in table):
        yield from _of_table(each for each in table if _table(each) == _MAIN)
    else:
        yield HostRoute(_ALL[version], None)


def _table(entry: dict[str, Any]) -> str:
    return str(entry.get("table", _MAIN))


def _is_usual(rule: dict[str, Any]) -> bool:
    known = rule.keys() <= {"priority", "src", "table"}
    return known and rule["src"] == "all" and (rule["priority"], rule["table"]) in _USUAL_RULES


def _of_table(table: Iterable[dict[str, Any]]) -> Iterator[HostRoute]:
    """Of several routes to the same destination the one with the lowest metric is taken."""
    by_destination: dict[IPv4Network | IPv6Network, list[_Entry]] = {}
    for entry in table:
        if "dead" not in entry.get("flags", ()):
            by_destination.setdefault(_destination(entry), []).append(_entry(entry))
    for destination, entries in by_destination.items():
        least = min(entry.metric for entry in entries)
        best = [entry.interfaces for entry in entries if entry.metric == least]
        first, *others = frozenset().union(*best) if all(best) else (None, None)
        yield HostRoute(destination, None if others else first)


def _destination(entry: dict[str, Any]) -> IPv4Network | IPv6Network:
    text = str(entry["dst"])
    if text == "default":
        return _ALL[6 if "pref" in entry else 4]
    return ip_network(text)


def _entry(entry: dict[str, Any]) -> _Entry:
    leads = entry.get("type", "unicast") == "unicast"
    if not leads or any(condition in entry for condition in _CONDITIONS):
        return _Entry(entry.get("metric", 0), frozenset())
    hops = [hop for hop in entry.get("nexthops", (entry,)) if "dead" not in hop.get("flags", ())]
    return _Entry(entry.get("metric", 0), frozenset(str(hop["dev"]) for hop in hops))
