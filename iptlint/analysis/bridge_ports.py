"""What rules show of bridges: their ports, and whether br_netfilter shows to the chains of ip what
goes over them."""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.model import AnyOf, Family, Field, Interface, Match, Opaque, Ruleset, Table
from iptlint.model.kinds import examples_testing
from iptlint.model.matches import BridgePort


def tables_of_bridges(ruleset: Ruleset) -> tuple[Table, ...]:
    """Those of bridges that may do something with packets."""
    return tuple(
        table
        for table in ruleset.tables
        if table.family is Family.BRIDGE and any(chain.rules for chain in table.base_chains())
    )


def not_followed(ruleset: Ruleset) -> tuple[str, ...]:
    """What an answer about all packets leaves out, as it follows none from a bridge to the chains
    of ip, or back. ``trace`` does for one."""
    seen_by_ip = any(
        chain.rules or (chain.policy is not None and chain.policy.kind.denies)
        for table in ruleset.tables
        if table.family in (Family.IP, Family.IP6, Family.INET)
        for chain in table.base_chains()
    )
    if not seen_by_ip:
        return ()
    shown = (_SHOWN,) if is_shown_to_ip(ruleset) else ()
    tables = ", ".join(f"bridge {table.name}" for table in tables_of_bridges(ruleset))
    return (_APART.format(tables), *shown) if tables else shown


_APART = (
    "not followed: packets from {} to the chains of ip, ip6 and inet, or back; each is asked alone"
)
_SHOWN = (
    "not followed: packets from port to port of a bridge, which br_netfilter shows to the chains of"
    " ip, ip6 and inet"
)


def is_shown_to_ip(ruleset: Ruleset) -> bool:
    """Whether br_netfilter is there, as rules for ports show, or a script that switches it on."""
    script = ruleset.script
    return any(True for _ in asked_ports(ruleset)) or (
        script is not None and script.hints.shows_bridged
    )


def bridge_ports(ruleset: Ruleset) -> frozenset[str]:
    """The interfaces that rules show to be ports of bridges."""
    rules = (rule for table in tables_of_bridges(ruleset) for _, rule in table.rules())
    named = {name for rule in rules for match in rule.matches for name in _named(match)}
    asked = asked_ports(ruleset)
    return frozenset(named | {port.name for port in asked if port.name and not port.wildcard})


def asked_ports(ruleset: Ruleset) -> Iterator[BridgePort]:
    """What chains of ip ask of ports, which is in vain without br_netfilter."""
    for rule in (each for table in ruleset.tables for each in examples_testing(table)):
        for match in rule.matches:
            if isinstance(match, Opaque | AnyOf):  # which few are, and there may be very many
                for test in port_tests(match):
                    if isinstance(test.asks, BridgePort):
                        yield test.asks


def _named(match: Match) -> Iterator[str]:
    match match:
        case Interface(Field.IIF | Field.OIF, name, wildcard=False):
            yield name
        case AnyOf(alternatives):
            for tests in alternatives:
                for test in tests:
                    yield from _named(test)


def port_tests(match: Match) -> Iterator[Opaque]:
    """The tests for the port of a bridge that it is made of."""
    match match:
        case Opaque(asks=BridgePort()):
            yield match
        case AnyOf(alternatives):
            for tests in alternatives:
                for test in tests:
                    yield from port_tests(test)
