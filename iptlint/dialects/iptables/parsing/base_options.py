"""The options every rule has: addresses, protocol, interfaces, fragments."""

from __future__ import annotations

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.addresses import Net
from iptlint.dialects.iptables.extensions.builders import (
    NEVER,
    Test,
    field_tests,
    masked_test,
    number,
    opt,
    row,
)
from iptlint.dialects.iptables.extensions.row import GivenOption
from iptlint.dialects.uninterpreted import host_name, uninterpreted
from iptlint.model import AnyOf, Family, Field, Interface, Match, Within


def network_test(field: Field) -> Test:
    """A comma list of networks; only a single one may be negated."""

    def test(given: GivenOption, family: Family) -> tuple[Match, ...]:
        nets = given.values[0]
        assert isinstance(nets, tuple)
        if given.negated and len(nets) > 1:
            raise InvalidValueError("one network after !, which takes no list", refused=True)
        if len(nets) == 1:
            return one_net(field, nets[0], family, negated=given.negated)
        return _any_net(field, nets, family)

    return test


def one_net(field: Field, net: Net, family: Family, *, negated: bool) -> tuple[Match, ...]:
    if net.name is not None:
        # The name is part of the key: what it resolves to at load is not known here.
        text = addresses.show_net(net, family)
        return (uninterpreted(f"{field.value} host {text}", negated, asks=host_name(text)),)
    if net.mask == 0:
        return NEVER if negated else ()
    if addresses.prefix_of(net.mask, family) is None:
        of_family = family.field(field)
        return masked_test(of_family, family.address_bits, net.value, net.mask, negated=negated)
    return (Within(family.field(field), (addresses.ends(net, family),), negated),)


def _any_net(field: Field, nets: tuple[Net, ...], family: Family) -> tuple[Match, ...]:
    each = [one_net(field, net, family, negated=False) for net in nets]
    if () in each:
        return ()
    if all(type(test) is Within for (test,) in each):
        ranges = dict.fromkeys(addresses.ends(net, family) for net in nets)
        return (Within(family.field(field), tuple(ranges)),)
    return (AnyOf(tuple(each)),)


def protocol_test(given: GivenOption, _: Family) -> tuple[Match, ...]:
    value = number(given)
    if value:
        return (Within(Field.PROTO, ((value, value),), given.negated),)
    if given.negated:
        raise InvalidValueError("a protocol other than all after !: it never matches", refused=True)
    return ()


def interface_test(field: Field) -> Test:
    """``eth+`` is every name that begins with eth; ``+`` alone is every name."""

    def test(given: GivenOption, _: Family) -> tuple[Match, ...]:
        name = str(given.values[0])
        wildcard = name.endswith("+")
        stem = name.removesuffix("+")
        if not stem:
            return NEVER if given.negated and wildcard else ()
        return (Interface(field, stem, wildcard, given.negated),)

    return test


def fragment_test(given: GivenOption, family: Family) -> tuple[Match, ...]:
    if family is not Family.IP:
        raise InvalidValueError("-m frag: -f is IPv4 only", refused=True)
    return (Within(Field.FRAGMENT, ((1, 1),), given.negated),)


def nothing(_given: GivenOption, _family: Family) -> tuple[Match, ...]:
    """An option about how the tool works, not about packets."""
    return ()


_WORKING = ("ipv4", "ipv6", "verbose", "wait", "wait-interval", "numeric", "exact")
_ALSO_WORKING = ("line-numbers", "modprobe")

CORE = row(
    "core",
    opt("source src", addresses.nets, inv=True, short="s"),
    opt("destination dst", addresses.nets, inv=True, short="d"),
    opt("protocol", addresses.protocol, inv=True, short="p"),
    opt("in-interface", values.some_interface, inv=True, short="i"),
    opt("out-interface", values.some_interface, inv=True, short="o"),
    opt("fragments fragment", inv=True, short="f"),
    opt("ipv4", short="4", rep=True),
    opt("ipv6", short="6", rep=True),
    opt("verbose", short="v", rep=True),
    opt("wait", values.number(2**31 - 1), short="w", optional=True, rep=True),
    opt("wait-interval", values.anything, short="W", optional=True, rep=True),
    opt("numeric", short="n", rep=True),
    opt("exact", short="x", rep=True),
    opt("line-numbers", rep=True),
    opt("modprobe", values.anything, short="M", rep=True),
    lower=field_tests(
        {
            "source": network_test(Field.SADDR),
            "destination": network_test(Field.DADDR),
            "protocol": protocol_test,
            "in-interface": interface_test(Field.IIF),
            "out-interface": interface_test(Field.OIF),
            "fragments": fragment_test,
        }
        | dict.fromkeys(_WORKING + _ALSO_WORKING, nothing)
    ),
)
"""Each of its options lowers by itself."""
