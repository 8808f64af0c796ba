"""What an entry of a cloud's filter says, in words."""

from __future__ import annotations

from iptlint.model.cloud import Cloud, FilterEntry, GroupPeer, ListPeer, Peer, Traffic, UnknownPeer
from iptlint.model.protocols import ICMP, ICMP6, ICMP_TYPE_NAMES, PROTOCOL_NAMES


def entry_in_words(cloud: Cloud, entry: FilterEntry, *, inbound: bool) -> str:
    """``entry 100 allows tcp port 443 from 0.0.0.0/0``"""
    if entry.traffic is None:
        return "an entry that could not be read"
    what = "a rule" if entry.number is None else f"entry {'*' if entry.closing else entry.number}"
    verb = "allows" if entry.allows else "denies"
    word = "from" if inbound else "to"
    peer = peer_in_words(cloud, entry.peer)
    return f"{what} {verb} {traffic_in_words(entry.traffic)} {word} {peer}"


def traffic_in_words(traffic: Traffic) -> str:
    """``tcp port 443``, ``all traffic``"""
    number = traffic.protocol
    if number is None:
        return "all traffic"
    name = PROTOCOL_NAMES.get(number, f"protocol {number}")
    if number in (ICMP, ICMP6) and traffic.icmp_type is not None:
        kind = traffic.icmp_type
        return f"{name} {ICMP_TYPE_NAMES.get(number, {}).get(kind, f'type {kind}')}"
    if traffic.ports is None:
        return name
    low, high = traffic.ports
    if (low, high) == (0, 65535):
        return f"{name}, any port"
    return f"{name} port {low}" if low == high else f"{name} ports {low}-{high}"


def peer_in_words(cloud: Cloud, peer: Peer) -> str:
    match peer:
        case GroupPeer(group, foreign):
            return f"members of {group}" + (" of another network" if foreign else "")
        case ListPeer(id):
            known = cloud.prefix_list(id)
            named = f"{id} ({known.name})" if known is not None and known.name else id
            is_known = known is not None and known.networks is not None
            return named if is_known else f"{named}, of which no document has the entries"
        case UnknownPeer(text):
            return text
        case _:
            return str(peer)
