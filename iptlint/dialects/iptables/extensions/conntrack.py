"""conntrack and state, as net/netfilter/xt_conntrack.c decides them."""

from __future__ import annotations

from iptlint.dialects import thresholds
from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.builders import (
    all_given,
    each_opaque,
    opt,
    pair_of,
    row,
    spell,
)
from iptlint.dialects.iptables.extensions.header_matches import HAS_CONNECTION
from iptlint.dialects.iptables.extensions.row import ExtensionResult, GivenOption, Uses, Value
from iptlint.dialects.uninterpreted import host_name, uninterpreted
from iptlint.model import AnyOf, Family, Field, Match, Within
from iptlint.model.matches import CT_STATES, Asked, Original

_STATES = ("INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED")
_NAT_STATES = {"SNAT": Field.CT_SNAT, "DNAT": Field.CT_DNAT}
_STATUSES = ("NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED")
_DIRECTIONS = ("ORIGINAL", "REPLY")
_ADDRESS_NAMES = ("ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst")
_PORT_NAMES = ("ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport")

NO_CONNECTION = Within(HAS_CONNECTION.field, HAS_CONNECTION.ranges)


def _named(*names: str) -> Value:
    """A comma list of names in any case; a name may be cut short, the first that fits counts."""

    def one(text: str) -> str:
        fits = (name for name in names if text and name.startswith(text.upper()))
        fitting = next(fits, None)
        if fitting is None:
            raise InvalidValueError("a comma list of " + ", ".join(names))
        return fitting

    return lambda text, _: frozenset(one(part) for part in text.split(","))


def _names(given: GivenOption) -> frozenset[str]:
    names = given.values[0]
    assert isinstance(names, frozenset)
    return names


def _state_test(given: GivenOption, _: Family) -> Match:
    names = _names(given)
    indices = sorted(CT_STATES.index(name.lower()) for name in names & {*_STATES})
    states = tuple((index, index) for index in indices)
    if not names & {*_NAT_STATES}:
        return Within(Field.CT_STATE, states, given.negated)
    translated = tuple(
        (HAS_CONNECTION, Within(field, ((1, 1),)))
        for name, field in _NAT_STATES.items()
        if name in names
    )
    tracked = ((Within(Field.CT_STATE, states),),) if states else ()
    return AnyOf(tracked + translated, given.negated)


def _direction_test(given: GivenOption, _: Family) -> Match:
    index = _DIRECTIONS.index(str(given.values[0]))
    return Within(Field.CT_DIRECTION, ((index, index),))


def _status_test(given: GivenOption, _: Family) -> Match:
    """NONE is no bit at all, and no bit set never counts as one of them."""
    names = dict.fromkeys(sorted(_names(given) - {"NONE"}))
    return each_opaque("conntrack", "ctstatus", names, negated=given.negated)


MOST_EXPIRY = 2**31 // 100
"""Seconds: nf_ct_expires counts jiffies in 31 bits, of which a second has 100 at least."""


def _expiry_test(given: GivenOption, _: Family) -> Match:
    """nft counts in milliseconds."""
    low, high = pair_of(given)
    if low > high or low > MOST_EXPIRY:
        return AnyOf((), given.negated)
    if low == 0 and high >= MOST_EXPIRY:
        return AnyOf(((),), given.negated)
    top = (1 << 32) - 1
    return thresholds.ranged(
        "conntrack", "ct expiration", low * 1000, high * 1000, top, negated=given.negated
    )


def _protocol_test(given: GivenOption, _: Family) -> Match:
    return uninterpreted(f"conntrack {spell(given)}", given.negated)


_ORIGINAL = {
    "ctorigsrc": Field.SADDR,
    "ctorigdst": Field.DADDR,
    "ctorigsrcport": Field.SPORT,
    "ctorigdstport": Field.DPORT,
}


def _address_test(given: GivenOption, family: Family) -> Match:
    text = str(given.values[0])
    asks: Asked | None = host_name(text)
    field = _ORIGINAL.get(given.option.name)
    net = addresses.net(text, family)
    if field and asks is None and addresses.prefix_of(net.mask, family) is not None:
        asks = Original(family.field(field), (addresses.ends(net, family),))
    return uninterpreted(f"conntrack {spell(given)}", given.negated, asks)


def _port_test(given: GivenOption, _: Family) -> Match:
    """Every port, or none where the range ends before it begins, is a test all the same."""
    low, high = pair_of(given)
    if low > high or (low, high) == (0, 0xFFFF):
        return AnyOf(((),) if low <= high else (), given.negated)
    field = _ORIGINAL.get(given.option.name)
    asks = Original(field, ((low, high),)) if field else None
    return uninterpreted(f"conntrack {spell(given)}", given.negated, asks)


_TESTS = {
    "ctstate": _state_test,
    "ctproto": _protocol_test,
    "ctdir": _direction_test,
    "ctstatus": _status_test,
    "ctexpire": _expiry_test,
    **dict.fromkeys(_ADDRESS_NAMES, _address_test),
    **dict.fromkeys(_PORT_NAMES, _port_test),
}


def lower_conntrack(uses: Uses, family: Family) -> ExtensionResult:
    """A packet without a connection passes every test but the state, if the state is tested."""
    if not uses:
        raise InvalidValueError("at least one option")
    given = tuple(all_given(uses))
    state = tuple(_state_test(g, family) for g in given if g.option.name == "ctstate")
    rest = tuple(_TESTS[g.option.name](g, family) for g in given if g.option.name != "ctstate")
    if not state:
        return ExtensionResult((HAS_CONNECTION, *rest))
    if not rest:
        return ExtensionResult(state)
    return ExtensionResult((*state, AnyOf(((NO_CONNECTION,), rest))))


def lower_state(uses: Uses, family: Family) -> ExtensionResult:
    return ExtensionResult(tuple(_state_test(given, family) for given in all_given(uses)))


def _port_range(text: str, family: Family) -> tuple[int, int]:
    return addresses.any_ports(text, family)


_ADDRESSES = tuple(opt(name, addresses.network, inv=True) for name in _ADDRESS_NAMES)
_PORTS = tuple(opt(name, _port_range, inv=True) for name in _PORT_NAMES)

ROWS = (
    row(
        "conntrack",
        opt("ctstate", _named(*_STATES, *_NAT_STATES), inv=True),
        opt("ctproto", addresses.protocol, inv=True),
        *_ADDRESSES,
        *_PORTS,
        opt("ctstatus", _named(*_STATUSES), inv=True),
        opt("ctexpire", values.span(32, inverted=True), inv=True),
        opt("ctdir", values.one_of(*_DIRECTIONS)),
        lower=lower_conntrack,
    ),
    row(
        "state",
        opt("state", _named(*_STATES), inv=True, req=True),
        lower=lower_state,
    ),
)
