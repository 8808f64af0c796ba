"""Matches of the sockets that send a packet or wait for one, and of the route back."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import values
from iptlint.dialects.iptables.extensions.builders import joint, need_one, opt, pure, row, write
from iptlint.dialects.iptables.extensions.row import Extension, ExtensionResult, GivenOption, Uses
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import AnyOf, Family, Field, Match, Opaque
from iptlint.model.matches import AddressType, ReversePath, Sender
from iptlint.model.numbers import is_decimal

_OWNER = "a name, or a number from 0 to 4294967294, or a range of them as 1000-1999"


class _Numbers(NamedTuple):
    low: int
    high: int

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


def _ids(text: str, _: Family) -> _Numbers | str:
    """A user's or group's name, a number, ``a-b`` or ``a:b`` (owner_parse_range of libxt_owner.c).
    Only root's number is the same everywhere."""
    if not is_decimal(text[:1]):
        if not text:
            raise InvalidValueError(_OWNER)
        return _Numbers(0, 0) if text == "root" else text
    low, between, high = text.partition(":" if ":" in text else "-")
    try:
        first = values.integer(low, 0, 2**32 - 2)
        last = values.integer(high, 0, 2**32 - 2) if between else first
    except InvalidValueError:
        raise InvalidValueError(_OWNER) from None
    values.ordered(first, last)
    return _Numbers(first, last)


def _sender(given: GivenOption) -> Sender:
    """Whatever has a socket has some user."""
    if not given.values:
        return Sender((0, 2**32 - 1))
    (ids,) = given.values
    return Sender(ids if isinstance(ids, _Numbers) else None)


def _gone(_text: str, _family: Family) -> object:
    raise InvalidValueError(
        "a user, a group or --socket-exists: the kernel asks for nothing else since Linux 2.6.25",
        refused=True,
    )


def _lower_owner(uses: Uses, family: Family) -> ExtensionResult:
    """--suppl-groups widens --gid-owner, which has to come first (libxt_owner.c)."""
    if "suppl-groups" not in uses:
        return pure("owner", asks=_sender)(uses, family)
    order = list(uses)
    if "gid-owner" not in uses or order.index("gid-owner") > order.index("suppl-groups"):
        raise InvalidValueError("--gid-owner before --suppl-groups")
    apart = {k: v for k, v in uses.items() if k not in ("gid-owner", "suppl-groups")}
    group = {k: uses[k] for k in ("gid-owner", "suppl-groups")}
    joined = joint("owner", "gid-owner", asks=lambda uses: _sender(uses["gid-owner"][0]))
    return ExtensionResult(_lower_owner(apart, family).matches + joined(group, family).matches)


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
        "owner",
        opt("uid-owner", _ids, inv=True),
        opt("gid-owner", _ids, inv=True),
        opt("socket-exists", inv=True),
        opt("suppl-groups"),
        *(opt(f"{gone}-owner", _gone, inv=True) for gone in ("pid", "sid", "cmd")),
        lower=need_one("uid-owner", "gid-owner", "socket-exists", then=_lower_owner),
        chains="OUTPUT POSTROUTING",
    ),
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
