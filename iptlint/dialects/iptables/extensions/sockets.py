"""Matches of the socket that waits for a packet, and of the route back to where it comes from."""

from __future__ import annotations

from dataclasses import replace

from iptlint.dialects.iptables.extensions.builders import joint, opt, row, write
from iptlint.dialects.iptables.extensions.row import Extension, ExtensionResult, Uses
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import AnyOf, Family, Field, Match, Opaque
from iptlint.model.matches import AddressType, ReversePath


def _lower_socket(uses: Uses, _: Family) -> ExtensionResult:
    """A socket at any address counts with --nowildcard only (socket_match)."""
    marks = (write(Field.MARK),) if "restore-skmark" in uses else ()
    there: tuple[Match, ...] = (uninterpreted("socket --nowildcard"),)
    if "nowildcard" not in uses:
        there += (uninterpreted("socket wildcard 1", negated=True),)
    if "transparent" in uses:
        there += (uninterpreted("socket --nowildcard --transparent"),)
    return ExtensionResult(there, effects=marks)


def _lower_rpfilter(uses: Uses, family: Family) -> ExtensionResult:
    """--accept-local takes addresses of this host as well, without --loose those of the interface
    (rpfilter_lookup_reverse)."""
    plain = {k: v for k, v in uses.items() if k not in ("invert", "accept-local")}
    (test,) = joint("rpfilter")(plain, family).matches
    assert isinstance(test, Opaque)
    back = replace(test, asks=ReversePath(loose="loose" in uses))
    if "accept-local" not in uses:
        return ExtensionResult((replace(back, negated="invert" in uses),))
    limit = "" if "loose" in uses else " --limit-iface-in"
    asks = AddressType(Field.SADDR, ("LOCAL",), by_route=not limit)
    local = uninterpreted(f"addrtype --src-type LOCAL{limit}", asks=asks)
    return ExtensionResult((AnyOf(((back,), (local,)), "invert" in uses),))


ROWS: tuple[Extension, ...] = (
    row(
        "rpfilter",
        opt("loose"),
        opt("validmark"),
        opt("accept-local"),
        opt("invert"),
        lower=_lower_rpfilter,
        tables="raw mangle",
        chains="PREROUTING",
    ),
    row(
        "socket",
        opt("transparent"),
        opt("nowildcard"),
        opt("restore-skmark"),
        lower=_lower_socket,
        chains="PREROUTING INPUT",
    ),
)
