"""Random calls between the stations, the host, and what is beyond."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from tests.kernel import places
from tests.kernel.datagrams import ICMP, ICMP6, TCP, UDP
from tests.kernel.exchanges import Call
from tests.kernel.topology import Network, Station, Topology, own_address

_PORT = re.compile(r"\b(?:dport|dports)\b[^\d]{0,4}(\d+)\b(?![.:])")
_ECHO = {"ip": ICMP, "ip6": ICMP6}


def calls(
    topology: Topology,
    text: str,
    family: str,
    rng: random.Random,
    count: int,
    *,
    within: Network | None = None,
) -> Iterator[Call]:
    """To what the ruleset's text names, mostly. None is between two who need no host for it.
    ``within``: mostly between those of this network and the host."""
    ports = [int(port) for port in _PORT.findall(text)] + [*places.PORTS]
    stations = [station for one in topology.networks for station in one.stations]
    callers = [*stations, stations[0], stations[0], stations[1], None]
    aims = [*places.OWN[family] * 3, *places.STATIONS[family], places.PUBLISHED[family]]
    aims += [places.FAR[family], places.PUBLISHED[family], places.OWN[family][0]]
    if within is not None:
        callers = [*within.stations * 3, None, *callers[:1]]
        near = [own_address(within, family), *(s.addresses[family] for s in within.stations)]
        aims = [*near * 4, *aims]
    number = 40000
    while count:
        caller, aim = rng.choice(callers), rng.choice(aims)
        proto = rng.choice((TCP, TCP, TCP, UDP, UDP, _ECHO[family]))
        port = 0 if proto in (ICMP, ICMP6) else rng.choice(ports)
        source = _source(topology, caller, aim, family)
        number += 1
        one = Call(caller, source, aim, proto, number, port)
        if caller is not None and (source == aim or _is_direct(topology, caller, one)):
            continue
        yield one
        count -= 1


def _is_direct(topology: Topology, caller: Station, call: Call) -> bool:
    """The host is not asked, not even for its bridge."""
    neighbour = topology.neighbour(caller, call.opening)
    return neighbour is not None and neighbour.wire == caller.wire


def _source(topology: Topology, caller: Station | None, aim: str, family: str) -> str:
    if caller is not None:
        return caller.addresses[family]
    if aim in places.OWN[family]:
        return aim
    networks = [one for one in topology.networks if one.has(aim)] or [topology.networks[0]]
    return own_address(networks[0], family)
